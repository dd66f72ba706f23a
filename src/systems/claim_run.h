#pragma once
// ClaimRun: decides the claims of one system in order; what every system file shares.
//
// A system states a Claim (text, source, gate) and a function that finds its value. The run skips
// what the caller did not ask for, measures time and memory, fills in what is needed to run it
// again, and reports each claim as it is decided.

#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "soma/core/parallel.h"
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
    // Holds on at least `most` of `of` seeds; in proportion, rounded up, when other many run.
    Gate on_most_seeds(double most, double of) const;
    // make(seed) for every seed, with progress. They are independent: a thread each. T{} stands
    // where a stop came first.
    template <class T, class Make>
    std::vector<T> for_every_seed(const std::string& what, const Make& make) const;

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

// Skips the claims when soma was built without LAPACK; true when it did.
bool skip_without_lapack(std::span<Claim> claims);

template <class T, class Make>
std::vector<T> ClaimRun::for_every_seed(const std::string& what, const Make& make) const {
    std::vector<T> all(seeds_.size());
    std::mutex reporting;
    double done = 0;
    parallel_for(std::ssize(all), 1, [&](Index begin, Index end) {
        for (Index i = begin; i < end && !stopped(); ++i) {
            const auto at = static_cast<std::size_t>(i);
            T made = make(seeds_[at]);
            if (stopped()) return;
            all[at] = std::move(made);
            const std::lock_guard lock(reporting);
            context_.progress(what, ++done, static_cast<double>(all.size()));
        }
    });
    return all;
}

}  // namespace soma::systems
