// Recording, writing and reading of timelines.

#include "soma/train/timeline.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "soma/core/error.h"
#include "soma/dist/thread_ranks.h"
#include "support/temp_folder.h"

namespace soma::train {
namespace {

std::string content(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

TEST(Timeline, KeepsTheLastUpdatesOfEveryRankWithTheirLapsAndSums) {
    const test::TempFolder folder;
    const std::string logs = folder.file("new/logs");
    dist::run_thread_ranks(3, [&](dist::Comm& comm) {
        Timeline timeline(logs, comm, 2);
        for (Index step = 0; step < 5; ++step) {
            timeline.begin(step);
            timeline.mark();
            timeline.lap(Lane::forward);
            timeline.lap(Lane::backward);
            const std::array<dist::ProgressEngine::Times, 2> sums{{{1, 2, 3}, {4, 5, 6}}};
            timeline.exchanged(0.5, sums);
            timeline.lap(Lane::optimizer);
        }
        timeline.write();
    });
    for (int rank = 0; rank < 3; ++rank) {
        const std::string path = concat(logs, "/timeline.", rank, ".json");
        const RankTimeline t = parse_timeline(content(path), path);
        EXPECT_EQ(t.rank, rank);
        EXPECT_EQ(t.ranks, 3);
        EXPECT_EQ(t.clock.size(), 2u);
        ASSERT_EQ(t.updates.size(), 2u);
        EXPECT_EQ(t.updates[0].step, 3);
        EXPECT_EQ(t.updates[1].step, 4);
        const std::vector<TimelineEvent>& events = t.updates[1].events;
        ASSERT_EQ(events.size(), 6u);
        constexpr std::array kExpected{Lane::forward, Lane::backward, Lane::wait,
                                       Lane::wire,    Lane::wire,     Lane::optimizer};
        for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].lane, kExpected[i]);
        EXPECT_EQ(events[0].end, events[1].begin);  // a lap begins where the one before ended
        EXPECT_NEAR(events[2].end - events[2].begin, 0.5, 1e-6);
        EXPECT_EQ(events[4].bucket, 1);
        EXPECT_EQ(events[4].launched, 4);
        EXPECT_EQ(events[4].begin, 5);
        EXPECT_EQ(events[4].end, 6);
        EXPECT_EQ(events[5].end, t.updates[1].end);
    }
}

TEST(Timeline, FilesThatAreNoneAreNamed) {
    const std::string good = timeline_text({.rank = 1, .ranks = 2, .host = "n"});
    EXPECT_EQ(parse_timeline(good, "f").host, "n");
    for (const std::string& bad :
         {std::string(), good.substr(0, good.size() / 2), std::string("[]"),
          std::string(R"({"schema":2})"), timeline_text({.rank = 2, .ranks = 2})}) {
        try {
            parse_timeline(bad, "some/file");
            ADD_FAILURE() << bad;
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::data);
            EXPECT_NE(std::string(e.what()).find("some/file"), std::string::npos) << e.what();
        }
    }
    std::string lane =
        timeline_text({.updates = {{.step = 1, .events = {{.lane = Lane::forward}}}}});
    EXPECT_EQ(parse_timeline(lane, "f").updates.size(), 1u);
    lane.replace(lane.find("forward"), 7, "upwards");
    EXPECT_THROW(parse_timeline(lane, "f"), Error);
}

}  // namespace
}  // namespace soma::train
