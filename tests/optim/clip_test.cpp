// Gradient clipping: the norm, the factor, and what clipping by value keeps.

#include "soma/optim/clip.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "soma/core/parallel.h"

namespace soma::optim {
namespace {

TEST(Clip, NormCountsEveryParameterOnce) {
    nn::ParameterStore store;
    const auto a = store.add("a", {2}, nn::Init::zeros());
    const auto b = store.add("b", {1}, nn::Init::zeros());
    store.tie("again", a);
    const auto s = store.add_statistic("s", {1}, nn::Init::zeros());
    store.freeze(1);
    store.gradient(a).fill(2);
    store.gradient(b).fill(-1);
    store.gradient(s).fill(100);
    EXPECT_EQ(gradient_norm(store), 3);
}

TEST(Clip, NormHasTheSameBitsForAnyLayoutAndThreadCount) {
    // "x" moves the others inside the array and adds zero.
    const auto norm = [](Index before, int threads) {
        nn::ParameterStore store;
        if (before > 0) store.add("x", {before}, nn::Init::zeros());
        store.add("w", {100003}, nn::Init::normal(1));
        store.add("v", {5}, nn::Init::normal(1));
        store.freeze(9);
        store.gradients().copy_from(store.values().slice(0, store.trainable_count()));
        const int saved = num_threads();
        set_num_threads(threads);
        const double n = gradient_norm(store);
        set_num_threads(saved);
        return n;
    };
    EXPECT_EQ(norm(0, 1), norm(0, 2));
    EXPECT_EQ(norm(0, 1), norm(77, 4));
}

TEST(Clip, ScaleShrinksLongGradientsOnly) {
    EXPECT_EQ(clip_scale(4, 1), 0.25);
    EXPECT_EQ(clip_scale(0.5, 1), 1);
    EXPECT_EQ(clip_scale(0, 1), 1);
}

TEST(Clip, ScaleRefusesANormThatIsNoNumber) {
    try {
        clip_scale(std::numeric_limits<double>::quiet_NaN(), 1);
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::non_finite);
    }
    EXPECT_THROW(clip_scale(1, 0), Error);
}

TEST(Clip, ByValueMovesElementsToTheLimit) {
    nn::ParameterStore store;
    const auto w = store.add("w", {4}, nn::Init::zeros());
    store.freeze(1);
    Tensor g = store.gradient(w);
    g.copy_from(Tensor::from({4}, {-3, 0.5, 2, std::nan("")}));
    clip_by_value(store, 1);
    EXPECT_EQ(g.at(0), -1);
    EXPECT_EQ(g.at(1), 0.5);
    EXPECT_EQ(g.at(2), 1);
    EXPECT_TRUE(std::isnan(g.at(3)));
    EXPECT_THROW(clip_by_value(store, 0), Error);
}

TEST(Clip, ByValueLeavesStatisticsAlone) {
    nn::ParameterStore store;
    const auto w = store.add("w", {4}, nn::Init::zeros());
    const auto s = store.add_statistic("s", {3}, nn::Init::zeros());
    store.freeze(1);
    store.gradient(w).fill(5);
    store.gradient(s).fill(100);
    clip_by_value(store, 1);
    EXPECT_EQ(store.gradient(w).at(3), 1);
    for (Index i = 0; i < 3; ++i) EXPECT_EQ(store.gradient(s).at(i), 100);
}

}  // namespace
}  // namespace soma::optim
