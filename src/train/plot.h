#pragma once
// Plot: a figure as the text of its gnuplot script and data file; pure functions of the figure.
//
// A script draws <name>.png at twice the size of <name>.svg, from <name>.dat in the same folder.
// Text is never interpreted (noenhanced): labels may hold any character.

#include <string>

#include "soma/train/figures.h"

namespace soma::train {

struct Plot {
    std::string data;  // content of <name>.dat
    std::string body;  // the commands between `set output` and the end; holds kDataFile
    int width = 640, height = 420;  // of the SVG, in CSS pixels
    bool pixels = false;            // made of images: the PNG is the better picture
};

// Stands in Plot::body where the name of the data file belongs.
inline constexpr const char* kDataFile = "@DATA@";

inline constexpr const char* kDivergingPalette =
    "set palette defined (-1 '#053061', -0.5 '#4393c3', 0 '#ffffff', 0.5 '#d6604d', "
    "1 '#67001f')\n";
inline constexpr const char* kGreyPalette = "set palette defined (0 '#000000', 1 '#ffffff')\n";

// Error(usage) when sizes do not fit each other.
Plot plot_of(const LinePlot& figure);
Plot plot_of(const BarChart& figure);
Plot plot_of(const HeatMap& figure);
Plot plot_of(const ImageGrid& figure);
Plot plot_of(const TimingDiagram& figure);

// A gnuplot string literal: 'text', quotes doubled, line breaks as blanks.
std::string quoted(const std::string& text);
// A number in its shortest exact form; "NaN" for what is not finite.
std::string number(double value);

// The whole script of a plot called `name`.
std::string script_of(const Plot& plot, const std::string& name);
// Runs gnuplot on <folder>/<name>.gp. "" when both images exist, else what went wrong.
std::string render(const std::string& folder, const std::string& name);

}  // namespace soma::train
