// LSTM, GRU and UGRNN: derivatives, formulas and fixed points against grid search.

#include "soma/neuro/gated_dynamics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "neuro/systems.h"
#include "soma/core/error.h"
#include "soma/neuro/certificate.h"
#include "soma/neuro/fixed_points.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;
using Vector = std::vector<double>;

constexpr GatedCell kCells[] = {GatedCell::lstm, GatedCell::gru_reset_before,
                                GatedCell::gru_reset_after, GatedCell::ugrnn};

// Random weights; `self` is added to what each unit's candidate gets from the unit itself.
GatedDynamics cell(GatedCell kind, Index units, double sd, std::uint64_t seed, Index inputs = 2,
                   double self = 0) {
    const Index width = gates_of(kind) * units;
    GatedMatrices w{.units = units, .inputs = inputs};
    w.w_rec = test::normals(units * width, sd, seed);
    const Index candidate = kind == GatedCell::ugrnn ? 0 : 2;
    for (Index i = 0; i < units; ++i) w.w_rec[i * width + candidate * units + i] += self;
    w.w_in = test::normals(inputs * width, 1, seed + 1);
    w.bias = test::normals(width, 0.5, seed + 2);
    if (kind == GatedCell::gru_reset_after) w.bias_rec = test::normals(units, 0.5, seed + 3);
    return {kind, w};
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Central differences with h = 1e-5: truncation and rounding are both below 1e-9.
TEST(GatedDynamics, DerivativesAreThoseOfTheStep) {
    constexpr double kStep = 1e-5;
    for (const GatedCell kind : kCells) {
        const GatedDynamics d = cell(kind, 5, 0.8, 3);
        const Index n = d.size();
        const Vector x = test::normals(n, 1, 7), u = test::normals(2, 1, 8);
        Vector j(n * n), b(n * 2), up(n), down(n);
        d.jacobian(x, u, j);
        d.input_jacobian(x, u, b);
        for (Index k = 0; k < n + 2; ++k) {
            Vector x1 = x, x2 = x, u1 = u, u2 = u;
            (k < n ? x1[k] : u1[k - n]) += kStep;
            (k < n ? x2[k] : u2[k - n]) -= kStep;
            d.step(x1, u1, up);
            d.step(x2, u2, down);
            for (Index i = 0; i < n; ++i) {
                EXPECT_NEAR(k < n ? j[i * n + k] : b[i * 2 + k - n],
                            (up[i] - down[i]) / (2 * kStep), 1e-8)
                    << d.name() << " " << i << " by " << k;
            }
        }
    }
}

TEST(GatedDynamics, OneUnitFollowsTheFormulas) {
    const Vector u = {0.7}, h = {0.3};
    const auto weights = [](Index gates) {
        GatedMatrices w{.units = 1, .inputs = 1};
        for (Index g = 0; g < gates; ++g) {
            w.w_rec.push_back(0.5 + 0.25 * static_cast<double>(g));
            w.w_in.push_back(1 - 0.5 * static_cast<double>(g));
            w.bias.push_back(0.125 * static_cast<double>(g));
        }
        return w;
    };
    const auto a = [&](const GatedMatrices& w, std::size_t g, double state) {
        return 0.7 * w.w_in[g] + state * w.w_rec[g] + w.bias[g];
    };
    Vector out(1), pair(2);
    const GatedMatrices four = weights(4), two = weights(2);
    GatedMatrices three = weights(3);
    const double c = 0.4, next = sigmoid(a(four, 1, 0.3)) * c +
                                 sigmoid(a(four, 0, 0.3)) * std::tanh(a(four, 2, 0.3));
    GatedDynamics(GatedCell::lstm, four).step(Vector{0.3, c}, u, pair);
    EXPECT_NEAR(pair[1], next, 1e-15);
    EXPECT_NEAR(pair[0], sigmoid(a(four, 3, 0.3)) * std::tanh(next), 1e-15);

    const double r = sigmoid(a(three, 0, 0.3)), z = sigmoid(a(three, 1, 0.3));
    GatedDynamics(GatedCell::gru_reset_before, three).step(h, u, out);
    EXPECT_NEAR(out[0], (1 - z) * std::tanh(a(three, 2, r * 0.3)) + z * 0.3, 1e-15);
    three.bias_rec = {0.6};
    const double n = std::tanh(a(three, 2, 0) + r * (0.3 * three.w_rec[2] + 0.6));
    GatedDynamics(GatedCell::gru_reset_after, three).step(h, u, out);
    EXPECT_NEAR(out[0], (1 - z) * n + z * 0.3, 1e-15);

    const double g = sigmoid(a(two, 1, 0.3));
    GatedDynamics(GatedCell::ugrnn, two).step(h, u, out);
    EXPECT_NEAR(out[0], g * 0.3 + (1 - g) * std::tanh(a(two, 0, 0.3)), 1e-15);
}

TEST(GatedDynamics, PullbackIsARowTimesTheJacobian) {
    for (const GatedCell kind : kCells) {
        const GatedDynamics d = cell(kind, 4, 0.8, 5);
        const Index n = d.size(), batch = 3;
        const Vector x = test::normals(batch * n, 1, 1), v = test::normals(batch * n, 1, 2);
        const Vector u = {0.1, -0.2};
        Vector out(x.size()), j(n * n);
        d.pullback(x, u, v, out);
        for (Index b = 0; b < batch; ++b) {
            d.jacobian(Values(x).subspan(b * n, n), u, j);
            for (Index k = 0; k < n; ++k) {
                double sum = 0;
                for (Index i = 0; i < n; ++i) sum += v[b * n + i] * j[i * n + k];
                EXPECT_NEAR(out[b * n + k], sum, 1e-14) << d.name();  // 20 terms of order 1
            }
        }
    }
}

// Beyond |h| = 1 lie only states that a gate which rounds to 1 keeps for ever.
bool inside(const Vector& x) { return std::max(std::abs(x[0]), std::abs(x[1])) <= 1; }

// Fixed points of two units by Newton from every node of a 21 x 21 grid over the box that holds
// them all, |h| < 1.
Matrix grid_search(const Dynamics& d) {
    Matrix found(0, 2);
    for (Index node = 0; node < 21 * 21; ++node) {
        const Vector start = {-1 + static_cast<double>(node % 21) / 10,
                              -1 + static_cast<double>(node / 21) / 10};
        const NewtonResult r = newton(d, start, {}, NewtonKind::plain);
        if (!r.converged || !inside(r.x)) continue;
        bool known = false;
        for (Index i = 0; i < found.rows; ++i) {
            known |= std::hypot(found(i, 0) - r.x[0], found(i, 1) - r.x[1]) < 1e-6;
        }
        if (known) continue;
        found.values.insert(found.values.end(), r.x.begin(), r.x.end());
        ++found.rows;
    }
    return found;
}

TEST(GatedDynamics, FinderAgreesWithGridSearchOnTwoUnits) {
    Index most = 0;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        for (const GatedCell kind : {GatedCell::gru_reset_after, GatedCell::ugrnn}) {
            const GatedDynamics d = cell(kind, 2, 0.7, 10 * seed, 0, 4);
            const Matrix expected = grid_search(d);
            FixedPointReport r = find_fixed_points(
                d, {}, Matrix(128, 2, test::normals(256, 0.5, seed)), {.spectra = false});
            std::erase_if(r.points, [](const FixedPoint& p) { return !inside(p.x); });
            EXPECT_EQ(static_cast<Index>(r.points.size()), expected.rows) << d.name() << seed;
            EXPECT_EQ(index_sum(d, {}, r).sum, 1);
            most = std::max(most, expected.rows);
        }
    }
    EXPECT_GE(most, 3);  // or the comparison would say little
}

TEST(GatedDynamics, RejectsWrongSizes) {
    EXPECT_THROW(GatedDynamics(GatedCell::lstm, {.units = 2, .w_rec = Vector(12)}), Error);
    EXPECT_THROW(GatedDynamics(GatedCell::ugrnn, {.units = 2, .bias_rec = Vector(2)}), Error);
    EXPECT_EQ(GatedDynamics(GatedCell::lstm, {.units = 3}).size(), 6);
}

}  // namespace
}  // namespace soma::neuro
