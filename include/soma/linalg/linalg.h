#pragma once
// Dense linear algebra in f64 over LAPACK: eigenvalues, singular values, QR, LU, least squares.
//
// Rules that hold for every function here:
//   - Arguments are read only; results are new values. Threads may call at the same time.
//   - Signs are fixed: of each vector, the first component whose modulus is within 1e-8 of the
//     largest is real and positive. (QR: the diagonal of R is not negative.)
//   - Error(usage) for a wrong shape, an empty matrix, or a size that LAPACK's integers cannot
//   hold;
//     Error(non_finite) for NaN or Inf in an argument; Error(internal) where LAPACK's iteration
//     does not converge; all before anything is returned.
//   - Error(usage) naming the package when soma was built without LAPACK (see available()).
//   - LAPACK runs on one thread: OpenBLAS is told so, for the whole process, at the first call.
//     Several matrices are spread with parallel_for by the caller. The bits of a result depend on
//     the library and the CPU, never on the number of threads.
//
// Source: LAPACK Users' Guide (3rd ed.); eps = 2^-52; m, n: rows and columns; k = min(m, n).

#include <vector>

#include "soma/linalg/matrix.h"

namespace soma::linalg {

// Whether this build has LAPACK. Without it every function below throws the same Error.
bool available();

// A r = lambda r and l^H A = lambda l^H of a square matrix, eigenvalues by |lambda| descending (of
// equal modulus: larger real part, then larger imaginary part first).
struct Eigen {
    std::vector<Complex> values;  // [n]
    ComplexMatrix right;          // [n, n]; column k is r_k, |r_k|_2 = 1
    ComplexMatrix left;           // [n, n]; column k is l_k, l_k^H r_k = 1, so |l_k|_2 = condition
    // 1 / |l^H r| of unit vectors: lambda_k moves by at most condition |dA|_2 to first order.
    // Infinite where |l^H r| <= n eps (a defective eigenvalue): there l_k keeps unit length.
    std::vector<double> condition;  // [n]
};

// By dgeev, 25 n^3 flop. Backward stable: the result is exact for A + E, |E|_2 of order
// n eps |A|_2.
Eigen eig(const Matrix& a);

// A = V diag(values) V^T of a symmetric matrix; values descending, column k of V belongs to
// values[k].
struct SymmetricEigen {
    std::vector<double> values;  // [n]
    Matrix vectors;              // [n, n], orthonormal columns
};

// By dsyevd. Error(usage) when |a_ij - a_ji| > 16 n eps max |a|; below, (A + A^T) / 2 is taken.
SymmetricEigen eig_symmetric(const Matrix& a);

// A = U diag(s) V^T, thin; s descending. Signs are those of the columns of V.
struct Svd {
    Matrix u;               // [m, k], orthonormal columns
    std::vector<double> s;  // [k]
    Matrix v;               // [n, k], orthonormal columns
};

// By dgesdd.
Svd svd(const Matrix& a);

// A = Q R, thin; R is upper triangular (trapezoidal where m < n) with a diagonal >= 0.
struct Qr {
    Matrix q;  // [m, k], orthonormal columns
    Matrix r;  // [k, n]
};

// By dgeqrf and dorgqr.
Qr qr(const Matrix& a);

// P A = L U of a square matrix with partial pivoting. An exactly singular matrix has factors, a
// determinant of 0 and an infinite condition number; only solve() refuses it.
class Lu {
public:
    // Solves A X = B, B [n, c]. Error(usage) names the zero pivot of an exactly singular A.
    Matrix solve(const Matrix& b) const;
    std::vector<double> solve(const std::vector<double>& b) const;
    // Estimate of |A|_1 |A^-1|_1 by dgecon: at most the true value, rarely below a third of it.
    double condition() const { return condition_; }
    // det A = sign exp(log_abs); sign is 0 and log_abs -inf for an exactly singular A.
    int determinant_sign() const { return sign_; }
    double log_abs_determinant() const { return log_abs_; }

private:
    friend Lu lu(const Matrix& a);

    Matrix factors_;             // L below the diagonal (which is 1), U on and above it
    std::vector<Index> pivots_;  // row i was exchanged with row pivots_[i] >= i
    double condition_ = 0, log_abs_ = 0;
    int sign_ = 0;
};

// By dgetrf, 2/3 n^3 flop.
Lu lu(const Matrix& a);

// A^-1 and A^-1 B by lu().
Matrix inverse(const Matrix& a);
Matrix solve(const Matrix& a, const Matrix& b);

// The X of least norm among those that minimise |A X - B|_F.
struct LeastSquares {
    Matrix x;               // [n, c]
    Index rank = 0;         // singular values of A above rcond * s[0]
    std::vector<double> s;  // [k], singular values of A, descending
};

// By dgelsd; a [m, n], b [m, c]. rcond < 0: max(m, n) eps.
LeastSquares least_squares(const Matrix& a, const Matrix& b, double rcond = -1);

}  // namespace soma::linalg
