#pragma once
// One axis of a shape, for ops that work along it.

#include "soma/core/error.h"
#include "soma/tensor/shape.h"

namespace soma::ops {

// Non-negative number of the axis; Error(usage) when it does not exist.
inline int checked_axis(const char* op, const Shape& shape, int axis) {
    const int rank = shape.rank();
    SOMA_CHECK(axis >= -rank && axis < rank, op, ": axis is ", axis, ", x is ", shape,
               "; need -rank <= axis < rank");
    return axis < 0 ? axis + rank : axis;
}

// A shape seen from one axis: [outer, n, inner].
struct AxisView {
    Index outer = 1, n = 1, inner = 1;

    AxisView() = default;
    AxisView(const Shape& shape, int axis) : n(shape[axis]) {
        for (int d = 0; d < axis; ++d) outer *= shape[d];
        for (int d = axis + 1; d < shape.rank(); ++d) inner *= shape[d];
    }
};

}  // namespace soma::ops
