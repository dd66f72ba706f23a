// The leaky recurrent layer: its constraints and its trained start.

#include "soma/nn/ctrnn.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "soma/autograd/ops/loss.h"
#include "soma/core/error.h"
#include "soma/kernels/random.h"
#include "soma/optim/adam.h"

namespace soma::nn {
namespace {

constexpr Index kUnits = 8, kInputs = 3, kSteps = 6, kBatch = 4;

Tensor normals(const Shape& shape, std::uint32_t tag) {
    Tensor x(shape, DType::f64);
    kernels::random_normal<double>(PhiloxKey{tag, 1}, {}, shape.count(), 0, 1,
                                   x.data<double>().data());
    return x;
}

// Every third connection is missing, and the diagonal.
Tensor holes() {
    Tensor mask = no_self_connections(kUnits);
    for (Index i = 0; i < mask.count(); i += 3) mask.data<float>()[i] = 0;
    return mask;
}

CtrnnLayerOptions constrained() {
    Tensor input_mask = Tensor::full({kInputs, kUnits}, 1);
    for (Index i = 0; i < input_mask.count(); i += 2) input_mask.data<float>()[i] = 0;
    CtrnnLayerOptions o{.train_start = true, .start_init = Init::normal(0.5)};
    o.signs = dale_signs(kUnits, 5);
    o.signs[2] = 0;
    o.mask = holes();
    o.input_mask = input_mask;
    return o;
}

// A layer in f64 with a squared error against random rates.
struct Net {
    explicit Net(const CtrnnLayerOptions& options) : layer(store, "net", kInputs, kUnits, options) {
        store.freeze(3);
    }

    // Leaves the gradient in the store.
    double error() {
        Tape tape;
        const Var r = layer(tape.constant(normals({kSteps, kBatch, kInputs}, 1)), {.noise = false});
        const Var e = squared_error(r, tape.constant(normals({kSteps, kBatch, kUnits}, 2)));
        store.zero_gradients();
        tape.backward(e);
        return e.item();
    }

    ParameterStore store{DType::f64};
    Ctrnn layer;
};

void expect_constraints(const Ctrnn& layer) {
    const CtrnnLayerOptions& o = layer.options();
    const Tensor w = layer.recurrent_weights(), w_in = layer.input_weights();
    for (Index i = 0; i < w.count(); ++i) {
        EXPECT_GE(w.at(i) * o.signs[static_cast<std::size_t>(i / kUnits)], 0) << i;
        if (o.mask.at(i) == 0) {
            EXPECT_EQ(w.at(i), 0) << i;
        }
    }
    for (Index i = 0; i < w_in.count(); ++i) {
        if (o.input_mask.at(i) == 0) {
            EXPECT_EQ(w_in.at(i), 0) << i;
        }
    }
}

TEST(CtrnnConstraints, HoldWhateverTrainingDoes) {
    Net net(constrained());
    const Tensor before = net.store.value(net.layer.w_rec()).clone();
    optim::Adam adam(net.store);
    const double at_first = net.error();
    for (int i = 0; i < 200; ++i) {
        net.error();
        adam.step(0.05, 1);
    }
    expect_constraints(net.layer);
    EXPECT_LT(net.error(), 0.8 * at_first);
    const Tensor v = net.store.value(net.layer.w_rec());
    Index crossed = 0;
    for (Index i = 0; i < v.count(); ++i) {
        crossed += v.at(i) * before.at(i) < 0 ? 1 : 0;  // these would have broken a sign
        if (net.layer.options().mask.at(i) == 0) {
            EXPECT_EQ(v.at(i), before.at(i)) << i;
        }
    }
    EXPECT_GT(crossed, 0);
}

// Central differences with h = 1e-6 in f64: off by h^2 and by eps E / h, E about 100: some 1e-8;
// truncation h^2 E''' / 6 is below that.
TEST(CtrnnConstraints, GradientsAreThoseOfTheFreeParameters) {
    Net net(constrained());
    const Ctrnn& layer = net.layer;
    for (const ParameterId id : {layer.w_rec(), layer.w_in(), layer.bias(), layer.start()}) {
        net.error();
        Tensor value = net.store.value(id);
        const Tensor gradient = net.store.gradient(id).clone();
        for (Index i = 0; i < value.count(); ++i) {
            double& v = value.data<double>()[i];
            const double before = v;
            v = before + 1e-6;
            const double up = net.error();
            v = before - 1e-6;
            const double down = net.error();
            v = before;
            EXPECT_NEAR(gradient.at(i), (up - down) / 2e-6, 3e-7) << id << ": " << i;
        }
    }
}

TEST(CtrnnConstraints, MaskedParametersHaveNoGradientAtAll) {
    Net net(constrained());
    net.error();
    const Tensor gradient = net.store.gradient(net.layer.w_rec());
    Index free = 0;
    for (Index i = 0; i < gradient.count(); ++i) {
        if (net.layer.options().mask.at(i) == 0) {
            EXPECT_EQ(gradient.at(i), 0) << i;
        } else {
            free += gradient.at(i) != 0 ? 1 : 0;
        }
    }
    EXPECT_GT(free, 0);
}

// |v| has slope +1 at 0: the gradient by v is s_j dw, where dw is that of a free net with the same
// weights.
TEST(CtrnnConstraints, AWeightOfZeroCanGrow) {
    CtrnnLayerOptions dale;
    dale.signs = dale_signs(kUnits, 5);
    Net net(dale), free(CtrnnLayerOptions{});
    net.store.value(net.layer.w_rec()).fill(0);
    free.store.value(free.layer.w_rec()).fill(0);
    net.error();
    free.error();
    const Tensor dv = net.store.gradient(net.layer.w_rec());
    const Tensor dw = free.store.gradient(free.layer.w_rec());
    for (Index i = 0; i < dv.count(); ++i) {
        EXPECT_NE(dw.at(i), 0);
        EXPECT_EQ(dv.at(i), dale.signs[static_cast<std::size_t>(i / kUnits)] * dw.at(i)) << i;
    }
}

TEST(CtrnnConstraints, ThatBindNothingChangeNoBit) {
    CtrnnLayerOptions loose;
    loose.signs.assign(kUnits, 0);
    loose.mask = Tensor::full({kUnits, kUnits}, 1);
    loose.input_mask = Tensor::full({kInputs, kUnits}, 1);
    Net a(loose), b(CtrnnLayerOptions{});
    EXPECT_EQ(a.error(), b.error());
    for (Index i = 0; i < kUnits * kUnits; ++i) {
        EXPECT_EQ(a.store.gradient(a.layer.w_rec()).at(i), b.store.gradient(b.layer.w_rec()).at(i));
    }
}

TEST(CtrnnConstraints, MustFit) {
    const auto build = [](const std::function<void(CtrnnLayerOptions&)>& change) {
        ParameterStore store;
        CtrnnLayerOptions o;
        change(o);
        Ctrnn(store, "net", kInputs, kUnits, o);
    };
    EXPECT_NO_THROW(build([](auto& o) { o.mask = holes(); }));
    EXPECT_THROW(build([](auto& o) { o.signs = {1, -1}; }), Error);
    EXPECT_THROW(build([](auto& o) { o.signs.assign(kUnits, 2); }), Error);
    EXPECT_THROW(build([](auto& o) { o.mask = Tensor::full({kUnits, 2}, 1); }), Error);
    EXPECT_THROW(build([](auto& o) { o.mask = Tensor::full({kUnits, kUnits}, 0.5); }), Error);
    EXPECT_THROW(build([](auto& o) { o.input_mask = Tensor::full({2, kUnits}, 1); }), Error);
    EXPECT_THROW(build([](auto& o) {
                     o.rank = 2;
                     o.mask = holes();
                 }),
                 Error);
    EXPECT_THROW(dale_signs(4, 5), Error);
}

}  // namespace
}  // namespace soma::nn
