// soma_step: soma bench step on simulated hosts, one rank each, under SimGrid's smpirun (`make
// smpi`).
//
// The messages, buckets and progress modes are soma's own code; work is time that passes. SMPI runs
// all ranks as threads of one process and replaces MPI, the clock and sleeping (core/clock.h).

#undef exit  // smpicxx's macro
#include <smpi/smpi.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "bench/step.h"
#include "cli/step_report.h"
#include "cli/text_table.h"
#include "soma/core/error.h"
#include "soma/dist/planner.h"

namespace soma::cli {
namespace {

struct Options {
    std::string model = "resnet50", progress = "poll", allreduce = "tree", csv;
    bench::StepOptions step;
    double bucket_mb = 4, latency_us = 0, ns_per_byte = 0;
    int ranks = 0;
};

// The line of alpha and beta beside the simulation (planner.h).
std::string predicted(const Options& o, const bench::StepModel& model,
                      const bench::StepTimes& times) {
    dist::PlanOptions plan{.compute_seconds = bench::spread_of(times.compute).median,
                           .parameters = static_cast<double>(model.parameters()),
                           .bucket_bytes = o.bucket_mb * (1 << 20),
                           .shards = o.step.shards_per_rank * o.ranks,
                           .jitter = o.step.jitter,
                           .overlap = o.progress != "none"};
    const dist::PlanRow row =
        dist::predict(plan, {"simulated", 1e-6 * o.latency_us, 1e-9 * o.ns_per_byte}, o.ranks);
    const double wire = bench::spread_of(times.wire).median;
    const double step = bench::spread_of(times.modes[0].seconds).median;
    return concat("alpha-beta: communication ", fixed(1e3 * row.communication(), 3), " ms, step ",
                  fixed(1e3 * row.step, 3), " ms, efficiency ", fixed(100 * row.efficiency, 1),
                  " %\nsimulated / alpha-beta: communication ",
                  fixed(wire / row.communication(), 3), ", step ", fixed(step / row.step, 3), "\n");
}

int simulate(Options& o) {
    const auto comm = dist::make_world_comm(o.ranks);
    o.step.buckets.bytes = static_cast<Index>(o.bucket_mb * (1 << 20));
    o.step.buckets.first_bytes = std::min(o.step.buckets.bytes, o.step.buckets.first_bytes);
    o.step.algorithm = o.allreduce == "tree"   ? dist::Algorithm::tree
                       : o.allreduce == "ring" ? dist::Algorithm::ring
                                               : dist::Algorithm::library;
    // The ranks' gradients lie in the same pages: only their sizes matter.
    o.step.memory = [](Index elements) {
        const auto bytes = static_cast<std::size_t>(elements) * sizeof(float);
        return static_cast<float*>(smpi_shared_malloc(bytes, __FILE__, __LINE__));
    };
    o.step.modes = {o.progress == "poll" ? dist::ProgressMode::poll : dist::ProgressMode::none};
    const bench::StepModel& model = bench::step_model(o.model);
    const bench::StepTimes times = bench::measure_step(*comm, model, o.step);
    if (comm->rank() != 0) return 0;
    std::cout << "simulated hosts, one rank each\n" << step_report(model, o.step, times, o.ranks);
    if (o.ns_per_byte > 0) std::cout << predicted(o, model, times);
    if (!o.csv.empty()) write_step_csv(o.csv, times);
    return 0;
}

int run(int argc, char** argv) {
    Options o;
    o.step.rounds = 1;
    CLI::App app("a data-parallel training step on simulated hosts");
    app.add_option("--ranks", o.ranks, "as many as smpirun -np starts")->required();
    app.add_option("--model", o.model, "alexnet, resnet50, mlp or lecun1989");
    app.add_option("--samples", o.step.samples, "of a rank; 0: the model's");
    app.add_option("--shards-per-rank", o.step.shards_per_rank, "a power of two");
    app.add_option("--gflops", o.step.gflops, "rate of a host");
    app.add_option("--jitter", o.step.jitter, "relative spread of a rank's pace, step by step");
    app.add_option("--rounds", o.step.rounds, "steps; their median counts");
    app.add_option("--progress", o.progress)->check(CLI::IsMember({"poll", "none"}));
    app.add_option("--allreduce", o.allreduce)->check(CLI::IsMember({"tree", "ring", "mpi"}));
    app.add_option("--bucket-mb", o.bucket_mb);
    app.add_option("--latency-us", o.latency_us, "of the platform, for the alpha-beta line");
    app.add_option("--ns-per-byte", o.ns_per_byte, "the same");
    app.add_option("--csv", o.csv);
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
