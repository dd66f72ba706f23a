// soma bench step: a training step over the ranks of a launcher, and what of it is communication.

#include <algorithm>
#include <iostream>
#include <memory>

#include "bench/step.h"
#include "cli/bench.h"
#include "cli/exchange.h"
#include "cli/ranks.h"
#include "cli/step_report.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/kernels/elementwise.h"

namespace soma::cli {
namespace {

std::vector<dist::ProgressMode> chosen_modes(const StepArguments& arguments,
                                             const dist::Comm& comm) {
    const std::vector<std::string> names =
        chosen("progress", arguments.progress, {"thread", "poll", "none"});
    std::vector<dist::ProgressMode> modes;
    for (const auto mode :
         {dist::ProgressMode::thread, dist::ProgressMode::poll, dist::ProgressMode::none}) {
        const bool named = std::find(names.begin(), names.end(), name_of(mode)) != names.end();
        // Without a list, a mode that this MPI does not allow is left out.
        const bool possible = mode != dist::ProgressMode::thread || comm.allows_helper_thread();
        if (named && (possible || !arguments.progress.empty())) modes.push_back(mode);
    }
    return modes;
}

}  // namespace

void add_step_options(CLI::App& verb, StepArguments& a) {
    verb.add_option("--model", a.model, "step: alexnet, resnet50, mlp or lecun1989");
    verb.add_option("--samples", a.samples, "step: of a rank; 0: the model's")
        ->check(whole_number(0));
    verb.add_option("--shards-per-rank", a.shards_per_rank,
                    "step: shards that a rank computes one after the other; a power of two")
        ->check(whole_number(1));
    verb.add_option("--progress", a.progress, "step: thread, poll, none; default: all");
    verb.add_option("--bucket-mb", a.bucket_mb, "step: as of soma train")
        ->check(CLI::Range(1.0 / 256, 1024.0));
    verb.add_option("--allreduce", a.allreduce, "step: tree, ring or mpi")
        ->check(CLI::IsMember({"tree", "ring", "mpi"}));
    verb.add_option("--csv", a.csv, "step: write the times of every round")->type_name("FILE");
}

int bench_step(const BenchOptions& options) {
    SOMA_CHECK(launched_size() > 1,
               "soma bench step: one rank; start it as: mpirun -np 2 soma bench step");
    const StepArguments& a = options.step;
    const bench::StepModel& model = bench::step_model(a.model);
    set_num_threads(options.threads());
    return run_on_ranks(options.comm_timeout, [&](dist::Comm& comm) {
        const dist::Mapping mapping =
            show_mapping(comm, {.threads = options.threads(), .chosen = true, .quiet = true});
        ExchangeArguments exchange{
            .deterministic = "off", .allreduce = a.allreduce, .bucket_mb = a.bucket_mb};
        const dist::ExchangeOptions e = exchange_options(exchange, mapping, comm);
        const bench::StepOptions step{.samples = a.samples,
                                      .shards_per_rank = a.shards_per_rank,
                                      .rounds = options.rounds,
                                      .buckets = e.buckets,
                                      .algorithm = e.algorithm,
                                      .modes = chosen_modes(a, comm),
                                      .spare_core = e.spare_core,
                                      .add = kernels::add<float>};
        const Index samples = step.shard_samples(model);
        std::unique_ptr<bench::StepProgram> program = bench::make_net_program(model, samples);
        if (!program) {
            program = std::make_unique<bench::LayerProgram>(model, samples, bench::product_work());
        }
        const bench::StepTimes times = bench::measure_step(comm, model, *program, step);
        if (comm.rank() != 0) return 0;
        if (!options.common.quiet) std::cout << machine_header(options);
        std::cout << step_report(model, step, times, comm.size(), program->what());
        if (!a.csv.empty()) write_step_csv(a.csv, times);
        return 0;
    });
}

}  // namespace soma::cli
