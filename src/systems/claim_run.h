#pragma once
// ClaimRun: decides the claims of one system in order; what every system file shares.
//
// A system states a Claim (text, source, gate) and a function that finds its value. The run skips
// what the caller did not ask for, measures time and memory, fills in what is needed to run it
// again, and reports each claim as it is decided.

#include <functional>
#include <string>
#include <utility>

#include "soma/systems/registry.h"

namespace soma::systems {

class ClaimRun {
public:
    // `system` stands in every claim; `seeds` is how many the recipe uses when the caller says
    // nothing.
    ClaimRun(const ReproduceContext& context, std::string system, int seeds = 1,
             std::uint64_t first_seed = 1);

    const ReproduceContext& context() const { return context_; }
    // The seeds to run: the caller's one seed, or first_seed, first_seed + 1, ...
    const std::vector<std::uint64_t>& seeds() const { return seeds_; }

    // Finds one claim's value: find(claim) sets values (or calls skip), decide() is called after
    // it.
    void claim(Claim claim, const std::function<void(Claim&)>& find);
    // The same for claims that share one piece of work, such as the training and the test error of
    // the same nets. Nothing is computed when none of them is wanted.
    void claims(std::vector<Claim> claims, const std::function<void(std::vector<Claim>&)>& find);

    void headline(const std::string& text) { result_.headline = text; }
    void deviation(const std::string& text) { result_.deviations.push_back(text); }
    bool stopped() const { return context_.stopped(); }
    Reproduction finish() { return std::move(result_); }

private:
    const ReproduceContext& context_;
    std::string system_;
    std::vector<std::uint64_t> seeds_;
    Reproduction result_;
};

}  // namespace soma::systems
