// SVD, QR, LU and least squares. Bounds: each factorisation is backward stable, so what it rebuilds
// differs by a small multiple of max(m, n) eps |A|; 8 is taken.

#include <gtest/gtest.h>

#include "linalg/planted.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/linalg/linalg.h"

namespace soma::linalg {
namespace {

using kernels::Op;

class Linalg : public testing::Test {
protected:
    void SetUp() override {
        if (!available()) GTEST_SKIP() << "built without LAPACK";
    }
};

using LinalgSvd = Linalg;
using LinalgQr = Linalg;
using LinalgLu = Linalg;
using LinalgLeastSquares = Linalg;

double bound(const Matrix& a) {
    return 8 * static_cast<double>(std::max(a.rows, a.cols)) * kEps * frobenius(a);
}

void expect_orthonormal(const Matrix& q) {
    EXPECT_LE(distance(product(q, q, Op::T), identity(q.cols)), bound(identity(q.rows)));
}

TEST_F(LinalgSvd, FindsPlantedValuesOfTallAndWideMatrices) {
    const std::vector<double> s = {5, 2, 0.1};
    const Matrix tall = product(product(random_orthonormal(7, 3, 1), diagonal(s)),
                                random_orthonormal(3, 3, 2), Op::N, Op::T);
    for (const Matrix& a : {tall, transpose(tall)}) {
        const Svd d = svd(a);
        ASSERT_EQ(d.u.cols, 3);
        ASSERT_EQ(d.v.cols, 3);
        for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(d.s[k], s[k], bound(a));
        EXPECT_LE(distance(product(product(d.u, diagonal(d.s)), d.v, Op::N, Op::T), a), bound(a));
        expect_orthonormal(d.u);
        expect_orthonormal(d.v);
    }
}

TEST_F(LinalgSvd, LargestLoadingIsPositive) {
    const Svd d = svd(random_matrix(9, 4, 3)), negative = svd([] {
                                                   Matrix a = random_matrix(9, 4, 3);
                                                   for (double& v : a.values) v = -v;
                                                   return a;
                                               }());
    EXPECT_LE(distance(d.v, negative.v), 1e-12);  // gaps of the values are above 0.1
    for (Index j = 0; j < 4; ++j) {
        const std::vector<double> v = column(d.v, j);
        const auto [low, high] = std::minmax_element(v.begin(), v.end());
        EXPECT_GT(*high, -*low);
    }
}

TEST_F(LinalgQr, RebuildsTallAndWideMatricesWithAPositiveDiagonal) {
    for (const Matrix& a : {random_matrix(8, 3, 4), random_matrix(3, 8, 5)}) {
        const Qr f = qr(a);
        ASSERT_EQ(f.q.cols, 3);
        ASSERT_EQ(f.r.rows, 3);
        EXPECT_LE(distance(product(f.q, f.r), a), bound(a));
        expect_orthonormal(f.q);
        for (Index i = 0; i < 3; ++i) {
            EXPECT_GT(f.r(i, i), 0);
            for (Index j = 0; j < i; ++j) EXPECT_EQ(f.r(i, j), 0);
        }
    }
}

// [[0, 2], [3, 1]]: det -6, |A|_1 = 3; A^-1 = [[-1/6, 1/3], [1/2, 0]], |A^-1|_1 = 2/3.
TEST_F(LinalgLu, KnowsASmallMatrixByHand) {
    const Matrix a(2, 2, {0, 2, 3, 1});
    const Lu f = lu(a);
    EXPECT_EQ(f.determinant_sign(), -1);
    EXPECT_NEAR(f.log_abs_determinant(), std::log(6.0), 4 * kEps);
    EXPECT_NEAR(f.condition(), 2, 16 * kEps);
    const std::vector<double> x = f.solve(std::vector<double>{2, 4});
    EXPECT_NEAR(x[0], 1, 8 * kEps);
    EXPECT_NEAR(x[1], 1, 8 * kEps);
    EXPECT_LE(distance(inverse(a), Matrix(2, 2, {-1.0 / 6, 1.0 / 3, 0.5, 0})), 16 * kEps);
}

// |x - x*| <= 2 n eps condition |x*| for Gaussian elimination without growth.
TEST_F(LinalgLu, SolvesWithinTheConditionNumber) {
    const Matrix a = random_matrix(20, 20, 6), x = random_matrix(20, 3, 7);
    const Matrix found = solve(a, product(a, x));
    EXPECT_LE(distance(found, x), 2 * 20 * kEps * lu(a).condition() * frobenius(x));
}

// The reciprocal of a pivot below 2^-1024 overflows: the factors are useless, and say so.
TEST_F(LinalgLu, SubnormalPivotsCountAsSingular) {
    EXPECT_TRUE(std::isinf(lu(Matrix(2, 2, {1e-310, 0, 1e-310, 1e-310})).condition()));
}

TEST_F(LinalgLu, SingularMatricesHaveFactorsButNoSolution) {
    const Lu f = lu(Matrix(2, 2, {1, 2, 2, 4}));
    EXPECT_EQ(f.determinant_sign(), 0);
    EXPECT_TRUE(std::isinf(f.condition()));
    EXPECT_TRUE(std::isinf(f.log_abs_determinant()));
    try {
        f.solve(std::vector<double>{1, 1});
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find("pivot 1 is 0"), std::string::npos) << e.what();
    }
}

TEST_F(LinalgLu, NearlySingularMatricesHaveALargeCondition) {
    EXPECT_GT(lu(Matrix(2, 2, {1, 1, 1, 1 + 1e-12})).condition(), 1e12);
}

TEST_F(LinalgLu, RejectsBadShapes) {
    EXPECT_THROW(lu(Matrix(2, 3)), Error);
    EXPECT_THROW(solve(identity(2), Matrix(3, 1)), Error);
    EXPECT_THROW(inverse(Matrix()), Error);
}

// Points (0, 1), (1, 3), (2, 4): the line is 7/6 + 3/2 t.
TEST_F(LinalgLeastSquares, FitsALine) {
    const LeastSquares fit =
        least_squares(Matrix(3, 2, {1, 0, 1, 1, 1, 2}), Matrix(3, 1, {1, 3, 4}));
    EXPECT_EQ(fit.rank, 2);
    EXPECT_NEAR(fit.x(0, 0), 7.0 / 6, 32 * kEps);
    EXPECT_NEAR(fit.x(1, 0), 1.5, 32 * kEps);
}

// Columns (1, 1) twice: x = (1, 1) / 2 * mean is the shortest minimiser.
TEST_F(LinalgLeastSquares, RankDeficientTakesTheShortestSolution) {
    const LeastSquares fit =
        least_squares(Matrix(3, 2, {1, 1, 1, 1, 1, 1}), Matrix(3, 1, {1, 2, 6}));
    EXPECT_EQ(fit.rank, 1);
    EXPECT_NEAR(fit.s[0], std::sqrt(6.0), 16 * kEps);
    EXPECT_NEAR(fit.x(0, 0), 1.5, 32 * kEps);
    EXPECT_NEAR(fit.x(1, 0), 1.5, 32 * kEps);
}

// x = A^T (A A^T)^-1 b lies in the row space: [1, 2, 2] / 9 * 9.
TEST_F(LinalgLeastSquares, UnderdeterminedTakesTheShortestSolution) {
    const LeastSquares fit = least_squares(Matrix(1, 3, {1, 2, 2}), Matrix(1, 2, {9, 18}));
    ASSERT_EQ(fit.x.rows, 3);
    const double expected[] = {1, 2, 2, 4, 2, 4};
    for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(fit.x.values[i], expected[i], 32 * kEps);
}

TEST_F(LinalgLeastSquares, RcondSetsTheRank) {
    const Matrix a = diagonal({1, 1e-3}), b(2, 1, {1, 1e-3});
    EXPECT_EQ(least_squares(a, b).rank, 2);
    EXPECT_EQ(least_squares(a, b, 1e-2).rank, 1);
    EXPECT_THROW(least_squares(a, b, std::nan("")), Error);
    EXPECT_THROW(least_squares(a, Matrix(3, 1)), Error);
}

// Bits do not depend on which thread calls, or on how many do.
TEST_F(Linalg, MayBeCalledByManyThreads) {
    const Matrix a = random_matrix(40, 40, 8);
    const Eigen alone = eig(a);
    std::vector<Eigen> results(16);
    parallel_for(16, 1, [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) results[static_cast<std::size_t>(i)] = eig(a);
    });
    for (const Eigen& e : results) {
        EXPECT_EQ(e.values, alone.values);
        EXPECT_EQ(e.left.values, alone.left.values);
    }
}

}  // namespace
}  // namespace soma::linalg
