// soma bench: the speed of this machine, of soma's kernels on it, and of the libraries beside them.

#include "cli/bench.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>

#include "bench/contests.h"
#include "bench/rivals/library.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "soma/core/cpu.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/core/text.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/peak.h"

namespace soma::cli {
namespace {

using bench::Outcome;
using bench::Rival;

// What soma bench measures, and the options that mean something there.
struct Subject {
    int (*run)(const BenchOptions&);
    std::vector<std::string> options;
};
const std::map<std::string, Subject>& subjects() {
    static const std::map<std::string, Subject> map = {
        {"peak", {bench_peak, {"json"}}},
        {"gemm", {bench_gemm, {"class", "long", "dtype", "json", "plot"}}},
        {"conv", {bench_conv, {"net", "pass", "im2col", "json"}}},
        {"explain", {bench_explain, {"ta", "tb", "dtype"}}},
        {"accuracy", {bench_accuracy, {}}},
        {"comm", {bench_comm, {"comm-timeout", "tune"}}},
        {"step",
         {bench_step,
          {"comm-timeout", "model", "samples", "shards-per-rank", "progress", "bucket-mb",
           "allreduce", "csv"}}},
        {"rnn", {bench_rnn, {"cell", "units", "batch", "steps", "inputs", "json"}}}};
    return map;
}

std::vector<std::string> subject_names() {
    std::vector<std::string> names;
    for (const auto& [name, subject] : subjects()) names.push_back(name);
    return names;
}

// Error(usage) for an option of another subject.
void check_subject(const CLI::App& verb, const BenchOptions& options) {
    const auto at = subjects().find(options.what);
    SOMA_CHECK(at != subjects().end(), "soma bench: '", options.what, "' cannot be measured",
               did_you_mean(options.what, subject_names()),
               "; need peak, gemm, conv, rnn, comm, step, explain or accuracy");
    for (const auto& [name, other] : subjects()) {
        for (const std::string& option : other.options) {
            const std::vector<std::string>& own = at->second.options;
            const bool ours = std::find(own.begin(), own.end(), option) != own.end();
            SOMA_CHECK(ours || verb.get_option("--" + option)->count() == 0, "soma bench ",
                       options.what, ": --", option, " belongs to soma bench ", name);
        }
    }
    SOMA_CHECK(options.rest.empty() || options.what == "explain", "soma bench ", options.what,
               ": unexpected '", options.rest.empty() ? "" : options.rest[0], "'");
}

int run_bench(const CLI::App& verb, const BenchOptions& options) {
    check_subject(verb, options);
    const Subject& subject = subjects().at(options.what);
    if (subject.run == bench_comm || subject.run == bench_step) {
        return subject.run(options);  // ranks keep the cores they have
    }
    const auto most = static_cast<int>(cpu().affinity.size());
    SOMA_CHECK(options.threads() <= std::max(1, most), "soma bench: --threads is ",
               options.threads(), "; this process may run on ", most, " processors");
    set_num_threads(options.threads());
    bench::pin_to(options.threads());
    return subject.run(options);
}

std::vector<Rival> rivals_of(const BenchOptions& options) {
    return bench::find_rivals(bench::library_folders(options.rivals), options.threads());
}

// Prints tables and writes files; 1 when there is no conclusion.
int conclude(const BenchOptions& options, const std::vector<Rival>& rivals,
             const std::string& family, const std::vector<Outcome>& outcomes, BenchJson& json) {
    const std::string refusal = bench::refusal(outcomes);
    std::cout << outcome_table(outcomes) << "\n" << summary_text(outcomes);
    json.write(options, rivals, family, outcomes, refusal);
    if (!options.plot.empty()) {
        const std::string problem = plot_roofline(options.plot, options, outcomes);
        std::cout << (problem.empty() ? "roofline: " + options.plot : "no roofline: " + problem)
                  << "\n";
    }
    return refusal.empty() ? 0 : 1;
}

}  // namespace

void show_progress(const BenchOptions& options, std::size_t done, std::size_t all,
                   const std::string& what) {
    if (options.common.quiet || isatty(STDERR_FILENO) == 0) return;
    std::cerr << "\r\033[K" << done << "/" << all << " " << what << std::flush;
    if (done == all) std::cerr << "\r\033[K" << std::flush;
}

int bench_peak(const BenchOptions& options) {
    BenchJson json(options.json);
    std::vector<const kernels::KernelTable*> tables(kernels::available().begin(),
                                                    kernels::available().end());
    if (!environment("SOMA_ISA").empty()) tables = {&kernels::active()};
    std::vector<std::vector<std::string>> rows = {
        {"isa", "f32 GF", "f64 GF", "L1 GB/s", "L2 GB/s", "L3 GB/s", "RAM GB/s", "copy GB/s"}};
    std::vector<Outcome> outcomes;
    Index ram_bytes = 0;
    for (const kernels::KernelTable* table : tables) {
        const kernels::Peak p = kernels::measure_peak(*table, options.threads());
        ram_bytes = p.ram_bytes;
        std::vector<std::string> row = {table->isa};
        const std::pair<const char*, double> figures[] = {
            {"f32_fma", p.f32_gflops},   {"f64_fma", p.f64_gflops},  {"l1_read", p.l1_read_gbs},
            {"l2_read", p.l2_read_gbs},  {"l3_read", p.l3_read_gbs}, {"ram_read", p.ram_read_gbs},
            {"ram_copy", p.ram_copy_gbs}};
        for (const auto& [name, rate] : figures) {
            row.push_back(rate > 0 ? fixed(rate, 1) : "-");
            if (rate > 0)  // the time of 10^9 flop or bytes
                outcomes.push_back({table->isa, name, 1e9, 0, {{"machine", 1, {1 / rate}}}, {}});
        }
        rows.push_back(row);
    }
    std::cout << cpu().model << ", " << options.threads()
              << (options.threads() == 1 ? " thread\n" : " threads together\n")
              << markdown_table(rows) << "Reads: half of L1 and L2; "
              << (cpu().l3_bytes > 0 ? concat("L3 is ", cpu().l3_bytes >> 20, " MB; ") : "")
              << "RAM: " << (ram_bytes >> 20) << " MB"
              << (ram_bytes < 4 * cpu().l3_bytes ? ", part of which may stay in L3" : "") << ".\n";
    json.write(options, {}, "peak", outcomes, "");
    return 0;
}

int bench_gemm(const BenchOptions& options) {
    const std::vector<std::string> classes =
        chosen("--class", options.classes, bench::gemm_classes());
    BenchJson json(options.json);
    const std::vector<Rival> rivals = rivals_of(options);
    std::cout << bench_header(options, rivals) << std::flush;
    std::vector<bench::GemmCase> cases;
    for (const bench::GemmCase& c : bench::gemm_cases()) {
        const bool wanted = std::find(classes.begin(), classes.end(), c.group) != classes.end();
        if (wanted && (!c.slow || options.slow)) cases.push_back(c);
    }
    std::vector<Outcome> outcomes;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        bench::MeasureOptions measure = options.measure();
        if (cases[i].flop() > bench::kLongFlop)
            measure.rounds = std::min(measure.rounds, bench::kLongRounds);
        outcomes.push_back(options.dtype == "f32"
                               ? bench::gemm_contest<float>(cases[i], rivals, measure)
                               : bench::gemm_contest<double>(cases[i], rivals, measure));
        show_progress(options, i + 1, cases.size(), cases[i].name());
    }
    return conclude(options, rivals, "gemm", outcomes, json);
}

int bench_conv(const BenchOptions& options) {
    const std::vector<std::string> nets = chosen("--net", options.nets, bench::conv_nets());
    const std::vector<std::string> passes =
        chosen("--pass", options.passes, {"forward", "data", "weights"});
    BenchJson json(options.json);
    const std::vector<Rival> rivals = rivals_of(options);
    std::cout << bench_header(options, rivals) << std::flush;
    std::vector<std::pair<bench::ConvCase, bench::ConvPass>> cases;
    for (const std::string& net : nets) {
        for (const bench::ConvPass pass : bench::kConvPasses) {
            if (std::find(passes.begin(), passes.end(), bench::name_of(pass)) == passes.end())
                continue;
            for (const bench::ConvCase& c : bench::conv_cases()) {
                if (c.net == net) cases.emplace_back(c, pass);
            }
        }
    }
    std::vector<Outcome> outcomes;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        outcomes.push_back(bench::conv_contest(cases[i].first, cases[i].second, rivals,
                                               options.im2col, options.measure()));
        show_progress(options, i + 1, cases.size(), cases[i].first.name());
    }
    return conclude(options, rivals, "conv", outcomes, json);
}

void add_bench(CLI::App& program, Action& action) {
    const auto options = std::make_shared<BenchOptions>();
    CLI::App* verb = add_verb(
        program, "bench", "speed: of the machine, of the kernels, of rival libraries beside them",
        "soma bench peak\n  soma bench gemm --class small,medium\n"
        "  soma bench rnn --cell ctrnn,lstm --units 64,128 --steps 200\n"
        "  soma bench conv --net resnet50 --rivals /path/to/wheels/lib\n"
        "  soma bench explain gemm 512 512 512\n  soma bench accuracy\n"
        "  mpirun -np 2 soma bench comm --tune cluster.json",
        options->common);
    verb->get_option("--num-threads")->description("threads of every contender; default: 1");
    verb->add_option("what", options->what,
                     "peak: FMA peak and bandwidths\ngemm, conv: the published shapes against "
                     "every rival found\nrnn: training steps of recurrent layers beside their "
                     "parts\ncomm: messages and sums between ranks, under mpirun\nstep: a training "
                     "step over ranks, and what of it is communication\nexplain gemm M N "
                     "K: plan, traffic, predicted and measured "
                     "time\naccuracy: rounding errors against their bars")
        ->required();
    verb->add_option("shape", options->rest, "of explain: gemm M N K");
    verb->add_option("--class", options->classes,
                     "gemm: classes of shapes, for example small,medium; default: all");
    verb->add_flag("--long", options->slow, "gemm: also shapes that take minutes (4096 cubed)");
    verb->add_option("--dtype", options->dtype, "gemm, explain: f32 or f64")
        ->check(CLI::IsMember({"f32", "f64"}));
    verb->add_option("--net", options->nets, "conv: nets, for example vgg16,lenet; default: all");
    verb->add_option("--pass", options->passes, "conv: forward, data, weights; default: all");
    verb->add_flag("--im2col", options->im2col,
                   "conv: also im2col and the first rival's product, forward");
    verb->add_flag("--ta", options->transpose_a, "explain: A is stored transposed");
    verb->add_flag("--tb", options->transpose_b, "explain: B is stored transposed");
    verb->add_option("--cell", options->cells,
                     "rnn: ctrnn, lstm, gru, gru_before, ugrnn; default: ctrnn");
    verb->add_option("--units", options->units, "rnn: sizes, for example 64,128")
        ->delimiter(',')
        ->check(whole_number(1, 1 << 16));
    verb->add_option("--batch", options->batch, "rnn: trials")->check(whole_number(1, 1 << 16));
    verb->add_option("--steps", options->steps, "rnn: of time")->check(whole_number(1, 1 << 16));
    verb->add_option("--inputs", options->inputs, "rnn: numbers a step")
        ->check(whole_number(1, 1 << 16));
    verb->add_option("--rounds", options->rounds, "timings of each contender; their median counts")
        ->check(whole_number(3, 10000));
    verb->add_option("--comm-timeout", options->comm_timeout,
                     "comm, step: seconds a peer rank may stay silent")
        ->check(finite_number(true));
    add_step_options(*verb, options->step);
    verb->add_option("--tune", options->tune,
                     "comm: record what was measured, for soma plan and soma info --mpi")
        ->type_name("cluster.json");
    verb->add_option("--rivals", options->rivals,
                     "folders to look for rival libraries in first, separated by commas: for "
                     "Python wheels (bench/rivals/fetch.sh)")
        ->type_name("DIRS");
    verb->add_option("--json", options->json, "write every timing, in Google Benchmark's format")
        ->type_name("FILE");
    verb->add_option("--plot", options->plot, "gemm: draw the roofline (needs gnuplot)")
        ->type_name("FILE.png");
    verb->callback([verb, options, &action] {
        action = [verb, options] { return run_bench(*verb, *options); };
    });
}

}  // namespace soma::cli
