#pragma once
// The calls to LAPACK, and nothing else: lapack.cpp, or lapack_absent.cpp in a build without it,
// where each throws one Error that names the package.
//
// Arguments have been validated (shapes agree, sizes >= 1, finite values); matrices are row-major
// and overwritten as LAPACK says. Sizes are narrowed with a check. Error(internal) where an
// iteration did not converge.

#include <vector>

#include "soma/linalg/matrix.h"

namespace soma::linalg::lapack {

bool available();

// Eigenvalues re + i im of a [n, n]; conjugate pairs are neighbours, positive imaginary part first,
// and share columns j (real) and j + 1 (imaginary part) of left and right.
void geev(Matrix a, std::vector<double>& re, std::vector<double>& im, Matrix& left, Matrix& right);

// a [n, n] symmetric (upper triangle is read) becomes its eigenvectors; values ascend.
void syevd(Matrix& a, std::vector<double>& values);

// a [m, n] = u [m, k] diag(s) vt [k, n]; sizes of the results are set by the caller.
void gesdd(Matrix a, Matrix& u, std::vector<double>& s, Matrix& vt);

// a [m, n]: R on and above the diagonal, reflectors below it, with factors tau [k].
void geqrf(Matrix& a, std::vector<double>& tau);

// q [m, k], reflectors of geqrf, becomes the first k columns of Q.
void orgqr(Matrix& q, const std::vector<double>& tau);

// a [n, n] becomes L and U; pivots from 0. Returns the first zero pivot, or -1.
Index getrf(Matrix& a, std::vector<Index>& pivots);

// Estimate of 1 / (|A|_1 |A^-1|_1) from the factors of getrf and |A|_1.
double gecon(const Matrix& factors, double norm);

// b [n, c] becomes A^-1 b.
void getrs(const Matrix& factors, const std::vector<Index>& pivots, Matrix& b);

// a [m, n] is destroyed; b [max(m, n), c] holds the right-hand side in m rows and becomes x in n
// rows. Returns the rank.
Index gelsd(Matrix a, Matrix& b, std::vector<double>& s, double rcond);

}  // namespace soma::linalg::lapack
