#include "bench/measure.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "soma/core/error.h"

namespace soma::bench {
namespace {

double seconds_of(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

}  // namespace

Clock clock_for(int threads) {
    const clockid_t id = threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
    return {[id] { return seconds_of(id); },
            [](double s) { std::this_thread::sleep_for(std::chrono::duration<double>(s)); }};
}

Contest::Contest(std::vector<Contender> contenders, const MeasureOptions& options)
    : Contest(std::move(contenders), options, clock_for(options.threads)) {}

Contest::Contest(std::vector<Contender> contenders, const MeasureOptions& options, Clock clock)
    : options_(options), clock_(std::move(clock)) {
    SOMA_CHECK(!contenders.empty(), "contest: no contenders");
    SOMA_CHECK(options.rounds >= 1, "contest: rounds is ", options.rounds, "; need at least 1");
    for (Contender& c : contenders) entries_.push_back({.contender = std::move(c)});
}

double Contest::timed(const Entry& entry, Index repeats) const {
    const double start = clock_.now();
    entry.contender.work(repeats);
    return clock_.now() - start;
}

// Doubles the repeats until they fill half a block, so that the clock's grain and the first call's
// costs no longer count; from there the rest follows.
void Contest::calibrate(Entry& entry) const {
    // A call that is interrupted once looks long; twice in a row is unlikely.
    const auto least = [&](Index repeats) {
        const double first = timed(entry, repeats);
        return std::min(first, timed(entry, repeats));
    };
    Index repeats = 1;
    double seconds = least(1);
    while (seconds < options_.block_seconds / 2) {
        repeats *= 2;
        seconds = least(repeats);
    }
    const double call = seconds / static_cast<double>(repeats);
    const auto calls = [&](double s) { return static_cast<Index>(std::ceil(s / call)); };
    entry.repeats = std::max<Index>(1, calls(options_.block_seconds));
    entry.warm_repeats = call < options_.warm_seconds ? calls(options_.warm_seconds) : 0;
}

void Contest::run() {
    for (Entry& entry : entries_) calibrate(entry);
    for (int round = 0; round < options_.rounds; ++round) {
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            Entry& entry = entries_[(static_cast<std::size_t>(round) + i) % entries_.size()];
            if (options_.threads > 1) clock_.sleep(options_.gap_seconds);
            if (entry.warm_repeats > 0) entry.contender.work(entry.warm_repeats);
            entry.seconds.push_back(timed(entry, entry.repeats) /
                                    static_cast<double>(entry.repeats));
        }
    }
}

Spread Contest::speedup(std::size_t i, std::size_t other) const {
    std::vector<double> ratios;
    for (std::size_t r = 0; r < entries_[i].seconds.size(); ++r) {
        ratios.push_back(entries_[other].seconds[r] / entries_[i].seconds[r]);
    }
    return spread_of(std::move(ratios));
}

}  // namespace soma::bench
