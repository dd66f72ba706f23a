// soma_conv2d_*: geometry, strides and memory are checked, then soma::kernels runs in the
// workspace.

#include "soma/kernels/conv.h"

#include <limits>

#include "capi/conv_workspace.h"
#include "capi/status.h"
#include "soma/core/parallel.h"

namespace soma::capi {
namespace {

using kernels::ConvGeometry;

// The least that keeps sums of a size, its padding and a dilated kernel far from overflow.
constexpr Index kLargestSize = std::numeric_limits<std::int32_t>::max();

void check_size(const char* op, const char* name, Index size) {
    require(size >= 0 && size <= kLargestSize, SOMA_ESHAPE, op, ": ", name, " is ", size,
            "; need 0 to ", kLargestSize);
}

void check_sizes(const char* op, const soma_conv2d& d) {
    const struct {
        const char* name;
        Index size;
    } fields[] = {{"n", d.n},
                  {"h", d.h},
                  {"w", d.w},
                  {"c", d.c},
                  {"kh", d.kh},
                  {"kw", d.kw},
                  {"oc", d.oc},
                  {"stride_h", d.stride_h},
                  {"stride_w", d.stride_w},
                  {"dilation_h", d.dilation_h},
                  {"dilation_w", d.dilation_w},
                  {"pad_top", d.pad_top},
                  {"pad_bottom", d.pad_bottom},
                  {"pad_left", d.pad_left},
                  {"pad_right", d.pad_right},
                  {"groups", d.groups}};
    for (const auto& field : fields) check_size(op, field.name, field.size);
}

// A tensor's strides are all 0 or those of contiguous memory, except where an axis has one element.
void check_strides(const char* op, const char* name, const int64_t (&strides)[4],
                   const Index (&sizes)[4]) {
    const bool absent = strides[0] == 0 && strides[1] == 0 && strides[2] == 0 && strides[3] == 0;
    Index contiguous = 1;
    for (int axis = 3; axis >= 0 && !absent; --axis) {
        require(sizes[axis] <= 1 || strides[axis] == contiguous, SOMA_EUNSUPPORTED, op, ": stride ",
                axis, " of ", name, " is ", strides[axis], "; contiguous memory, ", contiguous,
                ", is supported");
        contiguous *= sizes[axis];
    }
}

// The geometry, when every quantity that the kernels and their scratch compute from it fits.
ConvGeometry geometry_of(const char* op, const soma_conv2d* conv) {
    require(conv != nullptr, SOMA_EINVAL, op, ": the convolution is NULL");
    const soma_conv2d& d = *conv;
    check_sizes(op, d);
    ConvGeometry g{.n = d.n,
                   .h = d.h,
                   .w = d.w,
                   .c = d.c,
                   .kh = d.kh,
                   .kw = d.kw,
                   .oc = d.oc,
                   .stride_h = d.stride_h,
                   .stride_w = d.stride_w,
                   .dilation_h = d.dilation_h,
                   .dilation_w = d.dilation_w,
                   .pad_top = d.pad_top,
                   .pad_bottom = d.pad_bottom,
                   .pad_left = d.pad_left,
                   .pad_right = d.pad_right,
                   .groups = d.groups,
                   .pad_value = static_cast<double>(d.pad_value)};
    try {
        check_geometry(op, g);
    } catch (const Error& error) {
        throw StatusError(SOMA_ESHAPE, error.what());
    }
    const Index full_h = g.h + g.pad_top + g.pad_bottom, full_w = g.w + g.pad_left + g.pad_right;
    // One output row: its stride has no meaning, and the phases of the backward pass none either.
    g.stride_h = std::min(g.stride_h, full_h);
    g.stride_w = std::min(g.stride_w, full_w);
    const Index images = std::max<Index>(1, g.n);
    checked_product(op, {images, full_h, full_w, g.c});
    checked_product(op, {images, full_h, full_w, g.oc});
    checked_product(op, {g.kh, g.kw, g.c, g.oc, 64});
    checked_product(op, {full_w, g.kh, g.kw, g.c});
    checked_product(op, {g.stride_h, g.stride_w, g.kh, g.kw, g.oc});
    check_strides(op, "x", d.x_strides, {g.n, g.h, g.w, g.c});
    check_strides(op, "w", d.w_strides, {g.kh, g.kw, g.group_c(), g.oc});
    check_strides(op, "y", d.y_strides, {g.n, g.oh(), g.ow(), g.oc});
    return g;
}

int team() { return in_parallel() ? 1 : num_threads(); }

// Checks the arrays and the workspace, then runs f in it.
template <class F>
void run(const char* name, const ConvGeometry& g, soma_conv2d_op op, const Array& output,
         const Array& in, const Array& other, const Array& bias, void* workspace,
         std::size_t workspace_bytes, F&& f) {
    check_arrays(name, output, {in, other, bias});
    const Workspace need = conv2d_workspace(g, op, team());
    check_workspace(name, need, workspace, workspace_bytes, {output, in, other, bias});
    with_workspace(need, workspace, f);
}

constexpr Array kNoBias{"bias", nullptr, 0};

}  // namespace
}  // namespace soma::capi

extern "C" {

soma_status soma_conv2d_output_size(const soma_conv2d* conv, int64_t* oh, int64_t* ow) {
    using namespace soma::capi;
    return guarded([&] {
        constexpr const char* kName = "soma_conv2d_output_size";
        require(oh != nullptr && ow != nullptr, SOMA_EINVAL, kName, ": oh or ow is NULL");
        const auto g = geometry_of(kName, conv);
        *oh = g.oh();
        *ow = g.ow();
    });
}

soma_status soma_conv2d_workspace(const soma_conv2d* conv, soma_conv2d_op op, size_t* bytes) {
    using namespace soma::capi;
    return guarded([&] {
        constexpr const char* kName = "soma_conv2d_workspace";
        require(bytes != nullptr, SOMA_EINVAL, kName, ": bytes is NULL");
        require(op == SOMA_CONV2D_FORWARD || op == SOMA_CONV2D_BACKWARD_DATA ||
                    op == SOMA_CONV2D_BACKWARD_WEIGHTS,
                SOMA_EINVAL, kName, ": op is ", op, "; need a soma_conv2d_op");
        *bytes = conv2d_workspace(geometry_of(kName, conv), op, team()).bytes();
    });
}

soma_status soma_conv2d_forward(const soma_conv2d* conv, const float* x, const float* w,
                                const float* bias, float* y, void* workspace,
                                size_t workspace_bytes) {
    using namespace soma::capi;
    return guarded([&] {
        constexpr const char* kName = "soma_conv2d_forward";
        const auto g = geometry_of(kName, conv);
        run(kName, g, SOMA_CONV2D_FORWARD, {"y", y, g.y_count()}, {"x", x, g.x_count()},
            {"w", w, g.weight_count()}, {"bias", bias, bias != nullptr ? g.oc : 0}, workspace,
            workspace_bytes, [&] { soma::kernels::conv2d<float>(g, x, w, {.bias = bias}, y); });
    });
}

soma_status soma_conv2d_backward_data(const soma_conv2d* conv, const float* dy, const float* w,
                                      int32_t accumulate, float* dx, void* workspace,
                                      size_t workspace_bytes) {
    using namespace soma::capi;
    return guarded([&] {
        constexpr const char* kName = "soma_conv2d_backward_data";
        const auto g = geometry_of(kName, conv);
        run(kName, g, SOMA_CONV2D_BACKWARD_DATA, {"dx", dx, g.x_count()}, {"dy", dy, g.y_count()},
            {"w", w, g.weight_count()}, kNoBias, workspace, workspace_bytes,
            [&] { soma::kernels::conv2d_backward_data(g, dy, w, accumulate != 0, dx); });
    });
}

soma_status soma_conv2d_backward_weights(const soma_conv2d* conv, const float* x, const float* dy,
                                         int32_t accumulate, float* dw, void* workspace,
                                         size_t workspace_bytes) {
    using namespace soma::capi;
    return guarded([&] {
        constexpr const char* kName = "soma_conv2d_backward_weights";
        const auto g = geometry_of(kName, conv);
        run(kName, g, SOMA_CONV2D_BACKWARD_WEIGHTS, {"dw", dw, g.weight_count()},
            {"x", x, g.x_count()}, {"dy", dy, g.y_count()}, kNoBias, workspace, workspace_bytes,
            [&] { soma::kernels::conv2d_backward_weights(g, x, dy, accumulate != 0, dw); });
    });
}

}  // extern "C"
