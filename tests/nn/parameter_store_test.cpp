// The parameter store: names, layout, ties, initial values that depend on (seed, name) only.

#include "soma/nn/parameter_store.h"

#include <gtest/gtest.h>

namespace soma::nn {
namespace {

TEST(ParameterStore, LaysSlicesOutInReverseOrderOnCacheLines) {
    ParameterStore store;
    const ParameterId a = store.add("a", {3}, Init::constant(1));
    const ParameterId b = store.add("b", {17}, Init::constant(2));
    const ParameterId buffer = store.add_buffer("buffer", {2}, Init::constant(3));
    store.freeze(1);
    EXPECT_EQ(store.entry(b).offset, 0);
    EXPECT_EQ(store.entry(a).offset, 32);
    EXPECT_EQ(store.entry(buffer).offset, 48);
    EXPECT_EQ(store.trainable_count(), 48);
    EXPECT_EQ(store.gradients().count(), 48);
}

TEST(ParameterStore, PaddingIsZero) {
    ParameterStore store(DType::f64);
    store.add("a", {3}, Init::constant(1));
    store.freeze(1);
    double sum = 0;
    for (const double v : store.values().data<double>()) sum += v;
    EXPECT_EQ(store.values().count(), 8);
    EXPECT_EQ(sum, 3);
}

TEST(ParameterStore, InitialValuesDependOnSeedAndNameOnly) {
    ParameterStore first, second, other_seed;
    first.add("w", {40}, Init::uniform(1));
    second.add("something", {1000}, Init::normal(1));
    second.add("w", {40}, Init::uniform(1));
    second.add_buffer("else", {7}, Init::zeros());
    other_seed.add("w", {40}, Init::uniform(1));
    first.freeze(5);
    second.freeze(5);
    other_seed.freeze(6);
    const auto values = [](const ParameterStore& s) {
        const Tensor w = s.value(s.find("w"));
        const auto v = w.data<float>();
        return std::vector<float>(v.begin(), v.end());
    };
    EXPECT_EQ(values(first), values(second));
    EXPECT_NE(values(first), values(other_seed));
}

TEST(ParameterStore, HashDependsOnNamesAndValuesNotOnTies) {
    const auto make = [](ParameterStore& s, bool tied, const char* name) {
        const ParameterId w = s.add(name, {5}, Init::uniform(1));
        if (tied) s.tie("again", w);
        s.freeze(3);
        return s.hash();
    };
    ParameterStore a, b, c;
    const std::uint64_t hash = make(a, false, "w");
    EXPECT_EQ(make(b, true, "w"), hash);
    EXPECT_NE(make(c, false, "v"), hash);
    a.value(0).data<float>()[4] += 1;
    EXPECT_NE(a.hash(), hash);
}

TEST(ParameterStore, TiedNamesShareValueGradientAndCount) {
    ParameterStore store;
    const ParameterId w = store.add("encoder.weight", {2, 3}, Init::constant(1));
    const ParameterId tied = store.tie("decoder.weight", w);
    store.freeze(1);
    store.value(tied).fill(4);
    store.gradient(w).fill(2);
    EXPECT_EQ(store.value(w).at(5), 4);
    EXPECT_EQ(store.gradient(tied).at(0), 2);
    EXPECT_EQ(store.parameter_count(), 6);
}

TEST(ParameterStore, CountsParametersAsPapersDo) {
    ParameterStore store;
    store.add("w", {5, 7}, Init::zeros());
    store.add("b", {7}, Init::zeros());
    store.add_buffer("running_mean", {7}, Init::zeros());
    EXPECT_EQ(store.parameter_count(), 42);
}

TEST(ParameterStore, RejectsMisuseAndNamesTheParameter) {
    const auto message = [](auto&& act) -> std::string {
        try {
            act();
        } catch (const Error& e) {
            return e.what();
        }
        return "no error";
    };
    ParameterStore store;
    const ParameterId w = store.add("w", {2}, Init::zeros());
    const ParameterId tied = store.tie("t", w);
    const ParameterId buffer = store.add_buffer("m", {2}, Init::zeros());
    Tape tape;
    EXPECT_NE(message([&] { store.add("w", {1}, Init::zeros()); }).find("'w'"), std::string::npos);
    EXPECT_NE(message([&] { store.tie("u", tied); }).find("'w'"), std::string::npos);
    EXPECT_NE(message([&] { store.var(tape, w); }).find("before freeze"), std::string::npos);
    store.freeze(1);
    EXPECT_NE(message([&] { store.add("late", {1}, Init::zeros()); }).find("'late'"),
              std::string::npos);
    EXPECT_NE(message([&] { store.freeze(1); }).find("already"), std::string::npos);
    EXPECT_NE(message([&] { store.gradient(buffer); }).find("'m'"), std::string::npos);
    EXPECT_NE(message([&] { store.find("nothing"); }).find("'nothing'"), std::string::npos);
}

TEST(ParameterStore, BuffersAreLeavesWithoutGradient) {
    ParameterStore store;
    const ParameterId buffer = store.add_buffer("m", {2}, Init::constant(3));
    store.freeze(1);
    Tape tape;
    const Var v = store.var(tape, buffer);
    EXPECT_FALSE(v.needs_grad());
    EXPECT_EQ(v.value<float>()[1], 3);
}

TEST(ParameterStore, StatisticsFollowTheTrainablePartInBothArrays) {
    ParameterStore store;
    const ParameterId mean = store.add_statistic("mean", {3}, Init::constant(8));
    const ParameterId buffer = store.add_buffer("buffer", {3}, Init::constant(5));
    store.add("w", {20}, Init::constant(1));
    store.freeze(1);
    EXPECT_EQ(store.trainable_count(), 32);
    EXPECT_EQ(store.entry(mean).offset, 32);
    EXPECT_EQ(store.entry(buffer).offset, 48);
    EXPECT_EQ(store.gradients().count(), 48);
    EXPECT_EQ(store.parameter_count(), 20);
}

// One update over two shards whose means are 1 and 3: 8 + 1/4 (2 - 8) = 6.5.
TEST(ParameterStore, UpdateMovesStatisticsTowardsTheMeanOverShards) {
    ParameterStore store;
    const ParameterId mean = store.add_statistic("mean", {2}, Init::constant(8));
    const ParameterId w = store.add("w", {2}, Init::constant(1));
    store.freeze(1);
    store.gradient(mean).fill(1 + 3);
    store.gradient(w).fill(100);
    store.update_statistics(0.25, 2);
    EXPECT_EQ(store.value(mean).at(1), 6.5);
    EXPECT_EQ(store.value(w).at(1), 1);
}

}  // namespace
}  // namespace soma::nn
