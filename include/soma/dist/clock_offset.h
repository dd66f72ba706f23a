#pragma once
// How far apart the ranks' clocks are, by ping-pong (Cristian 1989, "Probabilistic clock
// synchronization").

#include <span>
#include <vector>

#include "soma/dist/comm.h"

namespace soma::dist {

// A question for the time: asked and answered by the asker's clock, answer by the other's.
struct ClockProbe {
    double asked = 0, answer = 0, answered = 0;  // seconds
};
// How far the other clock is ahead, seconds, and the most by which that can be wrong.
struct ClockOffset {
    double seconds = 0, uncertainty = 0;
};
// answer - (asked + answered) / 2, +- (answered - asked) / 2, of the probe that took least. At
// least one probe.
ClockOffset offset_of(std::span<const ClockProbe> probes);

// The clocks of all ranks beside rank 0's, by rank; the same on all ranks. `clock` gives seconds:
// now_seconds, or the time of day. Collective; the ranks take turns, 20 round trips each.
std::vector<ClockOffset> measure_clocks(Comm& comm, double (*clock)());

}  // namespace soma::dist
