// Normalisation against kernels/ref/norm.h on every ISA of this machine, f32 and f64.
//
// Bounds, u the unit roundoff, d the additions in the longest path of a sum, M = max |x|,
// G = max |gamma dy|, X = max |xh|, v = var + eps, r = 1 / sqrt(v):
//     mean     (d + 1) u M                          x - mean   D = (d + 3) u M
//     var      (d + 3) u var + 2 D sd + D^2         r          rho = d(var) / 2v + 3 u  relatively
//     xh       E = D r + X (rho + u)                y          |gamma| E + u |y|
//     mean g   (d + 2) u G                          mean g xh  (d + 3) u G X + G E
//     dx       r (u G + (d + 2) u G + X ((d + 3) u G X + G E) + G X E + (rho + 4 u) (2 G + G X^2))
//     dgamma   a sum of n terms dy xh: n max|dy| ((n + 1) u X + E)
// A factor 1 + 1e-3 stands for the terms of order u^2.

#include "soma/kernels/norm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "kernels/ref/norm.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/core/rng.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/reduce.h"
#include "support/guarded.h"

namespace soma::kernels {
namespace {

constexpr double kEps = 1e-3, kRange = 2;

template <class T>
class Norm : public testing::Test {
protected:
    void TearDown() override {
        use(available().back()->isa);
        set_num_threads(threads_);
    }
    static constexpr double kUnit = sizeof(T) == 4 ? 0x1p-24 : 0x1p-53;

private:
    int threads_ = num_threads();
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Norm, Types);

template <class T>
std::vector<T> uniform(Index n, std::uint32_t tag) {
    RandomSequence random(make_key(1, Purpose::analysis_seeds, 0, tag));
    std::vector<T> x;
    for (Index i = 0; i < n; ++i) x.push_back(static_cast<T>(random.uniform(-2.0F, 2.0F)));
    return x;
}

// Operands of a [rows, cols] norm.
template <class T>
struct Operands {
    Index rows, cols;
    std::vector<T> x, dy, gamma, beta;
    Operands(Index r, Index c)
        : rows(r),
          cols(c),
          x(uniform<T>(r * c, 1)),
          dy(uniform<T>(r * c, 2)),
          gamma(uniform<T>(c, 3)),
          beta(uniform<T>(c, 4)) {}
    template <class GroupOf>
    ref::Norm reference(Index groups, GroupOf&& group_of, bool centred, bool affine) const {
        return ref::norm(rows * cols, cols, groups, group_of, centred, kEps, x.data(),
                         affine ? gamma.data() : nullptr, affine ? beta.data() : nullptr,
                         dy.data());
    }
};

// What a kernel computed.
template <class T>
struct Results {
    std::vector<T> y, dx, dgamma;
};

// The bounds of the header, evaluated for the worst group.
struct Bounds {
    double y, dx, dgamma;
    Bounds(const ref::Norm& expected, double d, double n, double u) {
        double r = 0, big = 0;
        for (const auto v : expected.rstd) r = std::max(r, static_cast<double>(v));
        for (const auto v : expected.y) big = std::max(big, std::abs(static_cast<double>(v)));
        const double M = kRange, G = kRange * kRange, X = 2 * kRange * r, sd = 2 * kRange;
        const double D = (d + 3) * u * M;
        const double var = (d + 3) * u * sd * sd + 2 * D * sd + D * D;
        const double rho = var * r * r / 2 + 3 * u, E = D * r + X * (rho + u);
        y = 1.001 * (kRange * E + u * big);
        dx = 1.001 * r *
             (u * G + (d + 2) * u * G + X * ((d + 3) * u * G * X + G * E) + G * X * E +
              (rho + 4 * u) * (2 * G + G * X * X));
        dgamma = 1.001 * n * kRange * ((n + 1) * u * X + E);
    }
};

template <class T>
void expect_near(const Results<T>& actual, const ref::Norm& expected, const Bounds& bounds) {
    for (std::size_t i = 0; i < expected.y.size(); ++i) {
        ASSERT_NEAR(actual.y[i], static_cast<double>(expected.y[i]), bounds.y) << "y " << i;
        ASSERT_NEAR(actual.dx[i], static_cast<double>(expected.dx[i]), bounds.dx) << "dx " << i;
    }
    for (std::size_t c = 0; c < actual.dgamma.size(); ++c) {
        ASSERT_NEAR(actual.dgamma[c], static_cast<double>(expected.dgamma[c]), bounds.dgamma)
            << "dgamma " << c;
    }
}

template <class T>
Results<T> run_rows(const Operands<T>& o, bool centred, bool affine) {
    const T* gamma = affine ? o.gamma.data() : nullptr;
    const T* beta = affine ? o.beta.data() : nullptr;
    Results<T> out{std::vector<T>(o.x.size()), std::vector<T>(o.x.size()),
                   std::vector<T>(static_cast<std::size_t>(o.cols))};
    std::vector<T> statistics(static_cast<std::size_t>(2 * o.rows));
    T *mean = centred ? statistics.data() : nullptr, *rstd = statistics.data() + o.rows;
    layer_norm(o.rows, o.cols, o.x.data(), gamma, beta, static_cast<T>(kEps), out.y.data(), mean,
               rstd);
    layer_norm_dx<T>(o.rows, o.cols, o.x.data(), gamma, mean, rstd, o.dy.data(), false,
                     out.dx.data());
    layer_norm_dgamma<T>(o.rows, o.cols, o.x.data(), mean, rstd, o.dy.data(), false,
                         out.dgamma.data());
    return out;
}

TYPED_TEST(Norm, RowsMatchTheReference) {
    using T = TypeParam;
    for (const Index cols : {1, 2, 7, 8, 15, 16, 17, 33, 100}) {
        const Operands<T> o(5, cols);
        const double d = static_cast<double>(ceil_div(cols, 16) + 3);
        for (const bool centred : {true, false}) {
            for (const bool affine : {true, false}) {
                const auto expected = o.reference(
                    5, [=](Index i) { return i / cols; }, centred, affine && centred);
                for (const auto* isa : available()) {
                    SCOPED_TRACE(concat(isa->isa, " ", cols, " centred ", centred));
                    use(isa->isa);
                    const auto actual = run_rows(o, centred, affine && centred);
                    expect_near(actual, expected, Bounds(expected, d, 5, this->kUnit));
                }
            }
        }
    }
}

template <class T>
Results<T> run_columns(const Operands<T>& o) {
    const std::size_t cols = o.gamma.size();
    Results<T> out{std::vector<T>(o.x.size()), std::vector<T>(o.x.size()), std::vector<T>(cols)};
    std::vector<T> mean(cols), rstd(cols), m1(cols), m2(cols);
    const T count = static_cast<T>(o.rows);
    column_sums_tree<T>(o.rows, o.cols, o.x.data(), o.cols, T{1}, mean.data(), false);
    for (T& v : mean) v /= count;
    centred_squares(o.rows, o.cols, o.x.data(), mean.data(), rstd.data());
    for (T& v : rstd) v /= count;
    reciprocal_deviation<T>(o.cols, rstd.data(), static_cast<T>(kEps), rstd.data());
    normalise_columns(o.rows, o.cols, o.x.data(), mean.data(), rstd.data(), o.gamma.data(),
                      o.beta.data(), out.y.data());
    column_sums_tree<T>(o.rows, o.cols, o.dy.data(), o.cols, T{1}, m1.data(), false);
    normalised_dots(o.rows, o.cols, o.x.data(), mean.data(), rstd.data(), o.dy.data(),
                    out.dgamma.data());
    for (std::size_t c = 0; c < cols; ++c) {
        m1[c] = o.gamma[c] * m1[c] / count;
        m2[c] = o.gamma[c] * out.dgamma[c] / count;
    }
    normalise_columns_dx<T>(o.rows, o.cols, o.x.data(), mean.data(), rstd.data(), o.gamma.data(),
                            m1.data(), m2.data(), o.dy.data(), false, out.dx.data());
    return out;
}

double tree_path(Index rows) {  // a leaf's chain and the levels above it
    const auto leaves = static_cast<std::uint64_t>(ceil_div(rows, kLeafRows));
    return static_cast<double>(std::min(rows, kLeafRows) + std::bit_width(leaves));
}

TYPED_TEST(Norm, ColumnsMatchTheReference) {
    using T = TypeParam;
    for (const Index cols : {1, 3, 16, 21, 70}) {
        for (const Index rows : {2, 10, 255, 256, 257, 700}) {
            const Operands<T> o(rows, cols);
            const auto expected = o.reference(
                cols, [=](Index i) { return i % cols; }, true, true);
            for (const auto* isa : available()) {
                SCOPED_TRACE(concat(isa->isa, " ", rows, " x ", cols));
                use(isa->isa);
                expect_near(
                    run_columns(o), expected,
                    Bounds(expected, tree_path(rows), static_cast<double>(rows), this->kUnit));
            }
        }
    }
}

template <class T>
Results<T> run_groups(const GroupShape& s, const Operands<T>& o) {
    Results<T> out{std::vector<T>(o.x.size()), std::vector<T>(o.x.size()), {}};
    const auto n = static_cast<std::size_t>(s.images * s.cols);
    std::vector<T> mean(n), rstd(n), sum_dy(n), sum_dy_xh(n);
    group_norm(s, o.x.data(), o.gamma.data(), o.beta.data(), static_cast<T>(kEps), out.y.data(),
               mean.data(), rstd.data());
    group_norm_backward<T>(s, o.x.data(), o.gamma.data(), mean.data(), rstd.data(), o.dy.data(),
                           sum_dy.data(), sum_dy_xh.data(), false, out.dx.data());
    return out;
}

TYPED_TEST(Norm, GroupsMatchTheReference) {
    using T = TypeParam;
    for (const GroupShape& s : {GroupShape{3, 4, 6, 2}, GroupShape{2, 9, 36, 1},
                                GroupShape{1, 300, 4, 4}, GroupShape{4, 1, 34, 2}}) {
        const Operands<T> o(s.images * s.rows, s.cols);
        const Index width = s.cols / s.groups;
        const auto group_of = [&](Index i) {
            return i / (s.rows * s.cols) * s.groups + i % s.cols / width;
        };
        const auto expected = o.reference(s.images * s.groups, group_of, true, true);
        const double d = tree_path(s.rows) + static_cast<double>(ceil_div(width, 16) + 3);
        for (const auto* isa : available()) {
            SCOPED_TRACE(concat(isa->isa, " ", s.images, " images of ", s.rows, " x ", s.cols));
            use(isa->isa);
            expect_near(run_groups(s, o), expected, Bounds(expected, d, 1, this->kUnit));
        }
    }
}

TYPED_TEST(Norm, SameBitsOnEveryIsaAndThreadCount) {
    using T = TypeParam;
    const Operands<T> o(1500, 37);
    const GroupShape s{50, 30, 37, 1};
    use(available().front()->isa);
    set_num_threads(1);
    const auto rows = run_rows(o, true, true), columns = run_columns(o), groups = run_groups(s, o);
    const auto expect_same = [](const Results<T>& a, const Results<T>& b) {
        EXPECT_TRUE(a.y == b.y && a.dx == b.dx && a.dgamma == b.dgamma);
    };
    for (const auto* isa : available()) {
        for (const int threads : {1, 2, 7}) {
            SCOPED_TRACE(concat(isa->isa, " ", threads, " threads"));
            use(isa->isa);
            set_num_threads(threads);
            expect_same(run_rows(o, true, true), rows);
            expect_same(run_columns(o), columns);
            expect_same(run_groups(s, o), groups);
        }
    }
}

TYPED_TEST(Norm, BackwardAddsWhenAccumulating) {
    using T = TypeParam;
    const Operands<T> o(3, 19);
    std::vector<T> y(o.x.size()), mean(3), rstd(3), once(o.x.size()), twice;
    layer_norm<T>(3, 19, o.x.data(), nullptr, nullptr, static_cast<T>(kEps), y.data(), mean.data(),
                  rstd.data());
    const auto add = [&](bool accumulate, std::vector<T>& dx) {
        layer_norm_dx<T>(3, 19, o.x.data(), nullptr, mean.data(), rstd.data(), o.dy.data(),
                         accumulate, dx.data());
    };

    add(false, once);
    twice = once;
    add(true, twice);

    for (std::size_t i = 0; i < once.size(); ++i) EXPECT_EQ(twice[i], once[i] + once[i]);
}

// E[x^2] - E[x]^2 would lose every digit here: 1e4 +- 1 has a relative variance of 1e-8.
TYPED_TEST(Norm, VarianceSurvivesALargeMean) {
    using T = TypeParam;
    std::vector<T> x, y(64);
    for (int i = 0; i < 64; ++i) x.push_back(static_cast<T>(10000 + (i % 2 == 0 ? 1 : -1)));
    T mean = 0, rstd = 0;

    layer_norm<T>(1, 64, x.data(), nullptr, nullptr, static_cast<T>(0x1p-30), y.data(), &mean,
                  &rstd);

    EXPECT_EQ(mean, 10000);
    EXPECT_NEAR(rstd, 1, 4 * this->kUnit + 0x1p-30);
}

TYPED_TEST(Norm, TouchesNothingOutsideItsArrays) {
    using T = TypeParam;
    using test::Edge;
    using test::Guarded;
    for (Index cols = 1; cols <= 40; ++cols) {
        const Operands<T> o(2, cols);
        for (const Edge edge : {Edge::begin, Edge::end}) {
            Guarded<T> x(o.x, edge), dy(o.dy, edge), y(2 * cols, edge), gamma(o.gamma, edge);
            Guarded<T> beta(o.beta, edge), mean(cols, edge), rstd(cols, edge), sums(cols, edge);
            Guarded<T> row_mean(2, edge), row_rstd(2, edge);
            for (const auto* isa : available()) {
                use(isa->isa);
                layer_norm<T>(2, cols, x.data(), gamma.data(), beta.data(), T{1}, y.data(),
                              row_mean.data(), row_rstd.data());
                layer_norm_dgamma<T>(2, cols, x.data(), row_mean.data(), row_rstd.data(), dy.data(),
                                     false, sums.data());
                layer_norm_dx<T>(2, cols, x.data(), gamma.data(), row_mean.data(), row_rstd.data(),
                                 dy.data(), true, y.data());
                std::fill_n(mean.data(), cols, T{0});
                centred_squares<T>(2, cols, x.data(), mean.data(), sums.data());
                reciprocal_deviation<T>(cols, sums.data(), T{1}, rstd.data());
                normalise_columns<T>(2, cols, x.data(), mean.data(), rstd.data(), gamma.data(),
                                     beta.data(), y.data());
                normalised_dots<T>(2, cols, x.data(), mean.data(), rstd.data(), dy.data(),
                                   sums.data());
                normalise_columns_dx<T>(2, cols, x.data(), mean.data(), rstd.data(), gamma.data(),
                                        mean.data(), sums.data(), dy.data(), true, y.data());
            }
            EXPECT_EQ(x.copy(), o.x) << cols;
        }
    }
}

}  // namespace
}  // namespace soma::kernels
