// soma_step: soma bench step on simulated hosts, one rank each, under SimGrid's smpirun (`make
// smpi`).
//
// The messages, buckets and progress modes are soma's own code; work is time that passes. SMPI runs
// all ranks as threads of one process and replaces MPI, the clock and sleeping (core/clock.h).

#undef exit  // smpicxx's macro
#include <smpi/smpi.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <numbers>

#include "bench/step.h"
#include "cli/step_report.h"
#include "cli/text_table.h"
#include "soma/core/clock.h"
#include "soma/core/error.h"
#include "soma/core/poll.h"
#include "soma/core/rng.h"
#include "soma/dist/planner.h"

namespace soma::cli {
namespace {

struct Options {
    std::string model = "resnet50", progress = "poll", allreduce = "tree", append;
    bench::StepOptions step;
    double gflops = 1000, jitter = 0, bucket_mb = 4, latency_us = 0, ns_per_byte = 0;
    int ranks = 0;
};

// Medians of the simulation, and the line of alpha and beta beside it (planner.h).
struct Beside {
    double compute = 0;  // of a rank that has no luck, good or bad
    double wire = 0, step = 0;
    dist::PlanRow line;
};

Beside beside_line(const Options& o, const bench::StepModel& model, const bench::StepTimes& times) {
    const auto samples = static_cast<double>(o.step.shard_samples(model) * o.step.shards_per_rank);
    Beside b{.compute = model.flop() * samples / (1e9 * o.gflops),
             .wire = bench::spread_of(times.wire).median,
             .step = bench::spread_of(times.modes[0].seconds).median,
             .line = {}};
    const dist::PlanOptions plan{.compute_seconds = b.compute,
                                 .parameters = static_cast<double>(model.parameters()),
                                 .bucket_bytes = o.bucket_mb * (1 << 20),
                                 .shards = o.step.shards_per_rank * o.ranks,
                                 .jitter = o.jitter,
                                 .overlap = o.progress != "none"};
    b.line = dist::predict(plan, {"simulated", 1e-6 * o.latency_us, 1e-9 * o.ns_per_byte}, o.ranks);
    return b;
}

std::string in_words(const Beside& b) {
    return concat("alpha-beta: communication ", fixed(1e3 * b.line.communication(), 3),
                  " ms, step ", fixed(1e3 * b.line.step, 3), " ms, efficiency ",
                  fixed(100 * b.line.efficiency, 1), " %\nsimulated / alpha-beta: communication ",
                  fixed(b.wire / b.line.communication(), 3), ", step ",
                  fixed(b.step / b.line.step, 3), "\n");
}

// hosts, seconds of compute, communication and step, then the line's of the last two.
void append_row(const std::string& path, int ranks, const Beside& b) {
    std::ofstream out(path, std::ios::app);
    out << ranks << " " << b.compute << " " << b.wire << " " << b.step << " "
        << b.line.communication() << " " << b.line.step << "\n";
    if (!out.flush()) fail(ErrorCode::checkpoint, path, ": cannot be written");
}

// Lets time pass in the place of work.
class PassingLayers final : public bench::LayerProgram {
public:
    PassingLayers(const bench::StepModel& model, const Options& o, int rank)
        : LayerProgram(
              model, o.step.shard_samples(model), [this](double flop) { pass(flop); },
              shared_memory),
          options_(o),
          random_(make_key(static_cast<std::uint64_t>(rank) + 1, Purpose::data_generation)) {}

    std::string what() const override {
        return concat("time that passes, ", options_.gflops, " GFLOP/s, jitter ",
                      fixed(100 * options_.jitter, 1), " %");
    }
    // Another step: its own luck, from a normal distribution (Box-Muller).
    void begin_step() override {
        const double u = 1 - static_cast<double>(random_.uniform());
        const double angle = 2 * std::numbers::pi * static_cast<double>(random_.uniform());
        const double luck = std::sqrt(-2 * std::log(u)) * std::cos(angle);
        pace_ = std::max(0.0, 1 + options_.jitter * luck) / (1e9 * options_.gflops);
    }

private:
    static constexpr double kSlice = 200e-6;  // seconds that pass between two polls

    // The ranks' gradients lie in the same pages: only their sizes matter.
    static float* shared_memory(Index elements) {
        const auto bytes = static_cast<std::size_t>(elements) * sizeof(float);
        return static_cast<float*>(smpi_shared_malloc(bytes, __FILE__, __LINE__));
    }

    void pass(double flop) const {
        const double end = now_seconds() + pace_ * flop;
        for (double now = now_seconds(); now < end; now = now_seconds()) {
            sleep_seconds(std::min(kSlice, end - now));
            poll();
        }
    }

    const Options& options_;
    RandomSequence random_;
    double pace_ = 0;  // seconds an operation
};

int simulate(Options& o) {
    const auto comm = dist::make_world_comm(o.ranks);
    o.step.buckets = dist::bucket_sizes(o.bucket_mb);
    o.step.algorithm = dist::algorithm_named(o.allreduce);
    o.step.modes = {o.progress == "poll" ? dist::ProgressMode::poll : dist::ProgressMode::none};
    const bench::StepModel& model = bench::step_model(o.model);
    PassingLayers program(model, o, comm->rank());
    const bench::StepTimes times = bench::measure_step(*comm, model, program, o.step);
    if (comm->rank() != 0) return 0;
    std::cout << "simulated hosts, one rank each\n"
              << step_report(model, o.step, times, o.ranks, program.what());
    if (o.ns_per_byte <= 0) return 0;
    const Beside b = beside_line(o, model, times);
    std::cout << in_words(b);
    if (!o.append.empty()) append_row(o.append, o.ranks, b);
    return 0;
}

int run(int argc, char** argv) {
    Options o;
    o.step.rounds = 1;
    o.step.warms_up = false;
    CLI::App app("a data-parallel training step on simulated hosts");
    app.add_option("--ranks", o.ranks, "as many as smpirun -np starts")->required();
    app.add_option("--model", o.model, "alexnet, resnet50, mlp or lecun1989");
    app.add_option("--samples", o.step.samples, "of a rank; 0: the model's");
    app.add_option("--shards-per-rank", o.step.shards_per_rank, "a power of two");
    app.add_option("--gflops", o.gflops, "rate of a host");
    app.add_option("--jitter", o.jitter, "relative spread of a rank's pace, step by step");
    app.add_option("--rounds", o.step.rounds, "steps; their median counts");
    app.add_option("--progress", o.progress)->check(CLI::IsMember({"poll", "none"}));
    app.add_option("--allreduce", o.allreduce)->check(CLI::IsMember({"tree", "ring", "mpi"}));
    app.add_option("--bucket-mb", o.bucket_mb);
    app.add_option("--latency-us", o.latency_us, "of the platform, for the alpha-beta line");
    app.add_option("--ns-per-byte", o.ns_per_byte, "the same");
    app.add_option("--append", o.append, "FILE that gets a row (simulate_scaling.sh)");
    CLI11_PARSE(app, argc, argv);
    return simulate(o);
}

}  // namespace
}  // namespace soma::cli

int main(int argc, char** argv) {
    try {
        return soma::cli::run(argc, argv);
    } catch (const soma::Error& e) {
        std::cerr << "soma_step: " << e.what() << std::endl;
        return e.exit_code();
    }
}
