// bench_ladder: times every rung of the ladder (README.md) and keeps its tables up to date.
//
//     bench_ladder [--isa NAME] [--rounds N] [--threads N] [--update README.md]
//
// One thread: the tables of products, convolutions, tiles and rounding errors; pin it (taskset -c
// 0). More threads: the table of rungs 12, 13 and of the product alone. --update puts the tables
// between the markers of a file (tables.h), unless the machine was too noisy: then nothing is
// written, and the exit code is 1. About a minute.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "bench/ladder/tables.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"

namespace soma::ladder {
namespace {

struct Options {
    std::string isa;     // empty: the best
    std::string update;  // file; empty: none
    bench::MeasureOptions measure;
};

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        SOMA_CHECK(i + 1 < argc, "bench_ladder: ", word, " needs a value");
        const char* value = argv[++i];
        if (word == "--isa") {
            options.isa = value;
        } else if (word == "--update") {
            options.update = value;
        } else if (word == "--rounds") {
            options.measure.rounds = std::atoi(value);
        } else if (word == "--threads") {
            options.measure.threads = std::atoi(value);
        } else {
            fail(ErrorCode::usage, "bench_ladder: '", word,
                 "'; need --isa, --rounds, --threads or --update");
        }
    }
    SOMA_CHECK(options.measure.rounds >= 3 && options.measure.threads >= 1,
               "bench_ladder: rounds is ", options.measure.rounds, ", threads ",
               options.measure.threads, "; need rounds >= 3, threads >= 1");
    return options;
}

// Of the instruction set in use.
Ladder chosen() {
    for (const Ladder& l : available())
        if (std::string(l.isa) == kernels::active().isa) return l;
    fail(ErrorCode::usage, "bench_ladder: no ladder for ", kernels::active().isa);
}

std::vector<Table> measure(const Ladder& ladder, const bench::MeasureOptions& options) {
    if (options.threads > 1) {
        // A thread that was moved or preempted loses several ms; no single call may fill a block.
        bench::MeasureOptions longer = options;
        longer.block_seconds = 0.1;
        return {threads_table(ladder, longer)};
    }
    return {gemm_table(ladder, options),   conv_table(ladder, options),
            sweep_table(ladder, options),  pair_table(ladder, options),
            stride_table(ladder, options), error_table(ladder)};
}

std::string contents(const std::string& file) {
    std::ifstream in(file);
    SOMA_CHECK(in.good(), "bench_ladder: cannot read '", file, "'");
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

int run(int argc, char** argv) {
    const Options options = parse(argc, argv);
    const std::string before = options.update.empty() ? "" : contents(options.update);
    if (!options.isa.empty()) kernels::use(options.isa);
    set_num_threads(options.measure.threads);
    const std::vector<Table> tables = measure(chosen(), options.measure);
    std::vector<bench::Outcome> outcomes;
    for (const Table& t : tables) {
        std::printf("%s\n\n%s\n", t.name.c_str(), t.text.c_str());
        outcomes.insert(outcomes.end(), t.outcomes.begin(), t.outcomes.end());
    }
    const std::string refusal = bench::refusal(outcomes);
    if (!refusal.empty()) {
        std::printf("No conclusion: %s.\n", refusal.c_str());
        return options.update.empty() ? 0 : 1;
    }
    if (options.update.empty()) return 0;
    std::ofstream out(options.update);
    out << with_tables(before, tables);
    SOMA_CHECK(out.flush().good(), "bench_ladder: cannot write '", options.update, "'");
    return 0;
}

}  // namespace
}  // namespace soma::ladder

int main(int argc, char** argv) {
    try {
        return soma::ladder::run(argc, argv);
    } catch (const soma::Error& e) {
        std::fprintf(stderr, "%s\n", e.what());
        return 64;
    }
}
