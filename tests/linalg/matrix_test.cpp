#include "soma/linalg/matrix.h"

#include <gtest/gtest.h>

#include "linalg/planted.h"
#include "soma/core/error.h"

namespace soma::linalg {
namespace {

using kernels::Op;

const Matrix kA(2, 3, {1, 2, 3, 4, 5, 6});

TEST(Matrix, IsRowMajor) {
    EXPECT_EQ(kA(1, 0), 4);
    EXPECT_EQ(kA.row(1)[2], 6);
    EXPECT_EQ(transpose(kA).values, (std::vector<double>{1, 4, 2, 5, 3, 6}));
    EXPECT_EQ(column(kA, 1), (std::vector<double>{2, 5}));
    EXPECT_EQ(columns(kA, 1, 3).values, (std::vector<double>{2, 3, 5, 6}));
}

// Small integers: every sum is exact.
TEST(Matrix, ProductTakesTransposedOperands) {
    const Matrix b(3, 2, {1, 0, 2, 1, 0, 3});
    EXPECT_EQ(product(kA, b).values, (std::vector<double>{5, 11, 14, 23}));
    EXPECT_EQ(product(kA, transpose(b), Op::N, Op::T).values, product(kA, b).values);
    EXPECT_EQ(product(transpose(kA), b, Op::T).values, product(kA, b).values);
    EXPECT_EQ(product(transpose(kA), transpose(b), Op::T, Op::T).values, product(kA, b).values);
}

TEST(Matrix, GramMatrixIsExactlySymmetric) {
    const Matrix a = random_matrix(300, 17, 1);
    const Matrix gram = product(a, a, Op::T);
    EXPECT_EQ(transpose(gram).values, gram.values);
}

TEST(Matrix, RejectsSizesThatDoNotFit) {
    EXPECT_THROW(Matrix(-1, 2), Error);
    EXPECT_THROW(Matrix(2, 2, {1, 2, 3}), Error);
    EXPECT_THROW(product(kA, kA), Error);
    EXPECT_THROW(columns(kA, 2, 4), Error);
}

TEST(Matrix, GrowsByRowsOfItsWidth) {
    Matrix a(0, 2);
    a.append_row(std::vector<double>{1, 2});
    a.append_row(std::vector<double>{3, 4});
    EXPECT_EQ(a.rows, 2);
    EXPECT_EQ(a.values, (std::vector<double>{1, 2, 3, 4}));
    EXPECT_THROW(a.append_row(std::vector<double>{5}), Error);
}

}  // namespace
}  // namespace soma::linalg
