// Forward convolution of few channels, x and w in exchanged roles: rows of a tile are output
// channels, vectors are pixels.
//
//     one image, stride 2       planes (phase of the row, phase of the column, channel)
//     a b a b a b                  aaa bbb      output (r, q) is position r row + q of each plane,
//     c d c d c d        ->        aaa bbb      tap (kh, kw) a fixed distance from there: all rows
//     a b a b a b                  ccc ddd      of a band are one vector of positions. Those past
//     c d c d c d                  ccc ddd      the end of a row are computed and not stored.
//
//     t[o, position] = CHAIN over (kh, kw, c) of wT[o, k] * plane[position + offset of k]
//     y              = t transposed, + bias, ReLU
//
// An image of one channel, with stride 1 and no padding, is its own plane. The same chain as
// conv_block.inl computes, so the same bits. Work item = (image, band of output rows).

#include "kernels/conv_planes.h"

#include "kernels/conv_epilogue.h"
#include "kernels/conv_plan.h"
#include "soma/core/parallel.h"
#include "soma/core/poll.h"

namespace soma::kernels {
namespace {

template <class T>
struct Planes {
    const ConvGeometry& g;
    const T* x;
    const ConvEpilogue<T>& epilogue;
    T* y;
    PlaneBand cut;
    ConvRows<T> product;

    void fill(Index image, Index first, T* planes) const;
    void band(Index image, Index first, Index rows, T* planes, T* sums) const;
};

// All planes of the band from output row `first`, one plane row at a time.
template <class T>
void Planes<T>::fill(Index image, Index first, T* planes) const {
    const Index x_step = g.stride_w * g.c;
    const T outside = static_cast<T>(g.pad_value);
    for (Index p = 0; p < cut.planes; ++p) {
        const Index c = p % g.c, pw = p / g.c % g.stride_w, ph = p / g.c / g.stride_w;
        // Columns [begin, end) lie inside the image.
        const Index begin =
            std::min(cut.row, ceil_div(std::max<Index>(0, g.pad_left - pw), g.stride_w));
        const Index inside = ceil_div(std::max<Index>(0, g.w + g.pad_left - pw), g.stride_w);
        const Index end = std::clamp(inside, begin, cut.row);
        for (Index r = 0; r < cut.height; ++r, planes += cut.row) {
            const Index ih = (first + r) * g.stride_h + ph - g.pad_top;
            if (ih < 0 || ih >= g.h) {
                std::fill_n(planes, cut.row, outside);
                continue;
            }
            const T* from = x + (image * g.h + ih) * g.w * g.c + (pw - g.pad_left) * g.c + c;
            std::fill_n(planes, begin, outside);
            for (Index q = begin; q < end; ++q) planes[q] = from[q * x_step];
            std::fill(planes + end, planes + cut.row, outside);
        }
    }
}

template <class T>
void Planes<T>::band(Index image, Index first, Index rows, T* planes, T* sums) const {
    ConvRows<T> task = product;
    task.w = planes;
    if (is_plane(g)) {
        task.w = x + (image * g.h + first) * g.w;
    } else {
        fill(image, first, planes);
    }
    task.channels = task.panel = (rows - 1) * cut.row + g.ow();
    task.y = sums;
    const ConvTable<T>& kernels = table<T>().conv;
    kernels.rows(task);
    const Index in_image = first * g.ow() * g.oc;
    ConvRows<T> done{};
    done.y = y + image * g.oh() * g.ow() * g.oc + in_image;
    done.rows = rows;
    done.pixels = g.ow();
    done.channels = done.y_pixel = g.oc;
    for (Index r = 0; r < rows; ++r) {
        kernels.interleave(g.ow(), g.oc, sums + r * cut.row, task.y_pixel, epilogue.bias,
                           fused_relu(epilogue), done.y + r * g.ow() * g.oc);
    }
    finish(epilogue, done, in_image);
}

// The reduction, x and w exchanged: a is where k is in wT, b where its tap is in the planes.
ConvSegments plane_segments(ScratchScope& scratch, const ConvGeometry& g, const PlaneBand& cut,
                            Index plane_step) {
    SegmentBuilder builder(scratch, g.kh * g.kw, g.c);
    for (Index tap = 0; tap < g.kh * g.kw; ++tap) {
        const Index h = tap / g.kw * g.dilation_h, w = tap % g.kw * g.dilation_w;
        const Index phase = h % g.stride_h * g.stride_w + w % g.stride_w;
        const Index at = h / g.stride_h * cut.row + w / g.stride_w;
        builder.append(tap * g.c, phase * g.c * cut.plane() + at, g.c, plane_step);
    }
    return builder.finish();
}

}  // namespace

template <class T>
void forward_by_planes(const ConvGeometry& g, const T* x, const T* w,
                       const ConvEpilogue<T>& epilogue, T* y) {
    ScratchScope scratch;
    const PlaneBand cut = plane_band(g);
    const Index width = table<T>().width, k = g.kh * g.kw * g.c, ldw = round_up(k, width);
    const Index sums_step = cut.sums_step(width);
    T* transposed = scratch.array<T>(g.oc * ldw);
    table<T>().gemm.transpose(k, g.oc, w, g.oc, transposed, ldw);
    ConvRows<T> product{};
    product.ldw = g.c == 1 ? 1 : cut.plane();  // neighbours in a kernel row, or in c
    product.segments = plane_segments(scratch, g, cut, product.ldw);
    product.x = transposed;
    product.x_pixel = ldw;
    product.y_pixel = sums_step;
    product.rows = 1;
    product.pixels = g.oc;
    const Planes<T> plan{g, x, epilogue, y, cut, product};

    const Index bands = ceil_div(g.oh(), cut.rows), items = g.n * bands;
    parallel_for(
        items, grain_of(g.flop() / static_cast<double>(items)), [&](Index begin, Index end) {
            ScratchScope local;
            T* planes = is_plane(g) ? nullptr : local.array<T>(cut.planes * cut.plane());
            T* sums = local.array<T>(width * sums_step);
            std::fill_n(sums, width * sums_step, T{0});  // `interleave` reads all
            for (Index i = begin; i < end; ++i) {
                poll();
                const Index first = i % bands * cut.rows;
                plan.band(i / bands, first, std::min(cut.rows, g.oh() - first), planes, sums);
            }
        });
}

template void forward_by_planes(const ConvGeometry&, const float*, const float*,
                                const ConvEpilogue<float>&, float*);
template void forward_by_planes(const ConvGeometry&, const double*, const double*,
                                const ConvEpilogue<double>&, double*);

}  // namespace soma::kernels
