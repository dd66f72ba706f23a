// What a long job prints, on a terminal and elsewhere.
#include "soma/train/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace soma::train {
namespace {

TEST(Progress, LinesStyleSaysEachTenthOnce) {
    std::ostringstream out;
    Progress progress(out, ProgressStyle::lines);

    for (int i = 0; i <= 1000; ++i) progress.update("epoch 1", i, 1000);

    const std::string text = out.str();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 10);
    EXPECT_NE(text.find("epoch 1   10 %"), std::string::npos);
    EXPECT_NE(text.find("100 %"), std::string::npos);
    EXPECT_EQ(text.find('\r'), std::string::npos);
}

TEST(Progress, ResumedJobSaysNothingAboutTenthsDoneBefore) {
    std::ostringstream out;
    Progress progress(out, ProgressStyle::lines);

    progress.update("epoch 1", 75, 100);
    progress.update("epoch 1", 79, 100);
    EXPECT_EQ(out.str(), "");
    progress.update("epoch 1", 80, 100);

    EXPECT_NE(out.str().find("80 %"), std::string::npos);
}

TEST(Progress, QuietSaysNothing) {
    std::ostringstream out;
    Progress progress(out, ProgressStyle::quiet);

    for (int i = 0; i <= 10; ++i) progress.update("epoch", i, 10);

    EXPECT_EQ(out.str(), "");
}

TEST(Progress, BarRedrawsOneLineAndIsRemovedAtTheEnd) {
    std::ostringstream out;
    {
        Progress progress(out, ProgressStyle::bar);
        progress.update("epoch", 1, 2, "loss 0.5");
    }

    const std::string text = out.str();
    EXPECT_NE(text.find("############............"), std::string::npos);
    EXPECT_NE(text.find("loss 0.5"), std::string::npos);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_EQ(text.substr(text.size() - 4), "\r\x1b[K");
}

TEST(Progress, BarHasNoColourUnlessAsked) {
    std::ostringstream plain, coloured;
    Progress(plain, ProgressStyle::bar, false).update("epoch", 1, 2);
    Progress(coloured, ProgressStyle::bar, true).update("epoch", 1, 2);

    EXPECT_EQ(plain.str().find("\x1b[32m"), std::string::npos);
    EXPECT_NE(coloured.str().find("\x1b[32m"), std::string::npos);
}

TEST(Progress, DurationsReadAsPeopleSayThem) {
    EXPECT_EQ(duration_text(0.4), "0 s");
    EXPECT_EQ(duration_text(59.6), "1 min 00 s");
    EXPECT_EQ(duration_text(200), "3 min 20 s");
    EXPECT_EQ(duration_text(7500), "2 h 05 min");
    EXPECT_EQ(duration_text(-1), "0 s");
}

}  // namespace
}  // namespace soma::train
