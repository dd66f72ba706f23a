#include "cli/step_report.h"

#include <fstream>

#include "cli/text_table.h"
#include "soma/core/error.h"

namespace soma::cli {
namespace {

using bench::spread_of;

std::string ms(const std::vector<double>& seconds) {
    const bench::Spread s = spread_of(seconds);
    return fixed(1e3 * s.median, 3) + (s.conclusive() ? "" : "?");
}

std::string percent(double share) { return fixed(100 * share, 1); }

std::string table(const bench::StepTimes& times) {
    const double compute = spread_of(times.compute).median;
    std::vector<std::vector<std::string>> rows = {
        {"progress", "step ms", "efficiency %", "exposed ms", "overlap %", "compute slowed %"}};
    for (const bench::StepMode& mode : times.modes) {
        const double step = spread_of(mode.seconds).median;
        const double exposed = spread_of(mode.exposed).median;
        rows.push_back({std::string(name_of(mode.mode)), ms(mode.seconds), percent(compute / step),
                        fixed(1e3 * exposed, 3), percent(times.overlap(mode).median),
                        percent((step - exposed) / compute - 1)});
    }
    return markdown_table(rows);
}

}  // namespace

std::string step_report(const bench::StepModel& model, const bench::StepOptions& options,
                        const bench::StepTimes& times, int ranks, const std::string& work) {
    const Index samples = options.samples > 0 ? options.samples : model.samples;
    return concat(
        model.name, ": ", model.what, "\n", fixed(static_cast<double>(model.parameters()) / 1e6, 3),
        " million parameters in ", times.buckets, times.buckets == 1 ? " bucket" : " buckets", "; ",
        ranks, " ranks, each ", samples, " samples in ", options.shards_per_rank,
        options.shards_per_rank == 1 ? " shard" : " shards", "\nwork: ", work, "\ncompute alone ",
        ms(times.compute), " ms, communication alone ", ms(times.wire), " ms\n\n", table(times),
        "efficiency: compute alone / step; exposed: after the backward pass; overlap: of what the "
        "backward pass can hide\n");
}

void write_step_csv(const std::string& path, const bench::StepTimes& times) {
    std::ofstream out(path);
    out << "round,compute,communication";
    for (const bench::StepMode& m : times.modes) {
        out << ",step_" << name_of(m.mode) << ",exposed_" << name_of(m.mode);
    }
    out << "\n";
    for (std::size_t r = 0; r < times.compute.size(); ++r) {
        out << r << "," << times.compute[r] << "," << times.wire[r];
        for (const bench::StepMode& m : times.modes) {
            out << "," << m.seconds[r] << "," << m.exposed[r];
        }
        out << "\n";
    }
    if (!out.flush()) fail(ErrorCode::checkpoint, path, ": cannot be written");
}

}  // namespace soma::cli
