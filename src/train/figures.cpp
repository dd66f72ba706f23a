// Plots of lines: curves, scatter, bars, timing diagrams.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "soma/core/error.h"
#include "train/plot.h"

namespace soma::train {
namespace {

std::string title_command(const FigureText& text) {
    return text.title.empty() ? "" : concat("set title ", quoted(text.title), "\n");
}

std::string axis_command(const char* axis, const std::string& label, bool log) {
    std::string out;
    if (!label.empty()) out += concat("set ", axis, "label ", quoted(label), "\n");
    if (log) out += concat("set logscale ", axis, " 10\nset format ", axis, " '%g'\n");
    return out;
}

std::string legend_title(const std::string& label) {
    return label.empty() ? " notitle" : " title " + quoted(label);
}

std::string key_command(bool any_label) {
    return any_label ? "set key outside below center horizontal Left reverse samplen 2 height 1\n"
                     : "unset key\n";
}

constexpr int kColors = 7;  // line styles of gnuplot.cpp
constexpr const char* kReferenceColors[] = {"#444444", "#CC3311", "#009988", "#AA3377"};

// Lines across the plot, dashed as no curve is and told apart by their colours.
std::string reference_plots(const std::vector<Reference>& references) {
    std::string out;
    for (std::size_t i = 0; i < references.size(); ++i) {
        out += concat(", ", number(references[i].y), " with lines lc rgb '",
                      kReferenceColors[i % std::size(kReferenceColors)], "' dt 2 lw 1.5",
                      legend_title(references[i].label));
    }
    return out;
}

void check_series(const std::string& name, const Series& s) {
    SOMA_CHECK(s.x.size() == s.y.size(), "figure ", name, ": series '", s.label, "' has ",
               s.x.size(), " x and ", s.y.size(), " y; need as many");
    SOMA_CHECK(s.error.empty() || s.error.size() == s.y.size(), "figure ", name, ": series '",
               s.label, "' has ", s.y.size(), " values and ", s.error.size(),
               " errors; need as many or none");
    SOMA_CHECK(s.error_above.empty() || s.error_above.size() == s.error.size(), "figure ", name,
               ": series '", s.label, "' has ", s.error.size(), " errors below and ",
               s.error_above.size(), " above; need as many or none");
    SOMA_CHECK(0 <= s.color && s.color <= kColors, "figure ", name, ": series '", s.label,
               "' has colour ", s.color, "; need 0 to ", kColors);
}

std::string series_data(const Series& s) {
    std::string out = concat("# ", s.label, "\n# x  y", s.error.empty() ? "" : "  error", "\n");
    Index finite = 0;
    for (std::size_t i = 0; i < s.x.size(); ++i) {
        if (!std::isfinite(s.x[i]) || !std::isfinite(s.y[i])) continue;
        ++finite;
        out += number(s.x[i]) + " " + number(s.y[i]);
        if (!s.error.empty()) out += " " + number(s.error[i]);
        if (!s.error_above.empty()) out += " " + number(s.error_above[i]);
        out += "\n";
    }
    // An empty block would shift the numbers of those behind it.
    if (finite == 0) out += s.error.empty() ? "NaN NaN\n" : "NaN NaN NaN NaN\n";
    return out + "\n\n";
}

const char* series_form(const LinePlot& figure, const Series& s) {
    constexpr std::size_t kFewPoints = 30;  // so few that each is worth a mark
    if (figure.points || s.marks) return " with points";
    return s.x.size() < kFewPoints && s.error.empty() ? " with linespoints" : " with lines";
}

std::string arrow_data(const std::vector<Arrow>& arrows) {
    std::string out = "# x  y  dx  dy\n";
    for (const Arrow& a : arrows) {
        out += concat(number(a.x), " ", number(a.y), " ", number(a.dx), " ", number(a.dy), "\n");
    }
    return out;
}

// Axes end where the data do, with a little air. Quantities that come near zero are drawn from
// zero, so that heights compare; log axes need no such thing.
std::string y_range(const LinePlot& figure) {
    const std::string tight =
        "set autoscale fix\nset offsets graph 0.02, graph 0.02, graph 0.04, graph 0.04\n";
    if (figure.y_limits) {
        return concat("set autoscale xfix\nset offsets graph 0.02, graph 0.02, 0, 0\nset yrange [",
                      number(figure.y_limits->first), ":", number(figure.y_limits->second), "]\n");
    }
    if (figure.log_y || figure.points) return tight;
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const Series& s : figure.series) {
        for (const double y : s.y) {
            if (!std::isfinite(y)) continue;
            low = std::min(low, y);
            high = std::max(high, y);
        }
    }
    if (low < 0 || low > 0.4 * high) return tight;
    return "set autoscale xfix\nset offsets graph 0.02, graph 0.02, graph 0.04, 0\n"
           "set yrange [0:*]\n";
}

}  // namespace

void add_mean(Series& series, double x, std::span<const double> values) {
    const auto n = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    double squares = 0;
    for (const double v : values) squares += (v - mean) * (v - mean);
    series.x.push_back(x);
    series.y.push_back(mean);
    series.error.push_back(n > 1 ? std::sqrt(squares / (n - 1)) : 0);
}

Plot plot_of(const LinePlot& figure) {
    SOMA_CHECK(!figure.series.empty(), "figure ", figure.text.name, ": no series");
    Plot plot;
    bool labelled = false;
    std::string commands = "plot ";
    if (!figure.arrows.empty()) {
        commands += concat(kDataFile, " index ", figure.series.size(),
                           " using 1:2:3:4 with vectors head filled size graph 0.012,18 "
                           "lc rgb '#b0b0b0' lw 1 notitle, ");
    }
    for (std::size_t i = 0; i < figure.series.size(); ++i) {
        const Series& s = figure.series[i];
        check_series(figure.text.name, s);
        plot.data += series_data(s);
        labelled = labelled || !s.label.empty();
        const int by_place = static_cast<int>(i % kColors) + 1;
        const std::string style = concat(" ls ", s.color > 0 ? s.color : by_place);
        commands += concat(i == 0 ? "" : ", ", kDataFile, " index ", i, " using 1:2",
                           series_form(figure, s), style, legend_title(s.label));
        if (!s.error.empty()) {
            const char* ends = s.error_above.empty() ? "1:2:3" : "1:2:($2-$3):($2+$4)";
            commands += concat(", ", kDataFile, " index ", i, " using ", ends, " with yerrorbars",
                               style, " lw 1 notitle");
        }
    }
    if (!figure.arrows.empty()) plot.data += arrow_data(figure.arrows);
    for (const Reference& r : figure.references) labelled = labelled || !r.label.empty();
    plot.body = title_command(figure.text) + axis_command("x", figure.x_label, figure.log_x) +
                axis_command("y", figure.y_label, figure.log_y) + key_command(labelled) +
                (figure.same_scale ? "set size ratio -1\n" : "") + y_range(figure) + commands +
                reference_plots(figure.references) + "\n";
    return plot;
}

Plot plot_of(const BarChart& figure) {
    const std::size_t groups = figure.labels.size();
    SOMA_CHECK(groups > 0 && !figure.series.empty(), "figure ", figure.text.name,
               ": no labels or no bars");
    Plot plot;
    plot.data = "# label";
    bool labelled = false, errors = false;
    for (const BarChart::Bars& bars : figure.series) errors = errors || !bars.error.empty();
    std::string commands = "plot ";
    for (std::size_t i = 0; i < figure.series.size(); ++i) {
        const BarChart::Bars& bars = figure.series[i];
        SOMA_CHECK(
            bars.values.size() == groups && (bars.error.empty() || bars.error.size() == groups),
            "figure ", figure.text.name, ": bars '", bars.label, "' have ", bars.values.size(),
            " values and ", bars.error.size(), " errors for ", groups, " labels");
        plot.data += concat("  '", bars.label, "'  error");
        labelled = labelled || !bars.label.empty();
        commands += concat(i == 0 ? "" : ", ", kDataFile, " using ", 2 * i + 2,
                           errors ? concat(":", 2 * i + 3) : "", ":xtic(1) ls ", i % 7 + 1, " lw 1",
                           legend_title(bars.label));
    }
    plot.data += "\n";
    for (std::size_t g = 0; g < groups; ++g) {
        std::string label = figure.labels[g];
        std::replace(label.begin(), label.end(), '"', '\'');
        plot.data += "\"" + label + "\"";
        for (const BarChart::Bars& bars : figure.series) {
            plot.data += " " + number(bars.values[g]) + " " +
                         (bars.error.empty() ? "0" : number(bars.error[g]));
        }
        plot.data += "\n";
    }
    for (const Reference& r : figure.references) labelled = labelled || !r.label.empty();
    plot.body = title_command(figure.text) + axis_command("y", figure.y_label, figure.log_y) +
                key_command(labelled) + "set style data histogram\nset style histogram " +
                (errors ? "errorbars gap 1 lw 1" : "clustered gap 1") +
                concat("\nset xrange [-0.7:", groups, "-0.3]\n") +
                "set style fill solid 0.85 border -1\nset boxwidth 0.9\nset grid noxtics\n" +
                (figure.log_y ? "" : "set yrange [0:*]\n") +
                (groups > 8 ? "set xtics rotate by -35\n" : "") + commands +
                reference_plots(figure.references) + "\n";
    return plot;
}

Plot plot_of(const TimingDiagram& figure) {
    SOMA_CHECK(!figure.signals.empty() && !figure.signals[0].values.empty(), "figure ",
               figure.text.name, ": no signals");
    constexpr double kPitch = 1.5;  // one signal is 1 high
    const std::size_t ticks = figure.signals[0].values.size();
    const std::size_t count = figure.signals.size();
    Plot plot;
    std::string labels, zeros, commands;
    for (std::size_t i = 0; i < count; ++i) {
        const TimingDiagram::Signal& signal = figure.signals[i];
        SOMA_CHECK(signal.values.size() == ticks, "figure ", figure.text.name, ": signal '",
                   signal.label, "' has ", signal.values.size(), " values, the first has ", ticks);
        const double base = kPitch * static_cast<double>(count - 1 - i);
        plot.data += concat("# ", signal.label, "\n# t  value\n");
        for (std::size_t t = 0; t < ticks; ++t) plot.data += concat(t, " ", signal.values[t], "\n");
        plot.data += concat(ticks, " ", signal.values.back(), "\n\n\n");  // the last tick's width
        labels += concat(i == 0 ? "" : ", ", quoted(signal.label), " ", base + 0.5);
        zeros += concat(i == 0 ? "" : ", ", base, " with lines lc rgb '#bbbbbb' lw 1 notitle");
        commands += concat(", ", kDataFile, " index ", i, " using 1:(", base, "+$2) with steps ls ",
                           i % 7 + 1, " notitle");
    }
    plot.height = 110 + 34 * static_cast<int>(count);
    plot.width = std::clamp(160 + 40 * static_cast<int>(ticks), 480, 1000);
    plot.body =
        title_command(figure.text) + axis_command("x", figure.x_label, false) +
        concat("unset key\nset border 1\nset ytics (", labels, ") scale 0\n", "set xtics ",
               std::max<std::size_t>(1, ticks / 24), "\nset grid noytics\n",
               "set xrange [0:", ticks, "]\nset yrange [-0.3:", kPitch * static_cast<double>(count),
               "]\nplot ", zeros, commands, "\n");
    return plot;
}

}  // namespace soma::train
