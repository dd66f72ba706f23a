#include "soma/train/timeline.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "soma/core/clock.h"
#include "soma/core/error.h"
#include "soma/data/file.h"
#include "soma/dist/clock_offset.h"

namespace soma::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 1;
constexpr std::array<std::string_view, kLanes> kNames{"forward", "backward", "bucket wait", "wire",
                                                      "optimizer"};

Lane lane_of(const std::string& name) {
    const auto at = std::find(kNames.begin(), kNames.end(), name);
    if (at == kNames.end()) fail(ErrorCode::data, "there is no lane '", name, "'");
    return static_cast<Lane>(at - kNames.begin());
}

TimelineUpdate update_of(const Json& json) {
    TimelineUpdate update{
        .step = json.at("step"), .begin = json.at("begin"), .end = json.at("end")};
    for (const Json& event : json.at("events")) {
        update.events.push_back(
            {lane_of(event.at(0)), event.at(1), event.at(2), event.at(3), event.at(4)});
    }
    return update;
}

}  // namespace

std::string_view name_of(Lane lane) { return kNames[static_cast<std::size_t>(lane)]; }

std::string timeline_text(const RankTimeline& t) {
    Json clock = Json::array(), updates = Json::array();
    for (const ClockSample& c : t.clock) {
        clock.push_back({{"here", c.here}, {"offset", c.offset}, {"error", c.error}});
    }
    for (const TimelineUpdate& u : t.updates) {
        Json events = Json::array();
        for (const TimelineEvent& e : u.events) {
            events.push_back(Json::array({name_of(e.lane), e.begin, e.end, e.bucket, e.launched}));
        }
        updates.push_back(
            {{"step", u.step}, {"begin", u.begin}, {"end", u.end}, {"events", events}});
    }
    const Json file = {{"schema", kSchema}, {"rank", t.rank}, {"ranks", t.ranks},
                       {"host", t.host},    {"clock", clock}, {"updates", updates}};
    return file.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

RankTimeline parse_timeline(std::string_view text, const std::string& path) {
    try {
        const Json file = Json::parse(text);
        if (file.at("schema") != kSchema)
            fail(ErrorCode::data, "schema ", file.at("schema").dump());
        RankTimeline t{.rank = file.at("rank"), .ranks = file.at("ranks"), .host = file.at("host")};
        if (t.ranks < 1 || t.rank < 0 || t.rank >= t.ranks) {
            fail(ErrorCode::data, "rank ", t.rank, " of ", t.ranks);
        }
        for (const Json& c : file.at("clock")) {
            t.clock.push_back({c.at("here"), c.at("offset"), c.at("error")});
        }
        for (const Json& update : file.at("updates")) t.updates.push_back(update_of(update));
        return t;
    } catch (const std::exception& e) {
        fail(ErrorCode::data, "timeline ", path, ": ", e.what());
    }
}

Timeline::Timeline(const std::string& folder, dist::Comm& comm, Index updates)
    : comm_(comm), folder_(folder), ring_(static_cast<std::size_t>(updates)) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) fail(ErrorCode::checkpoint, "timeline: ", folder, ": ", error.message());
    measure_clock();
}

void Timeline::measure_clock() {
    const auto mine = static_cast<std::size_t>(comm_.rank());
    const dist::ClockOffset ahead = dist::measure_clocks(comm_, now_seconds)[mine];
    clock_.push_back({now_seconds(), -ahead.seconds, ahead.uncertainty});
}

void Timeline::begin(Index step) {
    ++begun_;
    mark();
    TimelineUpdate& update = current();
    update.step = step;
    update.begin = update.end = mark_;
    update.events.clear();
}

void Timeline::mark() { mark_ = now_seconds(); }

void Timeline::lap(Lane lane) {
    const double begin = mark_;
    mark();
    current().events.push_back({lane, begin, mark_, 0, begin});
    current().end = mark_;
}

void Timeline::exchanged(double exposed, std::span<const dist::ProgressEngine::Times> sums) {
    mark();
    auto& events = current().events;
    if (!sums.empty()) events.push_back({Lane::wait, mark_ - exposed, mark_, 0, mark_ - exposed});
    for (std::size_t i = 0; i < sums.size(); ++i) {
        events.push_back(
            {Lane::wire, sums[i].started, sums[i].ended, static_cast<Index>(i), sums[i].launched});
    }
    current().end = mark_;
}

void Timeline::write() {
    measure_clock();
    RankTimeline t{
        .rank = comm_.rank(), .ranks = comm_.size(), .host = comm_.host(), .clock = clock_};
    const auto size = static_cast<Index>(ring_.size());
    for (Index i = std::max<Index>(0, begun_ - size); i < begun_; ++i) {
        t.updates.push_back(ring_[static_cast<std::size_t>(i % size)]);
    }
    data::write_file_atomically(concat(folder_, "/timeline.", t.rank, ".json"),
                                data::as_bytes(timeline_text(t)));
}

}  // namespace soma::train
