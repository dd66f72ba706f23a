#pragma once
// The options that say how gradients go over the network; of soma train and soma bench step.

#include <CLI/App.hpp>
#include <string>

#include "soma/dist/data_parallel.h"
#include "soma/dist/topology.h"

namespace soma::cli {

struct ExchangeArguments {
    std::string deterministic = "shards", progress = "auto", allreduce = "tree";
    double bucket_mb = 4;

    bool strict() const { return deterministic == "shards"; }
};

void add_exchange_options(CLI::App& verb, ExchangeArguments& arguments);

// What they mean on this rank: `auto` takes a helper thread where a core is free for it.
// Error(usage) for an order of summation that strict mode does not allow.
dist::ExchangeOptions exchange_options(const ExchangeArguments& arguments,
                                       const dist::Mapping& mapping, const dist::Comm& comm);

}  // namespace soma::cli
