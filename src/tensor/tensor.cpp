#include "soma/tensor/tensor.h"

#include <algorithm>
#include <cstring>

namespace soma {

Tensor::Tensor(const Shape& shape, DType dtype) : shape_(shape), dtype_(dtype) {
    AlignedBlock block = allocate_aligned(static_cast<std::size_t>(bytes()));
    data_ = block.get();
    owner_ = std::shared_ptr<std::byte>(block.release(), AlignedFree{});
}

Tensor Tensor::zeros(const Shape& shape, DType dtype) { return full(shape, 0, dtype); }

Tensor Tensor::full(const Shape& shape, double value, DType dtype) {
    Tensor t(shape, dtype);
    t.fill(value);
    return t;
}

Tensor Tensor::from(const Shape& shape, const std::vector<double>& values, DType dtype) {
    SOMA_CHECK(static_cast<Index>(values.size()) == shape.count(), "Tensor::from: ", values.size(),
               " values for shape ", shape, "; need ", shape.count());
    Tensor t(shape, dtype);
    with_dtype(dtype, [&](auto zero) {
        using T = decltype(zero);
        std::transform(values.begin(), values.end(), t.data<T>().begin(),
                       [](double v) { return static_cast<T>(v); });
    });
    return t;
}

Tensor Tensor::view(const Shape& shape, DType dtype, void* data, std::shared_ptr<void> owner) {
    Tensor t;
    t.owner_ = std::move(owner);
    t.data_ = data;
    t.shape_ = shape;
    t.dtype_ = dtype;
    return t;
}

template <class T>
std::span<T> Tensor::data() {
    SOMA_CHECK(kDType<T> == dtype_, "Tensor::data: asked for ", name_of(kDType<T>),
               ", the tensor is ", name_of(dtype_));
    return {static_cast<T*>(data_), static_cast<std::size_t>(count())};
}

template <class T>
std::span<const T> Tensor::data() const {
    return const_cast<Tensor*>(this)->data<T>();
}

template std::span<float> Tensor::data<float>();
template std::span<double> Tensor::data<double>();
template std::span<const float> Tensor::data<float>() const;
template std::span<const double> Tensor::data<double>() const;

double Tensor::at(Index i) const {
    return with_dtype(dtype_, [&](auto zero) -> double {
        return data<decltype(zero)>()[static_cast<std::size_t>(i)];
    });
}

Tensor Tensor::reshape(const Shape& shape) const {
    SOMA_CHECK(shape.count() == count(), "reshape: ", shape_, " to ", shape,
               "; need the same number of elements");
    return view(shape, dtype_, data_, owner_);
}

Tensor Tensor::slice(Index begin, Index end) const {
    SOMA_CHECK(shape_.rank() >= 1 && 0 <= begin && begin <= end && end <= shape_[0], "slice: [",
               begin, ", ", end, ") of ", shape_, "; need 0 <= begin <= end <= size");
    const Index row_bytes = shape_[0] == 0 ? 0 : bytes() / shape_[0];
    return view(shape_.with(0, end - begin), dtype_,
                static_cast<std::byte*>(data_) + begin * row_bytes, owner_);
}

Tensor Tensor::clone() const {
    Tensor t(shape_, dtype_);
    if (bytes() > 0) std::memcpy(t.data_, data_, static_cast<std::size_t>(bytes()));
    return t;
}

Tensor Tensor::to(DType dtype) const {
    if (dtype == dtype_) return *this;
    Tensor t(shape_, dtype);
    if (dtype == DType::f64) {
        std::ranges::copy(data<float>(), t.data<double>().begin());
    } else {
        std::ranges::transform(data<double>(), t.data<float>().begin(),
                               [](double v) { return static_cast<float>(v); });
    }
    return t;
}

Tensor Tensor::permute(std::initializer_list<int> order) const {
    const int rank = shape_.rank();
    Index sizes[Shape::kMaxRank] = {}, strides[Shape::kMaxRank] = {}, source[Shape::kMaxRank] = {};
    bool seen[Shape::kMaxRank] = {};
    SOMA_CHECK(static_cast<int>(order.size()) == rank, "permute: ", order.size(),
               " indices for shape ", shape_, "; need one a dimension");
    Index stride = 1;
    for (int i = rank - 1; i >= 0; stride *= shape_[i--]) strides[i] = stride;
    int i = 0;
    for (const int o : order) {
        SOMA_CHECK(o >= 0 && o < rank && !seen[o], "permute: index ", o, " for shape ", shape_,
                   "; need each of 0..rank-1 once");
        seen[o] = true;
        sizes[i] = shape_[o];
        source[i++] = strides[o];
    }
    Tensor t(Shape(std::span<const Index>(sizes, static_cast<std::size_t>(rank))), dtype_);
    with_dtype(dtype_, [&](auto zero) {
        using T = decltype(zero);
        const std::span<const T> in = data<T>();
        Index at[Shape::kMaxRank] = {}, from = 0;
        for (T& out : t.data<T>()) {
            out = in[static_cast<std::size_t>(from)];
            for (int d = rank - 1; d >= 0; --d) {  // odometer over the result's indices
                from += source[d];
                if (++at[d] < sizes[d]) break;
                from -= source[d] * sizes[d];
                at[d] = 0;
            }
        }
    });
    return t;
}

void Tensor::fill(double value) {
    with_dtype(dtype_, [&](auto zero) {
        using T = decltype(zero);
        std::ranges::fill(data<T>(), static_cast<T>(value));
    });
}

void Tensor::copy_from(const Tensor& other) {
    SOMA_CHECK(other.shape_ == shape_ && other.dtype_ == dtype_, "copy_from: ", other.shape_, " ",
               name_of(other.dtype_), " into ", shape_, " ", name_of(dtype_));
    if (bytes() > 0) std::memcpy(data_, other.data_, static_cast<std::size_t>(bytes()));
}

}  // namespace soma
