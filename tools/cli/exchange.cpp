#include "cli/exchange.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "soma/core/error.h"

namespace soma::cli {

void add_exchange_options(CLI::App& verb, ExchangeArguments& arguments) {
    verb.add_option("--deterministic", arguments.deterministic,
                    "shards: the same bits on any number of ranks; off: one shard a rank, and what "
                    "breaks that is allowed")
        ->check(CLI::IsMember({"shards", "off"}));
    verb.add_option("--progress", arguments.progress,
                    "who moves gradients during the backward pass: a helper thread, the kernels, "
                    "or nobody; auto: thread where a core is free, else poll")
        ->check(CLI::IsMember({"auto", "thread", "poll", "none"}));
    verb.add_option("--bucket-mb", arguments.bucket_mb,
                    "MB of gradients that go to the network together; the first is at most 1 MB")
        ->check(CLI::Range(1.0 / 256, 1024.0));
    verb.add_option("--allreduce", arguments.allreduce,
                    "tree: strict; ring, mpi (the library's own): with --deterministic off")
        ->check(CLI::IsMember({"tree", "ring", "mpi"}));
}

dist::ExchangeOptions exchange_options(const ExchangeArguments& arguments,
                                       const dist::Mapping& mapping, const dist::Comm& comm) {
    using dist::Algorithm, dist::ProgressMode;
    SOMA_CHECK(!arguments.strict() || arguments.allreduce == "tree", "--allreduce ",
               arguments.allreduce,
               " has an order that depends on the ranks; add --deterministic off");
    dist::ExchangeOptions options;
    for (const auto algorithm : {Algorithm::tree, Algorithm::ring, Algorithm::library}) {
        if (name_of(algorithm) == arguments.allreduce) options.algorithm = algorithm;
    }
    options.spare_core = mapping.spare_core[static_cast<std::size_t>(comm.rank())];
    const bool helper = options.spare_core && comm.allows_helper_thread();
    options.progress = helper ? ProgressMode::thread : ProgressMode::poll;
    for (const auto mode : {ProgressMode::thread, ProgressMode::poll, ProgressMode::none}) {
        if (name_of(mode) == arguments.progress) options.progress = mode;
    }
    options.buckets.bytes = static_cast<Index>(arguments.bucket_mb * (1 << 20));
    options.buckets.first_bytes = std::min(options.buckets.bytes, options.buckets.first_bytes);
    return options;
}

}  // namespace soma::cli
