// Schedules against their formulas at the updates where the value is known exactly.

#include "soma/optim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "soma/core/error.h"

namespace soma::optim {
namespace {

TEST(Schedule, ConstantStays) {
    const Schedule s = Schedule::constant(0.25);
    EXPECT_EQ(s.at(0), 0.25);
    EXPECT_EQ(s.at(1000000), 0.25);
}

TEST(Schedule, StepMultipliesFromBeginOn) {
    const Schedule s = Schedule::step(1, 10, 5, 0.5);
    EXPECT_EQ(s.at(9), 1);
    EXPECT_EQ(s.at(10), 0.5);
    EXPECT_EQ(s.at(14), 0.5);
    EXPECT_EQ(s.at(15), 0.25);
    EXPECT_EQ(s.at(25), 0.0625);
}

// Sutskever et al. 2014: .7 for five epochs, then halved every half epoch.
TEST(Schedule, HalfEpochHalvesTwiceAnEpoch) {
    const Schedule s = Schedule::half_epoch(0.7, 500, 100);
    EXPECT_EQ(s.at(499), 0.7);
    EXPECT_EQ(s.at(500), 0.35);
    EXPECT_EQ(s.at(550), 0.175);
}

TEST(Schedule, LinearReachesItsLastValueAndStaysThere) {
    const Schedule s = Schedule::linear(1, 0.5, 8);
    EXPECT_EQ(s.at(0), 1);
    EXPECT_EQ(s.at(4), 0.75);
    EXPECT_EQ(s.at(8), 0.5);
    EXPECT_EQ(s.at(9), 0.5);
}

TEST(Schedule, CosineStartsHalvesAndEnds) {
    const Schedule s = Schedule::cosine(1, 0.25, 100);
    EXPECT_EQ(s.at(0), 1);
    // cos(pi / 2) in f64 is below 1e-16; two roundings of numbers below 1.
    EXPECT_NEAR(s.at(50), 0.625, 3 * 0x1p-53);
    EXPECT_EQ(s.at(100), 0.25);
    for (Index t = 1; t <= 100; ++t) EXPECT_LT(s.at(t), s.at(t - 1));
}

TEST(Schedule, WarmUpGrowsLinearlyAndDelaysTheRest) {
    const Schedule s = Schedule::linear(1, 0, 12).with_warm_up(4);
    EXPECT_EQ(s.at(0), 0.25);
    EXPECT_EQ(s.at(3), 1);
    EXPECT_EQ(s.at(4), 1);
    EXPECT_EQ(s.at(8), 0.5);
    EXPECT_EQ(s.at(12), 0);
}

// Vaswani et al. 2017: d^-1/2 min(n^-1/2, n w^-3/2), n = t + 1, highest at n = w.
TEST(Schedule, InverseSqrtEqualsTheTransformersFormula) {
    const double d = 512, w = 4000;
    const Schedule s = Schedule::inverse_sqrt(1 / std::sqrt(d * w), 4000);
    for (const Index t : {0, 99, 3999, 4000, 100000}) {
        const double n = static_cast<double>(t + 1);
        const double expected = std::min(1 / std::sqrt(n), n / (w * std::sqrt(w))) / std::sqrt(d);
        EXPECT_NEAR(s.at(t), expected, 8 * 0x1p-53 * expected) << t;  // at most 8 roundings
    }
}

TEST(Schedule, DescribesItself) {
    EXPECT_EQ(Schedule::constant(0.1).describe(), "constant lr=0.1");
    EXPECT_EQ(Schedule::cosine(0.1, 0, 50).with_warm_up(5).describe(),
              "cosine lr=0.1 last=0 steps=50 warm_up=5");
    EXPECT_EQ(Schedule::step(1, 10, 5, 0.1).describe(), "step lr=1 begin=10 every=5 factor=0.1");
}

TEST(Schedule, RejectsImpossibleLengths) {
    EXPECT_THROW(Schedule::linear(1, 0, 0), Error);
    EXPECT_THROW(Schedule::cosine(1, 0, 10).with_warm_up(10), Error);
    EXPECT_THROW(Schedule::inverse_sqrt(1, 0), Error);
    EXPECT_THROW(Schedule::inverse_sqrt(1, 5).with_warm_up(5), Error);
    EXPECT_THROW(Schedule::step(1, 0, 0, 0.5), Error);
}

TEST(Plateau, LowersTheRateAfterPatienceObservationsWithoutProgress) {
    Plateau p(1, {.factor = 0.5, .patience = 2});
    EXPECT_EQ(p.observe(10), 1);
    EXPECT_EQ(p.observe(9), 1);
    EXPECT_EQ(p.observe(9), 1);
    EXPECT_EQ(p.observe(9.5), 0.5);
    EXPECT_EQ(p.observe(9.5), 0.5);
    EXPECT_EQ(p.observe(9.5), 0.25);
}

TEST(Plateau, KeepsTheFloor) {
    Plateau p(1, {.factor = 0.1, .patience = 1, .floor = 0.05});
    p.observe(1);
    p.observe(1);
    EXPECT_EQ(p.observe(1), 0.05);
}

TEST(Plateau, ContinuesFromARestoredState) {
    Plateau a(1, {.factor = 0.5, .patience = 2}), b(1, {.factor = 0.5, .patience = 2});
    a.observe(3);
    a.observe(3);
    b.restore(a.state());
    EXPECT_EQ(a.observe(3), 0.5);
    EXPECT_EQ(b.observe(3), 0.5);
}

}  // namespace
}  // namespace soma::optim
