#include "soma/neuro/jpca.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/linalg/linalg.h"
#include "soma/neuro/pca.h"

namespace soma::neuro {
namespace {

using kernels::Op;
using linalg::Matrix;

constexpr double kEps = std::numeric_limits<double>::epsilon();

double sum_of_squares(const Matrix& a) {
    double sum = 0;
    for (const double v : a.values) sum += v * v;
    return sum;
}

void subtract_steps(Responses& r, const Matrix& mean) {
    for (Index row = 0; row < r.states.rows; ++row) {
        const double* m = mean.row(row % r.steps);
        for (Index i = 0; i < r.units(); ++i) r.states(row, i) -= m[i];
    }
}

// States and their rates of change, one row for each step between two samples of a condition.
struct Steps {
    Matrix x, rate;
};

Steps difference(const Responses& r, const JpcaOptions& options) {
    const Index between = r.steps - 1;
    Steps s{Matrix(r.trials * between, r.units()), Matrix(r.trials * between, r.units())};
    for (Index c = 0; c < r.trials; ++c) {
        for (Index t = 0; t < between; ++t) {
            const Index row = c * between + t;
            for (Index i = 0; i < r.units(); ++i) {
                const double now = r(c, t, i), next = r(c, t + 1, i);
                s.rate(row, i) = (next - now) / options.dt;
                s.x(row, i) =
                    options.difference == JpcaDifference::midpoint ? (now + next) / 2 : now;
            }
        }
    }
    return s;
}

// Fits in rows: rate = x K, so M = K^T.
struct Fit {
    Matrix free, skew;
    double r2_free, r2_skew;
};

double r_squared(const Steps& s, const Matrix& k) {
    Matrix rest = linalg::product(s.x, k);
    for (std::size_t i = 0; i < rest.values.size(); ++i) rest.values[i] -= s.rate.values[i];
    return 1 - sum_of_squares(rest) / sum_of_squares(s.rate);
}

Fit fit(const Steps& s) {
    const Matrix free = linalg::least_squares(s.x, s.rate).x;
    const Matrix skew = skew_least_squares(s.x, s.rate);
    return {linalg::transpose(free), linalg::transpose(skew), r_squared(s, free),
            r_squared(s, skew)};
}

struct Plane {
    double lambda;  // M u1 = lambda u2
    Matrix axes;    // [k, 2]: u1, u2
};

// Planes of a skew matrix, lambda descending. The first eigenvector v of M^T M and M v / |M v| span
// an invariant plane even where several planes turn at the same speed; the rest lies in its
// orthogonal complement, which the further columns of a QR span.
std::vector<Plane> planes_of(const Matrix& skew) {
    std::vector<Plane> planes;
    const double zero = static_cast<double>(skew.rows) * kEps * std::sqrt(sum_of_squares(skew));
    Matrix basis = linalg::identity(skew.rows);
    while (basis.cols >= 2) {
        const Matrix m = linalg::product(linalg::product(basis, skew, Op::T), basis);
        const linalg::SymmetricEigen e = linalg::eig_symmetric(linalg::product(m, m, Op::T));
        Matrix frame(m.rows, 2 + m.rows);
        const Matrix turned = linalg::product(m, e.vectors);
        const double lambda = std::sqrt(sum_of_squares(linalg::columns(turned, 0, 1)));
        for (Index i = 0; i < m.rows; ++i) {
            frame(i, 0) = e.vectors(i, 0);
            frame(i, 1) = lambda > zero ? turned(i, 0) / lambda : e.vectors(i, 1);
            frame(i, 2 + i) = 1;
        }
        const Matrix rotated = linalg::product(basis, linalg::qr(frame).q);
        planes.push_back({lambda, linalg::columns(rotated, 0, 2)});
        basis = linalg::columns(rotated, 2, rotated.cols);
    }
    return planes;
}

// Turns the axes within their plane so that the states at step 0 differ most along the first, with
// its largest loading on the units positive. The sense of rotation stays.
Matrix align(const Plane& plane, const Responses& x, const Matrix& components) {
    Matrix start(x.trials, x.units());
    for (Index c = 0; c < x.trials; ++c) {
        for (Index i = 0; i < x.units(); ++i) start(c, i) = x(c, 0, i);
    }
    const Matrix at = linalg::product(start, plane.axes);
    double mean[2] = {0, 0}, c11 = 0, c12 = 0, c22 = 0;
    for (Index c = 0; c < at.rows; ++c) {
        for (Index i : {0, 1}) mean[i] += at(c, i) / static_cast<double>(at.rows);
    }
    for (Index c = 0; c < at.rows; ++c) {
        const double a = at(c, 0) - mean[0], b = at(c, 1) - mean[1];
        c11 += a * a;
        c12 += a * b;
        c22 += b * b;
    }
    const double angle = std::atan2(2 * c12, c11 - c22) / 2;
    Matrix turn(2, 2, {std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle)});
    Matrix axes = linalg::product(components, linalg::product(plane.axes, turn));
    double largest = 0;
    for (Index i = 0; i < axes.rows; ++i) {
        if (std::abs(axes(i, 0)) > (1 + 1e-8) * std::abs(largest)) largest = axes(i, 0);
    }
    if (largest < 0) {
        for (double& v : axes.values) v = -v;
    }
    return axes;
}

double to_omega(double lambda, const JpcaOptions& options) {
    return options.difference == JpcaDifference::midpoint
               ? 2 * std::atan(lambda * options.dt / 2) / options.dt
               : lambda;
}

void check(const Responses& r, const JpcaOptions& options) {
    check_responses("jpca", r);
    check_bootstrap("jpca", options.bootstrap);
    const Index k = options.components, most = std::min(r.states.rows, r.units());
    SOMA_CHECK(k >= 2 && k % 2 == 0 && k <= most, "jpca: ", k, " components of ", r.trials,
               " conditions, ", r.steps, " steps and ", r.units(),
               " units; need an even number up to ", most);
    SOMA_CHECK(r.steps >= 2 && options.dt > 0, "jpca: ", r.steps, " steps of ", options.dt,
               "; need at least two and dt > 0");
    SOMA_CHECK(r.trials >= 2 || !options.subtract_condition_mean,
               "jpca: the mean of one condition is that condition; need at least two, or "
               "subtract_condition_mean = false");
}

// Ratio and omegas of resampled conditions, in the components that were found.
void bootstrap(const Responses& x, const JpcaOptions& options, Jpca& result) {
    const Index repeats = options.bootstrap.repeats;
    const std::size_t planes = result.planes.size();
    std::vector<std::vector<double>> omegas(planes,
                                            std::vector<double>(static_cast<std::size_t>(repeats)));
    std::vector<double> ratios(static_cast<std::size_t>(repeats));
    parallel_for(repeats, 1, [&](Index begin, Index end) {
        for (Index b = begin; b < end; ++b) {
            Responses drawn(x.trials, x.steps, x.units());
            double* to = drawn.states.values.data();
            for (const Index c : bootstrap_sample(x.trials, options.bootstrap.seed, b)) {
                const double* from = x.states.row(c * x.steps);
                to = std::copy(from, from + x.steps * x.units(), to);
            }
            if (options.subtract_condition_mean) subtract_steps(drawn, trial_mean(drawn));
            const Fit f = fit(difference(drawn, options));
            const auto at = static_cast<std::size_t>(b);
            ratios[at] = f.r2_skew / f.r2_free;
            const std::vector<Plane> found = planes_of(f.skew);
            for (std::size_t p = 0; p < planes; ++p) {
                omegas[p][at] = to_omega(found[p].lambda, options);
            }
        }
    });
    result.ratio_interval = percentile_interval(ratios, options.bootstrap.level);
    for (std::size_t p = 0; p < planes; ++p) {
        result.planes[p].omega_interval = percentile_interval(omegas[p], options.bootstrap.level);
    }
}

}  // namespace

Matrix skew_least_squares(const Matrix& x, const Matrix& d) {
    SOMA_CHECK(x.rows == d.rows && x.cols == d.cols, "skew_least_squares: x is [", x.rows, ", ",
               x.cols, "], d is [", d.rows, ", ", d.cols, "]; need equal shapes");
    const linalg::SymmetricEigen g = linalg::eig_symmetric(linalg::product(x, x, Op::T));
    const Matrix b = linalg::product(x, d, Op::T);
    Matrix c = b;
    for (Index i = 0; i < c.rows; ++i) {
        for (Index j = 0; j < c.cols; ++j) c(i, j) = b(i, j) - b(j, i);
    }
    c = linalg::product(linalg::product(g.vectors, c, Op::T), g.vectors);
    const double zero = static_cast<double>(x.cols) * kEps * g.values[0];
    for (Index i = 0; i < c.rows; ++i) {
        for (Index j = 0; j < c.cols; ++j) {
            const double sum =
                g.values[static_cast<std::size_t>(i)] + g.values[static_cast<std::size_t>(j)];
            c(i, j) = sum > zero ? c(i, j) / sum : 0;
        }
    }
    const Matrix k = linalg::product(linalg::product(g.vectors, c), g.vectors, Op::N, Op::T);
    Matrix skew = k;  // to the bit
    for (Index i = 0; i < k.rows; ++i) {
        for (Index j = 0; j < k.cols; ++j) skew(i, j) = (k(i, j) - k(j, i)) / 2;
    }
    return skew;
}

Jpca jpca(const Responses& r, const JpcaOptions& options) {
    check(r, options);
    Responses x = r;
    Jpca result;
    result.mean = trial_mean(r);
    if (!options.subtract_condition_mean) {
        Responses one(1, r.steps, r.units());
        const Standardised z = standardise(r.states);
        for (Index t = 0; t < r.steps; ++t) {
            std::copy(z.mean.begin(), z.mean.end(), one.states.row(t));
        }
        result.mean = one.states;
    }
    subtract_steps(x, result.mean);
    const double total = sum_of_squares(x.states);
    result.components = pca(x.states, {.components = options.components}).components;
    x.states = linalg::product(x.states, result.components);

    const Steps steps = difference(x, options);
    SOMA_CHECK(sum_of_squares(steps.rate) > 0, "jpca: the states do not change in time");
    const Fit f = fit(steps);
    result.estimator = options.difference == JpcaDifference::midpoint ? "jPCA, midpoint difference"
                                                                      : "jPCA, forward difference";
    result.free = f.free;
    result.skew = f.skew;
    result.r2_free = f.r2_free;
    result.r2_skew = f.r2_skew;
    result.ratio = f.r2_skew / f.r2_free;
    result.seed = options.bootstrap.seed;
    result.axes = Matrix(r.units(), options.components);
    for (const Plane& plane : planes_of(f.skew)) {
        const Matrix axes = align(plane, x, result.components);
        const Index column = 2 * static_cast<Index>(result.planes.size());
        for (Index i = 0; i < r.units(); ++i) {
            for (Index j : {0, 1}) result.axes(i, column + j) = axes(i, j);
        }
        const double inside = sum_of_squares(linalg::product(x.states, plane.axes));
        result.planes.push_back({to_omega(plane.lambda, options), {}, inside / total});
    }
    result.trajectories = x;
    result.trajectories.states =
        linalg::product(x.states, linalg::product(result.components, result.axes, Op::T));
    bootstrap(x, options, result);
    return result;
}

}  // namespace soma::neuro
