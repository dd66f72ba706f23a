#pragma once
// RunFolder: all that a run leaves behind, in one folder with a page that shows it.
//
//   runs/<name>-<date>/
//     config.json      the resolved options
//     log.jsonl        what happened (log.h)
//     checkpoints/     safetensors files
//     figures/         <name>.dat, <name>.gp, <name>.png, <name>.svg
//     index.html       notes, tables, figures and configuration in one file that needs no other
//
// One writer: under MPI only rank 0 has a RunFolder. Not thread-safe.

#include <memory>
#include <string>
#include <vector>

#include "soma/train/figures.h"
#include "soma/train/log.h"

namespace soma::train {

// A table of the page. Cells that read pass, fail, reported or skipped are coloured.
struct Table {
    std::string title;
    std::vector<std::string> header;
    std::vector<std::vector<std::string>> rows;
    std::string note = {};  // below the table
};

// What became of a figure.
struct RenderedFigure {
    FigureText text;
    bool rendered = false;  // png and svg exist
    bool pixels = false;    // made of pixels: the page shows the PNG, else the SVG
    std::string problem;    // why it was not rendered; "" when it was
};

class RunFolder {
public:
    // Makes <parent>/<name>-<yyyymmdd-hhmmss>, with -2, -3, ... appended when that exists.
    // Error(checkpoint) naming the path when it cannot be made or written, here and below.
    static RunFolder create(const std::string& parent, const std::string& name);
    // A folder of an earlier run, to continue it. Error(data) when it is none.
    static RunFolder open(const std::string& path);
    // The folder with this very path, to begin or to continue it.
    static RunFolder at(const std::string& path);

    const std::string& path() const { return path_; }
    const std::string& name() const { return name_; }
    std::string checkpoints() const { return path_ + "/checkpoints"; }
    std::string figures() const { return path_ + "/figures"; }
    std::string page() const { return path_ + "/index.html"; }
    std::string file(const std::string& name) const { return path_ + "/" + name; }

    // Writes config.json, and the table at the end of the page.
    void set_config(const Fields& config);
    JsonLog& log() { return *log_; }

    // Each writes its files at once. Error(usage) when sizes do not fit each other or the name is
    // no file name; a missing or failing gnuplot is no error (see RenderedFigure::problem). The
    // result stays valid until the next call.
    const RenderedFigure& add(const LinePlot& plot);
    const RenderedFigure& add(const BarChart& chart);
    const RenderedFigure& add(const HeatMap& map);
    const RenderedFigure& add(const ImageGrid& grid);
    const RenderedFigure& add(const TimingDiagram& diagram);

    // A paragraph at the head of the page, and a table below them.
    void note(const std::string& paragraph) { notes_.push_back(paragraph); }
    void add(const Table& table) { tables_.push_back(table); }
    // A text file in the folder, written whole: <name> is replaced only when all bytes are out.
    void write(const std::string& name, const std::string& text);

    // Deletes the folder when nothing happened in it: no event, checkpoint, figure or other text.
    // For a new run that failed before it began.
    void discard_if_unused();

    // (Re)writes index.html from all that was added so far.
    void write_page(const std::string& title);

private:
    explicit RunFolder(std::string path);
    const RenderedFigure& keep(RenderedFigure figure);

    std::string path_, name_;
    std::unique_ptr<JsonLog> log_;
    Fields config_;
    std::vector<std::string> notes_;
    std::vector<Table> tables_;
    std::vector<RenderedFigure> figures_;
};

// The page as text; `figures_folder` is where the image files are.
std::string html_page(const std::string& title, const std::vector<std::string>& notes,
                      const std::vector<Table>& tables, const std::vector<RenderedFigure>& figures,
                      const std::string& figures_folder, const Fields& config);

}  // namespace soma::train
