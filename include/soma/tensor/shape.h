#pragma once
// Shape: sizes of a contiguous row-major array, at most kMaxRank of them; a plain value.

#include <initializer_list>
#include <ostream>
#include <span>

#include "soma/core/error.h"
#include "soma/core/types.h"

namespace soma {

class Shape {
public:
    static constexpr int kMaxRank = 8;

    Shape() = default;  // rank 0: one element
    Shape(std::initializer_list<Index> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
    // Throws Error(usage) on rank > 8, a negative size or an element count beyond 2^59.
    explicit Shape(std::span<const Index> sizes);

    int rank() const { return rank_; }
    // Size of dimension i; negative i counts from the end.
    Index operator[](int i) const { return sizes_[i < 0 ? i + rank_ : i]; }
    Index count() const { return count_; }
    std::span<const Index> sizes() const { return {sizes_, static_cast<std::size_t>(rank_)}; }

    // Elements of one row when the last dimension is a row, and how many rows there are.
    Index cols() const { return rank_ == 0 ? 1 : sizes_[rank_ - 1]; }
    Index rows() const;
    // The same shape with dimension i (negative from the end) replaced.
    Shape with(int i, Index size) const;

    friend bool operator==(const Shape& a, const Shape& b);

private:
    Index sizes_[kMaxRank] = {};
    Index count_ = 1;
    int rank_ = 0;
};

std::ostream& operator<<(std::ostream& out, const Shape& shape);  // [32, 10]

// The common shape of a and b under NumPy's broadcasting rule. Throws Error(usage), naming op.
Shape broadcast(const char* op, const Shape& a, const Shape& b);

}  // namespace soma
