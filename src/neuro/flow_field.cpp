#include "soma/neuro/flow_field.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "soma/core/error.h"
#include "soma/linalg/linalg.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;
using Vector = std::vector<double>;

double dot(Index n, const double* a, const double* b) {
    return std::inner_product(a, a + n, b, 0.0);
}

// Coordinates of vectors in the plane's axes by the normal equations of two unknowns.
class PlaneCoordinates {
public:
    PlaneCoordinates(const char* operation, const Plane& plane)
        : plane_(plane), n_(static_cast<Index>(plane.origin.size())) {
        SOMA_CHECK(plane.e1.size() == plane.origin.size() && plane.e2.size() == plane.origin.size(),
                   operation, ": origin has ", plane.origin.size(), " values, e1 ", plane.e1.size(),
                   ", e2 ", plane.e2.size(), "; need equal sizes");
        g11_ = dot(n_, plane.e1.data(), plane.e1.data());
        g12_ = dot(n_, plane.e1.data(), plane.e2.data());
        g22_ = dot(n_, plane.e2.data(), plane.e2.data());
        determinant_ = g11_ * g22_ - g12_ * g12_;
        SOMA_CHECK(determinant_ > 1e-12 * g11_ * g22_, operation,
                   ": e1 and e2 are parallel; need a plane");
    }

    std::array<double, 2> operator()(const double* v) const {
        const double p1 = dot(n_, v, plane_.e1.data()), p2 = dot(n_, v, plane_.e2.data());
        return {(g22_ * p1 - g12_ * p2) / determinant_, (g11_ * p2 - g12_ * p1) / determinant_};
    }

private:
    const Plane& plane_;
    Index n_;
    double g11_, g12_, g22_, determinant_;
};

Vector ticks(double low, double high, Index points) {
    Vector values;
    for (Index i = 0; i < points; ++i) {
        values.push_back(low +
                         (high - low) * static_cast<double>(i) / static_cast<double>(points - 1));
    }
    return values;
}

Vector column_means(const Matrix& states) {
    Vector mean(static_cast<std::size_t>(states.cols));
    for (Index i = 0; i < states.rows; ++i) {
        for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += states.row(i)[j];
    }
    for (double& v : mean) v /= static_cast<double>(states.rows);
    return mean;
}

}  // namespace

Plane principal_plane(const Matrix& states) {
    SOMA_CHECK(states.rows >= 2 && states.cols >= 2, "principal plane: states are [", states.rows,
               ", ", states.cols, "]; need at least [2, 2]");
    Plane plane{column_means(states), {}, {}};
    Matrix centred = states;
    for (Index i = 0; i < states.rows; ++i) {
        for (Index j = 0; j < states.cols; ++j) {
            centred(i, j) -= plane.origin[static_cast<std::size_t>(j)];
        }
    }
    const Matrix axes =
        linalg::eig_symmetric(linalg::product(centred, centred, kernels::Op::T)).vectors;
    plane.e1 = linalg::column(axes, 0);
    plane.e2 = linalg::column(axes, 1);
    return plane;
}

Plane orthonormal_plane(Vector origin, Vector e1, Vector e2) {
    Plane plane{std::move(origin), std::move(e1), std::move(e2)};
    const PlaneCoordinates check("orthonormal plane", plane);
    const Index n = std::ssize(plane.origin);
    const auto normalise = [n](Vector& v) {
        const double norm = std::sqrt(dot(n, v.data(), v.data()));
        for (double& e : v) e /= norm;
    };
    normalise(plane.e1);
    const double overlap = dot(n, plane.e1.data(), plane.e2.data());
    for (std::size_t i = 0; i < plane.e2.size(); ++i) plane.e2[i] -= overlap * plane.e1[i];
    normalise(plane.e2);
    return plane;
}

Matrix project(const Plane& plane, const Matrix& states) {
    const PlaneCoordinates coordinates("project", plane);
    SOMA_CHECK(states.cols == static_cast<Index>(plane.origin.size()), "project: states have ",
               states.cols, " values, the plane ", plane.origin.size(), "; need equal sizes");
    Matrix result(states.rows, 2);
    Vector shifted(plane.origin.size());
    for (Index i = 0; i < states.rows; ++i) {
        for (std::size_t j = 0; j < shifted.size(); ++j) {
            shifted[j] = states.row(i)[j] - plane.origin[j];
        }
        const auto [a, b] = coordinates(shifted.data());
        result(i, 0) = a;
        result(i, 1) = b;
    }
    return result;
}

FlowField flow_field(const Dynamics& d, Values u, const Plane& plane, const GridOptions& grid) {
    const PlaneCoordinates coordinates("flow field", plane);
    const Index n = d.size(), columns = grid.points[0], rows = grid.points[1];
    SOMA_CHECK(static_cast<Index>(plane.origin.size()) == n, "flow field: the plane has ",
               plane.origin.size(), " values; need ", n);
    SOMA_CHECK(rows >= 2 && columns >= 2, "flow field: grid is ", columns, " x ", rows,
               "; need at least 2 x 2");
    FlowField f{ticks(grid.low[0], grid.high[0], columns),
                ticks(grid.low[1], grid.high[1], rows),
                Matrix(rows, columns),
                Matrix(rows, columns),
                Matrix(rows, columns),
                Matrix(rows, columns)};
    Matrix x(rows * columns, n), v(rows * columns, n);
    for (Index k = 0; k < x.rows; ++k) {
        const double a = f.a_values[static_cast<std::size_t>(k % columns)];
        const double b = f.b_values[static_cast<std::size_t>(k / columns)];
        for (Index j = 0; j < n; ++j) {
            const auto at = static_cast<std::size_t>(j);
            x(k, j) = plane.origin[at] + a * plane.e1[at] + b * plane.e2[at];
        }
    }
    d.step(x.values, u, v.values);
    for (std::size_t i = 0; i < v.values.size(); ++i) {
        v.values[i] = (v.values[i] - x.values[i]) / d.dt();
    }
    for (Index k = 0; k < x.rows; ++k) {
        const auto at = static_cast<std::size_t>(k);  // the matrices are [rows, columns] row-major
        const auto [a, b] = coordinates(v.row(k));
        double off = 0;
        for (Index j = 0; j < n; ++j) {
            const auto unit = static_cast<std::size_t>(j);
            const double rest = v(k, j) - a * plane.e1[unit] - b * plane.e2[unit];
            off += rest * rest;
        }
        const double speed = std::sqrt(dot(n, v.row(k), v.row(k)));
        f.a_velocity.values[at] = a;
        f.b_velocity.values[at] = b;
        f.speed.values[at] = speed;
        f.off_plane.values[at] = speed > 0 ? std::min(1.0, std::sqrt(off) / speed) : 0;
    }
    return f;
}

// Corners of a cell in order: (i, j), (i, j + 1), (i + 1, j + 1), (i + 1, j). Sides k, k + 1 whose
// ends differ in sign are cut; with four cuts the sign of the mean says which pairs are joined.
std::vector<Segment> zero_contour(const FlowField& field, const Matrix& value) {
    const auto columns = static_cast<Index>(field.a_values.size());
    const auto rows = static_cast<Index>(field.b_values.size());
    SOMA_CHECK(value.rows == rows && value.cols == columns, "zero contour: value is [", value.rows,
               ", ", value.cols, "]; need [", rows, ", ", columns, "]");
    constexpr Index kRow[4] = {0, 0, 1, 1}, kColumn[4] = {0, 1, 1, 0};
    std::vector<Segment> segments;
    for (Index i = 0; i + 1 < rows; ++i) {
        for (Index j = 0; j + 1 < columns; ++j) {
            double v[4];
            std::array<double, 2> at[4];
            for (int k = 0; k < 4; ++k) {
                v[k] = value(i + kRow[k], j + kColumn[k]);
                at[k] = {field.a_values[static_cast<std::size_t>(j + kColumn[k])],
                         field.b_values[static_cast<std::size_t>(i + kRow[k])]};
            }
            std::vector<std::array<double, 2>> cuts;
            for (int k = 0; k < 4; ++k) {
                const int next = (k + 1) % 4;
                if ((v[k] > 0) == (v[next] > 0)) continue;
                const double t = v[k] / (v[k] - v[next]);
                cuts.push_back({at[k][0] + t * (at[next][0] - at[k][0]),
                                at[k][1] + t * (at[next][1] - at[k][1])});
            }
            const bool split = cuts.size() == 4 && (v[0] > 0) != (v[0] + v[1] + v[2] + v[3] > 0);
            for (std::size_t c = 0; c + 1 < cuts.size(); c += 2) {
                segments.push_back({cuts[split ? c + 1 : c], cuts[(split ? c + 2 : c + 1) % 4]});
            }
        }
    }
    return segments;
}

std::optional<Vector> inverse_step(const Dynamics& d, Values x, Values u, Values guess) {
    constexpr int kIterations = 30;
    const Index n = d.size();
    SOMA_CHECK(static_cast<Index>(x.size()) == n && static_cast<Index>(guess.size()) == n,
               "inverse step: x has ", x.size(), " values, guess ", guess.size(), "; need ", n);
    double scale = 1;
    for (const double v : x) scale = std::max(scale, std::abs(v));
    Vector y(guess.begin(), guess.end()), residual(y.size());
    Matrix j(n, n);
    for (int iteration = 0; iteration < kIterations; ++iteration) {
        d.step(y, u, residual);
        double largest = 0;
        for (std::size_t i = 0; i < y.size(); ++i) {
            residual[i] -= x[i];
            if (!std::isfinite(residual[i])) return std::nullopt;
            largest = std::max(largest, std::abs(residual[i]));
        }
        if (largest <= 1e-12 * scale) return y;
        d.jacobian(y, u, j.values);
        const linalg::Lu factors = linalg::lu(j);
        if (factors.determinant_sign() == 0) return std::nullopt;
        const Vector s = factors.solve(residual);
        for (std::size_t i = 0; i < y.size(); ++i) y[i] -= s[i];
    }
    return std::nullopt;
}

std::array<Matrix, 2> separatrix(const Dynamics& d, Values u, Values saddle,
                                 const Spectrum& spectrum, Index mode,
                                 const SeparatrixOptions& options) {
    const Index n = d.size();
    SOMA_CHECK(
        static_cast<Index>(saddle.size()) == n && spectrum.right.rows == n && 0 <= mode && mode < n,
        "separatrix: saddle has ", saddle.size(), " values, spectrum ", spectrum.right.rows,
        ", mode is ", mode, "; need ", n, ", ", n, " and a column");
    const linalg::Complex lambda = spectrum.values[static_cast<std::size_t>(mode)];
    SOMA_CHECK(lambda.imag() == 0 && 0 < lambda.real() && lambda.real() < 1, "separatrix: mode ",
               mode, " has eigenvalue ", lambda, "; need a real one between 0 and 1");
    std::array<Matrix, 2> branches;
    for (int side = 0; side < 2; ++side) {
        Matrix& branch = branches[static_cast<std::size_t>(side)];
        branch = Matrix(0, n);
        const double offset = side == 0 ? options.offset : -options.offset;
        Vector x(saddle.begin(), saddle.end()), previous = x;
        for (Index i = 0; i < n; ++i) {
            x[static_cast<std::size_t>(i)] += offset * spectrum.right(i, mode).real();
        }
        double distance = 0;
        while (branch.rows < options.max_steps && distance <= options.max_distance) {
            branch.append_row(x);
            Vector guess(x.size());  // as far again as the last step
            for (std::size_t i = 0; i < x.size(); ++i) guess[i] = 2 * x[i] - previous[i];
            if (branch.rows == 1) guess = x;
            const std::optional<Vector> before = inverse_step(d, x, u, guess);
            if (!before) break;
            previous = std::move(x);
            x = *before;
            distance = 0;
            for (std::size_t i = 0; i < x.size(); ++i) {
                distance = std::max(distance, std::abs(x[i] - saddle[i]));
            }
        }
    }
    return branches;
}

}  // namespace soma::neuro
