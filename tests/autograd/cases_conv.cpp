// Op cases of ops/conv.h: every option of conv2d and conv_transpose2d on small images.

#include "soma/autograd/ops/conv.h"

#include <algorithm>

#include "support/op_cases.h"

namespace soma::test {
namespace {

using Function = Scalar (*)(const Scalar&);

Scalar identity(const Scalar& x) { return x; }
Scalar scaled_tanh(const Scalar& x) { return Scalar(1.7159) * tanh(Scalar(2.0 / 3.0) * x); }
Scalar logistic(const Scalar& x) { return Scalar(1) / (Scalar(1) + exp(-x)); }
Scalar silu(const Scalar& x) { return x * logistic(x); }

struct ConvCase {
    std::string variant;
    Shape x, w;
    Shape bias;  // one element: none
    Conv2dOptions options = {};
    Function f = identity;
};

// 2 x 3 channels: output 0 sees both inputs, 1 the first, 2 the second.
const std::vector<std::uint8_t> kTable = {1, 1, 0, 1, 0, 1};

Index out_size(Index size, Index before, Index after, Index kernel, Index stride, Index dilation) {
    return (size + before + after - dilation * (kernel - 1) - 1) / stride + 1;
}

// One output element: the definition, with the input outside the image replaced by pad_value.
Scalar conv_element(const ConvCase& c, const Scalars& x, const Scalars& w, Index n, Index oh,
                    Index ow, Index o) {
    const Conv2dOptions& k = c.options;
    const Index group_c = c.w[2], first_c = o / (c.w[3] / k.groups) * group_c;
    Scalar sum;
    for (Index tap = 0; tap < c.w[0] * c.w[1]; ++tap) {
        const Index ih = oh * k.stride.h + tap / c.w[1] * k.dilation.h - k.padding.top;
        const Index iw = ow * k.stride.w + tap % c.w[1] * k.dilation.w - k.padding.left;
        const bool inside = ih >= 0 && ih < c.x[1] && iw >= 0 && iw < c.x[2];
        for (Index i = 0; i < group_c; ++i) {
            if (!k.table.empty() && k.table[static_cast<std::size_t>(i * c.w[3] + o)] == 0)
                continue;
            const Index at = ((n * c.x[1] + ih) * c.x[2] + iw) * c.x[3] + first_c + i;
            const Scalar pixel = inside ? x[static_cast<std::size_t>(at)] : Scalar(k.pad_value);
            sum += pixel * w[static_cast<std::size_t>((tap * group_c + i) * c.w[3] + o)];
        }
    }
    return sum;
}

Scalars conv_oracle(const ConvCase& c, const std::vector<Scalars>& v) {
    const Conv2dOptions& k = c.options;
    const Padding2& p = k.padding;
    const Index oh = out_size(c.x[1], p.top, p.bottom, c.w[0], k.stride.h, k.dilation.h);
    const Index ow = out_size(c.x[2], p.left, p.right, c.w[1], k.stride.w, k.dilation.w);
    const Index image = oh * ow * c.w[3];
    Scalars y;
    for (Index i = 0; i < c.x[0] * image; ++i) {
        const Index in_image = i % image;
        Scalar t = conv_element(c, v[0], v[1], i / image, in_image / c.w[3] / ow,
                                in_image / c.w[3] % ow, in_image % c.w[3]);
        if (v.size() > 2) t += v[2][static_cast<std::size_t>(in_image % c.bias.count())];
        y.push_back(c.f(t));
    }
    return y;
}

// Roundings that stand for Winograd's norm-wise bound d L C of kernels/winograd.h.
Index winograd_depth(const ConvCase& c) {
    if (!c.options.winograd) return 0;
    const bool small = *c.options.winograd == kernels::WinogradTile::f2x2;
    const Index channels = std::max(c.w[2], c.w[3]);
    return (small ? 64 : 620) * channels * ((small ? 10 : 22) + channels);
}

OpCase conv_case(const ConvCase& c) {
    const bool bias = c.bias.count() > 1;
    OpCase row;
    row.name = "conv2d/" + c.variant;
    row.inputs = {c.x, c.w};
    if (bias) row.inputs.push_back(c.bias);
    row.op = [c, bias](Tape&, std::span<const Var> v) {
        return conv2d(v[0], v[1], bias ? v[2] : Var{}, c.options);
    };
    row.oracle = [c](const std::vector<Scalars>& v) { return conv_oracle(c, v); };
    row.bad = [](Tape& tape) {
        conv2d(tape.input(Tensor::zeros({1, 5, 5, 3})), tape.input(Tensor::zeros({3, 3, 2, 4})));
    };
    row.low = -1;
    row.high = 1;
    row.depth = c.x.count() / c.x[3] * c.w.count() / c.w[3] + winograd_depth(c);
    return row;
}

// y[ih] += x[oh] w[kh] with ih = oh s + kh d - pad: the definition of the transpose.
Scalars transpose_oracle(const Shape& x, const Shape& w, const Shape& y,
                         const ConvTranspose2dOptions& k, const std::vector<Scalars>& v) {
    Scalars out(static_cast<std::size_t>(y.count()));
    const Index group_oc = w[2], group_c = w[3] / k.groups;
    for (Index i = 0; i < x.count(); ++i) {
        const Index c = i % x[3], iw = i / x[3] % x[2], ih = i / x[3] / x[2] % x[1];
        const Index n = i / x[3] / x[2] / x[1], group = c / group_c;
        for (Index tap = 0; tap < w[0] * w[1]; ++tap) {
            const Index oh = ih * k.stride.h + tap / w[1] * k.dilation.h - k.padding.top;
            const Index ow = iw * k.stride.w + tap % w[1] * k.dilation.w - k.padding.left;
            if (oh < 0 || oh >= y[1] || ow < 0 || ow >= y[2]) continue;
            for (Index o = 0; o < group_oc; ++o) {
                const Index at = ((n * y[1] + oh) * y[2] + ow) * y[3] + group * group_oc + o;
                out[static_cast<std::size_t>(at)] +=
                    v[0][static_cast<std::size_t>(i)] *
                    v[1][static_cast<std::size_t>((tap * group_oc + o) * w[3] + c)];
            }
        }
    }
    for (std::size_t i = 0; v.size() > 2 && i < out.size(); ++i) out[i] += v[2][i % v[2].size()];
    return out;
}

OpCase transpose_case(const std::string& variant, const Shape& x, const Shape& w, const Shape& y,
                      const ConvTranspose2dOptions& options, Function f = identity) {
    OpCase row;
    row.name = "conv_transpose2d/" + variant;
    row.inputs = {x, w, {y[3]}};
    row.op = [options](Tape&, std::span<const Var> v) {
        return conv_transpose2d(v[0], v[1], v[2], options);
    };
    row.oracle = [=](const std::vector<Scalars>& v) {
        Scalars out = transpose_oracle(x, w, y, options, v);
        for (Scalar& s : out) s = f(s);
        return out;
    };
    row.bad = [](Tape& tape) {
        conv_transpose2d(tape.input(Tensor::zeros({1, 4, 4, 3})),
                         tape.input(Tensor::zeros({3, 3, 2, 4})));
    };
    row.low = -1;
    row.high = 1;
    row.depth = x.count() / x[3] * w.count() / w[2];
    return row;
}

}  // namespace

std::vector<OpCase> conv_cases() {
    std::vector<OpCase> rows;
    const Shape none{};
    const ConvCase conv[] = {
        {"plain", {2, 5, 6, 6}, {3, 3, 6, 5}, none, {}},
        {"pointwise", {2, 3, 4, 6}, {1, 1, 6, 5}, {5}, {}},
        {"stride_asymmetric_padding",
         {1, 6, 7, 5},
         {3, 2, 5, 3},
         {3},
         {.stride = {2, 3}, .padding = {1, 0, 2, 1}, .pad_value = -0.5}},
        {"dilation", {1, 7, 8, 5}, {3, 2, 5, 4}, {4}, {.padding = 2, .dilation = {2, 3}}},
        {"stride_and_dilation",
         {1, 8, 9, 5},
         {2, 3, 5, 3},
         none,
         {.stride = {2, 2}, .padding = {1, 2, 3, 1}, .dilation = {3, 2}}},
        {"stride_beyond_kernel", {1, 7, 7, 5}, {2, 1, 5, 3}, none, {.stride = 3}},
        {"groups", {2, 5, 4, 6}, {3, 2, 2, 9}, {9}, {.padding = 1, .groups = 3}},
        {"depthwise",
         {2, 5, 6, 7},
         {3, 2, 1, 7},
         {7},
         {.stride = 2, .padding = {1, 1, 0, 1}, .pad_value = 0.25, .groups = 7}},
        {"depthwise_multiplier", {1, 5, 4, 3}, {2, 3, 1, 6}, {6}, {.padding = 1, .groups = 3}},
        {"one_channel",
         {2, 6, 6, 1},
         {5, 5, 1, 3},
         {3, 3, 3},
         {.stride = 2, .padding = 2, .pad_value = -1, .activation = Activation::scaled_tanh},
         scaled_tanh},
        {"few_channels_dilated", {1, 6, 7, 3}, {3, 2, 3, 4}, none, {.padding = 1, .dilation = 2}},
        {"table", {2, 4, 4, 2}, {3, 3, 2, 3}, {2, 2, 3}, {.table = kTable}},
        {"saved_input",
         {1, 4, 5, 5},
         {2, 3, 5, 3},
         {3},
         {.padding = 1, .activation = Activation::silu},
         silu},
        {"winograd_2x2",
         {2, 5, 6, 4},
         {3, 3, 4, 5},
         {5},
         {.padding = {1, 0, 2, 1},
          .pad_value = -0.5,
          .activation = Activation::tanh,
          .winograd = kernels::WinogradTile::f2x2},
         tanh},
        {"winograd_4x4",
         {2, 6, 5, 4},
         {3, 3, 4, 5},
         {6, 5, 5},
         {.padding = 1, .activation = Activation::silu, .winograd = kernels::WinogradTile::f4x4},
         silu},
        {"winograd_table",
         {1, 5, 5, 2},
         {3, 3, 2, 3},
         none,
         {.padding = 1, .table = kTable, .winograd = kernels::WinogradTile::f2x2}},
    };
    for (const ConvCase& c : conv) rows.push_back(conv_case(c));
    rows.push_back(transpose_case("plain", {2, 3, 4, 5}, {3, 2, 6, 5}, {2, 5, 5, 6}, {}));
    rows.push_back(
        transpose_case("stride_output_padding", {1, 3, 2, 5}, {3, 4, 5, 5}, {1, 6, 5, 5},
                       {.stride = {2, 3}, .padding = {1, 1, 1, 2}, .output_padding = {1, 1}}));
    rows.push_back(transpose_case("groups_dilation", {1, 3, 3, 4}, {2, 2, 3, 4}, {1, 5, 5, 6},
                                  {.dilation = 2, .groups = 2}));
    rows.push_back(transpose_case("few_channels", {1, 3, 3, 5}, {2, 2, 3, 5}, {1, 6, 6, 3},
                                  {.stride = 2, .activation = Activation::silu}, silu));
    return rows;
}

}  // namespace soma::test
