#pragma once
// Tensor: a shared, 64-byte aligned buffer with a shape; contiguous, row-major, f32 or f64.
//
// Copying a Tensor shares the buffer. reshape() and slice() share it too, so writing through a view
// is seen by all; clone() and to() copy. Integer data (labels, tokens) are std::span<const
// std::int32_t>. Layouts: images [N, H, W, C]; sequences [T, B, C]; Linear weights [in, out];
// convolution weights [KH, KW, Cin/groups, Cout].

#include <memory>
#include <span>
#include <vector>

#include "soma/core/arena.h"
#include "soma/tensor/shape.h"

namespace soma {

class Tensor {
public:
    Tensor() = default;                       // no buffer: empty() is true
    Tensor(const Shape& shape, DType dtype);  // uninitialised
    static Tensor zeros(const Shape& shape, DType dtype = DType::f32);
    static Tensor full(const Shape& shape, double value, DType dtype = DType::f32);
    // Values in row-major order; Error(usage) when their number is not shape.count().
    static Tensor from(const Shape& shape, const std::vector<double>& values,
                       DType dtype = DType::f32);
    // A view of memory owned elsewhere, which `owner` keeps alive.
    static Tensor view(const Shape& shape, DType dtype, void* data, std::shared_ptr<void> owner);

    bool empty() const { return data_ == nullptr; }
    const Shape& shape() const { return shape_; }
    DType dtype() const { return dtype_; }
    Index count() const { return shape_.count(); }
    Index bytes() const { return count() * size_of(dtype_); }

    void* raw() { return data_; }
    const void* raw() const { return data_; }
    // Elements as T = float or double; Error(usage) when T is not the dtype.
    template <class T>
    std::span<T> data();
    template <class T>
    std::span<const T> data() const;
    // Element i of the row-major order, as double: for tests and reports, not for loops that
    // matter.
    double at(Index i) const;

    // The same buffer under another shape of equal count.
    Tensor reshape(const Shape& shape) const;
    // Rows [begin, end) of the leading dimension; shares the buffer.
    Tensor slice(Index begin, Index end) const;
    Tensor clone() const;
    // A copy with another element type (rounded to nearest), or this tensor when it has that type.
    Tensor to(DType dtype) const;
    // Copy with dimensions reordered: result.shape()[i] == shape()[order[i]].
    Tensor permute(std::initializer_list<int> order) const;
    void fill(double value);
    void copy_from(const Tensor& other);  // same shape and dtype

private:
    std::shared_ptr<void> owner_;
    void* data_ = nullptr;
    Shape shape_{0};
    DType dtype_ = DType::f32;
};

// Calls f with a value of the C++ type of dtype: with_dtype(t, [&](auto zero) { using T =
// decltype(zero); ... }).
template <class F>
decltype(auto) with_dtype(DType dtype, F&& f) {
    return dtype == DType::f32 ? f(float{}) : f(double{});
}

}  // namespace soma
