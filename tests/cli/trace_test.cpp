// Timelines of ranks with different clocks, merged.

#include "cli/trace.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

namespace soma::cli {
namespace {

using train::Lane;

// Two ranks that do the same at the same time; the clock of the second is late by 100 s at its
// start and by 100.1 s ten seconds later.
std::vector<train::RankTimeline> two_ranks() {
    const auto update = [](double t) {
        return train::TimelineUpdate{.step = 7,
                                     .begin = t,
                                     .end = t + 10,
                                     .events = {{Lane::forward, t, t + 4},
                                                {Lane::backward, t + 4, t + 8},
                                                {Lane::wait, t + 8, t + 9},
                                                {Lane::wire, t + 4, t + 6, 0, t + 4},
                                                {Lane::wire, t + 5, t + 9, 1, t + 4.5},
                                                {Lane::wire, t + 7, t + 8, 2, t + 6},
                                                {Lane::optimizer, t + 9, t + 10}}};
    };
    return {{.rank = 0,
             .ranks = 2,
             .host = "a",
             .clock = {{200, 0, 0}, {210, 0, 0}},
             .updates = {update(200)}},
            {.rank = 1,
             .ranks = 2,
             .host = "b",
             .clock = {{100, 100, 0}, {110, 100.1, 0}},
             .updates = {update(100)}}};
}

TEST(Trace, OffsetsAreInterpolatedAndKeptBeyondTheirEnds) {
    const train::RankTimeline late = two_ranks()[1];
    EXPECT_DOUBLE_EQ(on_clock_of_rank_0(late, 100), 200);
    EXPECT_DOUBLE_EQ(on_clock_of_rank_0(late, 105), 205.05);
    EXPECT_DOUBLE_EQ(on_clock_of_rank_0(late, 110), 210.1);
    EXPECT_DOUBLE_EQ(on_clock_of_rank_0(late, 120), 220.1);
    EXPECT_DOUBLE_EQ(on_clock_of_rank_0(late, 90), 190);
}

TEST(Trace, HasAProcessPerRankAThreadPerLaneAndRowsForSumsThatOverlap) {
    const auto trace = nlohmann::json::parse(chrome_trace(two_ranks()).dump());
    std::map<int, std::string> processes;
    std::map<std::pair<int, int>, std::string> threads;
    std::map<std::string, nlohmann::json> of_rank_1;
    for (const auto& event : trace.at("traceEvents")) {
        const int pid = event.at("pid"), tid = event.at("tid");
        if (event.at("name") == "process_name") processes[pid] = event.at("args").at("name");
        if (event.at("name") == "thread_name") threads[{pid, tid}] = event.at("args").at("name");
        if (event.at("ph") == "X" && pid == 1) of_rank_1[event.at("name")] = event;
    }
    EXPECT_EQ(processes, (std::map<int, std::string>{{0, "rank 0 (a)"}, {1, "rank 1 (b)"}}));
    EXPECT_EQ(of_rank_1.size(), 7u);
    const auto thread_of = [&](const char* name) {
        return threads.at({1, of_rank_1.at(name).at("tid").get<int>()});
    };
    EXPECT_EQ(thread_of("forward"), "forward");
    EXPECT_EQ(thread_of("backward"), "backward");
    EXPECT_EQ(thread_of("bucket wait"), "bucket wait");
    EXPECT_EQ(thread_of("control record"), "wire 1");
    EXPECT_EQ(thread_of("bucket 1"), "wire 2");
    EXPECT_EQ(thread_of("bucket 2"), "wire 1");  // free again
    EXPECT_EQ(thread_of("optimizer"), "optimizer");
    const auto& bucket = of_rank_1.at("bucket 1");
    EXPECT_NEAR(bucket.at("ts").get<double>(), 5.05e6, 1);
    EXPECT_NEAR(bucket.at("dur").get<double>(), 4.04e6, 1);
    EXPECT_EQ(bucket.at("args").at("update"), 7);
}

TEST(Trace, TheExposedShareIsWaitsOverUpdates) {
    std::vector<train::RankTimeline> ranks = two_ranks();
    EXPECT_DOUBLE_EQ(exposed_time(ranks[0]).percent(), 10);
    ranks[1].updates[0].events[2].end += 2;
    EXPECT_DOUBLE_EQ(exposed_time(ranks[1]).percent(), 30);
    const std::string table = exposed_table(ranks);
    EXPECT_NE(table.find("20.0"), std::string::npos) << table;
    EXPECT_EQ(exposed_time({}).percent(), 0);
}

}  // namespace
}  // namespace soma::cli
