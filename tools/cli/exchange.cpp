#include "cli/exchange.h"

#include <CLI/CLI.hpp>

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
    using dist::ProgressMode;
    SOMA_CHECK(!arguments.strict() || arguments.allreduce == "tree", "--allreduce ",
               arguments.allreduce,
               " has an order that depends on the ranks; add --deterministic off");
    dist::ExchangeOptions options;
    options.algorithm = dist::algorithm_named(arguments.allreduce);
    options.spare_core = mapping.spare_core[static_cast<std::size_t>(comm.rank())];
    const bool helper = options.spare_core && comm.allows_helper_thread();
    options.progress = helper ? ProgressMode::thread : ProgressMode::poll;
    for (const auto mode : {ProgressMode::thread, ProgressMode::poll, ProgressMode::none}) {
        if (name_of(mode) == arguments.progress) options.progress = mode;
    }
    options.buckets = dist::bucket_sizes(arguments.bucket_mb);
    return options;
}

}  // namespace soma::cli
