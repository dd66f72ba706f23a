#pragma once
// Timeline: what one rank did when, in the last updates of a training; a file per rank, which
// `soma inspect DIR --trace` merges.
//
//   DIR/timeline.<rank>.json
//   {"schema":1,"rank":1,"ranks":2,"host":"n2",
//    "clock":[{"here":12.5,"offset":-3.1e-4,"error":2e-5}, ...]         at start and end
//    "updates":[{"step":7,"begin":12.6,"end":12.7,
//                "events":[["forward",12.60,12.62,0,12.60], ...]}]}     lane, begin, end, bucket,
//                                                                       when it was launched
// Seconds of this rank's now_seconds(). A lap costs a look at the clock; memory is that of 200
// updates and is not allocated anew after them.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "soma/core/types.h"
#include "soma/dist/comm.h"
#include "soma/dist/progress.h"

namespace soma::train {

// wait: for sums over ranks when nothing was left to compute (exposed communication); wire: such a
// sum from its first message to its last.
enum class Lane { forward, backward, wait, wire, optimizer };
inline constexpr int kLanes = 5;
std::string_view name_of(Lane lane);

struct TimelineEvent {
    Lane lane = Lane::forward;
    double begin = 0, end = 0;
    Index bucket = 0;     // of a sum: 0 is the control record
    double launched = 0;  // a sum may start later than it is launched; else `begin`
};

struct TimelineUpdate {
    Index step = 0;  // updates before it
    double begin = 0, end = 0;
    std::vector<TimelineEvent> events = {};
};

// Rank 0's now_seconds() was `here + offset`, give or take `error`, when this rank's was `here`.
struct ClockSample {
    double here = 0, offset = 0, error = 0;
};

// What a file holds.
struct RankTimeline {
    int rank = 0, ranks = 1;
    std::string host = {};
    std::vector<ClockSample> clock = {};
    std::vector<TimelineUpdate> updates = {};  // oldest first
};

std::string timeline_text(const RankTimeline& timeline);
// Error(data) naming `path` when the text is no such file.
RankTimeline parse_timeline(std::string_view text, const std::string& path);

class Timeline {
public:
    // Makes the folder and measures the clock. Collective. Error(checkpoint) when it cannot be
    // made.
    Timeline(const std::string& folder, dist::Comm& comm, Index updates = 200);

    // An update begins, and its first lap.
    void begin(Index step);
    // A lap that belongs to no lane ends, and the next begins.
    void mark();
    // A lap ends, and the next begins.
    void lap(Lane lane);
    // The wait of the last `exposed` seconds ends, and these sums: the record, then the buckets.
    void exchanged(double exposed, std::span<const dist::ProgressEngine::Times> sums);

    // Measures the clock again and writes the file. Collective. Error(checkpoint).
    void write();

private:
    void measure_clock();
    TimelineUpdate& current() { return ring_[static_cast<std::size_t>(begun_ - 1) % ring_.size()]; }

    dist::Comm& comm_;
    std::string folder_;
    std::vector<ClockSample> clock_;
    std::vector<TimelineUpdate> ring_;
    Index begun_ = 0;  // updates
    double mark_ = 0;
};

}  // namespace soma::train
