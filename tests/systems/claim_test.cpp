// Claim and Gate: verdicts follow from values.

#include "soma/systems/claim.h"

#include <gtest/gtest.h>

#include <limits>

namespace soma::systems {
namespace {

TEST(Gate, BoundsBelongToThePassingSide) {
    EXPECT_TRUE(Gate::at_most(5).holds(5));
    EXPECT_FALSE(Gate::at_most(5).holds(5.1));
    EXPECT_TRUE(Gate::at_least(5).holds(5));
    EXPECT_TRUE(Gate::equal(14).holds(14));
    EXPECT_FALSE(Gate::equal(14).holds(13));
}

TEST(Gate, NaNHoldsNowhere) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const Gate& g : {Gate::at_most(1), Gate::at_least(1), Gate::equal(1)}) {
        EXPECT_FALSE(g.holds(nan));
    }
}

TEST(Gate, TextIsTheExpression) {
    EXPECT_EQ(Gate::at_most(5.8).text(), "<= 5.8");
    EXPECT_EQ(Gate::at_least(56, 100).text(), ">= 56/100");
    EXPECT_EQ(Gate::equal(60965224).text(), "= 60965224");
    EXPECT_EQ(Gate::at_most(1e-5).text(), "<= 1e-05");
    EXPECT_EQ(Gate{}.text(), "");
}

TEST(Claim, MeanAndSpreadOfTheSeedsDecide) {
    Claim c;
    c.tolerance = Gate::at_most(5);
    c.values = {4, 5, 6};
    c.decide();
    EXPECT_EQ(c.own_value, 5);
    EXPECT_EQ(c.own_sd, 1);
    EXPECT_EQ(c.verdict, Verdict::pass);
    c.values = {6, 7};
    c.decide();
    EXPECT_EQ(c.verdict, Verdict::fail);
}

TEST(Claim, WithoutAGateItIsReported) {
    Claim c;
    c.decide(3);
    EXPECT_EQ(c.verdict, Verdict::reported);
    EXPECT_FALSE(c.own_sd.has_value());
}

}  // namespace
}  // namespace soma::systems
