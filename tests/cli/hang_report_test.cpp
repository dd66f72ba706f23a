// Who is to blame for a hang, from fixed reports.

#include "cli/hang_report.h"

#include <gtest/gtest.h>

#include <fstream>

#include "soma/core/error.h"
#include "support/temp_folder.h"

namespace soma::cli {
namespace {

using Ranks = std::vector<int>;

HangReport waits(int rank, const Ranks& peers, int ranks = 4) {
    HangReport report{.rank = rank, .ranks = ranks, .host = "n", .waits = "in update 3"};
    for (const int peer : peers) report.peers.push_back({peer, "n", 512, false});
    return report;
}

TEST(HangVerdict, NamesTheSilentRankThatOthersWaitFor) {
    // 0 waits for 1, 1 for 2, which has no report; 3 has none either, but nobody waits for it.
    const HangVerdict v = hang_verdict(std::vector{waits(0, {1}), waits(1, {2, 0})});
    EXPECT_EQ(v.culprits, Ranks{2});
    EXPECT_EQ(v.why.find("rank 2 (n): waited for"), 0u) << v.why;
}

TEST(HangVerdict, NamesASilentRankBehindCallsThatNameNoPeer) {
    EXPECT_EQ(hang_verdict(std::vector{waits(0, {}), waits(1, {}), waits(3, {})}).culprits,
              Ranks{2});
}

TEST(HangVerdict, NamesARankThatWaitsForNobody) {
    const std::vector all{waits(0, {1}), waits(1, {2}), waits(2, {}), waits(3, {2})};
    EXPECT_EQ(hang_verdict(all).culprits, Ranks{2});
}

TEST(HangVerdict, NamesACircle) {
    const std::vector all{waits(0, {1}), waits(1, {2}), waits(2, {1}), waits(3, {0})};
    const HangVerdict v = hang_verdict(all);
    EXPECT_EQ(v.culprits, (Ranks{1, 2}));
    EXPECT_NE(v.why.find("wait for each other"), std::string::npos);
}

TEST(HangVerdict, ARankThatWaitsSinceAnotherGaveUpHasNoReport) {
    HangReport first = waits(0, {1}, 2), woken = waits(1, {0}, 2);
    first.failed = true, first.began = 1000, first.seconds = 300;
    woken.began = 1301, woken.seconds = 60;
    EXPECT_EQ(hang_verdict(std::vector{first, woken}).culprits, Ranks{1});
    woken.began = 1200;
    EXPECT_EQ(hang_verdict(std::vector{first, woken}).culprits, (Ranks{0, 1}));
}

TEST(HangVerdict, OfOneRankAloneSaysThatTheOthersWroteNone) {
    HangReport report = waits(0, {3});
    report.alone = true;
    const HangVerdict v = hang_verdict(std::vector{report});
    EXPECT_EQ(v.culprits, Ranks{3});
    EXPECT_NE(v.why.find("--log-dir"), std::string::npos);
}

TEST(HangReport, IsReadAsItWasWritten) {
    const test::TempFolder folder;
    HangReport one = waits(1, {2}), two = waits(0, {1});
    one.update = 3, one.bucket = 2, one.step = 1, one.seconds = 61.5, one.began = 1.5,
    one.failed = true;
    one.peers[0].sends = true;
    for (const HangReport& r : {one, two}) {
        std::ofstream(hang_path(folder.path(), r.rank)) << hang_text(r);
    }
    const std::vector<HangReport> read = read_hangs(folder.path());
    ASSERT_EQ(read.size(), 2u);
    EXPECT_EQ(hang_text(read[0]), hang_text(two));
    EXPECT_EQ(hang_text(read[1]), hang_text(one));
    EXPECT_NE(hang_table(read).find("61.5"), std::string::npos);
}

TEST(HangReport, FilesThatAreNoneAndMixedRunsAreErrors) {
    const test::TempFolder folder;
    const auto code = [&] {
        try {
            read_hangs(folder.path());
        } catch (const Error& e) {
            return e.exit_code();
        }
        return 0;
    };
    EXPECT_EQ(code(), 65);  // empty
    std::ofstream(hang_path(folder.path(), 0)) << hang_text(waits(0, {1}, 2));
    EXPECT_EQ(code(), 0);
    std::ofstream(hang_path(folder.path(), 1)) << hang_text(waits(1, {0}, 4));
    EXPECT_EQ(code(), 65);
    std::ofstream(hang_path(folder.path(), 1)) << hang_text(waits(2, {0}, 2));
    EXPECT_EQ(code(), 65);
    std::ofstream(hang_path(folder.path(), 1)) << "{\"schema\":1}";
    EXPECT_EQ(code(), 65);
    EXPECT_THROW(read_hangs(folder.file("absent")), Error);
}

}  // namespace
}  // namespace soma::cli
