// Orthogonal factorisations: SVD, QR and least squares.

#include <algorithm>
#include <limits>

#include "linalg/check.h"
#include "linalg/lapack.h"
#include "soma/linalg/linalg.h"

namespace soma::linalg {

Svd svd(const Matrix& a) {
    check_matrix("svd", "a", a);
    const Index k = std::min(a.rows, a.cols);
    Svd d{Matrix(a.rows, k), std::vector<double>(static_cast<std::size_t>(k)), {}};
    Matrix vt(k, a.cols);
    lapack::gesdd(a, d.u, d.s, vt);
    d.v = transpose(vt);
    for (Index j = 0; j < k; ++j) {
        if (leading_component(d.v, j) >= 0) continue;
        scale_column(d.u, j, -1.0);
        scale_column(d.v, j, -1.0);
    }
    return d;
}

Qr qr(const Matrix& a) {
    check_matrix("qr", "a", a);
    const Index k = std::min(a.rows, a.cols);
    Matrix packed = a;
    std::vector<double> tau(static_cast<std::size_t>(k));
    lapack::geqrf(packed, tau);
    Qr f{columns(packed, 0, k), Matrix(k, a.cols)};
    lapack::orgqr(f.q, tau);
    for (Index i = 0; i < k; ++i) {
        const double sign = packed(i, i) < 0 ? -1 : 1;
        for (Index j = i; j < a.cols; ++j) f.r(i, j) = sign * packed(i, j);
        scale_column(f.q, i, sign);
    }
    return f;
}

LeastSquares least_squares(const Matrix& a, const Matrix& b, double rcond) {
    check_matrix("least_squares", "a", a);
    check_matrix("least_squares", "b", b);
    SOMA_CHECK(a.rows == b.rows, "least_squares: a is [", a.rows, ", ", a.cols, "], b is [", b.rows,
               ", ", b.cols, "]; need a.rows == b.rows");
    SOMA_CHECK(rcond < 1, "least_squares: rcond is ", rcond, "; need a number below 1");
    const Index larger = std::max(a.rows, a.cols);
    if (rcond < 0) rcond = static_cast<double>(larger) * std::numeric_limits<double>::epsilon();
    LeastSquares fit;
    fit.s.resize(static_cast<std::size_t>(std::min(a.rows, a.cols)));
    Matrix x(larger, b.cols);
    std::copy(b.values.begin(), b.values.end(), x.values.begin());
    fit.rank = lapack::gelsd(a, x, fit.s, rcond);
    x.values.resize(static_cast<std::size_t>(a.cols * b.cols));
    x.rows = a.cols;
    fit.x = std::move(x);
    return fit;
}

}  // namespace soma::linalg
