// Eigenvalues. dgeev returns a conjugate pair as two real columns and vectors of any phase; here
// they become complex columns with the phase of the sign rule and l^H r = 1.

#include <algorithm>
#include <limits>
#include <numeric>

#include "linalg/check.h"
#include "linalg/lapack.h"
#include "soma/linalg/linalg.h"

namespace soma::linalg {
namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();

// |lambda| descending. Moduli of a conjugate pair are equal to the bit, so this is a strict order.
bool before(Complex a, Complex b) {
    const double x = std::abs(a), y = std::abs(b);
    if (x != y) return x > y;
    return a.real() != b.real() ? a.real() > b.real() : a.imag() > b.imag();
}

// Column `to` of `out` = eigenvector `from` as dgeev packs it: a pair shares columns j and j + 1.
void unpack(const Matrix& packed, const std::vector<double>& im, Index from, ComplexMatrix& out,
            Index to) {
    const double part = im[static_cast<std::size_t>(from)];
    const Index j = part < 0 ? from - 1 : from;
    const double sign = part == 0 ? 0 : std::copysign(1.0, part);
    for (Index i = 0; i < packed.rows; ++i) {
        const double imaginary = sign == 0 ? 0 : sign * packed(i, j + 1);
        out(i, to) = Complex(packed(i, j), imaginary);
    }
}

double norm_of_column(const ComplexMatrix& a, Index j) {
    double sum = 0;
    for (Index i = 0; i < a.rows; ++i) sum += std::norm(a(i, j));
    return std::sqrt(sum);
}

// Unit length, and the leading component real and positive.
void normalise(ComplexMatrix& a, Index j) {
    const Complex lead = leading_component(a, j);
    scale_column(a, j, std::conj(lead) / std::abs(lead) / norm_of_column(a, j));
}

// l_k scaled so that l_k^H r_k = 1; the condition number of lambda_k.
double pair_up(Eigen& e, Index k) {
    Complex dot = 0;
    for (Index i = 0; i < e.right.rows; ++i) dot += std::conj(e.left(i, k)) * e.right(i, k);
    if (std::abs(dot) <= static_cast<double>(e.right.rows) * kEps) {
        return std::numeric_limits<double>::infinity();
    }
    scale_column(e.left, k, 1.0 / std::conj(dot));
    return 1 / std::abs(dot);
}

}  // namespace

bool available() { return lapack::available(); }

Eigen eig(const Matrix& a) {
    check_square("eig", a);
    const Index n = a.rows;
    const auto size = static_cast<std::size_t>(n);
    std::vector<double> re(size), im(size);
    Matrix left(n, n), right(n, n);
    lapack::geev(a, re, im, left, right);

    std::vector<Index> order(size);
    std::iota(order.begin(), order.end(), Index{0});
    const auto value = [&](Index k) {
        return Complex(re[static_cast<std::size_t>(k)], im[static_cast<std::size_t>(k)]);
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](Index i, Index j) { return before(value(i), value(j)); });
    Eigen e{{}, ComplexMatrix(n, n), ComplexMatrix(n, n), {}};
    for (Index k = 0; k < n; ++k) {
        const Index from = order[static_cast<std::size_t>(k)];
        e.values.push_back(value(from));
        unpack(right, im, from, e.right, k);
        unpack(left, im, from, e.left, k);
        normalise(e.right, k);
        normalise(e.left, k);
        e.condition.push_back(pair_up(e, k));
    }
    return e;
}

SymmetricEigen eig_symmetric(const Matrix& a) {
    check_square("eig_symmetric", a);
    const Index n = a.rows;
    double largest = 0;
    for (const double v : a.values) largest = std::max(largest, std::abs(v));
    Matrix vectors = a;
    for (Index i = 0; i < n; ++i) {
        for (Index j = i + 1; j < n; ++j) {
            SOMA_CHECK(std::abs(a(i, j) - a(j, i)) <= 16 * static_cast<double>(n) * kEps * largest,
                       "eig_symmetric: a(", i, ", ", j, ") is ", a(i, j), ", a(", j, ", ", i,
                       ") is ", a(j, i), "; need a symmetric matrix");
            vectors(i, j) = vectors(j, i) = 0.5 * (a(i, j) + a(j, i));
        }
    }
    std::vector<double> ascending(static_cast<std::size_t>(n));
    lapack::syevd(vectors, ascending);
    SymmetricEigen e{{ascending.rbegin(), ascending.rend()}, Matrix(n, n)};
    for (Index k = 0; k < n; ++k) {
        for (Index i = 0; i < n; ++i) e.vectors(i, k) = vectors(i, n - 1 - k);
        if (leading_component(e.vectors, k) < 0) scale_column(e.vectors, k, -1.0);
    }
    return e;
}

}  // namespace soma::linalg
