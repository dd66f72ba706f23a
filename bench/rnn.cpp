#include "bench/rnn.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/kernels/elementwise.h"
#include "soma/kernels/gemm.h"
#include "soma/kernels/random.h"
#include "soma/nn/ctrnn.h"
#include "soma/nn/gru.h"
#include "soma/nn/lstm.h"
#include "soma/optim/adam.h"

namespace soma::bench {
namespace {

using kernels::Op;
using kernels::Order;

constexpr Index kManyInputs = 8;  // fewer are added where they are used, not by a product
constexpr double kRate = 1e-6;    // of Adam: any number of updates leaves the weights what they are

// Activations of a unit: of its gates and of its output.
struct Cell {
    const char* name;
    Index gates, sigmoids, tanhs;
};
constexpr Cell kCells[] = {{"ctrnn", 1, 0, 1},
                           {"lstm", 4, 3, 2},
                           {"gru", 3, 2, 1},
                           {"gru_before", 3, 2, 1},
                           {"ugrnn", 2, 1, 1}};

const Cell& cell_of(const std::string& name) {
    for (const Cell& cell : kCells) {
        if (name == cell.name) return cell;
    }
    fail(ErrorCode::usage, "bench rnn: unknown cell '", name, "'");
}

Tensor random_tensor(const Shape& shape, std::uint32_t tag) {
    Tensor x(shape, DType::f32);
    kernels::random_normal(PhiloxKey{tag, 9}, {}, shape.count(), 0.0f, 1.0f,
                           x.data<float>().data());
    return x;
}

// Sequences u [T, B, I] -> h [T, B, N].
using Layer = std::function<Var(Var u)>;

Layer make_layer(nn::ParameterStore& store, const RnnShape& s,
                 const std::vector<std::uint32_t>& trials) {
    if (s.cell == "lstm") return nn::Lstm(store, "rnn", s.inputs, s.units);
    if (s.cell == "gru") return nn::Gru(store, "rnn", s.inputs, s.units);
    if (s.cell == "gru_before") {
        return nn::Gru(store, "rnn", s.inputs, s.units, {.form = GruForm::reset_before});
    }
    if (s.cell == "ugrnn") return nn::Ugrnn(store, "rnn", s.inputs, s.units);
    const nn::Ctrnn layer(store, "rnn", s.inputs, s.units, {.alpha = 0.2, .sigma = 0.05});
    return [layer, &trials](Var u) { return layer(u, {.key = {1, 2}, .trials = trials}); };
}

class Step {
public:
    explicit Step(const RnnShape& s)
        : shape_(s),
          cell_(cell_of(s.cell)),
          width_(cell_.gates * s.units),
          u_(random_tensor({s.steps, s.batch, s.inputs}, 1)),
          dh_(random_tensor({s.steps, s.batch, s.units}, 2)),
          delta_(random_tensor({s.steps, s.batch, width_}, 3)),
          w_(random_tensor({std::max(s.units, s.inputs), width_}, 4)),
          y_(Tensor::zeros({std::max(s.steps * s.batch, std::max(s.units, s.inputs)), width_})),
          trials_(static_cast<std::size_t>(s.batch)) {
        std::iota(trials_.begin(), trials_.end(), 0u);
        layer_ = make_layer(store_, s, trials_);
        store_.freeze(1);
        adam_.emplace(store_);
    }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

    bool is_noisy() const { return shape_.cell == "ctrnn"; }

    double product_flop() const {
        const Index ins = has_many_inputs() ? 4 * shape_.inputs : 0;
        return static_cast<double>((6 * shape_.units + ins) * width_ * shape_.steps * shape_.batch);
    }

    void pass() {
        tape_.reset();
        store_.zero_gradients();
        tape_.backward(layer_(tape_.constant(u_)), dh_);
    }

    void step() {
        pass();
        adam_->step(kRate);
    }

    void products() {
        recurrent_products(Op::N, shape_.units, width_, dh_);
        recurrent_products(Op::T, width_, shape_.units, delta_);
        outer_product(shape_.units, dh_);
        if (!has_many_inputs()) return;
        kernels::gemm<float>({.m = shape_.steps * shape_.batch,
                              .n = width_,
                              .k = shape_.inputs,
                              .a = data(u_),
                              .lda = shape_.inputs,
                              .b = data(w_),
                              .ldb = width_,
                              .c = data(y_),
                              .ldc = width_});
        outer_product(shape_.inputs, u_);
    }

    void activations() {
        const Index state = shape_.batch * shape_.units;
        for (Index t = 0; t < shape_.steps; ++t) {
            apply(Activation::sigmoid, cell_.sigmoids * state);
            apply(Activation::tanh, cell_.tanhs * state);
        }
    }

    void noise() {
        for (Index t = 0; t < shape_.steps; ++t) {
            kernels::random_normal_rows(PhiloxKey{1, 2}, {.step = static_cast<std::uint32_t>(t)},
                                        trials_, shape_.units, 0.0f, 1.0f, data(y_), shape_.units);
        }
    }

private:
    static float* data(Tensor& x) { return x.data<float>().data(); }
    bool has_many_inputs() const { return shape_.inputs > kManyInputs; }

    void apply(Activation f, Index count) {
        // As many at a time as there are numbers; their values do not matter.
        const Index most = delta_.shape().count();
        for (; count > 0; count -= most) {
            kernels::activation<float>(f, 0, std::min(count, most), data(delta_), data(y_));
        }
    }

    // x [T, B, from] times w_rec or its transpose, step by step.
    void recurrent_products(Op op, Index from, Index to, Tensor& x) {
        const kernels::PackedB<float> w(op, from, to, data(w_), width_);
        const Index batch = shape_.batch;
        parallel_for(batch, std::max<Index>(8, batch / num_threads()), [&](Index begin, Index end) {
            for (Index t = 0; t < shape_.steps; ++t) {
                const Index row = t * batch + begin;
                kernels::gemm<float>({.m = end - begin,
                                      .n = to,
                                      .k = from,
                                      .a = data(x) + row * from,
                                      .lda = from,
                                      .c = data(y_) + row * to,
                                      .ldc = to},
                                     w);
            }
        });
    }

    // x [T B, from]^T times delta [T B, G N].
    void outer_product(Index from, Tensor& x) {
        kernels::gemm<float>({.op_a = Op::T,
                              .m = from,
                              .n = width_,
                              .k = shape_.steps * shape_.batch,
                              .a = data(x),
                              .lda = from,
                              .b = data(delta_),
                              .ldb = width_,
                              .beta = 1,
                              .c = data(y_),
                              .ldc = width_,
                              .order = Order::tree});
    }

    const RnnShape shape_;
    const Cell& cell_;
    const Index width_;  // G N
    Tensor u_, dh_, delta_, w_, y_;
    std::vector<std::uint32_t> trials_;
    nn::ParameterStore store_;
    Layer layer_;
    std::optional<optim::Adam> adam_;
    Tape tape_;
};

}  // namespace

std::vector<std::string> rnn_cells() {
    std::vector<std::string> names;
    for (const Cell& cell : kCells) names.emplace_back(cell.name);
    return names;
}

Outcome rnn_contest(const RnnShape& shape, const MeasureOptions& options) {
    SOMA_CHECK(std::min({shape.units, shape.batch, shape.steps, shape.inputs}) >= 1,
               "bench rnn: ", shape.units, " units, batch ", shape.batch, ", ", shape.steps,
               " steps, ", shape.inputs, " inputs; need at least 1 of each");
    Step step(shape);
    const auto repeated = [](auto call) {
        return [call](Index repeats) {
            for (Index i = 0; i < repeats; ++i) call();
        };
    };
    std::vector<Contender> parts{{"step", repeated([&] { step.step(); })},
                                 {"pass", repeated([&] { step.pass(); })},
                                 {"products", repeated([&] { step.products(); })},
                                 {"activations", repeated([&] { step.activations(); })}};
    if (step.is_noisy()) parts.push_back({"noise", repeated([&] { step.noise(); })});
    const std::string name =
        concat("N ", shape.units, " B ", shape.batch, " T ", shape.steps, " I ", shape.inputs);
    return hold_contest<float>(shape.cell, name, step.product_flop(), 0, std::move(parts), options);
}

}  // namespace soma::bench
