#include "systems/sequence/learned_flow.h"

#include <algorithm>
#include <cmath>

#include "soma/autograd/ops/loss.h"
#include "soma/core/error.h"
#include "soma/nn/linear.h"
#include "soma/optim/lbfgs.h"
#include "soma/tensor/as_doubles.h"

namespace soma::systems {
namespace {

using linalg::Matrix;

constexpr Index kBetweenLooks = 500;  // iterations, then the history of L-BFGS starts anew

// The taught net, and its loss as a function of all its numbers.
class Pupil {
public:
    Pupil(const Matrix& now, const Matrix& next, Index units, std::uint64_t seed)
        : now_(as_tensor(now)),
          next_(as_tensor(next)),
          hidden_(store_, "hidden", now.cols, units, {.activation = Activation::tanh}),
          out_(store_, "out", units, now.cols) {
        store_.freeze(seed);
    }

    double loss(std::span<const double> x, std::span<double> gradient) {
        set(x);
        store_.zero_gradients();
        tape_.reset();
        const Var error = mse(out_(hidden_(tape_.constant(now_))), tape_.constant(next_));
        tape_.backward(error);
        std::copy_n(store_.gradients().data<double>().begin(), gradient.size(), gradient.begin());
        return error.item() / 2;
    }

    void set(std::span<const double> x) {
        std::copy(x.begin(), x.end(), store_.values().data<double>().begin());
    }
    std::vector<double> get() const {
        std::vector<double> all = as_doubles(store_.values());
        all.resize(static_cast<std::size_t>(store_.trainable_count()));
        return all;
    }
    std::vector<double> value(nn::ParameterId id) const { return as_doubles(store_.value(id)); }
    const nn::Linear& hidden() const { return hidden_; }
    const nn::Linear& out() const { return out_; }

private:
    static Tensor as_tensor(const Matrix& m) {
        Tensor x({m.rows, m.cols}, DType::f64);
        std::copy(m.values.begin(), m.values.end(), x.data<double>().begin());
        return x;
    }

    Tensor now_, next_;
    nn::ParameterStore store_{DType::f64};
    nn::Linear hidden_, out_;
    Tape tape_;
};

void find_scale(const Matrix& samples, std::vector<double>& mean, std::vector<double>& sd) {
    mean.assign(static_cast<std::size_t>(samples.cols), 0);
    sd = mean;
    const auto count = static_cast<double>(samples.rows);
    for (std::size_t k = 0; k < mean.size(); ++k) {
        const auto col = static_cast<Index>(k);
        for (Index i = 0; i < samples.rows; ++i) mean[k] += samples(i, col) / count;
        for (Index i = 0; i < samples.rows; ++i) sd[k] += std::pow(samples(i, col) - mean[k], 2);
        sd[k] = std::sqrt(sd[k] / count);
    }
}

Matrix standardised(Matrix samples, const std::vector<double>& mean,
                    const std::vector<double>& sd) {
    for (Index i = 0; i < samples.rows; ++i) {
        double* row = samples.row(i);
        for (std::size_t k = 0; k < mean.size(); ++k) row[k] = (row[k] - mean[k]) / sd[k];
    }
    return samples;
}

// b + x w
std::vector<double> affine(const std::vector<double>& x, const Matrix& w, std::vector<double> b) {
    for (std::size_t k = 0; k < x.size(); ++k) {
        const double* row = w.row(static_cast<Index>(k));
        for (std::size_t j = 0; j < b.size(); ++j) b[j] += x[k] * row[j];
    }
    return b;
}

}  // namespace

LearnedFlow::LearnedFlow(const Matrix& now, const Matrix& next, double dt, const FlowLesson& lesson,
                         std::uint64_t seed, const std::function<bool()>& stop) {
    SOMA_CHECK(now.rows >= 1 && now.rows == next.rows && now.cols == next.cols,
               "learned flow: ", now.rows, " x ", now.cols, " samples and ", next.rows, " x ",
               next.cols, " next ones; need as many");
    find_scale(now, mean_, sd_);
    Pupil pupil(standardised(now, mean_, sd_), standardised(next, mean_, sd_), lesson.units, seed);
    const optim::Objective objective = [&](std::span<const double> p, std::span<double> g) {
        return pupil.loss(p, g);
    };
    std::vector<double> x = pupil.get();
    for (Index done = 0; done < lesson.iterations && !stop();) {
        optim::LbfgsResult r =
            optim::lbfgs(objective, std::move(x),
                         {.history = 30,
                          .max_iterations = std::min(kBetweenLooks, lesson.iterations - done),
                          .gradient_tolerance = 0});
        x = std::move(r.x);
        loss_ = r.value;
        done += r.iterations;
        if (r.stop == optim::LbfgsResult::Stop::line_search) break;
    }
    pupil.set(x);
    in_ = Matrix(now.cols, lesson.units, pupil.value(pupil.hidden().weight()));
    bias_ = pupil.value(pupil.hidden().bias());
    out_ = Matrix(lesson.units, now.cols, pupil.value(pupil.out().weight()));
    rest_ = pupil.value(pupil.out().bias());
    alone_ = std::make_unique<neuro::CtrnnDynamics>(
        neuro::CtrnnWeights{.units = lesson.units,
                            .w_rec = linalg::product(out_, in_).values,
                            .bias = affine(rest_, in_, bias_)},
        neuro::CtrnnOptions{.convention = Convention::rate, .time = {dt, dt}});
}

std::vector<double> LearnedFlow::state_of(const std::vector<double>& y) const {
    std::vector<double> scaled = y;
    for (std::size_t k = 0; k < y.size(); ++k) scaled[k] = (y[k] - mean_[k]) / sd_[k];
    std::vector<double> r = affine(scaled, in_, bias_);
    for (double& v : r) v = std::tanh(v);
    return r;
}

std::vector<double> LearnedFlow::output(const std::vector<double>& r) const {
    std::vector<double> z = affine(r, out_, rest_);
    for (std::size_t k = 0; k < z.size(); ++k) z[k] = mean_[k] + sd_[k] * z[k];
    return z;
}

Matrix LearnedFlow::run(const std::vector<double>& y, Index steps) const {
    Matrix path(steps + 1, static_cast<Index>(y.size()));
    std::copy(y.begin(), y.end(), path.row(0));
    std::vector<double> r = state_of(y), next(r.size());
    for (Index t = 1; t <= steps; ++t, r.swap(next)) {
        const std::vector<double> z = output(r);
        std::copy(z.begin(), z.end(), path.row(t));
        alone_->step(r, {}, next);
    }
    return path;
}

}  // namespace soma::systems
