// Heat maps and confusion matrices.

#include <algorithm>
#include <cmath>

#include "soma/core/error.h"
#include "train/plot.h"

namespace soma::train {
namespace {

constexpr const char* kSequential =
    "set palette defined (0 '#ffffff', 0.25 '#c6dbef', 0.5 '#6baed6', 0.75 '#2171b5', "
    "1 '#08306b')\n";
struct Range {
    double low = 0, high = 1;
};

// Smallest and largest finite value; symmetric about 0 when asked; never empty.
template <class T>
Range range_of(const std::vector<T>& values, bool symmetric) {
    double low = INFINITY, high = -INFINITY;
    for (const T v : values) {
        if (!std::isfinite(v)) continue;
        low = std::min(low, static_cast<double>(v));
        high = std::max(high, static_cast<double>(v));
    }
    if (low > high) return {};
    if (symmetric) {
        high = std::max(std::abs(low), std::abs(high));
        low = -high;
    }
    return {low, high > low ? high : low + 1};
}

// Tics at cell centres: the labels given, else the index of each cell, or of every k-th.
std::string tics(const char* axis, Index cells, const std::vector<std::string>& labels) {
    if (labels.empty()) return concat("set ", axis, "tics ", ceil_div(cells, 16), "\n");
    std::string list;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        list += concat(i == 0 ? "" : ", ", quoted(labels[i]), " ", i);
    }
    return concat("set ", axis, "tics (", list, ")\n");
}

// Whether labels below the columns would run into each other: about 60 characters fit in a row.
bool crowded(const HeatMap& figure) {
    std::size_t longest = 0;
    for (const std::string& label : figure.col_labels) longest = std::max(longest, label.size());
    return (longest + 1) * figure.col_labels.size() > 60;
}

// Marks 0, 1, 10, 100, ... on a colour bar that shows log10(1 + value).
std::string log_color_tics(double high) {
    std::string out = "'0' 0";
    for (double v = 1; v <= high; v *= 10) out += concat(", '", v, "' ", std::log10(1 + v));
    return "set cbtics (" + out + ")\n";
}

std::string matrix_data(const double* values, Index rows, Index cols) {
    std::string out;
    for (Index r = 0; r < rows; ++r) {
        for (Index c = 0; c < cols; ++c) {
            out += (c == 0 ? "" : " ") + number(values[r * cols + c]);
        }
        out += "\n";
    }
    return out;
}

// The numbers in the cells, in two passes: dark ink on light cells, light ink on dark ones.
std::string cell_texts(const HeatMap& figure, const std::string& color, const Range& range) {
    const double span = range.high - range.low;
    const std::string shade = concat("((", color, "-(", range.low, "))/", span, ")");
    const std::string dark =
        figure.diverging ? concat("(abs(", shade, "-0.5)>0.3)") : concat("(", shade, ">0.55)");
    const std::string shown = figure.log_color ? "($3!=0)" : "(1)";
    std::string out;
    for (const bool light_ink : {false, true}) {
        out += concat(", ", kDataFile, " matrix using 1:2:((", light_ink ? "" : "!", dark, " && ",
                      shown, ") ? sprintf('%.4g',$3) : '') with labels font ',9' textcolor rgb ",
                      light_ink ? "'#ffffff'" : "'#000000'");
    }
    return out;
}

}  // namespace

Plot plot_of(const HeatMap& figure) {
    SOMA_CHECK(figure.rows > 0 && figure.cols > 0 &&
                   static_cast<Index>(figure.values.size()) == figure.rows * figure.cols,
               "figure ", figure.text.name, ": ", figure.values.size(), " values for ", figure.rows,
               " x ", figure.cols, " cells");
    const Range raw = range_of(figure.values, figure.diverging);
    const Range range = figure.log_color ? Range{0, std::log10(1 + raw.high)} : raw;
    const std::string color = figure.log_color ? "(log10(1+$3))" : "($3)";

    Plot plot;
    plot.pixels = true;
    plot.data = concat("# ", figure.rows, " rows, ", figure.cols, " columns; row 0 is the top\n") +
                matrix_data(figure.values.data(), figure.rows, figure.cols);
    const double aspect = static_cast<double>(figure.rows) / static_cast<double>(figure.cols);
    plot.width = 560;
    plot.height =
        figure.equal_cells ? std::clamp(static_cast<int>(100 + 400 * aspect), 220, 900) : 420;
    if (crowded(figure)) plot.height += 60;
    std::string& b = plot.body;
    if (!figure.text.title.empty()) b += concat("set title ", quoted(figure.text.title), "\n");
    if (!figure.x_label.empty()) b += concat("set xlabel ", quoted(figure.x_label), "\n");
    if (!figure.y_label.empty()) b += concat("set ylabel ", quoted(figure.y_label), "\n");
    if (!figure.value_label.empty()) b += concat("set cblabel ", quoted(figure.value_label), "\n");
    b += tics("x", figure.cols, figure.col_labels) + tics("y", figure.rows, figure.row_labels);
    if (crowded(figure)) b += "set xtics rotate by 60 right\n";
    if (figure.equal_cells) b += "set size ratio -1\n";
    if (figure.log_color) b += log_color_tics(raw.high);
    b += concat("unset key\nunset grid\nset border 15\nset tics scale 0\nset format cb '%g'\n",
                figure.diverging ? kDivergingPalette : kSequential, "set cbrange [", range.low, ":",
                range.high, "]\nset xrange [-0.5:", figure.cols, "-0.5]\nset yrange [", figure.rows,
                "-0.5:-0.5]\nplot ", kDataFile, " matrix using 1:2:", color, " with image",
                figure.print_values ? cell_texts(figure, color, range) : "", "\n");
    return plot;
}

HeatMap confusion_matrix(const FigureText& text, Index classes,
                         const std::vector<std::int32_t>& truth,
                         const std::vector<std::int32_t>& answers,
                         const std::vector<std::string>& class_names) {
    SOMA_CHECK(truth.size() == answers.size(), "confusion_matrix: ", truth.size(), " labels and ",
               answers.size(), " answers; need as many");
    HeatMap map{.text = text,
                .x_label = "answer",
                .y_label = "true class",
                .value_label = "samples",
                .rows = classes,
                .cols = classes,
                .values = std::vector<double>(static_cast<std::size_t>(classes * classes)),
                .row_labels = class_names,
                .col_labels = class_names};
    if (class_names.empty()) {
        for (Index c = 0; c < classes; ++c) map.row_labels.push_back(concat(c));
        map.col_labels = map.row_labels;
    }
    for (std::size_t i = 0; i < truth.size(); ++i) {
        if (answers[i] < 0) continue;  // not evaluated
        SOMA_CHECK(truth[i] >= 0 && truth[i] < classes && answers[i] < classes,
                   "confusion_matrix: sample ", i, " is (", truth[i], ", ", answers[i],
                   "); need classes below ", classes);
        ++map.values[static_cast<std::size_t>(truth[i] * classes + answers[i])];
    }
    map.print_values = true;
    map.log_color = true;
    return map;
}

}  // namespace soma::train
