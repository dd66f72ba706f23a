#pragma once
// The epilogue of a forward convolution: bias and ReLU in the kernel's registers, the rest as a
// pass over rows that are still in cache.

#include "soma/kernels/conv.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/table/conv.h"

namespace soma::kernels {

// ReLU is applied in registers unless a unit bias comes between.
template <class T>
bool fused_relu(const ConvEpilogue<T>& e) {
    return e.activation == Activation::relu && e.unit_bias == nullptr;
}

// What the kernel has left to do on the rows that `task` wrote; the first of its values is
// in_image behind the start of an image.
template <class T>
void finish(const ConvEpilogue<T>& e, const ConvRows<T>& task, Index in_image) {
    const bool activate = e.activation != Activation::none && !fused_relu(e);
    if (e.unit_bias == nullptr && !activate) return;
    const ElementwiseTable<T>& kernels = table<T>().elementwise;
    const bool whole = task.channels == task.y_pixel;  // all pixels are one run
    const Index runs = whole ? 1 : task.rows * task.pixels;
    const Index run = whole ? task.rows * task.pixels * task.channels : task.channels;
    for (Index i = 0; i < runs; ++i) {
        T* y = task.y + i * task.y_pixel;
        if (e.unit_bias != nullptr) {
            kernels.binary(Binary::add, run, y, 1, e.unit_bias + in_image + i * task.y_pixel, 1, y);
        }
        if (activate) kernels.activation(e.activation, e.slope, run, y, y);
    }
}

}  // namespace soma::kernels
