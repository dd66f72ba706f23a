#include "soma/tensor/shape.h"

#include <algorithm>

namespace soma {

Shape::Shape(std::span<const Index> sizes) {
    SOMA_CHECK(sizes.size() <= kMaxRank, "shape: rank is ", sizes.size(), "; need rank <= 8");
    rank_ = static_cast<int>(sizes.size());
    for (int i = 0; i < rank_; ++i) {
        const Index size = sizes[i];
        SOMA_CHECK(size >= 0, "shape: size ", i, " is ", size, "; need size >= 0");
        SOMA_CHECK(!__builtin_mul_overflow(count_, size, &count_) && count_ <= Index{1} << 59,
                   "shape: the number of elements overflows at size ", i, " = ", size);
        sizes_[i] = size;
    }
}

Index Shape::rows() const {
    Index n = 1;
    for (int i = 0; i + 1 < rank_; ++i) n *= sizes_[i];
    return n;
}

Shape Shape::with(int i, Index size) const {
    Index sizes[kMaxRank];
    std::copy_n(sizes_, rank_, sizes);
    sizes[i < 0 ? i + rank_ : i] = size;
    return Shape(std::span<const Index>(sizes, static_cast<std::size_t>(rank_)));
}

bool operator==(const Shape& a, const Shape& b) {
    return a.rank_ == b.rank_ && std::equal(a.sizes_, a.sizes_ + a.rank_, b.sizes_);
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
    out << '[';
    for (int i = 0; i < shape.rank(); ++i) out << (i == 0 ? "" : ", ") << shape[i];
    return out << ']';
}

Shape broadcast(const char* op, const Shape& a, const Shape& b) {
    const int rank = std::max(a.rank(), b.rank());
    Index sizes[Shape::kMaxRank];
    for (int i = 1; i <= rank; ++i) {
        const Index x = i <= a.rank() ? a[-i] : 1, y = i <= b.rank() ? b[-i] : 1;
        SOMA_CHECK(x == y || x == 1 || y == 1, op, ": a is ", a, ", b is ", b,
                   "; need equal sizes or 1, counted from the last");
        sizes[rank - i] = x == 1 ? y : x;
    }
    return Shape(std::span<const Index>(sizes, static_cast<std::size_t>(rank)));
}

}  // namespace soma
