#pragma once
// Parts of `soma bench`: what is measured lives in bench/, this is its face.

#include <fstream>
#include <string>
#include <vector>

#include "bench/outcome.h"
#include "bench/rivals/rivals.h"
#include "cli/arguments.h"

namespace soma::cli {

// Of soma bench step; see bench/step.h and exchange.h.
struct StepArguments {
    std::string model = "alexnet", progress, allreduce = "tree", csv;
    Index samples = 0, shards_per_rank = 1;
    double bucket_mb = 4;
};

struct BenchOptions {
    CommonOptions common;
    std::string what;
    std::vector<std::string> rest;  // of `explain`
    std::string classes, nets, passes, rivals, dtype = "f32";
    std::string json, plot, tune;
    std::string cells;
    std::vector<Index> units = {64, 128, 256, 512};
    Index batch = 32, steps = 51, inputs = 4;
    int rounds = 20;
    double comm_timeout = 300;
    StepArguments step;
    bool slow = false, im2col = false, transpose_a = false, transpose_b = false;

    int threads() const { return common.threads > 0 ? common.threads : 1; }
    bench::MeasureOptions measure() const { return {.rounds = rounds, .threads = threads()}; }
};

// Each returns the exit code.
int bench_peak(const BenchOptions& options);
int bench_gemm(const BenchOptions& options);
int bench_conv(const BenchOptions& options);
int bench_explain(const BenchOptions& options);
int bench_accuracy(const BenchOptions& options);
int bench_rnn(const BenchOptions& options);
int bench_comm(const BenchOptions& options);  // on all ranks, as bench_step
int bench_step(const BenchOptions& options);
void add_step_options(CLI::App& verb, StepArguments& arguments);

// A line that the next one overwrites, for people at a terminal.
void show_progress(const BenchOptions& options, std::size_t done, std::size_t all,
                   const std::string& what);

// The words of a list separated by commas, each one of `known`; all of them for "". Error(usage),
// naming the option and the nearest, for any other word.
std::vector<std::string> chosen(const std::string& option, const std::string& list,
                                const std::vector<std::string>& known);

// The machine and the kernels, with a warning where the machine is busy; and the rivals.
std::string machine_header(const BenchOptions& options);
std::string bench_header(const BenchOptions& options, const std::vector<bench::Rival>& rivals);
// All rows, then what follows for each group, or why nothing does.
std::string outcome_table(const std::vector<bench::Outcome>& outcomes);
std::string summary_text(const std::vector<bench::Outcome>& outcomes);
std::string refusal_text(const std::string& reason);  // of bench::refusal; "" for ""

// A file for --json, opened before anything is measured: Error(checkpoint) when it cannot be.
class BenchJson {
public:
    explicit BenchJson(const std::string& path);  // "": nothing is written

    // One entry a contender and round, as Google Benchmark writes repetitions: its compare.py
    // reads two such files.
    void write(const BenchOptions& options, const std::vector<bench::Rival>& rivals,
               const std::string& family, const std::vector<bench::Outcome>& outcomes,
               const std::string& refusal);

private:
    std::string path_;
    std::ofstream out_;
};

// The roofline of the machine with a point for each row, as FILE.png (and FILE.svg, FILE.gp,
// FILE.dat). "" or the reason why there is none.
std::string plot_roofline(const std::string& file, const BenchOptions& options,
                          const std::vector<bench::Outcome>& outcomes);

}  // namespace soma::cli
