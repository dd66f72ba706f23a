#include "soma/neuro/low_rank.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "soma/core/error.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;

// One coordinate or several of the same kind, as they stand in a parameter of the net: element
// (unit, j) at unit * unit_stride + j * stride.
struct Part {
    std::string parameter;
    Index first = 0, count = 0, unit_stride = 0, stride = 0;
};

std::array<Part, 4> parts_of(const LoadingSpace& s, Index units) {
    return {Part{"rnn.m", s.m(0), s.rank, s.rank, 1}, Part{"rnn.n", s.n(0), s.rank, s.rank, 1},
            Part{"rnn.w_in", s.input(0), s.inputs, 1, units},
            Part{"out.weight", s.output(0), s.outputs, s.outputs, 1}};
}

// f(value of the net, element of points) for every loading.
template <class F>
void for_each_loading(TaskNet& net, const F& f) {
    const Index units = net.layer().units();
    for (const Part& part : parts_of(loading_space(net), units)) {
        Tensor tensor = net.store().value(net.store().find(part.parameter));
        const auto values = tensor.data<float>();
        for (Index i = 0; i < units; ++i) {
            for (Index j = 0; j < part.count; ++j) {
                f(values[static_cast<std::size_t>(i * part.unit_stride + j * part.stride)], i,
                  part.first + j);
            }
        }
    }
}

// <g(mean + sd z)> over a standard normal z for g = tanh and its first three derivatives. The
// trapezoidal rule of step h is exact up to exp(-2 pi d / h), d = pi / (2 sd) the distance of the
// poles of tanh: below 1e-14 for sd < 6.
std::array<double, 4> gaussian_means(double mean, double sd) {
    constexpr double kStep = 0.05, kReach = 8;
    constexpr int kNodes = static_cast<int>(kReach / kStep);
    const double scale = kStep / std::sqrt(2 * std::numbers::pi);
    std::array<double, 4> sums{};
    for (int i = -kNodes; i <= kNodes; ++i) {
        const double z = kStep * i, weight = scale * std::exp(-0.5 * z * z);
        const double r = std::tanh(mean + sd * z), slope = 1 - r * r;
        sums[0] += weight * r;
        sums[1] += weight * slope;
        sums[2] += weight * -2 * r * slope;
        sums[3] += weight * slope * (6 * r * r - 2);
    }
    return sums;
}

}  // namespace

std::vector<std::string> LoadingSpace::names() const {
    std::vector<std::string> list;
    const auto add = [&](const std::string& letter, Index count) {
        for (Index k = 1; k <= count; ++k) list.push_back(count == 1 ? letter : concat(letter, k));
    };
    add("m", rank);
    add("n", rank);
    add("I", inputs);
    add("w", outputs);
    return list;
}

LoadingSpace loading_space(const TaskNet& net) {
    SOMA_CHECK(net.options().layer.rank >= 1 && net.options().mean_readout,
               "loadings: the net has rank ", net.options().layer.rank, ", mean_readout ",
               net.options().mean_readout, "; need rank >= 1 and a readout of means");
    return {.rank = net.options().layer.rank,
            .inputs = net.layer().inputs(),
            .outputs = net.readout().rows};
}

Matrix loadings(TaskNet& net) {
    Matrix points(net.layer().units(), loading_space(net).dimensions());
    for_each_loading(net, [&](float value, Index i, Index j) { points(i, j) = value; });
    return points;
}

void set_loadings(TaskNet& net, const Matrix& points) {
    const Index units = net.layer().units(), d = loading_space(net).dimensions();
    SOMA_CHECK(points.rows == units && points.cols == d, "set_loadings: points are [", points.rows,
               ", ", points.cols, "], the net has ", units, " units in ", d, " dimensions");
    for_each_loading(
        net, [&](float& value, Index i, Index j) { value = static_cast<float>(points(i, j)); });
}

Matrix overlaps(const Matrix& points) {
    Matrix o = linalg::product(points, points, kernels::Op::T);
    for (double& v : o.values) v /= static_cast<double>(points.rows);
    return o;
}

// ---- mean field ----

struct MeanFieldDynamics::Field {
    std::array<double, 4> means;     // <f>, <f'>, <f''>, <f'''>
    std::vector<double> covariance;  // C(., y) [D]
};

MeanFieldDynamics::MeanFieldDynamics(LoadingSpace space, GaussianMixture populations,
                                     TimeScale time)
    : Dynamics("mean field", space.rank, space.inputs, time),
      space_(space),
      populations_(std::move(populations)) {
    SOMA_CHECK(populations_.dimensions() == space_.dimensions() && populations_.components() >= 1,
               "mean field: the mixture has ", populations_.dimensions(),
               " dimensions, the space of loadings ", space_.dimensions(), "; need the same");
}

MeanFieldDynamics::Field MeanFieldDynamics::field(Index component, const double* kappa,
                                                  const double* u) const {
    const Matrix& c = populations_.covariances[static_cast<std::size_t>(component)];
    const double* mu = populations_.means.row(component);
    std::vector<double> y(static_cast<std::size_t>(c.rows));  // coefficients of y
    std::copy_n(kappa, space_.rank, y.begin() + space_.m(0));
    std::copy_n(u, space_.inputs, y.begin() + space_.input(0));
    Field f{{}, std::vector<double>(y.size())};
    double mean = 0, variance = 0;
    for (Index i = 0; i < c.rows; ++i) {
        double& covariance = f.covariance[static_cast<std::size_t>(i)];
        for (Index j = 0; j < c.rows; ++j) covariance += c(i, j) * y[static_cast<std::size_t>(j)];
        mean += mu[i] * y[static_cast<std::size_t>(i)];
        variance += covariance * y[static_cast<std::size_t>(i)];
    }
    f.means = gaussian_means(mean, std::sqrt(std::max(variance, 0.0)));
    return f;
}

void MeanFieldDynamics::do_step(Index batch, const double* x, const double* u, double* out) const {
    for (Index b = 0; b < batch; ++b) {
        const double* kappa = x + b * space_.rank;
        double* next = out + b * space_.rank;
        for (Index r = 0; r < space_.rank; ++r) next[r] = (1 - alpha()) * kappa[r];
        for (Index k = 0; k < populations_.components(); ++k) {
            const Field f = field(k, kappa, u);
            const double share = alpha() * populations_.weights[static_cast<std::size_t>(k)];
            for (Index r = 0; r < space_.rank; ++r) {
                const Index n = space_.n(r);
                next[r] += share * (populations_.means(k, n) * f.means[0] +
                                    f.covariance[static_cast<std::size_t>(n)] * f.means[1]);
            }
        }
    }
}

// The mean of y moves with mu(k), its variance with 2 C(k, y); d<g> / d variance = <g''> / 2.
void MeanFieldDynamics::slopes(const double* kappa, const double* u, Index first, Index count,
                               double* out) const {
    std::fill_n(out, space_.rank * count, 0.0);
    for (Index p = 0; p < populations_.components(); ++p) {
        const Field f = field(p, kappa, u);
        const Matrix& c = populations_.covariances[static_cast<std::size_t>(p)];
        const double* mu = populations_.means.row(p);
        const double weight = populations_.weights[static_cast<std::size_t>(p)];
        for (Index j = 0; j < count; ++j) {
            const Index k = first + j;
            const double spread = f.covariance[static_cast<std::size_t>(k)];
            const double mean_slope = f.means[1] * mu[k] + f.means[2] * spread;
            const double gain_slope = f.means[2] * mu[k] + f.means[3] * spread;
            for (Index r = 0; r < space_.rank; ++r) {
                const Index n = space_.n(r);
                out[r * count + j] +=
                    weight * (mu[n] * mean_slope + c(n, k) * f.means[1] +
                              f.covariance[static_cast<std::size_t>(n)] * gain_slope);
            }
        }
    }
}

void MeanFieldDynamics::do_jacobian(const double* x, const double* u, double* j) const {
    slopes(x, u, space_.m(0), space_.rank, j);
    for (Index r = 0; r < space_.rank; ++r) {
        for (Index s = 0; s < space_.rank; ++s) {
            double& v = j[r * space_.rank + s];
            v = alpha() * v + (r == s ? 1 - alpha() : 0);
        }
    }
}

void MeanFieldDynamics::do_input_jacobian(const double* x, const double* u, double* b) const {
    slopes(x, u, space_.input(0), space_.inputs, b);
    std::for_each_n(b, space_.rank * space_.inputs, [&](double& v) { v *= alpha(); });
}

std::vector<double> MeanFieldDynamics::gains(Values kappa, Values u) const {
    SOMA_CHECK(std::ssize(kappa) == size() && std::ssize(u) == inputs(), "mean field: kappa has ",
               kappa.size(), " values, u ", u.size(), "; need ", size(), " and ", inputs());
    std::vector<double> list;
    for (Index k = 0; k < populations_.components(); ++k) {
        list.push_back(field(k, kappa.data(), u.data()).means[1]);
    }
    return list;
}

}  // namespace soma::neuro
