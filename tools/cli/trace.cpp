#include "cli/trace.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/text_table.h"
#include "soma/core/error.h"
#include "soma/data/file.h"

namespace soma::cli {
namespace {

using Json = nlohmann::ordered_json;
using train::Lane, train::RankTimeline, train::TimelineEvent;

constexpr int kRowsALane = 16;  // thread numbers are 16 lane + row

RankTimeline read_timeline(const std::string& folder, int rank) {
    const std::string path = concat(folder, "/timeline.", rank, ".json");
    const data::Bytes bytes = data::read_file(path);
    RankTimeline t =
        train::parse_timeline({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
    if (t.rank != rank) fail(ErrorCode::data, "timeline ", path, ": it is that of rank ", t.rank);
    return t;
}

Json named(const char* what, int pid, int tid, const Json& arguments) {
    return {{"name", what}, {"ph", "M"}, {"pid", pid}, {"tid", tid}, {"args", arguments}};
}

// Rows for events that overlap: each takes the first that is free when it begins.
class Rows {
public:
    int take(double begin, double end) {
        const auto free = [&](double busy_until) { return busy_until <= begin; };
        const auto found = std::find_if(until_.begin(), until_.end(), free);
        const auto row = found - until_.begin();
        if (found == until_.end()) {
            until_.push_back(end);
        } else {
            *found = end;
        }
        return std::min(static_cast<int>(row), kRowsALane - 1);
    }
    int size() const { return std::min(static_cast<int>(until_.size()), kRowsALane); }

private:
    std::vector<double> until_;
};

std::string name_of(const TimelineEvent& e) {
    if (e.lane != Lane::wire) return std::string(train::name_of(e.lane));
    return e.bucket == 0 ? "control record" : concat("bucket ", e.bucket);
}

// The events of one rank, with the names of its process and threads.
class RankEvents {
public:
    RankEvents(const RankTimeline& timeline, double origin) : t_(timeline), origin_(origin) {}

    void append_to(Json& events) {
        const std::string name = concat("rank ", t_.rank, " (", t_.host, ")");
        events.push_back(named("process_name", t_.rank, 0, {{"name", name}}));
        events.push_back(named("process_sort_index", t_.rank, 0, {{"sort_index", t_.rank}}));
        for (const train::TimelineUpdate& u : t_.updates) {
            for (const TimelineEvent& e : u.events) events.push_back(complete_event(u.step, e));
        }
        for (int lane = 0; lane < train::kLanes; ++lane) {
            const int rows = rows_[lane].size();
            for (int row = 0; row < rows; ++row) {
                const int tid = kRowsALane * lane + row;
                const std::string lane_name{train::name_of(static_cast<Lane>(lane))};
                events.push_back(
                    named("thread_name", t_.rank, tid,
                          {{"name", rows == 1 ? lane_name : concat(lane_name, " ", row + 1)}}));
                events.push_back(named("thread_sort_index", t_.rank, tid, {{"sort_index", tid}}));
            }
        }
    }

private:
    double microseconds(double seconds) const {
        return 1e6 * (on_clock_of_rank_0(t_, seconds) - origin_);
    }

    Json complete_event(Index step, const TimelineEvent& e) {
        const int lane = static_cast<int>(e.lane);
        Json arguments = {{"update", step}};
        if (e.lane == Lane::wire) {
            arguments["bucket"] = e.bucket;
            arguments["launched_us"] = microseconds(e.launched);
        }
        const double begin = microseconds(e.begin);
        return {{"name", name_of(e)},
                {"cat", train::name_of(e.lane)},
                {"ph", "X"},
                {"ts", begin},
                {"dur", microseconds(e.end) - begin},
                {"pid", t_.rank},
                {"tid", kRowsALane * lane + rows_[lane].take(e.begin, e.end)},
                {"args", arguments}};
    }

    const RankTimeline& t_;
    double origin_;
    Rows rows_[train::kLanes];
};

double first_moment(std::span<const RankTimeline> timelines) {
    double first = 0;
    bool found = false;
    for (const RankTimeline& t : timelines) {
        if (t.updates.empty()) continue;
        const double begin = on_clock_of_rank_0(t, t.updates.front().begin);
        first = found ? std::min(first, begin) : begin;
        found = true;
    }
    return first;
}

}  // namespace

std::vector<RankTimeline> read_timelines(const std::string& folder) {
    std::vector<RankTimeline> all{read_timeline(folder, 0)};
    const int ranks = all[0].ranks;
    for (int rank = 1; rank < ranks; ++rank) {
        all.push_back(read_timeline(folder, rank));
        if (all.back().ranks == ranks) continue;
        fail(ErrorCode::data, "timeline ", folder, ": rank ", rank, " was one of ",
             all.back().ranks, ", rank 0 one of ", ranks, "; they are of different runs");
    }
    return all;
}

double on_clock_of_rank_0(const RankTimeline& timeline, double seconds) {
    if (timeline.clock.empty()) return seconds;
    const train::ClockSample &first = timeline.clock.front(), &last = timeline.clock.back();
    const double span = last.here - first.here;
    const double share = span > 0 ? std::clamp((seconds - first.here) / span, 0.0, 1.0) : 0;
    return seconds + first.offset + share * (last.offset - first.offset);
}

Json chrome_trace(std::span<const RankTimeline> timelines) {
    const double origin = first_moment(timelines);
    Json events = Json::array();
    for (const RankTimeline& t : timelines) RankEvents(t, origin).append_to(events);
    return {{"displayTimeUnit", "ms"}, {"traceEvents", events}};
}

ExposedTime exposed_time(const RankTimeline& timeline) {
    ExposedTime time;
    for (const train::TimelineUpdate& u : timeline.updates) {
        time.total += u.end - u.begin;
        for (const TimelineEvent& e : u.events) {
            if (e.lane == Lane::wait) time.waited += e.end - e.begin;
        }
    }
    return time;
}

std::string exposed_table(std::span<const RankTimeline> timelines) {
    std::vector<std::vector<std::string>> rows = {
        {"rank", "host", "updates", "ms an update", "exposed ms", "exposed %"}};
    ExposedTime all;
    Index updates = 0;
    const auto add = [&](const std::string& rank, const std::string& host, Index count,
                         const ExposedTime& time) {
        const double each = 1e3 / static_cast<double>(std::max<Index>(1, count));
        rows.push_back({rank, host, concat(count), fixed(each * time.total, 3),
                        fixed(each * time.waited, 3), fixed(time.percent(), 1)});
    };
    for (const RankTimeline& t : timelines) {
        const ExposedTime time = exposed_time(t);
        const auto count = static_cast<Index>(t.updates.size());
        add(concat(t.rank), t.host, count, time);
        all.waited += time.waited;
        all.total += time.total;
        updates += count;
    }
    add("all", "", updates, all);
    return text_table(rows);
}

}  // namespace soma::cli
