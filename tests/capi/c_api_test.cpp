// soma_c.h: the bits of the kernels inside exactly the workspace it asks for, and a status for
// every wrong argument, with nothing written.

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "soma/kernels/conv.h"
#include "soma/soma_c.h"
#include "support/gemm_problem.h"
#include "support/guarded.h"

namespace soma::test {
namespace {

using kernels::ConvGeometry;

soma_op flag(Op op) { return op == Op::N ? SOMA_NO_TRANS : SOMA_TRANS; }

soma_conv2d describe(const ConvGeometry& g) {
    soma_conv2d d{};
    d.n = g.n, d.h = g.h, d.w = g.w, d.c = g.c;
    d.kh = g.kh, d.kw = g.kw, d.oc = g.oc;
    d.stride_h = g.stride_h, d.stride_w = g.stride_w;
    d.dilation_h = g.dilation_h, d.dilation_w = g.dilation_w;
    d.pad_top = g.pad_top, d.pad_bottom = g.pad_bottom;
    d.pad_left = g.pad_left, d.pad_right = g.pad_right;
    d.groups = g.groups;
    d.pad_value = static_cast<float>(g.pad_value);
    return d;
}

// A legal geometry: all fields small, groups of every kind.
ConvGeometry random_geometry(RandomSequence& random) {
    const auto from = [&](Index low, Index high) {
        return low + Index{random.below(static_cast<std::uint32_t>(high - low + 1))};
    };
    ConvGeometry g;
    g.n = from(1, 3);
    g.groups = from(0, 2) == 0 ? from(1, 8) : 1;
    g.c = g.groups * (from(0, 3) == 0 ? from(1, 80) : from(1, 6));
    g.oc = from(0, 3) == 0 ? g.c : g.groups * (from(0, 3) == 0 ? from(60, 140) : from(1, 9));
    g.kh = from(1, 5), g.kw = from(1, 5);
    g.stride_h = from(1, 3), g.stride_w = from(1, 3);
    g.dilation_h = from(1, 2), g.dilation_w = from(1, 2);
    if (from(0, 2) > 0) {
        g.pad_top = from(0, 3), g.pad_bottom = from(0, 3);
        g.pad_left = from(0, 3), g.pad_right = from(0, 3);
    }
    g.pad_value = static_cast<double>(from(0, 1)) / 2;
    g.h = g.dilation_h * (g.kh - 1) + from(1, 24);
    g.w = g.dilation_w * (g.kw - 1) + from(1, 24);
    return g;
}

class CApi : public ::testing::Test {
protected:
    ~CApi() override { soma_set_num_threads(threads_); }
    const std::int32_t threads_ = soma_num_threads();
};

// Exactly the bytes that were asked for, between inaccessible pages.
class Space {
public:
    explicit Space(std::size_t bytes)
        : memory_(static_cast<Index>(bytes), Edge::end), bytes_(bytes) {}
    void* data() { return memory_.data(); }
    std::size_t bytes() const { return bytes_; }

private:
    Guarded<std::byte> memory_;
    std::size_t bytes_;
};

using CApiGemm = CApi;
using CApiConv = CApi;

TEST_F(CApiGemm, HasTheBitsOfTheKernelsInsideItsWorkspace) {
    std::vector<Shape> shapes = border_shapes();
    for (const Op op_b : {Op::N, Op::T}) {
        shapes.push_back({.m = 300, .n = 520, .k = 700, .op_a = Op::T, .op_b = op_b});
        shapes.push_back({.m = 2000, .n = 3, .k = 300, .op_b = op_b, .beta = 1});
    }
    for (const std::int32_t threads : {1, 2, 3}) {
        ASSERT_EQ(soma_set_num_threads(threads), SOMA_OK);
        for (Shape shape : shapes) {
            shape.order = Order::chain;
            SCOPED_TRACE(concat(test::describe(shape), " threads ", threads));
            const Problem<float> p(shape);
            std::size_t bytes = 0;
            ASSERT_EQ(soma_sgemm_workspace(flag(shape.op_a), flag(shape.op_b), shape.m, shape.n,
                                           shape.k, p.lda, p.ldb, p.ldc, &bytes),
                      SOMA_OK);
            Space space(bytes);
            List<float> c = p.c;
            ASSERT_EQ(soma_sgemm(flag(shape.op_a), flag(shape.op_b), shape.m, shape.n, shape.k,
                                 static_cast<float>(shape.alpha), p.a.data(), p.lda, p.b.data(),
                                 p.ldb, static_cast<float>(shape.beta), c.data(), p.ldc,
                                 space.data(), space.bytes()),
                      SOMA_OK)
                << soma_last_error();
            ASSERT_TRUE(same_bits(c, p.run()));
        }
    }
}

// Forward, backward-data and backward-weights of one geometry.
void check_convolution(const ConvGeometry& g, std::uint64_t seed) {
    const soma_conv2d d = describe(g);
    const List<float> x = random_list<float>(g.x_count(), seed);
    const List<float> w = random_list<float>(g.weight_count(), seed + 1);
    const List<float> dy = random_list<float>(g.y_count(), seed + 2);
    const List<float> bias = random_list<float>(g.oc, seed + 3);
    const bool accumulate = seed % 2 == 1;
    const auto space_for = [&](soma_conv2d_op op) {
        std::size_t bytes = 0;
        EXPECT_EQ(soma_conv2d_workspace(&d, op, &bytes), SOMA_OK) << soma_last_error();
        return bytes;
    };
    std::int64_t oh = 0, ow = 0;
    ASSERT_EQ(soma_conv2d_output_size(&d, &oh, &ow), SOMA_OK);
    ASSERT_EQ(oh * ow * g.n * g.oc, g.y_count());

    List<float> expected(dy.size()), y = expected;
    kernels::conv2d<float>(g, x.data(), w.data(), {.bias = bias.data()}, expected.data());
    Space forward(space_for(SOMA_CONV2D_FORWARD));
    ASSERT_EQ(soma_conv2d_forward(&d, x.data(), w.data(), bias.data(), y.data(), forward.data(),
                                  forward.bytes()),
              SOMA_OK)
        << soma_last_error();
    ASSERT_TRUE(same_bits(y, expected));

    List<float> expected_dx = x, dx = x;
    kernels::conv2d_backward_data(g, dy.data(), w.data(), accumulate, expected_dx.data());
    Space data(space_for(SOMA_CONV2D_BACKWARD_DATA));
    ASSERT_EQ(soma_conv2d_backward_data(&d, dy.data(), w.data(), accumulate, dx.data(), data.data(),
                                        data.bytes()),
              SOMA_OK)
        << soma_last_error();
    ASSERT_TRUE(same_bits(dx, expected_dx));

    List<float> expected_dw = w, dw = w;
    kernels::conv2d_backward_weights(g, x.data(), dy.data(), accumulate, expected_dw.data());
    Space weights(space_for(SOMA_CONV2D_BACKWARD_WEIGHTS));
    ASSERT_EQ(soma_conv2d_backward_weights(&d, x.data(), dy.data(), accumulate, dw.data(),
                                           weights.data(), weights.bytes()),
              SOMA_OK)
        << soma_last_error();
    ASSERT_TRUE(same_bits(dw, expected_dw));
}

TEST_F(CApiConv, HasTheBitsOfTheKernelsInsideItsWorkspace) {
    RandomSequence random(make_key(11, Purpose::data_generation));
    for (std::uint64_t trial = 0; trial < 150; ++trial) {
        const ConvGeometry g = random_geometry(random);
        SCOPED_TRACE(concat("trial ", trial, ": x ", g.n, " ", g.h, " ", g.w, " ", g.c, ", kernel ",
                            g.kh, " ", g.kw, " ", g.oc, ", groups ", g.groups));
        soma_set_num_threads(static_cast<std::int32_t>(trial % 3 + 1));
        ASSERT_NO_FATAL_FAILURE(check_convolution(g, trial));
    }
}

// Layers whose bands, blocks and leaves are cut.
TEST_F(CApiConv, LargeLayersFitTheirWorkspace) {
    const ConvGeometry layers[] = {
        {.n = 4,
         .h = 60,
         .w = 60,
         .c = 3,
         .kh = 7,
         .kw = 7,
         .oc = 64,
         .stride_h = 2,
         .stride_w = 2,
         .pad_top = 3,
         .pad_bottom = 3,
         .pad_left = 3,
         .pad_right = 3},
        {.n = 1,
         .h = 40,
         .w = 900,
         .c = 24,
         .kh = 3,
         .kw = 3,
         .oc = 10,
         .pad_top = 1,
         .pad_bottom = 1,
         .pad_left = 1,
         .pad_right = 1},
        {.n = 3, .h = 14, .w = 14, .c = 128, .kh = 1, .kw = 1, .oc = 200},
        {.n = 3,
         .h = 95,
         .w = 61,
         .c = 3,
         .kh = 5,
         .kw = 3,
         .oc = 6,
         .stride_h = 2,
         .pad_top = 2,
         .pad_left = 1},
        {.n = 2,
         .h = 9,
         .w = 9,
         .c = 130,
         .kh = 3,
         .kw = 3,
         .oc = 256,
         .stride_h = 2,
         .stride_w = 2,
         .pad_top = 1,
         .pad_bottom = 1,
         .pad_left = 1,
         .pad_right = 1}};
    for (const std::int32_t threads : {1, 2, 4}) {
        soma_set_num_threads(threads);
        for (const ConvGeometry& g : layers) {
            ASSERT_NO_FATAL_FAILURE(check_convolution(g, static_cast<std::uint64_t>(threads)));
        }
    }
}

TEST_F(CApiGemm, WrongArgumentsHaveAStatusAndWriteNothing) {
    alignas(SOMA_ALIGNMENT) float a[64] = {}, c[4] = {7, 7, 7, 7};
    const auto gemm = [&](std::int64_t m, std::int64_t lda, const float* pa, float* pc,
                          soma_op op = SOMA_NO_TRANS) {
        return soma_sgemm(op, SOMA_NO_TRANS, m, 2, 2, 1, pa, lda, a, 2, 0, pc, 2, nullptr, 0);
    };
    EXPECT_EQ(gemm(-1, 2, a, c), SOMA_ESHAPE);
    EXPECT_EQ(gemm(2, 1, a, c), SOMA_ESHAPE);
    EXPECT_EQ(gemm(2, -2, a, c), SOMA_ESHAPE);
    EXPECT_EQ(gemm(2, std::numeric_limits<std::int64_t>::max(), a, c), SOMA_ESHAPE);
    EXPECT_EQ(gemm(std::numeric_limits<std::int64_t>::max(), 2, a, c), SOMA_ESHAPE);
    EXPECT_EQ(gemm(2, 2, nullptr, c), SOMA_EINVAL);
    EXPECT_EQ(gemm(2, 2, a, nullptr), SOMA_EINVAL);
    EXPECT_EQ(gemm(2, 2, a, a + 3), SOMA_EINVAL) << "the last element of A";
    EXPECT_EQ(gemm(2, 2, a, c, 2), SOMA_EINVAL);
    EXPECT_EQ(std::string(soma_last_error()),
              "soma_sgemm: op_a is 2; need SOMA_NO_TRANS or SOMA_TRANS");
    for (const float x : c) EXPECT_EQ(x, 7);
    EXPECT_EQ(gemm(2, 2, a + 4, c), SOMA_OK) << soma_last_error();
}

TEST_F(CApiGemm, EmptyProductsTakeNullPointers) {
    float c[2] = {3, 4};
    const auto gemm = [&](std::int64_t m, std::int64_t k, float alpha, float* pc) {
        return soma_sgemm(SOMA_NO_TRANS, SOMA_NO_TRANS, m, 2, k, alpha, nullptr, k, nullptr, 2, 2,
                          pc, 2, nullptr, 0);
    };
    EXPECT_EQ(gemm(0, 5, 1, nullptr), SOMA_OK);
    EXPECT_EQ(gemm(1, 0, 1, c), SOMA_OK);
    EXPECT_EQ(gemm(1, 5, 0, c), SOMA_OK);
    EXPECT_EQ(c[0], 12);
    EXPECT_EQ(c[1], 16);
}

class CApiConvErrors : public CApiConv {
protected:
    soma_status forward(const soma_conv2d& d) {
        return soma_conv2d_forward(&d, x.data(), w.data(), nullptr, y.data(), space.data(),
                                   space.size());
    }
    // A 3x3 convolution of [1, 5, 5, 2] to 3 channels, padded to the same size.
    soma_conv2d good() const {
        return describe({.h = 5,
                         .w = 5,
                         .c = 2,
                         .kh = 3,
                         .kw = 3,
                         .oc = 3,
                         .pad_top = 1,
                         .pad_bottom = 1,
                         .pad_left = 1,
                         .pad_right = 1});
    }
    void expect(soma_status status, std::int64_t soma_conv2d::*field, std::int64_t value) {
        soma_conv2d d = good();
        d.*field = value;
        EXPECT_EQ(forward(d), status) << value << ": " << soma_last_error();
        for (const float v : y) EXPECT_EQ(v, 7);
    }

    List<float> x = List<float>(50, 1), w = List<float>(54, 1), y = List<float>(75, 7);
    AlignedBlock block = allocate_aligned(1 << 20);
    std::span<std::byte> space{block.get(), 1 << 20};
};

TEST_F(CApiConvErrors, WrongSizesAreESHAPE) {
    const auto most = std::numeric_limits<std::int64_t>::max();
    for (const auto field :
         {&soma_conv2d::n, &soma_conv2d::h, &soma_conv2d::w, &soma_conv2d::c, &soma_conv2d::kh,
          &soma_conv2d::kw, &soma_conv2d::oc, &soma_conv2d::stride_h, &soma_conv2d::dilation_w,
          &soma_conv2d::pad_top, &soma_conv2d::pad_right, &soma_conv2d::groups}) {
        expect(SOMA_ESHAPE, field, -1);
        expect(SOMA_ESHAPE, field, most);
    }
    expect(SOMA_ESHAPE, &soma_conv2d::stride_w, 0);
    expect(SOMA_ESHAPE, &soma_conv2d::groups, 2);
    expect(SOMA_ESHAPE, &soma_conv2d::kh, 8);
    soma_conv2d huge = good();
    huge.n = huge.h = huge.w = huge.c = std::numeric_limits<std::int32_t>::max();
    EXPECT_EQ(forward(huge), SOMA_ESHAPE) << soma_last_error();
}

TEST_F(CApiConvErrors, StridesBeyondContiguousAreUnsupported) {
    soma_conv2d d = good();
    d.x_strides[0] = 12345;  // of an axis with one element
    d.x_strides[1] = 10, d.x_strides[2] = 2, d.x_strides[3] = 1;
    EXPECT_EQ(forward(d), SOMA_OK) << soma_last_error();
    d.x_strides[1] = 20;
    EXPECT_EQ(forward(d), SOMA_EUNSUPPORTED);
    EXPECT_EQ(std::string(soma_last_error()),
              "soma_conv2d_forward: stride 1 of x is 20; contiguous memory, 10, is supported");
}

TEST_F(CApiConvErrors, MemoryIsChecked) {
    const soma_conv2d d = good();
    std::size_t bytes = 0;
    ASSERT_EQ(soma_conv2d_workspace(&d, SOMA_CONV2D_FORWARD, &bytes), SOMA_OK);
    ASSERT_GT(bytes, 0u);
    const auto run = [&](const float* px, float* py, void* memory, std::size_t size) {
        return soma_conv2d_forward(&d, px, w.data(), nullptr, py, memory, size);
    };
    EXPECT_EQ(run(nullptr, y.data(), space.data(), bytes), SOMA_EINVAL);
    EXPECT_EQ(run(x.data(), nullptr, space.data(), bytes), SOMA_EINVAL);
    EXPECT_EQ(run(y.data() + 74, y.data(), space.data(), bytes), SOMA_EINVAL) << "overlap";
    EXPECT_EQ(run(x.data(), y.data(), nullptr, bytes), SOMA_EINVAL);
    EXPECT_EQ(run(x.data(), y.data(), space.data() + 4, bytes), SOMA_EINVAL) << "alignment";
    EXPECT_EQ(run(x.data(), y.data(), space.data(), bytes - 1), SOMA_EARENA);
    EXPECT_EQ(run(x.data(), reinterpret_cast<float*>(space.data()), space.data(), bytes),
              SOMA_EINVAL)
        << "y in the workspace";
    EXPECT_EQ(
        soma_conv2d_forward(nullptr, x.data(), w.data(), nullptr, y.data(), space.data(), bytes),
        SOMA_EINVAL);
    EXPECT_EQ(soma_conv2d_workspace(&d, SOMA_CONV2D_FORWARD, nullptr), SOMA_EINVAL);
    EXPECT_EQ(soma_conv2d_workspace(&d, 3, &bytes), SOMA_EINVAL);
    for (const float v : y) EXPECT_EQ(v, 7);
    EXPECT_EQ(run(x.data(), y.data(), space.data(), bytes), SOMA_OK) << soma_last_error();
    EXPECT_EQ(y[0], 8) << "four pixels of two channels";
}

TEST_F(CApiConvErrors, AnEmptyBatchWritesNoImageAndZeroesDw) {
    soma_conv2d d = good();
    d.n = 0;
    EXPECT_EQ(
        soma_conv2d_forward(&d, nullptr, w.data(), nullptr, nullptr, space.data(), space.size()),
        SOMA_OK)
        << soma_last_error();
    EXPECT_EQ(
        soma_conv2d_backward_weights(&d, nullptr, nullptr, 0, w.data(), space.data(), space.size()),
        SOMA_OK);
    EXPECT_EQ(w, List<float>(54, 0));
}

TEST(CApiStatus, EveryStatusHasItsName) {
    EXPECT_STREQ(soma_status_name(SOMA_OK), "SOMA_OK");
    EXPECT_STREQ(soma_status_name(SOMA_EARENA), "SOMA_EARENA");
    EXPECT_STREQ(soma_status_name(SOMA_EINTERNAL), "SOMA_EINTERNAL");
    EXPECT_STREQ(soma_status_name(-1), "unknown status");
    EXPECT_STREQ(soma_status_name(11), "unknown status");
    EXPECT_EQ(soma_set_num_threads(0), SOMA_EINVAL);
}

}  // namespace
}  // namespace soma::test
