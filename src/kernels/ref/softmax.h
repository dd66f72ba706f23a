#pragma once
// Softmax family as plain loops in long double, so that the oracle's own rounding does not count
// even in f64: the specification and the oracle of table/softmax.h.

#include <algorithm>
#include <cmath>
#include <vector>

#include "soma/kernels/table/softmax.h"

namespace soma::kernels::ref {

using Real = long double;

// z = x - max x of one row and the sum of its exponentials.
struct ShiftedRow {
    std::vector<Real> z;
    Real sum = 0;

    template <class T>
    ShiftedRow(const T* x, Index cols) : z(x, x + cols) {
        const Real m = *std::max_element(z.begin(), z.end());
        for (Real& v : z) {
            v -= m;
            sum += std::exp(v);
        }
    }
};

template <class T>
void softmax(Index rows, Index cols, const T* x, double* y) {
    for (Index r = 0; r < rows; ++r) {
        const ShiftedRow row(x + r * cols, cols);
        for (Index c = 0; c < cols; ++c)
            y[r * cols + c] = static_cast<double>(std::exp(row.z[c]) / row.sum);
    }
}

template <class T>
void log_softmax(Index rows, Index cols, const T* x, double* y) {
    for (Index r = 0; r < rows; ++r) {
        const ShiftedRow row(x + r * cols, cols);
        for (Index c = 0; c < cols; ++c)
            y[r * cols + c] = static_cast<double>(row.z[c] - std::log(row.sum));
    }
}

template <class T>
void softmax_backward(Index rows, Index cols, const T* y, const T* dy, double* dx) {
    for (Index r = 0; r < rows; ++r) {
        Real dot = 0;
        for (Index i = r * cols; i < (r + 1) * cols; ++i) {
            dot += static_cast<Real>(dy[i]) * y[i];
        }
        for (Index i = r * cols; i < (r + 1) * cols; ++i) {
            dx[i] = static_cast<double>(y[i] * (dy[i] - dot));
        }
    }
}

template <class T>
void log_softmax_backward(Index rows, Index cols, const T* y, const T* dy, double* dx) {
    for (Index r = 0; r < rows; ++r) {
        Real sum = 0;
        for (Index i = r * cols; i < (r + 1) * cols; ++i) sum += dy[i];
        for (Index i = r * cols; i < (r + 1) * cols; ++i) {
            dx[i] = static_cast<double>(dy[i] - std::exp(static_cast<Real>(y[i])) * sum);
        }
    }
}

template <class T>
void cross_entropy(Index rows, Index cols, const T* x, const CrossEntropyTargets<T>& target,
                   double* losses, double* dx) {
    for (Index r = 0; r < rows; ++r) {
        const Real weight = target.weights == nullptr ? 1 : target.weights[r];
        losses[r] = 0;
        std::fill_n(dx + r * cols, cols, 0.0);
        if (weight == 0) continue;
        const ShiftedRow row(x + r * cols, cols);
        std::vector<Real> q(static_cast<std::size_t>(cols),
                            target.smoothing / static_cast<Real>(cols));
        if (target.labels != nullptr) q[target.labels[r]] += 1 - target.smoothing;
        if (target.targets != nullptr) {
            q.assign(target.targets + r * cols, target.targets + (r + 1) * cols);
        }
        Real total = 0, dot = 0;
        for (Index c = 0; c < cols; ++c) {
            total += q[c];
            dot += q[c] * row.z[c];
        }
        losses[r] = static_cast<double>(total * std::log(row.sum) - dot);
        for (Index c = 0; c < cols; ++c) {
            const Real p = std::exp(row.z[c]) / row.sum;
            dx[r * cols + c] = static_cast<double>(weight * (p * total - q[c]));
        }
    }
}

}  // namespace soma::kernels::ref
