#pragma once
// The timelines of all ranks (soma/train/timeline.h) on one clock: as a Chrome trace, and as the
// share of the time in which communication was exposed.

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "soma/train/timeline.h"

namespace soma::cli {

// Of all ranks of the run that rank 0 of the folder belongs to, by rank. Error(data) naming the
// file when rank 0 or another has none, or one is damaged.
std::vector<train::RankTimeline> read_timelines(const std::string& folder);

// What rank 0's clock showed when that of this rank showed `seconds`: the offset is interpolated
// between the measurements at start and end, and kept beyond them.
double on_clock_of_rank_0(const train::RankTimeline& timeline, double seconds);

// Trace-event JSON, for chrome://tracing and Perfetto: a process is a rank, a thread a lane. Sums
// over ranks that are on the wire at once stand in rows of their own. Microseconds since the first
// event of any rank.
nlohmann::ordered_json chrome_trace(std::span<const train::RankTimeline> timelines);

// Seconds of the recorded updates, and of the waits in them.
struct ExposedTime {
    double waited = 0, total = 0;
    double percent() const { return total > 0 ? 100 * waited / total : 0; }
};
ExposedTime exposed_time(const train::RankTimeline& timeline);

// A row per rank, and one for all of them.
std::string exposed_table(std::span<const train::RankTimeline> timelines);

}  // namespace soma::cli
