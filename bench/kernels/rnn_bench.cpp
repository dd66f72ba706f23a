// bench_rnn: one training pass of a recurrent network beside its parts.
//
//     bench_rnn [--cell ctrnn|lstm|gru|gru_before|ugrnn] [--batch B] [--steps T] [--inputs I]
//               [--threads P] [--rounds R] [--units N]
//
// pass     forward, backward, gradients of w_rec, w_in and bias (autograd/ops/{ctrnn,gated}.h);
//          a ctrnn has noise
// gemm     its products alone, the floor; with G gates a unit:
//          T products [B, N] x [N, G N] forward, T of [B, G N] x [G N, N] backward, and one
//          [N, T B] x [T B, G N]; with more than 8 inputs also [T B, I] x [I, G N] and
//          [I, T B] x [T B, G N]
// noise    T fills of [B, N] normals (ctrnn)
// The goal of neuro.md 3.9 is pass <= 2 gemm. Ratios are medians over rounds in which all ran.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "soma/autograd/ops/ctrnn.h"
#include "soma/autograd/ops/gated.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/kernels/gemm.h"
#include "soma/kernels/random.h"
#include "soma/tensor/tensor.h"

namespace soma::bench {
namespace {

using kernels::Op;
using kernels::Order;

struct Cell {
    const char* name;
    Index gates;
};
constexpr Cell kCells[] = {{"ctrnn", 1}, {"lstm", 4}, {"gru", 3}, {"gru_before", 3}, {"ugrnn", 2}};

const Cell& cell_of(const std::string& name) {
    for (const Cell& cell : kCells) {
        if (name == cell.name) return cell;
    }
    throw Error(ErrorCode::usage, "bench_rnn: unknown cell " + name);
}

struct Options {
    std::string cell = "ctrnn";
    Index batch = 32, steps = 51, inputs = 4, units = 0;  // units 0: the list below
    int threads = 1, rounds = 20;
};

Tensor random_tensor(const Shape& shape, std::uint32_t tag, float scale) {
    Tensor x(shape, DType::f32);
    kernels::random_normal(PhiloxKey{tag, 9}, {}, shape.count(), 0.0f, scale,
                           x.data<float>().data());
    return x;
}

class Pass {
public:
    Pass(Index units, const Options& o)
        : cell_(cell_of(o.cell)),
          steps_(o.steps),
          batch_(o.batch),
          inputs_(o.inputs),
          units_(units),
          width_(cell_.gates * units),
          w_rec_(random_tensor({units, width_}, 1, 1 / std::sqrt(static_cast<float>(units)))),
          w_in_(random_tensor({o.inputs, width_}, 2, 1 / std::sqrt(static_cast<float>(o.inputs)))),
          bias_(random_tensor({width_}, 3, 0.1f)),
          u_(random_tensor({o.steps, o.batch, o.inputs}, 4, 1)),
          dr_(random_tensor({o.steps, o.batch, units}, 5, 1)),
          delta_(random_tensor({o.steps, o.batch, width_}, 7, 1)),
          start_(Tensor::zeros({units})),
          gradients_(random_tensor({width_, units + o.inputs + 1}, 6, 0)),
          trials_(static_cast<std::size_t>(o.batch)) {
        std::iota(trials_.begin(), trials_.end(), 0u);
    }

    bool is_noisy() const { return cell_.gates == 1; }
    bool has_many_inputs() const { return inputs_ > 8; }
    double product_flop() const {
        const Index ins = has_many_inputs() ? 4 * inputs_ : 0;
        return static_cast<double>((6 * units_ + ins) * width_ * steps_ * batch_);
    }

    void pass() {
        tape_.reset();
        float* g = gradients_.data<float>().data();
        const auto leaf = [&](Tensor& x) {
            const Var v = tape_.parameter(x.shape(), DType::f32, x.raw(), g);
            g += x.shape().count();
            return v;
        };
        const Var w_rec = leaf(w_rec_), w_in = leaf(w_in_), bias = leaf(bias_);
        const Var start = tape_.constant(start_), u = tape_.constant(u_);
        const GatedWeights gated{.w_in = w_in, .w_rec = w_rec, .bias = bias};
        const std::string name = cell_.name;
        const Var h = name == "lstm"         ? lstm({start, start}, u, gated)
                      : name == "gru"        ? gru(start, u, gated, GruForm::reset_after)
                      : name == "gru_before" ? gru(start, u, gated, GruForm::reset_before)
                      : name == "ugrnn"
                          ? ugrnn(start, u, gated)
                          : noisy(start, u, {.w_rec = w_rec, .w_in = w_in, .bias = bias});
        tape_.backward(h, dr_);
    }

    void products() {
        const Index rows = steps_ * batch_;
        float* y = scratch(rows * width_);
        const float* h = dr_.data<float>().data();
        const float* delta = delta_.data<float>().data();
        recurrent_products(Op::N, units_, width_, h, y);
        recurrent_products(Op::T, width_, units_, delta, y);
        outer_product(units_, h, delta);
        if (!has_many_inputs()) return;
        kernels::gemm<float>({.m = rows,
                              .n = width_,
                              .k = inputs_,
                              .a = u_.data<float>().data(),
                              .lda = inputs_,
                              .b = w_in_.data<float>().data(),
                              .ldb = width_,
                              .c = y,
                              .ldc = width_});
        outer_product(inputs_, u_.data<float>().data(), delta);
    }

    void noise() {
        float* y = scratch(batch_ * units_);
        for (Index t = 0; t < steps_; ++t) {
            kernels::random_normal_rows(PhiloxKey{1, 2}, {.step = static_cast<std::uint32_t>(t)},
                                        trials_, units_, 0.0f, 1.0f, y, units_);
        }
    }

private:
    Var noisy(Var start, Var u, const CtrnnWeights& w) const {
        return ctrnn(start, u, w, {.alpha = 0.2, .sigma = 0.05, .key = {1, 2}, .trials = trials_});
    }

    // x [T, B, from] times w_rec or its transpose, step by step.
    void recurrent_products(Op op, Index from, Index to, const float* x, float* y) {
        const kernels::PackedB<float> w(op, from, to, w_rec_.data<float>().data(), width_);
        parallel_for(batch_, std::max<Index>(8, batch_ / num_threads()),
                     [&](Index begin, Index end) {
                         for (Index t = 0; t < steps_; ++t) {
                             const Index row = t * batch_ + begin;
                             kernels::gemm<float>({.m = end - begin,
                                                   .n = to,
                                                   .k = from,
                                                   .a = x + row * from,
                                                   .lda = from,
                                                   .c = y + row * to,
                                                   .ldc = to},
                                                  w);
                         }
                     });
    }

    // A weight gradient: x [T B, from]^T delta [T B, G N].
    void outer_product(Index from, const float* x, const float* delta) {
        kernels::gemm<float>({.op_a = Op::T,
                              .m = from,
                              .n = width_,
                              .k = steps_ * batch_,
                              .a = x,
                              .lda = from,
                              .b = delta,
                              .ldb = width_,
                              .beta = 1,
                              .c = gradients_.data<float>().data(),
                              .ldc = width_,
                              .order = Order::tree});
    }

    float* scratch(Index n) {
        if (static_cast<Index>(scratch_.size()) < n) scratch_.resize(static_cast<std::size_t>(n));
        return scratch_.data();
    }

    const Cell& cell_;
    Index steps_, batch_, inputs_, units_, width_;
    Tensor w_rec_, w_in_, bias_, u_, dr_, delta_, start_, gradients_;
    std::vector<std::uint32_t> trials_;
    std::vector<float> scratch_;
    Tape tape_;
};

void measure(Index units, const Options& o) {
    Pass p(units, o);
    const auto repeat = [](auto call) {
        return [call](Index repeats) {
            for (Index i = 0; i < repeats; ++i) call();
        };
    };
    std::vector<Contender> contenders{{"pass", repeat([&] { p.pass(); })},
                                      {"gemm", repeat([&] { p.products(); })}};
    if (p.is_noisy()) contenders.push_back({"noise", repeat([&] { p.noise(); })});
    Contest contest(contenders, {.rounds = o.rounds, .threads = o.threads});
    contest.run();
    const Spread ratio = contest.speedup(1, 0);
    const double noise = p.is_noisy() ? contest.time(2).median : 0;
    std::printf("| %td | %.0f | %.0f | %.0f | %.2f | %.1f | %.2f |\n", units,
                contest.time(0).median * 1e6, contest.time(1).median * 1e6, noise * 1e6,
                ratio.median, 100 * ratio.uncertainty(),
                p.product_flop() / contest.time(1).median * 1e-9);
}

Index number_after(int& i, int argc, char** argv) {
    SOMA_CHECK(i + 1 < argc, argv[i], " needs a number");
    const Index value = std::atol(argv[++i]);
    SOMA_CHECK(value >= 1, argv[i - 1], " is ", argv[i], "; need at least 1");
    return value;
}

int run(int argc, char** argv) {
    Options o;
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--cell" && i + 1 < argc) {
            o.cell = argv[++i];
            continue;
        }
        const Index value = number_after(i, argc, argv);
        if (name == "--batch") {
            o.batch = value;
        } else if (name == "--steps") {
            o.steps = value;
        } else if (name == "--inputs") {
            o.inputs = value;
        } else if (name == "--units") {
            o.units = value;
        } else if (name == "--threads") {
            o.threads = static_cast<int>(value);
        } else if (name == "--rounds") {
            o.rounds = static_cast<int>(value);
        } else {
            throw Error(ErrorCode::usage, "bench_rnn: unknown option " + name);
        }
    }
    set_num_threads(o.threads);
    std::printf("training pass of %s, f32, B %td, T %td, I %td, %d threads\n", cell_of(o.cell).name,
                o.batch, o.steps, o.inputs, o.threads);
    std::printf("| units | pass us | gemm us | noise us | pass / gemm | +- %% | GF of gemm |\n");
    std::printf("|---|---|---|---|---|---|---|\n");
    std::vector<Index> list{64, 128, 256, 512};
    if (o.units > 0) list = {o.units};
    for (const Index units : list) measure(units, o);
    return 0;
}

}  // namespace
}  // namespace soma::bench

int main(int argc, char** argv) {
    try {
        return soma::bench::run(argc, argv);
    } catch (const soma::Error& e) {
        std::fprintf(stderr, "%s\n", e.what());
        return 2;
    }
}
