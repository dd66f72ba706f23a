#include "soma/train/report.h"

#include <ctime>
#include <filesystem>
#include <fstream>

#include "soma/core/error.h"
#include "train/plot.h"

namespace soma::train {
namespace {

namespace fs = std::filesystem;

std::string date_now() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    localtime_r(&now, &parts);
    char text[32];
    const std::size_t length = std::strftime(text, sizeof text, "%Y%m%d-%H%M%S", &parts);
    return {text, length};
}

void make_folder(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) {
        fail(ErrorCode::checkpoint, "run folder: cannot make ", path.string(), ": ",
             error.message());
    }
}

// Written beside its place and renamed, so that a reader never sees half a file.
void write_whole(const std::string& path, const std::string& text) {
    const std::string temporary = path + ".tmp";
    std::ofstream out(temporary, std::ios::binary);
    out << text;
    out.close();
    std::error_code error;
    if (out) fs::rename(temporary, path, error);
    if (!out || error) {
        std::error_code ignored;
        fs::remove(temporary, ignored);
        fail(ErrorCode::checkpoint, "run folder: cannot write ", path, "; is the disk full?");
    }
}

void check_name(const std::string& name) {
    const bool plain = !name.empty() && name.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789-_") == std::string::npos;
    SOMA_CHECK(plain, "figure: name '", name, "' may hold only letters, digits, '-' and '_'");
}

RenderedFigure draw(const FigureText& text, const Plot& plot, const std::string& folder) {
    check_name(text.name);
    make_folder(folder);
    write_whole(folder + "/" + text.name + ".dat", plot.data);
    write_whole(folder + "/" + text.name + ".gp", script_of(plot, text.name));
    const std::string problem = render(folder, text.name);
    return {text, problem.empty(), plot.pixels, problem};
}

}  // namespace

RunFolder::RunFolder(std::string path) : path_(std::move(path)) {
    name_ = fs::path(path_).filename().string();
    log_ = std::make_unique<JsonLog>(file("log.jsonl"));
}

RunFolder RunFolder::create(const std::string& parent, const std::string& name) {
    make_folder(parent);
    const std::string base = (fs::path(parent) / (name + "-" + date_now())).string();
    std::string path = base;
    std::error_code error;
    // create_directory is atomic: two runs that start in the same second get different folders.
    for (int suffix = 2; !fs::create_directory(path, error); ++suffix) {
        if (error)
            fail(ErrorCode::checkpoint, "run folder: cannot make ", path, ": ", error.message());
        path = concat(base, "-", suffix);
    }
    make_folder(path + "/checkpoints");
    make_folder(path + "/figures");
    return RunFolder(path);
}

RunFolder RunFolder::open(const std::string& path) {
    fs::path clean = fs::path(path).lexically_normal();
    if (!clean.has_filename()) clean = clean.parent_path();
    if (!fs::exists(clean / "log.jsonl")) {
        fail(ErrorCode::data, "run folder: ", path,
             " holds no log.jsonl; it is no folder of a run");
    }
    return RunFolder(clean.string());
}

RunFolder RunFolder::at(const std::string& path) {
    make_folder(path);
    return RunFolder(path);
}

void RunFolder::set_config(const Fields& config) {
    config_ = config;
    write("config.json", to_json(config) + "\n");
}

void RunFolder::write(const std::string& name, const std::string& text) {
    write_whole(file(name), text);
}

void RunFolder::discard_if_unused() {
    if (log_->events() > 0) return;
    std::error_code ignored;
    for (const auto& entry : fs::recursive_directory_iterator(path_, ignored)) {
        const std::string name = entry.path().filename().string();
        const bool made_by_us = name == "config.json" || name == "log.jsonl";
        if (entry.is_regular_file(ignored) && !made_by_us && entry.file_size(ignored) > 0) return;
    }
    fs::remove_all(path_, ignored);
}

const RenderedFigure& RunFolder::keep(RenderedFigure figure) {
    for (RenderedFigure& known : figures_) {
        if (known.text.name == figure.text.name) return known = std::move(figure);
    }
    return figures_.emplace_back(std::move(figure));
}

const RenderedFigure& RunFolder::add(const LinePlot& plot) {
    return keep(draw(plot.text, plot_of(plot), figures()));
}

const RenderedFigure& RunFolder::add(const BarChart& chart) {
    return keep(draw(chart.text, plot_of(chart), figures()));
}

const RenderedFigure& RunFolder::add(const HeatMap& map) {
    return keep(draw(map.text, plot_of(map), figures()));
}

const RenderedFigure& RunFolder::add(const ImageGrid& grid) {
    return keep(draw(grid.text, plot_of(grid), figures()));
}

const RenderedFigure& RunFolder::add(const TimingDiagram& diagram) {
    return keep(draw(diagram.text, plot_of(diagram), figures()));
}

void RunFolder::write_page(const std::string& title) {
    write("index.html", html_page(title, notes_, tables_, figures_, figures(), config_));
}

}  // namespace soma::train
