#pragma once
// Validation and the sign rule, shared by the functions of linalg.h.

#include <cmath>

#include "soma/core/error.h"
#include "soma/linalg/matrix.h"

namespace soma::linalg {

inline void check_matrix(const char* operation, const char* name, const Matrix& a) {
    SOMA_CHECK(a.rows >= 1 && a.cols >= 1, operation, ": ", name, " is [", a.rows, ", ", a.cols,
               "]; need at least one row and one column");
    SOMA_CHECK(static_cast<Index>(a.values.size()) == a.rows * a.cols, operation, ": ", name,
               " is [", a.rows, ", ", a.cols, "] with ", a.values.size(), " values");
    for (std::size_t i = 0; i < a.values.size(); ++i) {
        if (std::isfinite(a.values[i])) continue;
        const Index at = static_cast<Index>(i);
        fail(ErrorCode::non_finite, operation, ": ", name, "(", at / a.cols, ", ", at % a.cols,
             ") is ", a.values[i], "; need finite values");
    }
}

inline void check_square(const char* operation, const Matrix& a) {
    SOMA_CHECK(a.rows == a.cols, operation, ": a is [", a.rows, ", ", a.cols,
               "]; need a square matrix");
    check_matrix(operation, "a", a);
}

// The component of column j that the sign rule makes positive: the first within 1e-8 of the
// largest modulus, so that rounding does not choose between equal ones.
template <class T>
T leading_component(const BasicMatrix<T>& a, Index j) {
    double largest = 0;
    for (Index i = 0; i < a.rows; ++i) largest = std::max(largest, std::abs(a(i, j)));
    for (Index i = 0; i < a.rows; ++i) {
        if (std::abs(a(i, j)) >= (1 - 1e-8) * largest) return a(i, j);
    }
    return T(0);
}

template <class T>
void scale_column(BasicMatrix<T>& a, Index j, T factor) {
    for (Index i = 0; i < a.rows; ++i) a(i, j) *= factor;
}

}  // namespace soma::linalg
