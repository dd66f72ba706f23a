#pragma once
// Contest: the one way in which soma compares speeds (kernels.md 18).
//
//     round r:   contender r, r + 1, ... (cyclic), each  [gap] [warm up] [timed block]
//
// Every round runs every contender once, in an order that rotates, so that a slow second hits all
// alike. A block repeats a contender's work until it is long enough for the clock. Ratios are
// formed within a round, where the machine was the same, and then their median is taken.
//
// One thread: thread CPU time, so that preemption does not count. Several: wall time, behind an
// idle gap in which the workers of other libraries' thread pools, which spin, fall asleep.

#include <functional>
#include <string>
#include <vector>

#include "bench/spread.h"
#include "soma/core/types.h"

namespace soma::bench {

// Does its work `repeats` times.
using Work = std::function<void(Index repeats)>;

struct Contender {
    std::string name;
    Work work;
};

// Time in seconds, and waiting. Tests bring their own.
struct Clock {
    std::function<double()> now;
    std::function<void(double seconds)> sleep;
};
Clock clock_for(int threads);  // thread CPU time for one thread, else wall time

struct MeasureOptions {
    int rounds = 20;              // at least 1
    double block_seconds = 0.01;  // least time of a block
    double warm_seconds = 0.002;  // run before each block; a longer call warms itself
    double gap_seconds = 0.04;    // idle before each block with several threads
    int threads = 1;
};

class Contest {
public:
    // Runs nothing yet. Error(usage) for no contenders or less than one round.
    Contest(std::vector<Contender> contenders, const MeasureOptions& options);
    Contest(std::vector<Contender> contenders, const MeasureOptions& options, Clock clock);

    // All rounds. Before the first, each contender runs until its block's length is known.
    void run();

    std::size_t size() const { return entries_.size(); }
    const std::string& name(std::size_t i) const { return entries_[i].contender.name; }
    Index repeats(std::size_t i) const { return entries_[i].repeats; }  // of a block
    // Seconds of one call of contender i, one value a round.
    const std::vector<double>& seconds(std::size_t i) const { return entries_[i].seconds; }
    Spread time(std::size_t i) const { return spread_of(entries_[i].seconds); }
    // Per round: time of contender `other` / time of contender i; above 1 where i is the faster.
    Spread speedup(std::size_t i, std::size_t other) const;

private:
    struct Entry {
        Contender contender;
        Index repeats = 1, warm_repeats = 0;
        std::vector<double> seconds = {};
    };
    double timed(const Entry& entry, Index repeats) const;
    void calibrate(Entry& entry) const;

    std::vector<Entry> entries_;
    MeasureOptions options_;
    Clock clock_;
};

}  // namespace soma::bench
