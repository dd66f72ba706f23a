#pragma once
// Numbers whose sum shows its order: signs and exponents from 2^-8 to 2^7, keyed by (row, column).
// And the oracle of every strict sum: the balanced tree, written as the recursion that defines it.

#include <cmath>
#include <span>
#include <vector>

#include "soma/core/hash.h"
#include "soma/core/types.h"

namespace soma::test {

template <class T>
T mixed_number(Index row, Index column) {
    const std::uint64_t bits =
        hash_mix(static_cast<std::uint64_t>(row) + 1, static_cast<std::uint64_t>(column));
    const double mantissa = 1 + static_cast<double>(bits >> 12) * 0x1p-52;
    const double value = std::ldexp(mantissa, static_cast<int>(bits & 15) - 8);
    return static_cast<T>((bits & 16) != 0 ? -value : value);
}

template <class T>
std::vector<T> mixed_row(Index row, Index length) {
    std::vector<T> values(static_cast<std::size_t>(length));
    for (Index i = 0; i < length; ++i) {
        values[static_cast<std::size_t>(i)] = mixed_number<T>(row, i);
    }
    return values;
}

// Sum of rows [begin, end): left half + right half.
template <class T>
std::vector<T> tree_sum(Index begin, Index end, Index length) {
    if (end - begin == 1) return mixed_row<T>(begin, length);
    const Index middle = begin + (end - begin) / 2;
    std::vector<T> left = tree_sum<T>(begin, middle, length);
    const std::vector<T> right = tree_sum<T>(middle, end, length);
    for (std::size_t i = 0; i < left.size(); ++i) left[i] = left[i] + right[i];
    return left;
}

}  // namespace soma::test
