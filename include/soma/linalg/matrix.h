#pragma once
// Dense f64 matrices of the analyses: a value with two sizes, row-major, element (i, j) at
// values[i * cols + j]. Vectors are std::vector<double> or matrices of one column.

#include <complex>
#include <span>
#include <vector>

#include "soma/core/types.h"
#include "soma/kernels/gemm.h"

namespace soma::linalg {

using Complex = std::complex<double>;

template <class T>
struct BasicMatrix {
    Index rows = 0, cols = 0;
    std::vector<T> values;

    BasicMatrix() = default;
    // Filled with zeros. Error(usage) when a size is negative.
    BasicMatrix(Index n_rows, Index n_cols);
    // Error(usage) unless there are n_rows * n_cols values.
    BasicMatrix(Index n_rows, Index n_cols, std::vector<T> row_major);

    T& operator()(Index i, Index j) { return values[static_cast<std::size_t>(i * cols + j)]; }
    const T& operator()(Index i, Index j) const {
        return values[static_cast<std::size_t>(i * cols + j)];
    }
    // Error(usage) unless it has `cols` values.
    void append_row(std::span<const T> values_of_row);
    T* row(Index i) { return values.data() + i * cols; }
    const T* row(Index i) const { return values.data() + i * cols; }
};

using Matrix = BasicMatrix<double>;
using ComplexMatrix = BasicMatrix<Complex>;

extern template struct BasicMatrix<double>;
extern template struct BasicMatrix<Complex>;

Matrix identity(Index n);
Matrix transpose(const Matrix& a);

// Column j as a vector, and columns [begin, end) as a matrix; they must exist.
std::vector<double> column(const Matrix& a, Index j);
Matrix columns(const Matrix& a, Index begin, Index end);

// op_a(A) op_b(B) by kernels::gemm in chain order: A^T A and A A^T are exactly symmetric.
// Error(usage) when the inner sizes differ.
Matrix product(const Matrix& a, const Matrix& b, kernels::Op op_a = kernels::Op::N,
               kernels::Op op_b = kernels::Op::N);

}  // namespace soma::linalg
