// Op cases of ops/ctrnn.h: every convention with every nonlinearity, and each option once.

#include <cmath>
#include <numeric>

#include "soma/autograd/ops/ctrnn.h"
#include "soma/kernels/random.h"
#include "support/op_cases.h"

namespace soma::test {
namespace {

struct CtrnnCase {
    std::string variant;
    Convention convention = Convention::current;
    Nonlinearity f = Nonlinearity::tanh;
    Index steps = 4, batch = 3, units = 5, inputs = 2, rank = 0;
    double alpha = 0.25, sigma = 0;
    bool start_per_trial = false;
    std::vector<Index> lengths = {};

    std::vector<std::uint32_t> trials() const {
        std::vector<std::uint32_t> ids(static_cast<std::size_t>(batch));
        std::iota(ids.begin(), ids.end(), 7u);
        return ids;
    }
    Index length(Index b) const {
        return lengths.empty() ? steps : lengths[static_cast<std::size_t>(b)];
    }
    std::vector<Shape> shapes() const {
        std::vector<Shape> s{start_per_trial ? Shape{batch, units} : Shape{units},
                             {steps, batch, inputs}};
        if (rank > 0) {
            s.insert(s.end(), {Shape{units, rank}, Shape{units, rank}});
        } else {
            s.push_back({units, units});
        }
        s.insert(s.end(), {Shape{inputs, units}, Shape{units}});
        return s;
    }
};

constexpr PhiloxKey kKey{3, 5};

Scalar tanh_of(const Scalar& x) {
    const double y = std::tanh(x.value());
    return Scalar::unary(x, y, 1 - y * y);
}

Scalar rate_of(Nonlinearity f, const Scalar& x) {
    const double v = x.value(), positive = std::max(v, 0.0);
    switch (f) {
        case Nonlinearity::tanh:
            return tanh_of(x);
        case Nonlinearity::relu:
            return Scalar::unary(x, positive, v > 0 ? 1 : 0);
        case Nonlinearity::softplus:
            return Scalar::unary(x, std::log1p(std::exp(v)), 1 / (1 + std::exp(-v)));
        case Nonlinearity::retanh:
            return v > 0 ? tanh_of(x) : Scalar::unary(x, 0, 0);
        case Nonlinearity::relu2:
            return Scalar::unary(x, positive * positive, 2 * positive);
        case Nonlinearity::sigmoid: {
            const double y = 1 / (1 + std::exp(-v));
            return Scalar::unary(x, y, y * (1 - y));
        }
    }
    return x;
}

// The four lines of rate_model.h, trial by trial.
class CtrnnOracle {
public:
    CtrnnOracle(const CtrnnCase& c, const std::vector<Scalars>& v) : c_(c), v_(v) {}

    Scalars rates() const {
        Scalars y(static_cast<std::size_t>(c_.steps * c_.batch * c_.units));
        for (Index b = 0; b < c_.batch; ++b) {
            Scalars x, r;
            for (Index i = 0; i < c_.units; ++i) {
                x.push_back(v_[0][at(c_.start_per_trial ? b * c_.units + i : i)]);
                r.push_back(keeps_current(c_.convention) ? rate_of(c_.f, x.back()) : x.back());
            }
            for (Index t = 0; t < c_.length(b); ++t) {
                step(b, t, x, r);
                std::copy(r.begin(), r.end(), y.begin() + (t * c_.batch + b) * c_.units);
            }
        }
        return y;
    }

private:
    static std::size_t at(Index i) { return static_cast<std::size_t>(i); }

    // w[from, to]
    Scalar weight(Index from, Index to) const {
        if (c_.rank == 0) return v_[2][at(from * c_.units + to)];
        Scalar sum;
        for (Index k = 0; k < c_.rank; ++k) {
            sum += v_[3][at(from * c_.rank + k)] * v_[2][at(to * c_.rank + k)];
        }
        return sum / Scalar(static_cast<double>(c_.units));
    }

    void step(Index b, Index t, Scalars& x, Scalars& r) const {
        const std::size_t w_in = c_.rank > 0 ? 4 : 3;
        std::vector<double> xi(at(c_.units));
        const RandomIndex place{.step = static_cast<std::uint32_t>(t), .trial = c_.trials()[at(b)]};
        kernels::random_normal<double>(kKey, place, c_.units, 0, 1, xi.data());
        const Scalars before = r;
        const Scalar gain(c_.alpha), leak(1 - c_.alpha);
        for (Index i = 0; i < c_.units; ++i) {
            Scalar p = v_[w_in + 1][at(i)];
            for (Index j = 0; j < c_.units; ++j) p += before[at(j)] * weight(j, i);
            for (Index k = 0; k < c_.inputs; ++k) {
                p += v_[1][at((t * c_.batch + b) * c_.inputs + k)] * v_[w_in][at(k * c_.units + i)];
            }
            const auto noise = [&](double factor) { return Scalar(c_.sigma * factor * xi[at(i)]); };
            const double root = std::sqrt(2 * c_.alpha);
            switch (c_.convention) {
                case Convention::current:
                case Convention::current_sde:
                    x[at(i)] = leak * x[at(i)] + gain * p +
                               noise(c_.convention == Convention::current ? 1 : root);
                    r[at(i)] = rate_of(c_.f, x[at(i)]);
                    break;
                case Convention::rate:
                    r[at(i)] = leak * before[at(i)] +
                               gain * rate_of(c_.f, p + noise(std::sqrt(2 / c_.alpha)));
                    break;
                case Convention::rectified_leak:
                    r[at(i)] = rate_of(c_.f, leak * before[at(i)] + gain * p + noise(root));
                    break;
            }
        }
    }

    const CtrnnCase& c_;
    const std::vector<Scalars>& v_;
};

OpCase ctrnn_case(const CtrnnCase& c) {
    return {.name = "ctrnn/" + c.variant,
            .inputs = c.shapes(),
            .op =
                [c](Tape&, std::span<const Var> v) {
                    const std::vector<std::uint32_t> trials = c.trials();
                    const std::size_t w_in = c.rank > 0 ? 4 : 3;
                    CtrnnWeights w{.w_in = v[w_in], .bias = v[w_in + 1]};
                    (c.rank > 0 ? w.m : w.w_rec) = v[2];
                    if (c.rank > 0) w.n = v[3];
                    return ctrnn(v[0], v[1], w,
                                 {.convention = c.convention,
                                  .f = c.f,
                                  .alpha = c.alpha,
                                  .sigma = c.sigma,
                                  .key = kKey,
                                  .trials = trials,
                                  .lengths = c.lengths});
                },
            .oracle = [c](const std::vector<Scalars>& v) { return CtrnnOracle(c, v).rates(); },
            .bad =
                [](Tape& tape) {
                    const Var start = tape.constant(Tensor::zeros({4}));
                    ctrnn(start, tape.constant(Tensor::zeros({2, 3, 1})),
                          {.w_in = tape.constant(Tensor::zeros({2, 4}))});
                },
            .low = -1,
            .high = 1,
            .depth = c.steps * (c.units + c.inputs + 8)};
}

}  // namespace

std::vector<OpCase> ctrnn_cases() {
    std::vector<OpCase> cases;
    for (const Convention c : {Convention::current, Convention::current_sde, Convention::rate,
                               Convention::rectified_leak}) {
        for (const Nonlinearity f :
             {Nonlinearity::tanh, Nonlinearity::relu, Nonlinearity::softplus, Nonlinearity::retanh,
              Nonlinearity::relu2, Nonlinearity::sigmoid}) {
            cases.push_back(ctrnn_case(
                {.variant = std::string(name_of(c)) + "_" + name_of(f), .convention = c, .f = f}));
        }
        const std::string name = name_of(c);
        cases.push_back(ctrnn_case({.variant = name + "_low_rank", .convention = c, .rank = 2}));
        cases.push_back(ctrnn_case({.variant = name + "_noise", .convention = c, .sigma = 0.125}));
        cases.push_back(
            ctrnn_case({.variant = name + "_starts", .convention = c, .start_per_trial = true}));
        cases.push_back(ctrnn_case({.variant = name + "_lengths",
                                    .convention = c,
                                    .batch = 4,
                                    .start_per_trial = true,
                                    .lengths = {4, 3, 1, 0}}));
        cases.push_back(ctrnn_case({.variant = name + "_many_inputs",
                                    .convention = c,
                                    .batch = 17,
                                    .units = 20,
                                    .inputs = 9}));
    }
    cases.push_back(ctrnn_case({.variant = "discrete", .alpha = 1}));
    return cases;
}

}  // namespace soma::test
