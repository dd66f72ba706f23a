// Convolution layers: checks, parameters and default initialisation; the arithmetic is in
// ops/conv.h. A bias for each unit has the shape of the output, so that layer must be told its
// image size.

#include "soma/nn/conv.h"

#include <algorithm>

namespace soma::nn {
namespace {

void check_channels(const char* layer, const std::string& name, Index in, Index out, Index groups,
                    Size2 kernel) {
    SOMA_CHECK(in >= 1 && out >= 1 && groups >= 1 && in % groups == 0 && out % groups == 0, layer,
               " '", name, "': in is ", in, ", out is ", out, ", groups is ", groups,
               "; need groups that divide both");
    SOMA_CHECK(kernel.h >= 1 && kernel.w >= 1, layer, " '", name, "': kernel is [", kernel.h, ", ",
               kernel.w, "]; need at least 1");
}

// A layer that Winograd cannot do is refused before its first image.
void check_winograd_layer(Index in, Index out, Size2 kernel, const Conv2dOptions& o) {
    if (!o.winograd) return;
    kernels::ConvGeometry g{.n = 0, .c = in, .kh = kernel.h, .kw = kernel.w, .oc = out};
    g.h = o.dilation.h * kernel.h, g.w = o.dilation.w * kernel.w;  // an image that is large enough
    g.stride_h = o.stride.h, g.stride_w = o.stride.w;
    g.dilation_h = o.dilation.h, g.dilation_w = o.dilation.w;
    g.groups = o.groups;
    kernels::check_winograd("Conv2d", g);
}

Index window_positions(Index size, Index before, Index after, Index kernel, Index dilation,
                       Index stride) {
    return (size + before + after - dilation * (kernel - 1) - 1) / stride + 1;
}

}  // namespace

Conv2d::Conv2d(ParameterStore& store, const std::string& name, Index in, Index out,
               const Conv2dLayerOptions& options)
    : store_(&store),
      conv_(options.conv),
      table_(options.conv.table.begin(), options.conv.table.end()) {
    const Size2 kernel = options.kernel, image = options.image;
    check_channels("Conv2d", name, in, out, conv_.groups, kernel);
    check_winograd_layer(in, out, kernel, conv_);
    const Index fan_in = kernel.h * kernel.w * in / conv_.groups;
    weight_ = store.add(name + ".weight", {kernel.h, kernel.w, in / conv_.groups, out},
                        options.weight.value_or(Init::he_uniform(fan_in)));
    if (options.bias == ConvBias::none) return;
    Shape shape{out};
    if (options.bias == ConvBias::unit) {
        SOMA_CHECK(image.h >= 1 && image.w >= 1, "Conv2d '", name, "': image is [", image.h, ", ",
                   image.w, "]; one bias per unit needs the size of the input");
        const Padding2& pad = conv_.padding;
        shape = {window_positions(image.h, pad.top, pad.bottom, kernel.h, conv_.dilation.h,
                                  conv_.stride.h),
                 window_positions(image.w, pad.left, pad.right, kernel.w, conv_.dilation.w,
                                  conv_.stride.w),
                 out};
    }
    bias_ = store.add(name + ".bias", shape, options.bias_init, false);
}

Var Conv2d::operator()(Var x) const {
    Tape& tape = x.tape();
    const Var w = store_->var(tape, weight_);
    const Var b = bias_ < 0 ? Var{} : store_->var(tape, bias_);
    Conv2dOptions options = conv_;
    options.table = table_;
    return conv2d(x, w, b, options);
}

Index Conv2d::unconnected_weights() const {
    const Shape& w = store_->entry(weight_).shape;
    return w[0] * w[1] * std::count(table_.begin(), table_.end(), std::uint8_t{0});
}

ConvTranspose2d::ConvTranspose2d(ParameterStore& store, const std::string& name, Index in,
                                 Index out, const ConvTranspose2dLayerOptions& options)
    : store_(&store), conv_(options.conv) {
    const Size2 kernel = options.kernel;
    check_channels("ConvTranspose2d", name, in, out, conv_.groups, kernel);
    const Index fan_in = kernel.h * kernel.w * in / conv_.groups;
    weight_ = store.add(name + ".weight", {kernel.h, kernel.w, out / conv_.groups, in},
                        options.weight.value_or(Init::he_uniform(fan_in)));
    if (options.bias) bias_ = store.add(name + ".bias", {out}, options.bias_init, false);
}

Var ConvTranspose2d::operator()(Var x) const {
    Tape& tape = x.tape();
    const Var w = store_->var(tape, weight_);
    const Var b = bias_ < 0 ? Var{} : store_->var(tape, bias_);
    return conv_transpose2d(x, w, b, conv_);
}

}  // namespace soma::nn
