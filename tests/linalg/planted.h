#pragma once
// Matrices with known factors for the tests of linalg and neuro.

#include <algorithm>
#include <cmath>
#include <limits>

#include "soma/core/rng.h"
#include "soma/linalg/linalg.h"

namespace soma::linalg {

inline constexpr double kEps = std::numeric_limits<double>::epsilon();

// Uniform in [-1, 1), keyed by the seed.
inline Matrix random_matrix(Index rows, Index cols, std::uint64_t seed) {
    RandomSequence random(make_key(seed, Purpose::data_generation));
    Matrix a(rows, cols);
    for (double& v : a.values) v = random.uniform(-1, 1);
    return a;
}

// [n, k] with orthonormal columns.
inline Matrix random_orthonormal(Index n, Index k, std::uint64_t seed) {
    return qr(random_matrix(n, k, seed)).q;
}

inline Matrix diagonal(const std::vector<double>& d) {
    Matrix a(static_cast<Index>(d.size()), static_cast<Index>(d.size()));
    for (Index i = 0; i < a.rows; ++i) a(i, i) = d[static_cast<std::size_t>(i)];
    return a;
}

inline double frobenius(const Matrix& a) {
    double sum = 0;
    for (const double v : a.values) sum += v * v;
    return std::sqrt(sum);
}

// Frobenius norm of a - b, which have the same shape.
inline double distance(const Matrix& a, const Matrix& b) {
    Matrix d = a;
    for (std::size_t i = 0; i < d.values.size(); ++i) d.values[i] -= b.values[i];
    return a.rows == b.rows && a.cols == b.cols ? frobenius(d) : std::nan("");
}

}  // namespace soma::linalg
