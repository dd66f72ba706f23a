// LU factors and what is solved with them.

#include <algorithm>
#include <cmath>
#include <limits>

#include "linalg/check.h"
#include "linalg/lapack.h"
#include "soma/linalg/linalg.h"

namespace soma::linalg {
namespace {

// Largest column sum of |a|.
double one_norm(const Matrix& a) {
    double largest = 0;
    for (Index j = 0; j < a.cols; ++j) {
        double sum = 0;
        for (Index i = 0; i < a.rows; ++i) sum += std::abs(a(i, j));
        largest = std::max(largest, sum);
    }
    return largest;
}

}  // namespace

Lu lu(const Matrix& a) {
    check_square("lu", a);
    Lu f;
    f.factors_ = a;
    f.pivots_.resize(static_cast<std::size_t>(a.rows));
    // LAPACK divides by a subnormal pivot through its reciprocal, which overflows.
    const bool regular = lapack::getrf(f.factors_, f.pivots_) < 0 &&
                         std::all_of(f.factors_.values.begin(), f.factors_.values.end(),
                                     [](double v) { return std::isfinite(v); });
    const double rcond = regular ? lapack::gecon(f.factors_, one_norm(a)) : 0;
    f.condition_ = rcond > 0 ? 1 / rcond : std::numeric_limits<double>::infinity();
    f.sign_ = 1;
    for (Index i = 0; i < a.rows; ++i) {
        const double pivot = f.factors_(i, i);
        const bool exchanged = f.pivots_[static_cast<std::size_t>(i)] != i;
        f.sign_ *= (pivot > 0 ? 1 : pivot < 0 ? -1 : 0) * (exchanged ? -1 : 1);
        f.log_abs_ += std::log(std::abs(pivot));
    }
    return f;
}

Matrix Lu::solve(const Matrix& b) const {
    check_matrix("solve", "b", b);
    SOMA_CHECK(b.rows == factors_.rows, "solve: a is [", factors_.rows, ", ", factors_.cols,
               "], b is [", b.rows, ", ", b.cols, "]; need a.rows == b.rows");
    for (Index i = 0; i < factors_.rows; ++i) {
        SOMA_CHECK(factors_(i, i) != 0, "solve: a [", factors_.rows, ", ", factors_.cols,
                   "] is singular: pivot ", i, " is 0");
    }
    Matrix x = b;
    lapack::getrs(factors_, pivots_, x);
    return x;
}

std::vector<double> Lu::solve(const std::vector<double>& b) const {
    return solve(Matrix(static_cast<Index>(b.size()), 1, b)).values;
}

Matrix inverse(const Matrix& a) { return lu(a).solve(identity(a.rows)); }

Matrix solve(const Matrix& a, const Matrix& b) { return lu(a).solve(b); }

}  // namespace soma::linalg
