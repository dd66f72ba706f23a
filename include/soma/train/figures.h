#pragma once
// Figures: plain descriptions of the plots that soma's reports are made of.
//
// A figure is data; RunFolder::add (report.h) writes it as <name>.dat and <name>.gp and, when
// gnuplot is on the machine, renders <name>.png and <name>.svg from them. Script and data stay, so
// that a reader can replot them in any style.

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "soma/core/types.h"

namespace soma::train {

// What all figures have.
struct FigureText {
    std::string name;     // file name without suffix: letters, digits, '-' and '_'
    std::string title;    // above the figure; "" for none
    std::string caption;  // below it in the report: what it shows, and from which data
};

struct Series {
    std::string label;
    std::vector<double> x, y;
    std::vector<double> error = {};        // half height of error bars; empty for none
    std::vector<double> error_above = {};  // of uneven bars, whose part below is then `error`
    bool marks = false;                    // points among the curves of a plot
    int color = 0;                         // 1 to 7 of the palette; 0: by its place
};

// Adds the mean of `values`, at least one, at x, with their standard deviation (n - 1; 0 for one).
void add_mean(Series& series, double x, std::span<const double> values);

// From (x, y) to (x + dx, y + dy): one place of a flow field.
struct Arrow {
    double x = 0, y = 0, dx = 0, dy = 0;
};

// A horizontal line with a label, for example the paper's value.
struct Reference {
    std::string label;
    double y = 0;
};

// Curves; with `points` a scatter plot. Points that are not finite are left out. Arrows lie below
// all of them, in grey.
struct LinePlot {
    FigureText text;
    std::string x_label, y_label;  // with units
    std::vector<Series> series;
    std::vector<Reference> references = {};
    std::vector<Arrow> arrows = {};
    std::optional<std::pair<double, double>> y_limits = {};  // of the axis; absent: by the data
    bool log_x = false, log_y = false;
    bool points = false;
    bool same_scale = false;  // one unit of x is as long as one unit of y
};

// Bars in groups: one group a label, one bar a series.
struct BarChart {
    FigureText text;
    std::string y_label;
    std::vector<std::string> labels;
    struct Bars {
        std::string label;
        std::vector<double> values;      // one a label
        std::vector<double> error = {};  // half height of error bars; empty for none
    };
    std::vector<Bars> series;
    std::vector<Reference> references = {};
    bool log_y = false;
};

// A matrix in colours. Row 0 is at the top.
struct HeatMap {
    FigureText text;
    std::string x_label, y_label, value_label;
    Index rows = 0, cols = 0;
    std::vector<double> values;  // rows * cols, row-major
    std::vector<std::string> row_labels = {}, col_labels = {};
    bool diverging = false;     // blue - white - red, symmetric about 0
    bool print_values = false;  // the number in each cell
    bool log_color = false;     // colour by log(1 + value): for counts of unequal size
    bool equal_cells = true;    // square cells
};

// Counts of (true class, answered class), labelled.
HeatMap confusion_matrix(const FigureText& text, Index classes,
                         const std::vector<std::int32_t>& truth,
                         const std::vector<std::int32_t>& answers,
                         const std::vector<std::string>& class_names = {});

struct GridImage {
    Index height = 0, width = 0, channels = 1;  // 1 grey, 3 RGB
    std::vector<float> pixels;                  // [H, W, C]
    std::string caption = {};                   // below the image: "4 -> 9"
};

// Images side by side: learned filters, misread digits, samples.
struct ImageGrid {
    FigureText text;
    std::vector<GridImage> images;
    Index columns = 0;        // 0: about as wide as high
    bool diverging = false;   // grey images: blue - white - red about 0 (weights)
    bool each_scaled = true;  // each image fills the range of grey; else the grid has one range
};

// Signals over integer time, stacked: the timing diagrams of digital logic.
struct TimingDiagram {
    FigureText text;
    struct Signal {
        std::string label;
        std::vector<int> values;  // 0 or 1 at t = 0, 1, ...
    };
    std::vector<Signal> signals;
    std::string x_label = "time step";
};

}  // namespace soma::train
