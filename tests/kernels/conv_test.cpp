// Convolution kernels against their reference, and the promises of soma/kernels/conv.h.
//
// Bounds. With d roundings in the longest chain of a result, |r - r*| <= gamma_d sum |terms|,
// gamma_d = d u / (1 - d u). CHAIN over K terms: d = min(K, 256) + ceil(K / 256) - 1. TREE over P
// pixels: d = min(P, 256) + ceil(log2(ceil(P / 256))). The column form of dx adds KH KW roundings.

#include "soma/kernels/conv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/conv_shapes.h"
#include "kernels/ref/conv.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/core/rng.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/gemm.h"
#include "support/every_isa.h"
#include "support/guarded.h"
#include "support/zip_code.h"

namespace soma::kernels {
namespace {

using test::conv_shapes;
using test::on_every_isa;
using test::uniform;
using test::zip_code_h1;
using test::zip_code_h2;

std::string describe(const ConvGeometry& g) {
    return concat("x [", g.n, ", ", g.h, ", ", g.w, ", ", g.c, "], w [", g.kh, ", ", g.kw, ", ",
                  g.group_c(), ", ", g.oc, "], stride ", g.stride_h, " ", g.stride_w, ", dilation ",
                  g.dilation_h, " ", g.dilation_w, ", groups ", g.groups);
}

template <class T>
using List = std::vector<T>;

// Integers in [-4, 4]: every product and sum of the shapes above is exact in f32.
template <class T>
List<T> integers(Index n, std::uint32_t tag) {
    List<T> list(static_cast<std::size_t>(n));
    RandomSequence random(make_key(8, Purpose::analysis_seeds, 0, tag));
    for (T& v : list) v = static_cast<T>(random.below(9)) - T{4};
    return list;
}
template <class T>
List<T> magnitudes(List<T> list) {
    for (T& v : list) v = std::abs(v);
    return list;
}

template <class T>
struct Operands {
    List<T> x, w, dy;
};
template <class T>
Operands<T> random_operands(const ConvGeometry& g) {
    return {uniform<T>(g.x_count(), 1), uniform<T>(g.weight_count(), 2),
            uniform<T>(g.y_count(), 3)};
}
template <class T>
Operands<T> integer_operands(const ConvGeometry& g) {
    return {integers<T>(g.x_count(), 1), integers<T>(g.weight_count(), 2),
            integers<T>(g.y_count(), 3)};
}

template <class T>
struct Results {
    List<T> y, dx, dw;
    bool operator==(const Results&) const = default;
};
// NaN where nothing is written: overwriting passes must not read it.
template <class T>
List<T> unwritten(Index n) {
    return List<T>(static_cast<std::size_t>(n), std::numeric_limits<T>::quiet_NaN());
}
template <class T>
Results<T> run(const ConvGeometry& g, const Operands<T>& in) {
    Results<T> r{unwritten<T>(g.y_count()), unwritten<T>(g.x_count()),
                 unwritten<T>(g.weight_count())};
    conv2d(g, in.x.data(), in.w.data(), {}, r.y.data());
    conv2d_backward_data(g, in.dy.data(), in.w.data(), false, r.dx.data());
    conv2d_backward_weights(g, in.x.data(), in.dy.data(), false, r.dw.data());
    return r;
}
template <class T>
Results<ref::Wide<T>> run_reference(const ConvGeometry& g, const Operands<T>& in) {
    using W = ref::Wide<T>;
    Results<W> r{unwritten<W>(g.y_count()), unwritten<W>(g.x_count()),
                 unwritten<W>(g.weight_count())};
    ref::conv2d(g, in.x.data(), in.w.data(), r.y.data());
    ref::conv2d_backward_data(g, in.dy.data(), in.w.data(), r.dx.data());
    ref::conv2d_backward_weights(g, in.x.data(), in.dy.data(), r.dw.data());
    return r;
}

Index chain_depth(Index k) { return std::min<Index>(k, 256) + ceil_div(k, 256) - 1; }
Index tree_depth(Index p) {
    Index levels = 0;
    for (Index leaves = ceil_div(p, 256); leaves > 1; leaves = ceil_div(leaves, 2)) ++levels;
    return std::min<Index>(p, 256) + levels;
}

template <class T>
void expect_within(const List<T>& actual, const List<ref::Wide<T>>& exact,
                   const List<ref::Wide<T>>& terms, Index depth, const char* what) {
    const double du = static_cast<double>(depth) * (sizeof(T) == 4 ? 0x1p-24 : 0x1p-53);
    const double gamma = du / (1 - du);
    for (std::size_t i = 0; i < actual.size(); ++i) {
        const auto error = std::abs(static_cast<ref::Wide<T>>(actual[i]) - exact[i]);
        ASSERT_LE(static_cast<double>(error), gamma * static_cast<double>(terms[i]))
            << what << " " << i << ": " << actual[i] << " instead of " << exact[i];
    }
}

template <class T>
class Conv : public testing::Test {};
using ElementTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(Conv, ElementTypes);

TYPED_TEST(Conv, StaysWithinTheRoundingBound) {
    for (const ConvGeometry& g : conv_shapes()) {
        SCOPED_TRACE(describe(g));
        const auto in = random_operands<TypeParam>(g);
        const auto exact = run_reference(g, in);
        ConvGeometry absolute = g;
        absolute.pad_value = std::abs(g.pad_value);
        const auto terms = run_reference(
            absolute, Operands<TypeParam>{magnitudes(in.x), magnitudes(in.w), magnitudes(in.dy)});
        on_every_isa([&] {
            const auto actual = run(g, in);
            const Index taps = g.kh * g.kw;
            expect_within(actual.y, exact.y, terms.y, chain_depth(taps * g.group_c()), "y");
            expect_within(actual.dx, exact.dx, terms.dx, chain_depth(taps * g.group_oc()) + taps,
                          "dx");
            expect_within(actual.dw, exact.dw, terms.dw, tree_depth(g.n * g.oh() * g.ow()), "dw");
        });
    }
}

TYPED_TEST(Conv, IsExactOnIntegers) {
    for (ConvGeometry g : conv_shapes()) {
        SCOPED_TRACE(describe(g));
        g.pad_value = std::round(4 * g.pad_value);
        const auto in = integer_operands<TypeParam>(g);
        const auto exact = run_reference(g, in);
        on_every_isa([&] {
            const auto actual = run(g, in);
            EXPECT_EQ(List<ref::Wide<TypeParam>>(actual.y.begin(), actual.y.end()), exact.y);
            EXPECT_EQ(List<ref::Wide<TypeParam>>(actual.dx.begin(), actual.dx.end()), exact.dx);
            EXPECT_EQ(List<ref::Wide<TypeParam>>(actual.dw.begin(), actual.dw.end()), exact.dw);
        });
    }
}

// <conv(x, w), dy> = <x, dx> = <w, dw> without padding; exact on integers.
TYPED_TEST(Conv, BackwardPassesAreAdjoint) {
    for (ConvGeometry g : conv_shapes()) {
        SCOPED_TRACE(describe(g));
        g.pad_value = 0;
        const auto in = integer_operands<TypeParam>(g);
        const auto inner = [](const List<TypeParam>& a, const List<TypeParam>& b) {
            double sum = 0;
            for (std::size_t i = 0; i < a.size(); ++i) {
                sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
            }
            return sum;
        };

        const auto r = run(g, in);

        EXPECT_EQ(inner(r.y, in.dy), inner(in.x, r.dx));
        EXPECT_EQ(inner(r.y, in.dy), inner(in.w, r.dw));
    }
}

TYPED_TEST(Conv, SameBitsForEveryIsaAndThreadCount) {
    for (const ConvGeometry& g : conv_shapes()) {
        SCOPED_TRACE(describe(g));
        const auto in = random_operands<TypeParam>(g);
        const auto expected = run(g, in);
        on_every_isa([&] { EXPECT_EQ(run(g, in), expected); });
    }
}

// Many leaves, so that threads also split them: TREE must not depend on the chunks.
TYPED_TEST(Conv, LeafChunksDoNotChangeTheBits) {
    const ConvGeometry g{.n = 37,
                         .h = 28,
                         .w = 28,
                         .c = 1,
                         .kh = 3,
                         .kw = 3,
                         .oc = 32,
                         .pad_top = 1,
                         .pad_bottom = 1,
                         .pad_left = 1,
                         .pad_right = 1};
    const auto in = random_operands<TypeParam>(g);
    const auto with_threads = [&](int threads) {
        const int before = num_threads();
        set_num_threads(threads);
        auto dw = unwritten<TypeParam>(g.weight_count());
        conv2d_backward_weights(g, in.x.data(), in.dy.data(), false, dw.data());
        set_num_threads(before);
        return dw;
    };

    const auto expected = with_threads(1);

    for (const int threads : {2, 3, 7, 16}) EXPECT_EQ(with_threads(threads), expected) << threads;
}

TYPED_TEST(Conv, EqualsIm2colFollowedByGemmBitForBit) {
    using T = TypeParam;
    for (const ConvGeometry& g : conv_shapes()) {
        SCOPED_TRACE(describe(g));
        const auto in = random_operands<T>(g);
        const auto actual = run(g, in);
        const Index m = g.n * g.oh() * g.ow(), k = g.kh * g.kw * g.group_c(), n = g.group_oc();
        List<T> columns(static_cast<std::size_t>(m * k));
        auto y = unwritten<T>(g.y_count()), dw = unwritten<T>(g.weight_count());
        for (Index group = 0; group < g.groups; ++group) {
            im2col(g, group, in.x.data(), columns.data());
            gemm<T>({.m = m,
                     .n = n,
                     .k = k,
                     .a = columns.data(),
                     .lda = k,
                     .b = in.w.data() + group * n,
                     .ldb = g.oc,
                     .c = y.data() + group * n,
                     .ldc = g.oc});
            gemm<T>({.op_a = Op::T,
                     .m = k,
                     .n = n,
                     .k = m,
                     .a = columns.data(),
                     .lda = k,
                     .b = in.dy.data() + group * n,
                     .ldb = g.oc,
                     .c = dw.data() + group * n,
                     .ldc = g.oc,
                     .order = Order::tree});
        }
        EXPECT_EQ(actual.y, y);
        EXPECT_EQ(actual.dw, dw);
    }
}

TYPED_TEST(Conv, EachImageOfABatchEqualsTheImageAlone) {
    for (ConvGeometry g : {zip_code_h2(3), conv_shapes()[5], conv_shapes()[9]}) {
        SCOPED_TRACE(describe(g));
        const auto in = random_operands<TypeParam>(g);
        const auto batch = run(g, in);
        const auto part = [&](const List<TypeParam>& all, Index image) {
            const auto size = static_cast<std::ptrdiff_t>(all.size()) / g.n;
            return List<TypeParam>(all.begin() + image * size, all.begin() + (image + 1) * size);
        };
        ConvGeometry one = g;
        one.n = 1;
        for (Index image = 0; image < g.n; ++image) {
            const auto alone =
                run(one, Operands<TypeParam>{part(in.x, image), in.w, part(in.dy, image)});
            EXPECT_EQ(alone.y, part(batch.y, image));
            EXPECT_EQ(alone.dx, part(batch.dx, image));
        }
    }
}

TYPED_TEST(Conv, AccumulatingAddsTheGradientWithOneRounding) {
    for (const ConvGeometry& g : conv_shapes()) {
        SCOPED_TRACE(describe(g));
        const auto in = random_operands<TypeParam>(g);
        const auto fresh = run(g, in);
        auto dw = uniform<TypeParam>(g.weight_count(), 4), expected = dw;
        for (std::size_t i = 0; i < dw.size(); ++i) expected[i] += fresh.dw[i];

        conv2d_backward_weights(g, in.x.data(), in.dy.data(), true, dw.data());

        EXPECT_EQ(dw, expected);
    }
}

TYPED_TEST(Conv, AccumulatingDataGradientKeepsWhatWasThere) {
    for (const ConvGeometry& g : conv_shapes()) {
        SCOPED_TRACE(describe(g));
        const auto in = integer_operands<TypeParam>(g);
        auto expected = run(g, in).dx;
        auto dx = integers<TypeParam>(g.x_count(), 4);
        for (std::size_t i = 0; i < dx.size(); ++i) expected[i] += dx[i];

        conv2d_backward_data(g, in.dy.data(), in.w.data(), true, dx.data());

        EXPECT_EQ(dx, expected);
    }
}

TYPED_TEST(Conv, ReadsAndWritesNothingOutsideItsArrays) {
    using test::Guarded;
    for (const ConvGeometry& g : conv_shapes()) {
        SCOPED_TRACE(describe(g));
        const auto in = random_operands<TypeParam>(g);
        const auto expected = run(g, in);
        on_every_isa([&] {
            for (const test::Edge edge : {test::Edge::begin, test::Edge::end}) {
                Guarded<TypeParam> x(in.x, edge), w(in.w, edge), dy(in.dy, edge);
                Guarded<TypeParam> y(g.y_count(), edge), dx(g.x_count(), edge);
                Guarded<TypeParam> dw(g.weight_count(), edge);
                conv2d(g, x.data(), w.data(), {}, y.data());
                conv2d_backward_data(g, dy.data(), w.data(), false, dx.data());
                conv2d_backward_weights(g, x.data(), dy.data(), false, dw.data());
                EXPECT_EQ((Results<TypeParam>{y.copy(), dx.copy(), dw.copy()}), expected);
            }
        });
    }
}

TYPED_TEST(Conv, EpilogueAddsBiasThenUnitBiasThenActivates) {
    using T = TypeParam;
    for (ConvGeometry g : {zip_code_h1(2), zip_code_h2(2), conv_shapes()[5], conv_shapes()[12],
                           conv_shapes()[21], conv_shapes()[22]}) {
        SCOPED_TRACE(describe(g));
        const auto in = random_operands<T>(g);
        const auto bias = uniform<T>(g.oc, 5), unit_bias = uniform<T>(g.oh() * g.ow() * g.oc, 6);
        auto expected = run(g, in).y;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            expected[i] += bias[i % bias.size()];
            expected[i] += unit_bias[i % unit_bias.size()];
        }
        for (const Activation f : {Activation::none, Activation::relu, Activation::scaled_tanh}) {
            auto activated = expected;
            table<T>().elementwise.activation(f, T{0}, g.y_count(), expected.data(),
                                              activated.data());
            on_every_isa([&] {
                auto y = unwritten<T>(g.y_count());
                conv2d(g, in.x.data(), in.w.data(), {bias.data(), unit_bias.data(), f, T{0}},
                       y.data());
                EXPECT_EQ(y, activated);
            });
        }
    }
}

TYPED_TEST(Conv, NaNReachesExactlyTheOutputsThatReadIt) {
    const ConvGeometry g = zip_code_h2(1);
    auto in = random_operands<TypeParam>(g);
    in.x[static_cast<std::size_t>((4 * 8 + 1) * g.c)] = std::numeric_limits<TypeParam>::quiet_NaN();

    const auto y = run(g, in).y;

    for (Index oh = 0; oh < 4; ++oh) {
        for (Index ow = 0; ow < 4; ++ow) {
            const bool reads = std::abs(2 * oh - 4) <= 2 && std::abs(2 * ow - 1) <= 2;
            EXPECT_EQ(std::isnan(y[static_cast<std::size_t>((oh * 4 + ow) * g.oc)]), reads);
        }
    }
}

TYPED_TEST(Conv, TableRemovesConnectionsOfEveryTap) {
    const std::vector<std::uint8_t> connected = {1, 0, 0, 1, 1, 1};
    const List<TypeParam> w = uniform<TypeParam>(4 * 6, 1);
    List<TypeParam> masked(w.size());

    List<TypeParam> sum(w.size(), TypeParam{1});

    mask_weights(4, 2, 3, connected.data(), w.data(), false, masked.data());
    mask_weights(4, 2, 3, connected.data(), w.data(), true, sum.data());

    for (std::size_t i = 0; i < w.size(); ++i) {
        EXPECT_EQ(masked[i], connected[i % 6] ? w[i] : 0);
        EXPECT_EQ(sum[i], connected[i % 6] ? w[i] + 1 : 1);
    }
}

}  // namespace
}  // namespace soma::kernels
