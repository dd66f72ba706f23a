// Tables and JSON of `soma bench`.

#include <sys/utsname.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/bench.h"
#include "cli/build_info.h"
#include "cli/text_table.h"
#include "soma/core/cpu.h"
#include "soma/core/error.h"
#include "soma/core/text.h"
#include "soma/kernels/dispatch.h"

namespace soma::cli {
namespace {

using bench::GroupSummary;
using bench::Outcome;
using bench::Rival;
using bench::Timing;
using Json = nlohmann::ordered_json;

constexpr double kBusyLoad = 0.5;  // runnable processes a core

double load_average() {
    double load = 0;
    return getloadavg(&load, 1) == 1 ? load : 0;
}

// Linux says so among the flags of the processor.
bool in_virtual_machine() {
    std::ifstream in("/proc/cpuinfo");
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("flags")) return line.find(" hypervisor") != std::string::npos;
    }
    return false;
}

std::string time_text(double seconds) {
    if (seconds < 1e-6) return fixed(1e9 * seconds, 0) + " ns";
    if (seconds < 1e-3) return fixed(1e6 * seconds, 1) + " us";
    return fixed(1e3 * seconds, 1) + " ms";
}

// The ratios of a row, in the columns of the rivals by name; "-" for one that has no such work.
std::vector<std::string> ratio_cells(const Outcome& row, const std::vector<std::string>& columns) {
    std::vector<std::string> cells;
    for (const std::string& name : columns) {
        const auto t = std::find_if(row.timings.begin() + 1, row.timings.end(),
                                    [&](const Timing& timing) { return timing.name == name; });
        if (t == row.timings.end()) {
            cells.push_back("-");
            continue;
        }
        const bench::Spread ratio = row.ratio(static_cast<std::size_t>(t - row.timings.begin()));
        cells.push_back(fixed(ratio.median, 2) + (ratio.conclusive() ? "" : "?"));
    }
    return cells;
}

// Names of all contenders but soma, in order of appearance.
std::vector<std::string> rival_columns(const std::vector<Outcome>& outcomes) {
    std::vector<std::string> names;
    for (const Outcome& o : outcomes) {
        for (std::size_t i = 1; i < o.timings.size(); ++i) {
            const std::string& name = o.timings[i].name;
            if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
        }
    }
    return names;
}

std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
    return text;
}

Json context(const BenchOptions& options, const std::vector<Rival>& rivals, double peak,
             const std::string& refusal) {
    const CpuInfo& info = cpu();
    Json versions = Json::object();
    for (const Rival& r : rivals) versions[r.name] = r.version;
    const auto cache = [](const char* type, int level, Index bytes) {
        return Json{{"type", type}, {"level", level}, {"size", bytes}, {"num_sharing", 1}};
    };
    return {{"date", utc_now()},
            {"host_name", host_name()},
            {"executable", "soma bench"},
            {"num_cpus", info.cores},
            {"cpu", info.model},
            {"caches",
             Json::array({cache("Data", 1, info.l1d_bytes), cache("Unified", 2, info.l2_bytes),
                          cache("Unified", 3, info.l3_bytes)})},
            {"load_avg", Json::array({load_average()})},
            {"library_build_type", "release"},
            {"soma_build", concat(kCommit, ", ", kCompiler, ", ", kBuildType)},
            {"isa", kernels::active().isa},
            {"dtype", options.dtype},
            {"threads", options.threads()},
            {"rivals", versions},
            {"peak_gflops", peak},
            {"refusal", refusal}};
}

// One entry a round of a contender.
void append_entries(Json& list, int family, const std::string& name, const BenchOptions& options,
                    const Outcome& o, const Timing& t) {
    for (std::size_t round = 0; round < t.seconds.size(); ++round) {
        const double ns = 1e9 * t.seconds[round];
        list.push_back({{"name", name},
                        {"family_index", family},
                        {"per_family_instance_index", 0},
                        {"run_name", name},
                        {"run_type", "iteration"},
                        {"repetitions", t.seconds.size()},
                        {"repetition_index", round},
                        {"threads", options.threads()},
                        {"iterations", t.repeats},
                        {"real_time", ns},
                        {"cpu_time", ns},
                        {"time_unit", "ns"},
                        {"flop_per_second", o.flop / t.seconds[round]}});
    }
}

}  // namespace

std::vector<std::string> chosen(const std::string& option, const std::string& list,
                                const std::vector<std::string>& known) {
    if (list.empty()) return known;
    std::vector<std::string> out;
    for (std::size_t begin = 0; begin <= list.size();) {
        const std::size_t end = std::min(list.find(',', begin), list.size());
        const std::string word = list.substr(begin, end - begin);
        SOMA_CHECK(std::find(known.begin(), known.end(), word) != known.end(),
                   "soma bench: ", option, " '", word, "' is not known", did_you_mean(word, known),
                   "; need ", joined(known));
        out.push_back(word);
        begin = end + 1;
    }
    return out;
}

std::string machine_header(const BenchOptions& options) {
    std::string out = concat(cpu().model, ", ", kernels::active().isa, ", ", options.dtype, ", ",
                             options.threads(), options.threads() == 1 ? " thread" : " threads",
                             ", ", options.rounds, " rounds, ", kCompiler,
                             in_virtual_machine() ? ", in a virtual machine" : "", "\n");
    const double load = load_average();
    if (load > kBusyLoad * cpu().cores)
        out += concat("warning: the machine is busy (load ", fixed(load, 1), " on ", cpu().cores,
                      " processors); figures suffer\n");
    return out;
}

std::string bench_header(const BenchOptions& options, const std::vector<Rival>& rivals) {
    std::string out = machine_header(options);
    for (const Rival& r : rivals) out += concat("  ", r.name, ": ", r.version, "\n");
    if (rivals.empty()) out += "  no rival found; --rivals DIR says where libraries are\n";
    return out;
}

std::string outcome_table(const std::vector<Outcome>& outcomes) {
    const std::vector<std::string> columns = rival_columns(outcomes);
    std::vector<std::vector<std::string>> rows = {{"class", "shape", "% of peak", "GF", "time"}};
    rows[0].insert(rows[0].end(), columns.begin(), columns.end());
    std::string notes;
    for (const Outcome& o : outcomes) {
        const bench::Spread share = o.peak_share();
        std::vector<std::string> row = {
            o.group, o.name, fixed(100 * share.median, 1) + (share.conclusive() ? "" : "?"),
            fixed(o.gflops(), 1), time_text(bench::spread_of(o.timings[0].seconds).median)};
        const std::vector<std::string> ratios = ratio_cells(o, columns);
        row.insert(row.end(), ratios.begin(), ratios.end());
        rows.push_back(row);
        for (const std::string& note : o.notes)
            notes += concat("note: ", o.group, " ", o.name, ": ", note, "\n");
    }
    return markdown_table(rows) + notes +
           "Ratios: time of the rival / time of soma, median over rounds. ?: known to no better "
           "than 5 %.\n";
}

std::string refusal_text(const std::string& reason) {
    if (reason.empty()) return "";
    return concat("No conclusion: ", reason, ". Repeat on a quieter machine.\n");
}

std::string summary_text(const std::vector<Outcome>& outcomes) {
    const std::string reason = bench::refusal(outcomes);
    if (!reason.empty()) return refusal_text(reason);
    std::vector<std::vector<std::string>> rows = {
        {"class", "% of peak", "best rival", "worst", "worst shape"}};
    std::string lists;
    for (const GroupSummary& s : bench::summarise(outcomes)) {
        rows.push_back({s.group, fixed(100 * s.peak_share, 1), fixed(s.ratio, 2),
                        fixed(s.worst_ratio, 2), s.worst});
        if (!s.losses.empty()) lists += concat("lost, ", s.group, ": ", joined(s.losses), "\n");
        if (!s.inconclusive.empty())
            lists += concat("undecided, ", s.group, ": ", joined(s.inconclusive), "\n");
    }
    return markdown_table(rows) +
           "Geometric means over the class; best rival: ratio to the fastest one of each shape.\n" +
           lists;
}

BenchJson::BenchJson(const std::string& path) : path_(path) {
    if (path.empty()) return;
    out_.open(path);
    if (!out_) fail(ErrorCode::checkpoint, "soma bench: --json ", path, ": cannot be written");
}

void BenchJson::write(const BenchOptions& options, const std::vector<Rival>& rivals,
                      const std::string& family, const std::vector<Outcome>& outcomes,
                      const std::string& refusal) {
    if (path_.empty()) return;
    std::vector<double> peaks;
    Json list = Json::array();
    int index = 0;
    for (const Outcome& o : outcomes) {
        peaks.insert(peaks.end(), o.peak.begin(), o.peak.end());
        std::string shape = concat(family, "/", o.group, "/", o.name, "/");
        std::replace(shape.begin(), shape.end(), ' ', '_');
        for (const Timing& t : o.timings)
            append_entries(list, index++, shape + t.name, options, o, t);
    }
    const double peak = peaks.empty() ? 0 : 1e-9 * bench::spread_of(peaks).median;
    out_ << Json{{"context", context(options, rivals, peak, refusal)}, {"benchmarks", list}}.dump(1)
         << std::endl;
    if (!out_) fail(ErrorCode::checkpoint, "soma bench: --json ", path_, ": cannot be written");
}

}  // namespace soma::cli
