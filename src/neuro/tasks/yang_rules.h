#pragma once
// The rules of yang.h as data: what kind of trial each one is, and the times of a kind.

#include <span>

#include "soma/neuro/tasks/yang.h"

namespace soma::neuro::yang {

enum class Family { fd, react, delay, dm, delaydm, dms, dmc };
enum class Evidence { one_ring, attended_ring, both_rings };  // dm, delaydm: whose strengths count

struct RuleInfo {
    const char* name;
    Family family;
    bool anti = false;                       // fd, react, delay
    Evidence evidence = Evidence::one_ring;  // dm, delaydm
    int ring = 0;                            // dm, delaydm: the ring that counts, 0 or 1
    bool answer_match = false;               // dms, dmc: answers matches; else non-matches
};
const RuleInfo& info_of(YangRule rule);

// How long an epoch lasts: one of `choices`, or between two when `uniform`; `fixed` in grids. ms.
struct Duration {
    const char* epoch;
    std::span<const double> choices;
    double fixed;
    bool uniform = false;

    double longest() const { return choices.back(); }
    double draw(RandomSequence& random) const noexcept;
};
// In order of time.
std::span<const Duration> durations_of(Family family);

// The original has no other way to name an answer than a location: -1 keeps fixation.
inline constexpr double kFixate = -1;

}  // namespace soma::neuro::yang
