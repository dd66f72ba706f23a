// Gated layers: parameter names and counts, starts, and both directions.

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "soma/core/text.h"
#include "soma/kernels/random.h"
#include "soma/nn/bidirectional.h"
#include "soma/nn/gru.h"
#include "soma/nn/lstm.h"

namespace soma::nn {
namespace {

Tensor normals(const Shape& shape, std::uint32_t tag) {
    Tensor x(shape, DType::f64);
    kernels::random_normal<double>(PhiloxKey{tag, 1}, {}, shape.count(), 0, 1,
                                   x.data<double>().data());
    return x;
}

std::vector<double> elements(Var v) {
    const auto y = v.value<double>();
    return {y.begin(), y.end()};
}

std::vector<std::string> names(const ParameterStore& store) {
    std::vector<std::string> list;
    for (const auto& e : store.entries()) list.push_back(concat(e.name, " ", e.shape));
    return list;
}

// LSTM 4 N (I + N + 1), GRU 3 N (I + N + 1) (+ N for reset_after): systems.md 6.
TEST(GatedLayers, HaveTheParametersOfTheirFormulas) {
    const auto count = [](auto build) {
        ParameterStore store;
        build(store);
        store.freeze(1);
        return store.parameter_count();
    };
    const Index in = 7, n = 5, lstm = 4 * n * (in + n + 1), gru = 3 * n * (in + n + 1);
    EXPECT_EQ(count([&](ParameterStore& s) { Lstm(s, "l", in, n); }), lstm);
    EXPECT_EQ(count([&](ParameterStore& s) { Lstm(s, "l", in, n, {.peepholes = true}); }),
              lstm + 3 * n);
    EXPECT_EQ(count([&](ParameterStore& s) { Gru(s, "g", in, n); }), gru + n);
    EXPECT_EQ(count([&](ParameterStore& s) { Gru(s, "g", in, n, {GruForm::reset_before}); }), gru);
    EXPECT_EQ(count([&](ParameterStore& s) { Ugrnn(s, "u", in, n); }), 2 * n * (in + n + 1));
}

TEST(GatedLayers, NameTheirParametersStably) {
    ParameterStore store;
    const Lstm lstm(store, "a", 2, 3, {.peepholes = true});
    const Gru gru(store, "b", 2, 3);
    const Ugrnn ugrnn(store, "c", 2, 3);
    EXPECT_EQ(names(store),
              (std::vector<std::string>{"a.w_in [2, 12]", "a.w_rec [3, 12]", "a.bias [12]",
                                        "a.peephole [3, 3]", "b.w_in [2, 9]", "b.w_rec [3, 9]",
                                        "b.bias [9]", "b.bias_rec [3]", "c.w_in [2, 6]",
                                        "c.w_rec [3, 6]", "c.bias [6]"}));
    for (const ParameterId id : {lstm.w_in(), gru.w_rec()}) EXPECT_TRUE(store.entry(id).decays);
    for (const ParameterId id : {lstm.bias(), gru.bias_rec(), lstm.peephole()}) {
        EXPECT_FALSE(store.entry(id).decays);
    }
}

TEST(GatedLayers, StartWithinTheRootOfTheUnitsAndRemember) {
    ParameterStore store(DType::f64);
    const Lstm lstm(store, "a", 3, 16);
    const Ugrnn ugrnn(store, "b", 3, 16, {.gate_bias = 2});
    store.freeze(5);
    for (const ParameterId id : {lstm.w_in(), lstm.w_rec(), ugrnn.w_rec()}) {
        double largest = 0;
        for (const double w : store.value(id).data<double>())
            largest = std::max(largest, std::abs(w));
        EXPECT_LE(largest, 0.25);
        EXPECT_GT(largest, 0.2);  // of 192 numbers or more: misses with probability .8^192
    }
    for (Index i = 0; i < 64; ++i) {
        EXPECT_EQ(store.value(lstm.bias()).at(i), i >= 16 && i < 32 ? 1 : 0);
    }
    for (Index i = 0; i < 32; ++i) EXPECT_EQ(store.value(ugrnn.bias()).at(i), i < 16 ? 0 : 2);
}

TEST(GatedLayers, AreTheirOpOnTheirParameters) {
    ParameterStore store(DType::f64);
    const Lstm lstm_layer(store, "a", 3, 4, {.peepholes = true});
    const Gru gru_layer(store, "b", 3, 4);
    const Ugrnn ugrnn_layer(store, "c", 3, 4);
    store.freeze(1);
    Tape tape;
    const Var x = tape.constant(normals({5, 2, 3}, 1)), h = tape.constant(normals({2, 4}, 2));
    const auto p = [&](ParameterId id) { return store.var(tape, id); };

    const auto lstm_expected = elements(lstm({h, h}, x,
                                             {.w_in = p(lstm_layer.w_in()),
                                              .w_rec = p(lstm_layer.w_rec()),
                                              .bias = p(lstm_layer.bias()),
                                              .peephole = p(lstm_layer.peephole())}));
    const auto gru_expected = elements(gru(h, x,
                                           {.w_in = p(gru_layer.w_in()),
                                            .w_rec = p(gru_layer.w_rec()),
                                            .bias = p(gru_layer.bias()),
                                            .bias_rec = p(gru_layer.bias_rec())},
                                           GruForm::reset_after));
    const auto ugrnn_expected = elements(ugrnn(h, x,
                                               {.w_in = p(ugrnn_layer.w_in()),
                                                .w_rec = p(ugrnn_layer.w_rec()),
                                                .bias = p(ugrnn_layer.bias())}));

    EXPECT_EQ(elements(lstm_layer(x, {h, h})), lstm_expected);
    EXPECT_EQ(elements(gru_layer(x, h)), gru_expected);
    EXPECT_EQ(elements(ugrnn_layer(x, h)), ugrnn_expected);
}

// Each trial alone and by hand: its own steps, last first.
TEST(Bidirectional, ReadsEachTrialFromItsOwnEnd) {
    ParameterStore store(DType::f64);
    const Gru ahead(store, "ahead", 3, 4), back(store, "back", 3, 2);
    store.freeze(1);
    const std::vector<Index> lengths{5, 3};
    const Tensor x = normals({5, 2, 3}, 1);
    Tape tape;

    const Var h = bidirectional(tape.constant(x), ahead, back, lengths);

    ASSERT_EQ(h.shape(), Shape({5, 2, 6}));
    for (Index b = 0; b < 2; ++b) {
        const Index n = lengths[static_cast<std::size_t>(b)];
        Tensor own({n, 1, 3}, DType::f64), reversed({n, 1, 3}, DType::f64);
        for (Index t = 0; t < n; ++t) {
            for (Index i = 0; i < 3; ++i) {
                const auto value = x.at((t * 2 + b) * 3 + i);
                own.data<double>()[static_cast<std::size_t>(t * 3 + i)] = value;
                reversed.data<double>()[static_cast<std::size_t>((n - 1 - t) * 3 + i)] = value;
            }
        }
        const auto first = elements(ahead(tape.constant(own)));
        const auto second = elements(back(tape.constant(reversed)));
        const auto y = elements(h);
        for (Index t = 0; t < 5; ++t) {
            for (Index i = 0; i < 6; ++i) {
                const auto at = [](Index k) { return static_cast<std::size_t>(k); };
                const double expected = t >= n  ? 0
                                        : i < 4 ? first[at(t * 4 + i)]
                                                : second[at((n - 1 - t) * 2 + i - 4)];
                ASSERT_EQ(y[at((t * 2 + b) * 6 + i)], expected) << b << " " << t << " " << i;
            }
        }
    }
}

TEST(GatedLayers, RefuseWhatDoesNotFit) {
    ParameterStore store;
    EXPECT_THROW(Lstm(store, "none", 0, 4), Error);
    EXPECT_THROW(Gru(store, "none", 3, 0), Error);
    const Lstm layer(store, "a", 3, 4);
    store.freeze(1);
    Tape tape;
    const Var x = tape.constant(Tensor::zeros({5, 2, 3}));
    const std::vector<Index> growing{2, 3};
    EXPECT_THROW(layer(x, {}, {.lengths = growing}), Error);
    EXPECT_THROW(layer(x, {.h = tape.constant(Tensor::zeros({3, 4}))}), Error);
}

}  // namespace
}  // namespace soma::nn
