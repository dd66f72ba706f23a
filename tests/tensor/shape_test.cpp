// Shape: counts, rows and columns, limits, and NumPy's broadcasting rule.

#include "soma/tensor/shape.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace soma {
namespace {

// The message of the Error that f throws, or "" when it throws none.
template <class F>
std::string error_of(F f) {
    try {
        f();
    } catch (const Error& e) {
        return e.what();
    }
    return "";
}

TEST(Shape, RankZeroIsOneElement) {
    const Shape scalar;
    EXPECT_EQ(scalar.rank(), 0);
    EXPECT_EQ(scalar.count(), 1);
    EXPECT_EQ(scalar.rows(), 1);
    EXPECT_EQ(scalar.cols(), 1);
}

TEST(Shape, RowsAreAllButTheLastDimension) {
    const Shape s{4, 3, 5};
    EXPECT_EQ(s.count(), 60);
    EXPECT_EQ(s.rows(), 12);
    EXPECT_EQ(s.cols(), 5);
}

TEST(Shape, NegativeDimensionsCountFromTheEnd) {
    const Shape s{4, 3, 5};
    EXPECT_EQ(s[-1], 5);
    EXPECT_EQ(s[-3], 4);
    EXPECT_EQ(s.with(-2, 7), (Shape{4, 7, 5}));
    EXPECT_EQ(s.with(0, 0).count(), 0);
}

TEST(Shape, ShapesOfEqualSizesButOtherRankDiffer) {
    EXPECT_EQ((Shape{2, 3}), (Shape{2, 3}));
    EXPECT_FALSE((Shape{2, 3}) == (Shape{2, 3, 1}));
    EXPECT_FALSE((Shape{2, 3}) == (Shape{3, 2}));
}

TEST(Shape, IsPrintedInBrackets) {
    std::ostringstream out;
    out << Shape{32, 10} << Shape{};
    EXPECT_EQ(out.str(), "[32, 10][]");
}

TEST(Shape, RefusesNegativeSizesHighRanksAndOverflow) {
    EXPECT_THROW((Shape{2, -1}), Error);
    EXPECT_THROW((Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), Error);
    EXPECT_THROW((Shape{Index{1} << 32, Index{1} << 32}), Error);  // 2^64 wraps to 0
    EXPECT_THROW((Shape{Index{1} << 30, Index{1} << 30}), Error);  // 2^60 > 2^59
    EXPECT_EQ((Shape{Index{1} << 30, Index{1} << 29}.count()), Index{1} << 59);
}

TEST(Broadcast, AlignsFromTheLastDimension) {
    EXPECT_EQ(broadcast("add", {4, 1, 5}, {3, 1}), (Shape{4, 3, 5}));
    EXPECT_EQ(broadcast("add", {}, {2, 3}), (Shape{2, 3}));
}

TEST(Broadcast, OneAgainstZeroIsZero) {
    EXPECT_EQ(broadcast("add", {2, 1}, {2, 0}), (Shape{2, 0}));
}

TEST(Broadcast, NamesTheOperationAndBothShapes) {
    const std::string message = error_of([] { broadcast("add", {2, 3}, {2, 4}); });
    EXPECT_NE(message.find("add: a is [2, 3], b is [2, 4]"), std::string::npos) << message;
}

}  // namespace
}  // namespace soma
