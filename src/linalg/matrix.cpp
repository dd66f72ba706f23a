#include "soma/linalg/matrix.h"

#include <utility>

#include "soma/core/error.h"

namespace soma::linalg {

template <class T>
BasicMatrix<T>::BasicMatrix(Index n_rows, Index n_cols) : rows(n_rows), cols(n_cols) {
    SOMA_CHECK(rows >= 0 && cols >= 0, "matrix: size is [", rows, ", ", cols, "]; need both >= 0");
    values.resize(static_cast<std::size_t>(rows * cols));
}

template <class T>
BasicMatrix<T>::BasicMatrix(Index n_rows, Index n_cols, std::vector<T> row_major)
    : rows(n_rows), cols(n_cols), values(std::move(row_major)) {
    SOMA_CHECK(rows >= 0 && cols >= 0 && static_cast<Index>(values.size()) == rows * cols,
               "matrix: size is [", rows, ", ", cols, "] with ", values.size(),
               " values; need rows * cols values");
}

template <class T>
void BasicMatrix<T>::append_row(std::span<const T> values_of_row) {
    SOMA_CHECK(std::ssize(values_of_row) == cols, "matrix: a row of ", values_of_row.size(),
               " values for [", rows, ", ", cols, "]; need one a column");
    values.insert(values.end(), values_of_row.begin(), values_of_row.end());
    ++rows;
}

template struct BasicMatrix<double>;
template struct BasicMatrix<Complex>;

Matrix identity(Index n) {
    Matrix a(n, n);
    for (Index i = 0; i < n; ++i) a(i, i) = 1;
    return a;
}

Matrix transpose(const Matrix& a) {
    Matrix t(a.cols, a.rows);
    for (Index i = 0; i < a.rows; ++i) {
        for (Index j = 0; j < a.cols; ++j) t(j, i) = a(i, j);
    }
    return t;
}

std::vector<double> column(const Matrix& a, Index j) { return columns(a, j, j + 1).values; }

Matrix columns(const Matrix& a, Index begin, Index end) {
    SOMA_CHECK(0 <= begin && begin <= end && end <= a.cols, "columns: [", begin, ", ", end,
               ") of a matrix [", a.rows, ", ", a.cols, "]");
    Matrix part(a.rows, end - begin);
    for (Index i = 0; i < a.rows; ++i) {
        for (Index j = begin; j < end; ++j) part(i, j - begin) = a(i, j);
    }
    return part;
}

Matrix product(const Matrix& a, const Matrix& b, kernels::Op op_a, kernels::Op op_b) {
    const bool a_stored = op_a == kernels::Op::N, b_stored = op_b == kernels::Op::N;
    const Index k = a_stored ? a.cols : a.rows, k_of_b = b_stored ? b.rows : b.cols;
    SOMA_CHECK(k == k_of_b, "product: a is [", a.rows, ", ", a.cols, "]", a_stored ? "" : "^T",
               ", b is [", b.rows, ", ", b.cols, "]", b_stored ? "" : "^T",
               "; need equal inner sizes");
    Matrix c(a_stored ? a.rows : a.cols, b_stored ? b.cols : b.rows);
    kernels::gemm(kernels::Gemm<double>{.op_a = op_a,
                                        .op_b = op_b,
                                        .m = c.rows,
                                        .n = c.cols,
                                        .k = k,
                                        .a = a.values.data(),
                                        .lda = a.cols,
                                        .b = b.values.data(),
                                        .ldb = b.cols,
                                        .c = c.values.data(),
                                        .ldc = c.cols});
    return c;
}

}  // namespace soma::linalg
