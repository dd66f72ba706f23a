#pragma once
// Local response normalisation as plain loops in long double: the specification and the oracle of
// table/lrn.h.

#include <algorithm>
#include <cmath>
#include <vector>

#include "soma/kernels/table/lrn.h"

namespace soma::kernels::ref {

// d of every element of one row.
template <class T>
std::vector<long double> lrn_denominators(Index cols, const LrnWindow<T>& w, const T* x) {
    std::vector<long double> d;
    for (Index i = 0; i < cols; ++i) {
        long double sum = 0;
        const Index last = std::min(i + (w.size - 1) / 2, cols - 1);
        for (Index j = std::max<Index>(i - w.size / 2, 0); j <= last; ++j) {
            sum += static_cast<long double>(x[j]) * x[j];
        }
        d.push_back(w.k + w.scale * sum);
    }
    return d;
}

template <class T>
void lrn(Index rows, Index cols, const LrnWindow<T>& w, const T* x, double* y) {
    for (Index r = 0; r < rows; ++r, x += cols, y += cols) {
        const auto d = lrn_denominators(cols, w, x);
        for (Index i = 0; i < cols; ++i) {
            y[i] = static_cast<double>(x[i] / std::pow(d[i], static_cast<long double>(w.beta)));
        }
    }
}

// magnitude: the sum of the absolute values that dx is added up from.
template <class T>
void lrn_backward(Index rows, Index cols, const LrnWindow<T>& w, const T* x, const T* dy,
                  double* dx, double* magnitude) {
    using Real = long double;
    for (Index r = 0; r < rows; ++r, x += cols, dy += cols, dx += cols, magnitude += cols) {
        const std::vector<Real> d = lrn_denominators(cols, w, x);
        const auto own = [&](Index i) { return dy[i] * std::pow(d[i], -Real{w.beta}); };
        for (Index i = 0; i < cols; ++i) {
            Real sum = 0, terms = 0;
            const Index last = std::min(i + w.size / 2, cols - 1);
            for (Index j = std::max<Index>(i - (w.size - 1) / 2, 0); j <= last; ++j) {
                const Real p = own(j) * x[j] / d[j];
                sum += p, terms += std::abs(p);
            }
            const Real factor = 2 * Real{w.beta} * w.scale * x[i];
            dx[i] = static_cast<double>(own(i) - factor * sum);
            magnitude[i] = static_cast<double>(std::abs(own(i)) + std::abs(factor) * terms);
        }
    }
}

}  // namespace soma::kernels::ref
