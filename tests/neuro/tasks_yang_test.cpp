// The 20 rules of Yang et al.: golden trials, drawn quantities, groups, scores, best observers.

#include <gtest/gtest.h>

#include "neuro/task_check.h"
#include "soma/core/error.h"
#include "soma/neuro/tasks/yang.h"

namespace soma::neuro {
namespace {

using test::Histogram;
using test::Written;

constexpr double kPi = M_PI;

// A value of the input, worked out by hand.
struct Probe {
    Index step, input;
    double value;
};

// Cell of the grid with stimulus 1 at pi/2 (unit 8), stimulus 2, where it is elsewhere, at 3 pi/2
// (unit 24): ring 1 inputs 9 and 25, ring 2 inputs 41 and 57. A peak is 0.8, its neighbour, half a
// width away, 0.8 exp(-1/8) = 0.7059975.
struct Golden {
    YangRule rule;
    std::uint32_t cell;
    Index length, go;
    bool fixation_stays;
    double answer, coherence;
    std::vector<Probe> probes;
};

std::vector<Golden> goldens() {
    const double up = kPi / 2, down = 3 * kPi / 2, side = 0.7059975;
    // contextdm, multidm: ring 1 has strengths 0.8 and 1.2, ring 2 has 1.12 and 0.88.
    const std::vector<Probe> both = {{24, 9, 0},      {25, 9, 0.64},   {25, 25, 0.96},
                                     {25, 41, 0.896}, {74, 57, 0.704}, {25, 58, 0.88 * side},
                                     {99, 57, 0.704}, {100, 57, 0}};
    const std::vector<Probe> in_turn = {{25, 9, 0.64}, {25, 25, 0},     {49, 41, 0.896},
                                        {50, 41, 0},   {100, 25, 0.96}, {124, 57, 0.704},
                                        {100, 41, 0},  {125, 57, 0}};
    const std::vector<Probe> same = {{24, 9, 0},     {25, 9, 0.8},   {50, 9, 0},   {109, 41, 0},
                                     {110, 41, 0.8}, {134, 41, 0.8}, {110, 57, 0}, {110, 40, side}};
    const std::vector<Probe> other = {{25, 9, 0.8}, {49, 9, 0.8},   {50, 9, 0},
                                      {110, 41, 0}, {110, 57, 0.8}, {134, 57, 0.8}};
    using R = YangRule;
    return {
        {R::fdgo,
         10,
         100,
         75,
         false,
         up,
         0,
         {{24, 9, 0}, {25, 9, 0.8}, {99, 9, 0.8}, {30, 10, side}, {30, 41, 0}}},
        {R::reactgo, 10, 125, 100, true, up, 0, {{99, 9, 0}, {100, 9, 0.8}, {124, 8, side}}},
        {R::delaygo,
         10,
         125,
         100,
         false,
         up,
         0,
         {{24, 9, 0}, {25, 9, 0.8}, {49, 9, 0.8}, {50, 9, 0}}},
        {R::fdanti, 11, 100, 75, false, down, 0, {{25, 41, 0.8}, {99, 41, 0.8}, {30, 9, 0}}},
        {R::reactanti, 11, 125, 100, true, down, 0, {{99, 41, 0}, {100, 41, 0.8}}},
        {R::delayanti, 11, 125, 100, false, down, 0, {{25, 41, 0.8}, {50, 41, 0}}},
        {R::dm1,
         25,
         125,
         100,
         false,
         down,
         -0.2,
         {{24, 9, 0}, {25, 9, 0.64}, {99, 25, 0.96}, {100, 25, 0}, {25, 41, 0}}},
        {R::dm2, 29, 125, 100, false, up, 0.12, {{25, 41, 0.896}, {99, 57, 0.704}, {25, 9, 0}}},
        {R::contextdm1, 129, 125, 100, false, down, -0.2, both},
        {R::contextdm2, 129, 125, 100, false, up, 0.12, both},
        {R::multidm, 129, 125, 100, false, down, -0.04, both},
        {R::delaydm1,
         25,
         160,
         135,
         false,
         down,
         -0.5,
         {{25, 9, 0.4}, {49, 9, 0.4}, {50, 9, 0}, {99, 25, 0}, {100, 25, 1.2}, {125, 25, 0}}},
        {R::delaydm2, 29, 160, 135, false, up, 0.3, {{25, 41, 1.04}, {124, 57, 0.56}}},
        {R::contextdelaydm1, 129, 160, 135, false, down, -0.2, in_turn},
        {R::contextdelaydm2, 129, 160, 135, false, up, 0.12, in_turn},
        {R::multidelaydm, 129, 160, 135, false, down, -0.04, in_turn},
        {R::dmsgo, 21, 135, 110, true, up, 0, same},
        {R::dmsnogo, 21, 135, 110, true, down, 0, other},
        {R::dmcgo, 21, 135, 110, true, up, 0, same},
        {R::dmcnogo, 21, 135, 110, true, down, 0, other},
    };
}

// Values are floats near 1: products of two roundings stay within 2^-22.
TEST(TaskYang, GoldenTrialsOfEveryRule) {
    constexpr double kRounding = 0x1p-22;
    const auto all = goldens();
    ASSERT_EQ(all.size(), std::size_t{kYangRules});
    for (int r = 0; r < kYangRules; ++r) {
        const Golden& golden = all[static_cast<std::size_t>(r)];
        ASSERT_EQ(static_cast<int>(golden.rule), r);
        SCOPED_TRACE(name_of(golden.rule));
        const auto task = make_yang({.rule = golden.rule, .noise = 0});
        const Written w(*task, TrialSource(1, Stream::analysis, Mode::grid), golden.cell);
        const Index last = golden.length - 1, go = golden.go;
        ASSERT_EQ(w.trial.length, golden.length);
        EXPECT_EQ(w.trial.epoch("go").begin, go);
        EXPECT_EQ(w.label(*task, "answer"), static_cast<float>(golden.answer));
        EXPECT_NEAR(w.label(*task, "coherence"), golden.coherence, kRounding);
        for (const Probe& p : golden.probes) {
            EXPECT_NEAR(w.at_u(p.step, p.input), p.value, 1e-6) << p.step << ' ' << p.input;
        }
        for (Index t = 0; t < golden.length; ++t) {
            EXPECT_EQ(w.at_u(t, 0), t < go || golden.fixation_stays ? 1 : 0);
            for (Index i = 65; i < 85; ++i) EXPECT_EQ(w.at_u(t, i), i == 65 + r ? 1 : 0);
            const float weight = t >= go + 5 ? 5 : t >= 5 && t < go ? 1 : 0;
            EXPECT_EQ(w.at_mask(t, 0), 2 * weight);
            EXPECT_EQ(w.at_mask(t, 17), weight);
            EXPECT_EQ(w.at_y(t, 0), t < go ? 0.8f : 0.05f);
            EXPECT_TRUE(t >= go || w.at_y(t, 9) == 0.05f);
        }
        const Index peak = golden.answer < kPi ? 9 : 25;
        EXPECT_NEAR(w.at_y(last, peak), 0.85, kRounding);
        EXPECT_NEAR(w.at_y(go, peak + 1), 0.05 + 0.7059975, 1e-6);
        EXPECT_NEAR(w.at_y(last, 34 - peak), 0.05, 1e-6);  // the opposite side
    }
}

TEST(TaskYang, PassesTheChecksOfAllTasksWithTrialsOfDifferentLength) {
    const auto task = make_yang({.timing_group = 1});
    ASSERT_EQ(task->inputs(), 85);
    ASSERT_EQ(task->outputs(), 33);
    ASSERT_EQ(task->max_steps(), 210);
    EXPECT_NEAR(task->noise(), 0.0316, 5e-5);  // printed with three digits
    test::check_task(*task);
    test::check_score(*task);
}

TEST(TaskYang, TheGridOfAllRulesIsTheGridsInTurn) {
    const auto all = make_yang();
    // 6 x 40, 2 x 100, 3 x 500, 2 x 100, 3 x 500, 4 x 80
    ASSERT_EQ(all->cells(Mode::grid), 240 + 200 + 1500 + 200 + 1500 + 320);
    // 6 x 40, 5 x 11, 5 x 9, 4 x 80
    ASSERT_EQ(all->cells(Mode::psychometric), 240 + 55 + 45 + 320);
    const auto dm2 = make_yang({.rule = YangRule::dm2});
    const TrialSource source(3, Stream::analysis, Mode::grid);
    const Trial a = all->plan(source, 240 + 100 + 29), b = dm2->plan(source, 29);
    EXPECT_EQ(a.labels, b.labels);
    EXPECT_EQ(a.length, b.length);
}

TEST(TaskYang, PsychometricTablesRunThroughSignedCoherences) {
    const auto task = make_yang({.rule = YangRule::contextdelaydm2, .noise = 0});
    const std::vector<double> levels = {-0.32, -0.16, -0.08, -0.04, 0, 0.04, 0.08, 0.16, 0.32};
    ASSERT_EQ(task->cells(Mode::psychometric), 9);
    for (std::uint32_t k = 0; k < 18; ++k) {
        const Written w(*task, TrialSource(1, Stream::analysis, Mode::psychometric), k);
        const float c = w.label(*task, "coherence");
        EXPECT_NEAR(c, levels[k % 9], 1e-6);
        const float answer = w.label(*task, "answer");
        const float first = w.label(*task, "location_1"), second = w.label(*task, "location_2");
        EXPECT_TRUE(answer == (c > 0 ? first : second) || (c == 0 && answer == first));
        EXPECT_NEAR(*task->ideal_score(w.trial), c == 0 ? 0.5 : 1, 1e-12);
    }
}

// ---- what is drawn ----

// Steps of an epoch over trials that each draw their own times.
Histogram<Index> lengths_of(YangRule rule, const char* epoch) {
    const auto task = make_yang({.rule = rule, .timing_group = 1});
    Histogram<Index> histogram;
    for (std::uint32_t k = 0; k < 20000; ++k) {
        ++histogram[task->plan(TrialSource(8), k).epoch(epoch).steps()];
    }
    return histogram;
}

TEST(TaskYang, TimesAreThoseOfThePaper) {
    struct Row {
        YangRule rule;
        const char* epoch;
        Index values, shortest, longest;
    };
    const Row rows[] = {
        {YangRule::fdgo, "fixation", 20, 15, 34},
        {YangRule::fdanti, "stimulus_1", 50, 25, 74},
        {YangRule::reactgo, "fixation", 100, 25, 124},
        {YangRule::delaygo, "fixation", 3, 15, 35},
        {YangRule::delayanti, "stimulus_1", 3, 10, 30},
        {YangRule::delaygo, "delay_1", 4, 10, 80},
        {YangRule::dm1, "fixation", 15, 5, 19},
        {YangRule::multidm, "stimulus_1", 3, 20, 80},
        {YangRule::delaydm2, "fixation", 3, 10, 30},
        {YangRule::contextdelaydm1, "stimulus_2", 3, 10, 30},
        {YangRule::delaydm1, "delay_2", 10, 5, 14},
        {YangRule::dmsgo, "delay_1", 4, 10, 80},
        {YangRule::dmsnogo, "go", 1, 25, 25},
        {YangRule::dmcgo, "go", 3, 10, 30},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(std::string(name_of(row.rule)) + " " + row.epoch);
        const Histogram<Index> steps = lengths_of(row.rule, row.epoch);
        EXPECT_EQ(steps.begin()->first, row.shortest);
        EXPECT_EQ(steps.rbegin()->first, row.longest);
        if (row.values > 1) test::expect_uniform(steps, row.values);
    }
}

TEST(TaskYang, AGroupSharesRuleTimesAndRings) {
    const auto task = make_yang();
    Index changes = 0;
    for (std::uint32_t group = 0; group < 50; ++group) {
        const Trial first = task->plan(TrialSource(8), 64 * group);
        Index others = 0;
        for (std::uint32_t k = 1; k < 64; ++k) {
            const Trial trial = task->plan(TrialSource(8), 64 * group + k);
            ASSERT_EQ(trial.labels[0], first.labels[0]);
            ASSERT_EQ(trial.length, first.length);
            ASSERT_EQ(trial.epoch("go").begin, first.epoch("go").begin);
            ASSERT_TRUE(first.labels[0] >= 6 || trial.labels[4] == first.labels[4]);
            if (trial.labels[2] != first.labels[2]) ++others;
        }
        EXPECT_GE(others, 40);  // of 63; dmc repeats a location once in ten
        const Trial next = task->plan(TrialSource(8), 64 * group + 64);
        if (next.labels[0] != first.labels[0]) ++changes;
    }
    EXPECT_GE(changes, 30);  // of 50; 19 of 20 expected at equal weights
}

// Weights 1, and 5 for contextdm1 and contextdm2: 28 in all.
TEST(TaskYang, RulesComeByTheirWeights) {
    const auto task = make_yang({.timing_group = 1});
    constexpr Index kTrials = 28000;
    Histogram<float> rules;
    for (std::uint32_t k = 0; k < kTrials; ++k) ++rules[task->plan(TrialSource(8), k).labels[0]];
    double chi2 = 0;
    for (int r = 0; r < kYangRules; ++r) {
        const double expected = r == 8 || r == 9 ? 5000 : 1000;
        const double d = double(rules[static_cast<float>(r)]) - expected;
        chi2 += d * d / expected;
    }
    EXPECT_LT(chi2, 19 + 5 * std::sqrt(2.0 * 19));
}

// A fraction of [low, high) in ten bins.
int tenth(double x, double low, double high) {
    return static_cast<int>(std::floor(10 * (x - low) / (high - low)));
}

TEST(TaskYang, LocationsAnswersAndRingsOfGoAreUniform) {
    const auto task = make_yang({.rule = YangRule::delayanti, .timing_group = 1});
    Histogram<int> locations;
    Histogram<float> rings;
    for (std::uint32_t k = 0; k < 20000; ++k) {
        const auto l = task->plan(TrialSource(8), k).labels;
        ++locations[tenth(double(l[2]), 0, 2 * kPi)];
        ++rings[l[4]];
        ASSERT_NEAR(std::abs(l[1] - l[2]), kPi, 1e-6);
        ASSERT_EQ(l[4] + l[5], 1);
        ASSERT_EQ(l[3], -1);
    }
    test::expect_uniform(locations, 10);
    test::expect_uniform(rings, 2);
}

TEST(TaskYang, StrengthsOfDecisionsAreThoseOfThePaper) {
    const auto task = make_yang({.rule = YangRule::contextdm2});
    Histogram<int> coherences, others, means, apart;
    for (std::uint32_t k = 0; k < 20000; ++k) {
        const auto l = task->plan(TrialSource(8), k).labels;
        const double c = (double(l[5]) - double(l[7])) / 2, m = (double(l[5]) + double(l[7])) / 2;
        ASSERT_NEAR(c, l[8], 1e-6);
        ++coherences[static_cast<int>(std::lround(100 * c))];
        ++others[static_cast<int>(std::lround(50 * double(l[4] - l[6])))];
        ++means[std::min(tenth(m, 0.8, 1.2), 9)];
        const double d = double(l[3]) - double(l[2]), ahead = d < 0 ? d + 2 * kPi : d;
        ++apart[tenth(ahead, 0.5 * kPi - 1e-6, 1.5 * kPi + 1e-6)];
        ASSERT_EQ(l[1], c > 0 ? l[2] : l[3]);
    }
    for (const auto* histogram : {&coherences, &others}) {
        test::expect_uniform(*histogram, 8);
        for (const int c : {-8, -4, -2, -1, 1, 2, 4, 8}) EXPECT_EQ(histogram->count(c), 1u);
    }
    test::expect_uniform(means, 10);
    test::expect_uniform(apart, 10);
}

TEST(TaskYang, MultisensoryStrengthsAreSplitAroundTheirMean) {
    const auto task = make_yang({.rule = YangRule::multidelaydm, .easy = 2});
    Histogram<int> coherences, splits;
    for (std::uint32_t k = 0; k < 20000; ++k) {
        const auto l = task->plan(TrialSource(8), k).labels;
        const double s1 = (double(l[4]) + double(l[5])) / 2, s2 = (double(l[6]) + double(l[7])) / 2;
        ASSERT_NEAR((s1 - s2) / 2, l[8], 1e-6);
        ++coherences[static_cast<int>(std::lround(100 * (s1 - s2) / 2))];
        const double f = std::abs(double(l[4]) - double(l[5])) / s1;
        ++splits[std::clamp(tenth(f, 0.2, 0.8), 0, 9)];
    }
    test::expect_uniform(coherences, 6);
    for (const int c : {-64, -32, -16, 16, 32, 64}) EXPECT_EQ(coherences.count(c), 1u);
    test::expect_uniform(splits, 10);
}

TEST(TaskYang, ComparisonsMatchHalfOfTheTime) {
    const auto task = make_yang({.rule = YangRule::dmsnogo, .timing_group = 1});
    Histogram<float> matches, first_ring, second_ring;
    for (std::uint32_t k = 0; k < 20000; ++k) {
        const auto l = task->plan(TrialSource(8), k).labels;
        ++matches[l[9]];
        ++first_ring[l[4]];
        ++second_ring[l[6]];
        const double d = std::abs(double(l[2]) - double(l[3])), gap = std::min(d, 2 * kPi - d);
        ASSERT_TRUE(l[9] == 1 ? gap == 0 : gap > kPi / 9 - 1e-6);
        ASSERT_EQ(l[1], l[9] == 1 ? -1 : l[3]);
    }
    test::expect_uniform(matches, 2);
    test::expect_uniform(first_ring, 2);
    test::expect_uniform(second_ring, 2);
}

TEST(TaskYang, CategoriesAreTheHalvesOfTheCircle) {
    const auto task = make_yang({.rule = YangRule::dmcgo});
    Histogram<std::array<int, 2>> pairs;
    for (std::uint32_t k = 0; k < 20000; ++k) {
        const auto l = task->plan(TrialSource(8), k).labels;
        const std::array<int, 2> tenths = {static_cast<int>(std::lround(double(l[2]) / kPi * 10)),
                                           static_cast<int>(std::lround(double(l[3]) / kPi * 10))};
        ++pairs[tenths];
        ASSERT_TRUE(tenths[0] % 2 == 1 && tenths[0] < 20);
        ASSERT_EQ(l[9], (tenths[0] < 10) == (tenths[1] < 10) ? 1 : 0);
        ASSERT_EQ(l[1], l[9] == 1 ? l[3] : -1);
    }
    test::expect_uniform(pairs, 100);
}

// ---- targets, scores, observers ----

TEST(TaskYang, WithoutAnAnswerTheTargetIsFixationToTheEnd) {
    const auto task = make_yang({.rule = YangRule::dmsgo});
    int kept = 0;
    for (std::uint32_t k = 0; k < 20; ++k) {
        const Written w(*task, TrialSource(8), k);
        if (w.label(*task, "answer") >= 0) continue;
        ++kept;
        for (Index t = 0; t < w.trial.length; ++t) {
            EXPECT_EQ(w.at_y(t, 0), 0.8f);
            for (Index o = 1; o < 33; ++o) EXPECT_EQ(w.at_y(t, o), 0.05f);
        }
    }
    EXPECT_GT(kept, 0);
}

// A response in the last step alone decides: fixation released, and within 0.2 pi = 36 degrees.
TEST(TaskYang, ScoreReadsThePopulationVectorOfTheLastStep) {
    const auto task = make_yang({.rule = YangRule::fdgo});
    const Written w(*task, TrialSource(1, Stream::analysis, Mode::grid), 10);  // answer pi/2
    const auto score = [&](double angle, float fixation) {
        std::vector<float> z(w.y.size(), 0.0f);
        float* const last = z.data() + (w.trial.length - 1) * 33;
        last[0] = fixation;
        for (int i = 0; i < 32; ++i) {
            last[1 + i] = static_cast<float>(1 + std::cos(2 * kPi * i / 32 - angle));
        }
        return *task->score(w.trial, w.answer(z));
    };
    EXPECT_EQ(score(kPi / 2, 0.1f), 1);
    EXPECT_EQ(score(kPi / 2, 0.51f), 0);
    EXPECT_EQ(score(kPi / 2 + 0.199 * kPi, 0.5f), 1);
    EXPECT_EQ(score(kPi / 2 - 0.199 * kPi, 0), 1);
    EXPECT_EQ(score(kPi / 2 + 0.201 * kPi, 0), 0);
    EXPECT_EQ(score(3 * kPi / 2, 0), 0);
}

// neuro.md 4.6: |b|^2 = 2.269, |b1 - b2|^2 = 4.454 at pi/2 and 4.537 at pi; .9987 for the hardest
// case (c = .01, 400 ms), all printed with that many digits.
TEST(TaskYang, IdealScoresAreThoseOfTheTable) {
    const auto task = make_yang({.rule = YangRule::dm1});
    Trial trial = task->plan(TrialSource(1), 0);
    trial.epoch_count = 0;
    trial.length = 0;
    trial.append("stimulus_1", 20);
    trial.labels[2] = 0;
    trial.labels[8] = 0.01f;
    const auto ideal = [&](double location) {
        trial.labels[3] = static_cast<float>(location);
        return *task->ideal_score(trial);
    };
    const double sd = 0.01 * std::sqrt(10.0);
    const auto phi = [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); };
    EXPECT_NEAR(ideal(kPi / 2), phi(0.01 * std::sqrt(4.454 * 20) / sd), 1e-6);
    EXPECT_NEAR(ideal(kPi), phi(0.01 * std::sqrt(4.537 * 20) / sd), 1e-6);
    EXPECT_NEAR(ideal(kPi), 0.9987, 5e-5);
    const auto go = make_yang({.rule = YangRule::reactgo});
    EXPECT_EQ(*go->ideal_score(go->plan(TrialSource(1), 0)), 1);
}

// b(x) of one ring.
std::array<double, 32> bump(double x) {
    std::array<double, 32> b{};
    for (int i = 0; i < 32; ++i) {
        const double d = std::abs(x - 2 * kPi * i / 32), near = std::min(d, 2 * kPi - d);
        b[static_cast<std::size_t>(i)] = 0.8 * std::exp(-std::pow(near / (kPi / 8), 2) / 2);
    }
    return b;
}

// Evidence for stimulus 1 in ring r: its own times weigh the bumps of the two stimuli.
double evidence(const Written& w, const Task& task, Index ring, const char* second_epoch) {
    const auto b1 = bump(double(w.label(task, "location_1")));
    const auto b2 = bump(double(w.label(task, "location_2")));
    const Epoch first = w.trial.epoch("stimulus_1"), second = w.trial.epoch(second_epoch);
    double sum = 0;
    for (Index i = 0; i < 32; ++i) {
        const Index input = 1 + 32 * ring + i;
        sum += w.mean_u(first, input) * b1[static_cast<std::size_t>(i)];
        sum -= w.mean_u(second, input) * b2[static_cast<std::size_t>(i)];
    }
    return sum;
}

bool answers_first(const Written& w, const Task& task) {
    return w.label(task, "answer") == w.label(task, "location_1");
}

// Ten times the noise, where the best observer errs.
TEST(TaskYang, SimulatedBestObserversReachTheIdealScore) {
    struct Row {
        YangRule rule;
        const char* second;
        std::vector<Index> rings;
    };
    const Row rows[] = {{YangRule::dm2, "stimulus_1", {1}},
                        {YangRule::contextdm1, "stimulus_1", {0}},
                        {YangRule::multidm, "stimulus_1", {0, 1}},
                        {YangRule::delaydm1, "stimulus_2", {0}},
                        {YangRule::multidelaydm, "stimulus_2", {0, 1}}};
    for (const Row& row : rows) {
        SCOPED_TRACE(name_of(row.rule));
        const auto task = make_yang({.rule = row.rule, .noise = 0.1});
        test::check_ideal(*task, TrialSource(5, Stream::evaluation), 1200, [&](const Written& w) {
            double sum = 0;
            for (const Index ring : row.rings) sum += evidence(w, *task, ring, row.second);
            return (sum > 0) == answers_first(w, *task);
        });
    }
}

TEST(TaskYang, RejectsImpossibleOptions) {
    EXPECT_THROW(make_yang({.dt = 0}), Error);
    EXPECT_THROW(make_yang({.dt = 600, .tau = 600}), Error);  // go would have no step
    EXPECT_THROW(make_yang({.timing_group = 0}), Error);
    EXPECT_THROW(make_yang({.dm_coherences = {}}), Error);
    EXPECT_THROW(make_yang({.delaydm_coherences = {-0.1}}), Error);
    EXPECT_THROW(make_yang({.easy = 0}), Error);
    YangOptions weights;
    weights.weights.fill(0);
    EXPECT_THROW(make_yang(weights), Error);
    weights.weights[3] = -1;
    EXPECT_THROW(make_yang(weights), Error);
}

}  // namespace
}  // namespace soma::neuro
