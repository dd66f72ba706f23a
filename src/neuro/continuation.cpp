#include "soma/neuro/continuation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "soma/core/error.h"
#include "soma/linalg/linalg.h"
#include "soma/neuro/fixed_points.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;
using Vector = std::vector<double>;

constexpr int kCorrectorIterations = 12;
constexpr int kEasyIterations = 4;    // of the corrector, below which the step grows
constexpr double kSymmetric = 1e-5;   // |l.D2F(r, r)| of a pitchfork, |r| = l.r = 1
constexpr double kDifference = 1e-4;  // offset of the second derivative

// What changes at a bifurcation.
struct Flags {
    bool falling = false;  // t_p < 0
    int bordered = 0;      // sign of the bordered determinant
    int flip = 0;          // sign of det(J + 1)
    Index unstable = 0;
};

struct Node {
    CurvePoint point;
    Flags flags;
};

double dot(const Vector& a, const Vector& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

class Continuation {
public:
    Continuation(const Dynamics& d, Values u, const ContinuationOptions& options)
        : d_(d), options_(options), n_(d.size()), u_(u.begin(), u.end()) {}

    Curve run(Values x);

private:
    void set_parameter(double p) { u_[static_cast<std::size_t>(options_.input)] = p; }
    Matrix residual_jacobian(const Vector& x);
    Matrix bordered(const Matrix& a, const Vector& x, const Vector& border);
    bool correct(Vector& z, const Vector& predicted, const Vector& tangent, int* iterations);
    std::optional<Node> describe(const Vector& z, const Vector& direction);
    std::optional<Node> advance(const Node& from, double ds, int* iterations);
    void detect(const Node& a, const Node& b, double ds);
    template <class Changed>
    Node locate(const Node& a, const Node& b, double ds, Changed changed);
    void add(Bifurcation kind, const Node& at, double coefficient);
    double second_derivative(const Vector& x, double p);

    const Dynamics& d_;
    const ContinuationOptions& options_;
    Index n_;
    Vector u_;
    Curve curve_;
};

// J - 1 at x for the current parameter.
Matrix Continuation::residual_jacobian(const Vector& x) {
    Matrix a(n_, n_);
    d_.jacobian(x, u_, a.values);
    for (Index i = 0; i < n_; ++i) a(i, i) -= 1;
    return a;
}

// [a, dF/dp; border^T].
Matrix Continuation::bordered(const Matrix& a, const Vector& x, const Vector& border) {
    Matrix b(n_, d_.inputs()), m(n_ + 1, n_ + 1);
    d_.input_jacobian(x, u_, b.values);
    for (Index i = 0; i < n_; ++i) {
        std::copy_n(a.row(i), n_, m.row(i));
        m(i, n_) = b(i, options_.input);
    }
    std::copy(border.begin(), border.end(), m.row(n_));
    return m;
}

// Newton on z = (x, p) in the plane through `predicted` normal to the tangent.
bool Continuation::correct(Vector& z, const Vector& predicted, const Vector& tangent,
                           int* iterations) {
    Vector x(static_cast<std::size_t>(n_)), right(z.size());
    for (*iterations = 0; *iterations < kCorrectorIterations; ++*iterations) {
        std::copy_n(z.begin(), n_, x.begin());
        set_parameter(z.back());
        d_.step(x, u_, MutableValues(right).first(x.size()));
        double largest = 0, scale = 1;
        for (std::size_t i = 0; i < x.size(); ++i) {
            right[i] -= x[i];
            largest = std::max(largest, std::abs(right[i]));
            scale = std::max(scale, std::abs(x[i]));
        }
        right.back() = 0;
        for (std::size_t i = 0; i < z.size(); ++i) {
            right.back() += tangent[i] * (z[i] - predicted[i]);
        }
        if (!std::isfinite(largest)) return false;
        if (largest <= options_.tolerance * scale && std::abs(right.back()) <= options_.tolerance) {
            return true;
        }
        const linalg::Lu factors = linalg::lu(bordered(residual_jacobian(x), x, tangent));
        if (factors.determinant_sign() == 0) return false;
        const Vector s = factors.solve(right);
        for (std::size_t i = 0; i < z.size(); ++i) z[i] -= s[i];
    }
    return false;
}

// Tangent, stability and flags of a point of the curve; the tangent points along `direction`.
std::optional<Node> Continuation::describe(const Vector& z, const Vector& direction) {
    Node node;
    node.point.x.assign(z.begin(), z.end() - 1);
    node.point.parameter = z.back();
    set_parameter(z.back());
    Matrix a = residual_jacobian(node.point.x);
    const linalg::Lu factors = linalg::lu(bordered(a, node.point.x, direction));
    if (factors.determinant_sign() == 0) return std::nullopt;
    Vector t(z.size());
    t.back() = 1;
    t = factors.solve(t);
    const double length = std::sqrt(dot(t, t));
    for (double& v : t) v /= length;
    node.flags.bordered = linalg::lu(bordered(a, node.point.x, t)).determinant_sign();
    node.flags.falling = t.back() < 0;
    node.point.tangent = std::move(t);
    for (Index i = 0; i < n_; ++i) a(i, i) += 1;
    node.point.stable = true;
    for (const linalg::Complex& value : linalg::eig(a).values) {
        if (std::abs(value) > 1) ++node.point.unstable;
        if (!(std::abs(value) < 1)) node.point.stable = false;
    }
    node.flags.unstable = node.point.unstable;
    for (Index i = 0; i < n_; ++i) a(i, i) += 1;
    node.flags.flip = linalg::lu(a).determinant_sign();
    return node;
}

std::optional<Node> Continuation::advance(const Node& from, double ds, int* iterations) {
    Vector predicted = from.point.x;
    predicted.push_back(from.point.parameter);
    for (std::size_t i = 0; i < predicted.size(); ++i) predicted[i] += ds * from.point.tangent[i];
    Vector z = predicted;
    if (!correct(z, predicted, from.point.tangent, iterations)) return std::nullopt;
    return describe(z, from.point.tangent);
}

// Bisection in the arclength from a for the first point whose flags differ; b is at ds. Where the
// middle falls on the singular point itself, the bracket is cut beside it.
template <class Changed>
Node Continuation::locate(const Node& a, const Node& b, double ds, Changed changed) {
    double low = 0, high = ds;
    Node found = b;
    int iterations;
    while (high - low > options_.location) {
        std::optional<Node> node;
        double cut = 0;
        for (const double fraction : {0.5, 0.4, 0.6}) {
            cut = low + fraction * (high - low);
            node = advance(a, cut, &iterations);
            if (node) break;
        }
        if (!node) break;  // as close as the corrector gets
        if (changed(node->flags)) {
            high = cut;
            found = *node;
        } else {
            low = cut;
        }
    }
    return found;
}

void Continuation::add(Bifurcation kind, const Node& at, double coefficient) {
    curve_.bifurcations.push_back({kind, at.point.x, at.point.parameter,
                                   static_cast<Index>(curve_.points.size()) - 1, coefficient});
}

// l.D2F(r, r) of the mode nearest to 1, by central differences of the Jacobian along r.
double Continuation::second_derivative(const Vector& x, double p) {
    set_parameter(p);
    Matrix j(n_, n_);
    d_.jacobian(x, u_, j.values);
    const linalg::Eigen modes = linalg::eig(j);
    Index nearest = 0;
    const auto off = [&](Index k) {
        return std::abs(modes.values[static_cast<std::size_t>(k)] - 1.0);
    };
    for (Index k = 1; k < n_; ++k) {
        if (off(k) < off(nearest)) nearest = k;
    }
    Vector shifted(x.size());
    double sum = 0;
    for (const double sign : {1.0, -1.0}) {
        for (Index i = 0; i < n_; ++i) {
            const auto at = static_cast<std::size_t>(i);
            shifted[at] = x[at] + sign * kDifference * modes.right(i, nearest).real();
        }
        d_.jacobian(shifted, u_, j.values);
        for (Index i = 0; i < n_; ++i) {
            for (Index k = 0; k < n_; ++k) {
                sum +=
                    sign * modes.left(i, nearest).real() * j(i, k) * modes.right(k, nearest).real();
            }
        }
    }
    return sum / (2 * kDifference);
}

void Continuation::detect(const Node& a, const Node& b, double ds) {
    const Flags was = a.flags;
    if (b.flags.bordered != was.bordered) {
        const Node at =
            locate(a, b, ds, [&](const Flags& f) { return f.bordered != was.bordered; });
        const double c = second_derivative(at.point.x, at.point.parameter);
        add(std::abs(c) < kSymmetric ? Bifurcation::pitchfork : Bifurcation::transcritical, at, c);
    } else if (b.flags.falling != was.falling) {
        add(Bifurcation::fold,
            locate(a, b, ds, [&](const Flags& f) { return f.falling != was.falling; }), 0);
    }
    if (b.flags.flip != was.flip) {
        add(Bifurcation::flip, locate(a, b, ds, [&](const Flags& f) { return f.flip != was.flip; }),
            0);
    }
    const bool real_crossing = b.flags.bordered != was.bordered || b.flags.falling != was.falling ||
                               b.flags.flip != was.flip;
    if (real_crossing || std::abs(b.flags.unstable - was.unstable) != 2) return;
    const Node at = locate(a, b, ds, [&](const Flags& f) { return f.unstable != was.unstable; });
    set_parameter(at.point.parameter);
    Matrix j(n_, n_);
    d_.jacobian(at.point.x, u_, j.values);
    linalg::Complex crossing = 0;
    for (const linalg::Complex& value : linalg::eig(j).values) {
        if (std::abs(std::abs(value) - 1) < std::abs(std::abs(crossing) - 1)) crossing = value;
    }
    add(Bifurcation::neimark_sacker, at, std::abs(std::arg(crossing)));
}

Curve Continuation::run(Values x) {
    const double start = u_[static_cast<std::size_t>(options_.input)];
    NewtonResult root = newton(d_, x, u_, NewtonKind::plain);
    if (!root.converged) root = newton(d_, x, u_, NewtonKind::damped);
    SOMA_CHECK(root.converged, "continuation: Newton ends at q = ", root.q,
               " from the start; need a fixed point nearby");
    Vector z = root.x, direction(root.x.size());
    z.push_back(start);
    direction.push_back(options_.upwards ? 1 : -1);
    std::optional<Node> node = describe(z, direction);
    SOMA_CHECK(node.has_value(), "continuation: the start is a fold or branch point (parameter ",
               start, "); need another parameter");
    curve_.points.push_back(node->point);
    double step = options_.step;
    curve_.end = Curve::End::points;
    while (static_cast<Index>(curve_.points.size()) < options_.max_points) {
        int iterations;
        const std::optional<Node> next = advance(*node, step, &iterations);
        if (!next) {
            step /= 2;
            if (step >= options_.min_step) continue;
            curve_.end = Curve::End::step;
            break;
        }
        const double p = next->point.parameter;
        if (p < options_.low || p > options_.high) {
            curve_.end = Curve::End::range;
            break;
        }
        detect(*node, *next, step);
        curve_.points.push_back(next->point);
        node = next;
        if (iterations < kEasyIterations) step = std::min(1.5 * step, options_.max_step);
    }
    return std::move(curve_);
}

}  // namespace

const char* name_of(Bifurcation b) {
    constexpr const char* kNames[] = {"fold", "pitchfork", "transcritical", "flip",
                                      "Neimark-Sacker"};
    return kNames[static_cast<int>(b)];
}

Curve continue_fixed_point(const Dynamics& d, Values x, Values u,
                           const ContinuationOptions& options) {
    SOMA_CHECK(
        static_cast<Index>(x.size()) == d.size() && static_cast<Index>(u.size()) == d.inputs(),
        "continuation: x has ", x.size(), " values, u ", u.size(), "; need ", d.size(), " and ",
        d.inputs());
    SOMA_CHECK(0 <= options.input && options.input < d.inputs(), "continuation: input ",
               options.input, " of ", d.inputs(), "; need an existing one");
    const double p = u[static_cast<std::size_t>(options.input)];
    SOMA_CHECK(options.low <= p && p <= options.high, "continuation: parameter ", p, " outside [",
               options.low, ", ", options.high, "]");
    SOMA_CHECK(0 < options.min_step && options.min_step <= options.step &&
                   options.step <= options.max_step && options.location > 0,
               "continuation: step ", options.step, " in [", options.min_step, ", ",
               options.max_step, "], location ", options.location,
               "; need 0 < min_step <= step <= max_step and a positive location");
    return Continuation(d, u, options).run(x);
}

}  // namespace soma::neuro
