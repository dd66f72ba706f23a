// The roofline of a run (Williams, Waterman & Patterson 2009): a logarithmic plot of speed over
// arithmetic intensity, flop per byte that must move at least. A level of memory with bandwidth b
// admits min(peak, b intensity); a point under a line cannot have been fed by that level alone.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "cli/bench.h"
#include "cli/text_table.h"
#include "soma/core/error.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/peak.h"
#include "train/plot.h"

namespace soma::cli {
namespace {

using bench::Outcome;
using train::number;
using train::quoted;

struct Roof {
    const char* level;
    double gbs;
};

struct Frame {
    double least_x, most_x, least_y, most_y;
};

// Powers of two around all points, with the peak inside.
Frame frame_of(const std::vector<Outcome>& outcomes, double peak) {
    Frame f{1e30, 0, 1e30, 0};
    for (const Outcome& o : outcomes) {
        f.least_x = std::min(f.least_x, o.flop / o.bytes);
        f.most_x = std::max(f.most_x, o.flop / o.bytes);
        f.least_y = std::min(f.least_y, o.gflops());
    }
    const auto below = [](double v) { return std::exp2(std::floor(std::log2(v))); };
    return {below(f.least_x), 2 * below(f.most_x), below(f.least_y), 1.5 * peak};
}

// Two lines of data a roof: from the left edge to where it meets the peak.
std::string roof_data(const std::vector<Roof>& roofs, double peak, const Frame& f) {
    std::string out;
    for (const Roof& r : roofs) {
        const double meets = std::min(peak / r.gbs, f.most_x);
        out += concat("# ", r.level, "\n", number(f.least_x), " ", number(r.gbs * f.least_x), "\n",
                      number(meets), " ", number(r.gbs * meets), "\n\n\n");
    }
    return out;
}

train::Plot roofline(const std::vector<Outcome>& outcomes, double peak,
                     const std::vector<Roof>& roofs, const std::string& title) {
    const Frame f = frame_of(outcomes, peak);
    std::vector<std::string> groups;
    for (const Outcome& o : outcomes) {
        if (std::find(groups.begin(), groups.end(), o.group) == groups.end())
            groups.push_back(o.group);
    }
    train::Plot plot{.data = roof_data(roofs, peak, f), .body = {}, .width = 760, .height = 520};
    std::string commands =
        concat("plot ", number(peak), " with lines lc rgb '#222222' lw 1.5 title ",
               quoted(concat("FMA peak ", fixed(peak, 0), " GF")));
    constexpr const char* kGreys[] = {"#555555", "#777777", "#999999", "#bbbbbb"};
    for (std::size_t i = 0; i < roofs.size(); ++i) {
        commands += concat(", ", train::kDataFile, " index ", i, " using 1:2 with lines lc rgb '",
                           kGreys[i % 4], "' dt ", i + 1, " lw 1.5 title ",
                           quoted(concat(roofs[i].level, " ", fixed(roofs[i].gbs, 0), " GB/s")));
    }
    constexpr int kMarks[] = {7, 5, 9, 11, 13, 4, 6, 8, 10, 12};
    for (std::size_t g = 0; g < groups.size(); ++g) {
        plot.data += concat("# ", groups[g], "\n");
        for (const Outcome& o : outcomes) {
            if (o.group == groups[g])
                plot.data += concat(number(o.flop / o.bytes), " ", number(o.gflops()), "\n");
        }
        plot.data += "\n\n";
        commands += concat(", ", train::kDataFile, " index ", roofs.size() + g,
                           " using 1:2 with points ls ", g % 7 + 1, " pt ", kMarks[g % 10],
                           " title ", quoted(groups[g]));
    }
    plot.body = concat("set title ", quoted(title), "\nset logscale xy 2\nset format '%g'\n",
                       "set xlabel 'flop per byte of operands and result'\nset ylabel 'GF (10^9 "
                       "flop per second)'\n",
                       "set key outside right center vertical Left reverse samplen 2\n",
                       "set xrange [", number(f.least_x), ":", number(f.most_x), "]\nset yrange [",
                       number(f.least_y), ":", number(f.most_y), "]\n", commands, "\n");
    return plot;
}

void write_text(const std::string& path, const std::string& text) {
    std::ofstream out(path);
    out << text;
    out.close();
    if (!out) fail(ErrorCode::checkpoint, "soma bench: --plot: ", path, ": cannot be written");
}

}  // namespace

std::string plot_roofline(const std::string& file, const BenchOptions& options,
                          const std::vector<Outcome>& outcomes) {
    const kernels::Peak p = kernels::measure_peak(kernels::active(), options.threads());
    std::vector<double> peaks;
    for (const Outcome& o : outcomes) peaks.insert(peaks.end(), o.peak.begin(), o.peak.end());
    std::vector<Roof> roofs = {{"L1", p.l1_read_gbs}, {"L2", p.l2_read_gbs}};
    if (p.l3_read_gbs > 0) roofs.push_back({"L3", p.l3_read_gbs});
    roofs.push_back({"RAM", p.ram_read_gbs});
    const std::string title =
        concat("GEMM, ", options.dtype, ", ", kernels::active().isa, ", ", options.threads(),
               options.threads() == 1 ? " thread" : " threads");
    const std::filesystem::path path = std::filesystem::absolute(file);
    const std::string folder = path.parent_path().string(), name = path.stem().string();
    const train::Plot plot =
        roofline(outcomes, 1e-9 * bench::spread_of(peaks).median, roofs, title);
    write_text(folder + "/" + name + ".dat", plot.data);
    write_text(folder + "/" + name + ".gp", train::script_of(plot, name));
    return train::render(folder, name);
}

}  // namespace soma::cli
