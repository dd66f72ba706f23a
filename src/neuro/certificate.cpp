#include "soma/neuro/certificate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "soma/core/error.h"
#include "soma/linalg/linalg.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;

constexpr double kInflation = 1 + 1e-8;
constexpr double kEps = 0x1p-52;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double largest(Values v) {
    double max = 0;
    for (const double value : v) max = std::max(max, std::abs(value));
    return max;
}

// Largest absolute row sum.
double inf_norm(const Matrix& a) {
    double max = 0;
    for (Index i = 0; i < a.rows; ++i) {
        double sum = 0;
        for (Index j = 0; j < a.cols; ++j) sum += std::abs(a(i, j));
        max = std::max(max, sum);
    }
    return max;
}

Matrix residual_jacobian(const Dynamics& d, Values x, Values u) {
    Matrix a(d.size(), d.size());
    d.jacobian(x, u, a.values);
    for (Index i = 0; i < a.rows; ++i) a(i, i) -= 1;
    return a;
}

// Whether the matrix is singular to rounding.
bool singular(const linalg::Lu& factors, Index n) {
    return !(factors.condition() * static_cast<double>(n) * kEps < 1);
}

}  // namespace

Certificate certify(const Dynamics& d, Values x, Values u) {
    const Index n = d.size();
    const Matrix a = residual_jacobian(d, x, u);
    Certificate c;
    c.beta = c.eta = c.h = kInfinity;
    const linalg::Lu factors = linalg::lu(a);
    if (singular(factors, n)) return c;

    std::vector<double> f(x.size()), g(x.size());
    d.step(x, u, f);
    for (std::size_t i = 0; i < g.size(); ++i) g[i] = f[i] - x[i];
    c.beta = kInflation * inf_norm(factors.solve(linalg::identity(n)));
    const double rounding = static_cast<double>(n) * kEps * (largest(x) + largest(f) + 1);
    c.eta = kInflation * largest(factors.solve(g)) + c.beta * rounding;

    c.lipschitz = kInflation * d.jacobian_lipschitz(x, u, kInfinity);
    const bool local = !std::isfinite(c.lipschitz);
    if (local) c.lipschitz = kInflation * d.jacobian_lipschitz(x, u, 2 * c.eta);
    c.h = c.lipschitz > 0 ? c.beta * c.lipschitz * c.eta : 0;
    if (!(c.h <= 0.5)) return c;
    c.certified = true;
    const double root = std::sqrt(1 - 2 * c.h);
    // (1 - root) / (beta L) without cancellation.
    c.existence_radius = 2 * c.eta / (1 + root);
    c.uniqueness_radius = c.h > 0 ? (1 + root) / (c.beta * c.lipschitz) : kInfinity;
    if (local) c.uniqueness_radius = std::min(c.uniqueness_radius, 2 * c.eta);
    return c;
}

int fixed_point_sign(const Dynamics& d, Values x, Values u) {
    const linalg::Lu factors = linalg::lu(residual_jacobian(d, x, u));
    if (singular(factors, d.size())) return 0;
    return d.size() % 2 == 0 ? factors.determinant_sign() : -factors.determinant_sign();
}

IndexSum index_sum(const Dynamics& d, Values u, const FixedPointReport& report) {
    IndexSum result;
    for (const FixedPoint& p : report.points) {
        if (p.label != PointLabel::fixed) continue;
        const int sign = fixed_point_sign(d, p.x, u);
        result.sum += sign;
        if (sign == 0) ++result.degenerate;
    }
    result.applicable = d.is_dissipative() && result.degenerate == 0;
    result.proves_missing = result.applicable && result.sum != 1;
    return result;
}

PopulationEstimate capture_recapture(Index first, Index second, Index common) {
    SOMA_CHECK(0 <= common && common <= first && common <= second, "capture-recapture: found ",
               first, " and ", second, ", ", common, " in common; need 0 <= common <= both");
    const auto n1 = static_cast<double>(first), n2 = static_cast<double>(second),
               m = static_cast<double>(common);
    return {first, second, common, (n1 + 1) * (n2 + 1) / (m + 1) - 1,
            (n1 + 1) * (n2 + 1) * (n1 - m) * (n2 - m) / ((m + 1) * (m + 1) * (m + 2))};
}

PopulationEstimate capture_recapture(const FixedPointReport& report) {
    Index found[2] = {0, 0}, common = 0;
    for (const FixedPoint& p : report.points) {
        if (p.label != PointLabel::fixed) continue;
        bool by[2] = {false, false};
        for (const Index seed : p.found_by) by[seed % 2] = true;
        found[0] += by[0];
        found[1] += by[1];
        common += by[0] && by[1];
    }
    return capture_recapture(found[0], found[1], common);
}

}  // namespace soma::neuro
