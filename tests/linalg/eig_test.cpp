// Eigenvalues against planted spectra.

#include <gtest/gtest.h>

#include "linalg/planted.h"
#include "soma/core/error.h"
#include "soma/linalg/linalg.h"

namespace soma::linalg {
namespace {

// A = R D R^-1 with D block diagonal: 0.9 e^{+-0.3 i}, then 0.8, 0.7, ... . R = Q (1 + 0.2 random).
struct Planted {
    static constexpr Index kN = 8;
    Matrix right = Matrix(kN, kN), left, a;  // rows of left: l^T
    std::vector<Complex> values;

    Planted() {
        const Matrix q = random_orthonormal(kN, kN, 1), noise = random_matrix(kN, kN, 2);
        Matrix d(kN, kN);
        for (Index i = 2; i < kN; ++i) d(i, i) = 1 - 0.1 * static_cast<double>(i);
        d(0, 0) = d(1, 1) = 0.9 * std::cos(0.3);
        d(0, 1) = 0.9 * std::sin(0.3);
        d(1, 0) = -d(0, 1);
        for (std::size_t i = 0; i < right.values.size(); ++i) {
            right.values[i] = q.values[i] + 0.2 * noise.values[i];
        }
        left = inverse(right);
        a = product(product(right, d), left);
        values = {std::polar(0.9, 0.3), std::polar(0.9, -0.3)};
        for (Index i = 2; i < kN; ++i) values.emplace_back(d(i, i));
    }
};

class Linalg : public testing::Test {
protected:
    void SetUp() override {
        if (!available()) GTEST_SKIP() << "built without LAPACK";
    }
};

using Eig = Linalg;
using EigSymmetric = Linalg;

// Condition numbers of the planted eigenvalues are below 10, |A| is about 1 and n eps = 2e-15: the
// values are good to 1e-13 and the vectors, with gaps of 0.1, to 1e-12. The bounds are neuro.md's.
TEST_F(Eig, FindsPlantedValues) {
    const Planted planted;
    const Eigen e = eig(planted.a);
    for (Index k = 0; k < Planted::kN; ++k) {
        const auto at = static_cast<std::size_t>(k);
        EXPECT_LE(std::abs(e.values[at] - planted.values[at]), 1e-10) << k;
        EXPECT_LT(e.condition[at], 10) << k;
    }
}

TEST_F(Eig, FindsPlantedLeftAndRightVectorsOfRealValues) {
    const Planted planted;
    const Eigen e = eig(planted.a);
    for (Index k = 2; k < Planted::kN; ++k) {
        double norm = 0;
        for (Index i = 0; i < Planted::kN; ++i) norm = std::hypot(norm, planted.right(i, k));
        double largest = 0;
        for (Index i = 0; i < Planted::kN; ++i) {
            if (std::abs(planted.right(i, k)) > std::abs(largest)) largest = planted.right(i, k);
        }
        const double scale = std::copysign(norm, largest);
        for (Index i = 0; i < Planted::kN; ++i) {
            EXPECT_LE(std::abs(e.right(i, k) - planted.right(i, k) / scale), 1e-8);
            EXPECT_LE(std::abs(e.left(i, k) - planted.left(k, i) * scale), 1e-8);
        }
    }
}

// A = sum_k lambda_k r_k l_k^H holds only when both sides, their order and their scale are right.
TEST_F(Eig, TriplesRebuildTheMatrix) {
    const Planted planted;
    const Eigen e = eig(planted.a);
    for (Index i = 0; i < Planted::kN; ++i) {
        for (Index j = 0; j < Planted::kN; ++j) {
            Complex sum = 0;
            for (Index k = 0; k < Planted::kN; ++k) {
                sum +=
                    e.values[static_cast<std::size_t>(k)] * e.right(i, k) * std::conj(e.left(j, k));
            }
            EXPECT_LE(std::abs(sum - planted.a(i, j)), 1e-12);
        }
    }
}

TEST_F(Eig, LargestLoadingIsRealAndPositive) {
    const Eigen e = eig(Planted().a);
    for (Index k = 0; k < Planted::kN; ++k) {
        Complex largest = 0;
        double norm = 0;
        for (Index i = 0; i < Planted::kN; ++i) {
            if (std::abs(e.right(i, k)) > std::abs(largest)) largest = e.right(i, k);
            norm += std::norm(e.right(i, k));
        }
        EXPECT_GT(largest.real(), 0);
        EXPECT_NEAR(largest.imag(), 0, 4 * kEps);
        EXPECT_NEAR(norm, 1, 4 * Planted::kN * kEps);
    }
}

// The first of two equal loadings decides, whatever the last bit of each.
TEST_F(Eig, EqualLoadingsTakeTheSignOfTheFirst) {
    const Eigen e = eig(Matrix(2, 2, {0, -1, -1, 0}));  // 1: (1, -1); -1: (1, 1)
    EXPECT_NEAR(e.right(0, 0).real(), std::sqrt(0.5), 4 * kEps);
    EXPECT_NEAR(e.right(1, 0).real(), -std::sqrt(0.5), 4 * kEps);
    EXPECT_NEAR(e.right(0, 1).real(), std::sqrt(0.5), 4 * kEps);
}

TEST_F(Eig, SortsByModulusAndPutsThePositiveImaginaryPartFirst) {
    const Eigen e = eig(Matrix(3, 3, {0.5, 0, 0, 0, 0, -2, 0, 2, 0}));  // +-2 i, 0.5
    EXPECT_NEAR(e.values[0].imag(), 2, 8 * kEps);
    EXPECT_NEAR(e.values[1].imag(), -2, 8 * kEps);
    EXPECT_NEAR(e.values[2].real(), 0.5, 8 * kEps);
}

TEST_F(Eig, ReportsDefectiveValues) {
    const Eigen e = eig(Matrix(2, 2, {1, 1, 0, 1}));
    EXPECT_EQ(e.values[0], Complex(1));
    EXPECT_EQ(e.values[1], Complex(1));
    EXPECT_TRUE(std::isinf(e.condition[0]));
    EXPECT_TRUE(std::isinf(e.condition[1]));
    EXPECT_NEAR(e.left(1, 0).real(), 1, 4 * kEps);  // (0, 1) of unit length
}

// A Jordan block in another basis splits into 1 +- O(sqrt(eps)), with condition O(1 / sqrt(eps)).
TEST_F(Eig, NearlyDefectiveValuesHaveALargeCondition) {
    const Matrix q = random_orthonormal(2, 2, 3);
    const Matrix a =
        product(product(q, Matrix(2, 2, {1, 1, 0, 1})), q, kernels::Op::N, kernels::Op::T);
    const Eigen e = eig(a);
    EXPECT_LE(std::abs(e.values[0] - 1.0), 16 * std::sqrt(kEps));
    EXPECT_GT(e.condition[0], 0.01 / std::sqrt(kEps));
}

TEST_F(Eig, RejectsWhatIsNotAFiniteSquareMatrix) {
    EXPECT_THROW(eig(Matrix(2, 3)), Error);
    EXPECT_THROW(eig(Matrix(0, 0)), Error);
    for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
        try {
            eig(Matrix(2, 2, {1, 2, bad, 3}));
            FAIL() << "accepted " << bad;
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::non_finite);
            EXPECT_NE(std::string(e.what()).find("a(1, 0)"), std::string::npos) << e.what();
        }
    }
}

// Backward stability: |A - V D V^T| and |V^T V - 1| are small multiples of n eps |A|; 4 is taken.
TEST_F(EigSymmetric, FindsPlantedValuesAndRebuilds) {
    const std::vector<double> values = {3, 1, 0.5, 0, -0.25, -2};
    const Matrix q = random_orthonormal(6, 6, 4);
    Matrix a = product(product(q, diagonal(values)), q, kernels::Op::N, kernels::Op::T);
    const SymmetricEigen e = eig_symmetric(a);
    const double bound = 4 * 6 * kEps * frobenius(a);
    for (std::size_t k = 0; k < 6; ++k) EXPECT_NEAR(e.values[k], values[k], bound);
    const Matrix rebuilt =
        product(product(e.vectors, diagonal(e.values)), e.vectors, kernels::Op::N, kernels::Op::T);
    EXPECT_LE(distance(rebuilt, a), bound);
    EXPECT_LE(distance(product(e.vectors, e.vectors, kernels::Op::T), identity(6)), 4 * 6 * kEps);
}

TEST_F(EigSymmetric, RejectsAnAsymmetricMatrix) {
    EXPECT_THROW(eig_symmetric(Matrix(2, 2, {1, 2, 2.0000001, 1})), Error);
}

TEST(LinalgAbsent, EveryFunctionNamesThePackage) {
    if (available()) GTEST_SKIP() << "built with LAPACK";
    const Matrix a = identity(2);
    for (const auto& call : std::initializer_list<void (*)(const Matrix&)>{
             [](const Matrix& m) { eig(m); }, [](const Matrix& m) { eig_symmetric(m); },
             [](const Matrix& m) { svd(m); }, [](const Matrix& m) { qr(m); },
             [](const Matrix& m) { lu(m); }, [](const Matrix& m) { inverse(m); },
             [](const Matrix& m) { solve(m, m); }, [](const Matrix& m) { least_squares(m, m); }}) {
        try {
            call(a);
            FAIL() << "no error";
        } catch (const Error& e) {
            EXPECT_NE(std::string(e.what()).find("liblapacke-dev"), std::string::npos) << e.what();
        }
    }
}

}  // namespace
}  // namespace soma::linalg
