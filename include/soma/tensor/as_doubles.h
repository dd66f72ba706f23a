#pragma once
// A tensor's elements in f64, for code that works on plain arrays: analyses, reports.

#include <vector>

#include "soma/tensor/tensor.h"

namespace soma {

// In row-major order; exact.
inline std::vector<double> as_doubles(const Tensor& x) {
    return with_dtype(x.dtype(), [&](auto zero) {
        const auto values = x.data<decltype(zero)>();
        return std::vector<double>(values.begin(), values.end());
    });
}

}  // namespace soma
