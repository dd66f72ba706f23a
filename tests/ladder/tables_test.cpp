// The tables of the ladder's README: put between markers, nothing else touched.

#include "bench/ladder/tables.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "soma/core/error.h"

namespace soma::ladder {
namespace {

constexpr const char* kText =
    "before\n"
    "<!-- table gemm avx2 -->\nold\n<!-- end -->\n"
    "between\n"
    "<!-- table conv avx2 -->\n<!-- end -->\n"
    "after\n";

TEST(LadderTables, ReplaceWhatLiesBetweenTheirMarkers) {
    const std::string text =
        with_tables(kText, {{"conv avx2", "c\n", {}}, {"gemm avx2", "g\n", {}}});

    EXPECT_EQ(text,
              "before\n"
              "<!-- table gemm avx2 -->\ng\n<!-- end -->\n"
              "between\n"
              "<!-- table conv avx2 -->\nc\n<!-- end -->\n"
              "after\n");
}

TEST(LadderTables, WithoutMarkersAreLeftOut) {
    const std::string text =
        with_tables(kText, {{"conv neon", "n\n", {}}, {"gemm avx2", "old\n", {}}});

    EXPECT_EQ(text, kText);
}

TEST(LadderTables, NeedAMarkerAndItsEnd) {
    EXPECT_THROW(with_tables(kText, {{"gemm neon", "n\n", {}}}), Error);
    EXPECT_THROW(with_tables("<!-- table gemm avx2 -->\n", {{"gemm avx2", "g\n", {}}}), Error);
}

// A ladder that lost a rung, or a course that lost a table, would show here.
TEST(LadderTables, OfTheCourseNameEveryRung) {
    std::ifstream in(SOMA_LADDER_FOLDER "/README.md");
    std::ostringstream course;
    course << in.rdbuf();

    const std::vector<Ladder> ladders = available();
    for (const Rung& r : rungs(ladders.front()))
        EXPECT_NE(course.str().find(concat("](", r.file, ".cpp) | ", r.idea, " |")),
                  std::string::npos)
            << r.file;
}

}  // namespace
}  // namespace soma::ladder
