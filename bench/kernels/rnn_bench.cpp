// bench_rnn: one noisy training pass of a leaky recurrent network beside its parts.
//
//     bench_rnn [--batch B] [--steps T] [--inputs I] [--threads P] [--rounds R] [--units N]
//
// pass     forward with noise, backward, gradients of w_rec, w_in and bias (autograd/ops/ctrnn.h)
// gemm     its products alone, the floor: T products [B, N] x [N, N] forward, T backward, and one
//          [N, T B] x [T B, N]; N^2 T B * 6 flop
// noise    T fills of [B, N] normals
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
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/kernels/gemm.h"
#include "soma/kernels/random.h"
#include "soma/tensor/tensor.h"

namespace soma::bench {
namespace {

using kernels::Op;
using kernels::Order;

struct Options {
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
        : steps_(o.steps),
          batch_(o.batch),
          units_(units),
          w_rec_(random_tensor({units, units}, 1, 1 / std::sqrt(static_cast<float>(units)))),
          w_in_(random_tensor({o.inputs, units}, 2, 1)),
          bias_(random_tensor({units}, 3, 0.1f)),
          u_(random_tensor({o.steps, o.batch, o.inputs}, 4, 1)),
          dr_(random_tensor({o.steps, o.batch, units}, 5, 1)),
          start_(Tensor::zeros({units})),
          gradients_(random_tensor({units, units + o.inputs + 1}, 6, 0)),
          trials_(static_cast<std::size_t>(o.batch)) {
        std::iota(trials_.begin(), trials_.end(), 0u);
    }

    void pass() {
        tape_.reset();
        float* g = gradients_.data<float>().data();
        const auto leaf = [&](Tensor& x) {
            const Var v = tape_.parameter(x.shape(), DType::f32, x.raw(), g);
            g += x.shape().count();
            return v;
        };
        const CtrnnWeights w{.w_rec = leaf(w_rec_), .w_in = leaf(w_in_), .bias = leaf(bias_)};
        const Var r = ctrnn(tape_.constant(start_), tape_.constant(u_), w,
                            {.alpha = 0.2, .sigma = 0.05, .key = {1, 2}, .trials = trials_});
        tape_.backward(r, dr_);
    }

    void products() {
        const Index n = units_, rows = steps_ * batch_;
        float* x = dr_.data<float>().data();
        float* y = scratch(rows * n);
        for (const Op op : {Op::N, Op::T}) {
            const kernels::PackedB<float> w(op, n, n, w_rec_.data<float>().data(), n);
            parallel_for(batch_, std::max<Index>(8, batch_ / num_threads()),
                         [&](Index begin, Index end) {
                             for (Index t = 0; t < steps_; ++t) {
                                 const Index at = (t * batch_ + begin) * n;
                                 kernels::gemm<float>({.m = end - begin,
                                                       .n = n,
                                                       .k = n,
                                                       .a = x + at,
                                                       .lda = n,
                                                       .c = y + at,
                                                       .ldc = n},
                                                      w);
                             }
                         });
        }
        kernels::gemm<float>({.op_a = Op::T,
                              .m = n,
                              .n = n,
                              .k = rows,
                              .a = x,
                              .lda = n,
                              .b = y,
                              .ldb = n,
                              .beta = 1,
                              .c = gradients_.data<float>().data(),
                              .ldc = n,
                              .order = Order::tree});
    }

    void noise() {
        float* y = scratch(batch_ * units_);
        for (Index t = 0; t < steps_; ++t) {
            kernels::random_normal_rows(PhiloxKey{1, 2}, {.step = static_cast<std::uint32_t>(t)},
                                        trials_, units_, 0.0f, 1.0f, y, units_);
        }
    }

private:
    float* scratch(Index n) {
        if (static_cast<Index>(scratch_.size()) < n) scratch_.resize(static_cast<std::size_t>(n));
        return scratch_.data();
    }

    Index steps_, batch_, units_;
    Tensor w_rec_, w_in_, bias_, u_, dr_, start_, gradients_;
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
    Contest contest({{"pass", repeat([&] { p.pass(); })},
                     {"gemm", repeat([&] { p.products(); })},
                     {"noise", repeat([&] { p.noise(); })}},
                    {.rounds = o.rounds, .threads = o.threads});
    contest.run();
    const double flop = 6.0 * static_cast<double>(units * units * o.steps * o.batch);
    const Spread ratio = contest.speedup(1, 0);
    std::printf("| %td | %.0f | %.0f | %.0f | %.2f | %.1f | %.2f |\n", units,
                contest.time(0).median * 1e6, contest.time(1).median * 1e6,
                contest.time(2).median * 1e6, ratio.median, 100 * ratio.uncertainty(),
                flop / contest.time(1).median * 1e-9 / 1.0);
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
    std::printf("noisy training pass, f32, B %td, T %td, I %td, %d threads\n", o.batch, o.steps,
                o.inputs, o.threads);
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
