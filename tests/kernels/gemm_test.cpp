// GEMM: results against the reference within the bound of rounding, corner cases, epilogues,
// errors.

#include "soma/kernels/gemm.h"

#include <gtest/gtest.h>

#include "soma/kernels/elementwise.h"
#include "support/gemm_problem.h"
#include "support/kernel_settings.h"

namespace soma::kernels {
namespace {

using namespace soma::test;

template <class T>
class GemmOf : public testing::Test {
    KernelSettings settings_;
};
using Dtypes = testing::Types<float, double>;
TYPED_TEST_SUITE(GemmOf, Dtypes);

// A shape for each path: tiny, direct, few rows, packed, dots, narrow twice, tree.
std::vector<Shape> path_shapes() {
    return {{.m = 9, .n = 17, .k = 8},
            {.m = 70, .n = 40, .k = 90},
            {.m = 5, .n = 150, .k = 300},
            {.m = 40, .n = 70, .k = 300, .op_b = Op::T},
            {.m = 3, .n = 50, .k = 270, .op_b = Op::T},
            {.m = 100, .n = 1, .k = 70},
            {.m = 100, .n = 1, .k = 70, .op_a = Op::T},
            {.m = 30, .n = 40, .k = 1100, .op_a = Op::T, .order = Order::tree}};
}

TYPED_TEST(GemmOf, StaysWithinTheBoundOnEveryIsa) {
    for (const KernelTable* table : available()) {
        use(table->isa);
        for (const Shape& shape : border_shapes()) {
            const Problem<TypeParam> problem(shape);

            EXPECT_LE(error_over_bound(problem, problem.run()), 1)
                << describe(shape) << " on " << table->isa;
        }
    }
}

TYPED_TEST(GemmOf, IntegersAreExact) {
    for (const KernelTable* table : available()) {
        use(table->isa);
        for (Shape shape : border_shapes()) {
            shape.alpha = shape.beta = 1;  // |r| <= 64 * 1030 + 8 < 2^24
            const Problem<TypeParam> problem(shape, 2, Values::integers);
            List<TypeParam> exact = problem.c;
            ref::gemm(problem.call(exact.data()));

            EXPECT_EQ(problem.run(), exact) << describe(shape) << " on " << table->isa;
        }
    }
}

TYPED_TEST(GemmOf, BetaZeroIgnoresNaN) {
    for (const Shape& shape : path_shapes()) {
        Problem<TypeParam> problem(shape);
        const List<TypeParam> expected = problem.run();
        std::fill(problem.c.begin(), problem.c.end(), std::numeric_limits<TypeParam>::quiet_NaN());

        EXPECT_TRUE(same_bits(problem.run(), expected)) << describe(shape);
    }
}

TYPED_TEST(GemmOf, AlphaZeroReadsNeitherAnorB) {
    for (Shape shape : path_shapes()) {
        shape.alpha = 0;
        shape.beta = 0.5;
        const Problem<TypeParam> problem(shape);
        List<TypeParam> actual = problem.c, expected = problem.c;
        for (TypeParam& x : expected) x *= TypeParam(0.5);

        Gemm<TypeParam> g = problem.call(actual.data());
        g.a = g.b = nullptr;
        gemm(g);

        EXPECT_EQ(actual, expected) << describe(shape);
    }
}

TYPED_TEST(GemmOf, EmptyReductionIsZero) {
    const Problem<TypeParam> problem({.m = 7, .n = 20, .k = 0});

    EXPECT_EQ(problem.run(), List<TypeParam>(7 * 20, 0));
}

TYPED_TEST(GemmOf, NaNAndInfinityPropagate) {
    const auto inf = std::numeric_limits<TypeParam>::infinity();
    for (const KernelTable* table : available()) {
        use(table->isa);
        for (const Shape& shape : path_shapes()) {
            Problem<TypeParam> problem(shape);
            std::fill(problem.a.begin(), problem.a.end(), TypeParam{1});
            std::fill(problem.b.begin(), problem.b.end(), TypeParam{1});
            problem.a[0] = inf;   // element (0, 0) of op(A)
            problem.b[0] = -inf;  // element (0, 0) of op(B)
            List<TypeParam> c = problem.c;
            Gemm<TypeParam> g = problem.call(c.data());
            g.epilogue.act = Activation::relu;
            gemm(g);

            EXPECT_EQ(c[0], 0) << "-inf through ReLU, " << describe(shape);
            problem.b[0] = 0;
            gemm(g);
            EXPECT_TRUE(std::isnan(c[0])) << "inf * 0 through ReLU, " << describe(shape);
            if (shape.n > 1) {
                EXPECT_EQ(c[1], inf) << describe(shape);
            }
            if (shape.m > 1) {
                EXPECT_TRUE(std::isfinite(c[static_cast<std::size_t>(g.ldc)])) << describe(shape);
            }
        }
    }
}

TYPED_TEST(GemmOf, EpilogueAddsBiasesAndResidualThenActivates) {
    using T = TypeParam;
    for (const Activation act : {Activation::none, Activation::relu, Activation::leaky_relu,
                                 Activation::scaled_tanh, Activation::gelu}) {
        for (const Shape& shape : path_shapes()) {
            const Problem<T> problem(shape);
            const Index m = shape.m, n = shape.n, period = (m + 2) / 3;
            const auto bias = random_list<T>(n, 91), row_bias = random_list<T>(m, 92);
            const auto residual = random_list<T>(period * n, 93);
            List<T> expected = problem.run(), expected_pre(expected.size());
            for (Index i = 0; i < m; ++i) {
                for (Index j = 0; j < n; ++j) {
                    T& r = expected[static_cast<std::size_t>(i * n + j)];
                    r = r + bias[static_cast<std::size_t>(j)];
                    r = r + row_bias[static_cast<std::size_t>(i)];
                    r = r + residual[static_cast<std::size_t>(i % period * n + j)];
                }
            }
            expected_pre = expected;
            activation(act, T(0.1), m * n, expected.data(), expected.data());

            for (const int threads : {1, 3}) {
                set_num_threads(threads);
                List<T> actual = problem.c, pre(actual.size());
                Gemm<T> g = problem.call(actual.data());
                g.epilogue = {.bias = bias.data(),
                              .row_bias = row_bias.data(),
                              .residual = residual.data(),
                              .residual_ld = n,
                              .residual_period = period,
                              .act = act,
                              .slope = T(0.1),
                              .pre = pre.data(),
                              .pre_ld = n};
                gemm(g);

                EXPECT_TRUE(same_bits(actual, expected)) << describe(shape);
                EXPECT_TRUE(same_bits(pre, expected_pre)) << describe(shape);
            }
        }
    }
}

TYPED_TEST(GemmOf, BiasAndActivationAloneEqualThePassOverC) {
    using T = TypeParam;
    for (const Activation act : {Activation::none, Activation::relu, Activation::tanh}) {
        for (const Shape& shape : path_shapes()) {
            const Problem<T> problem(shape);
            const auto bias = random_list<T>(shape.n, 91);
            List<T> expected = problem.run(), actual = problem.c;
            for (std::size_t i = 0; i < expected.size(); ++i)
                expected[i] = expected[i] + bias[i % bias.size()];
            activation(act, T{0}, static_cast<Index>(expected.size()), expected.data(),
                       expected.data());

            Gemm<T> g = problem.call(actual.data());
            g.epilogue.bias = bias.data();
            g.epilogue.act = act;
            gemm(g);

            EXPECT_TRUE(same_bits(actual, expected)) << describe(shape);
        }
    }
}

TYPED_TEST(GemmOf, BatchEqualsItsItemsAlone) {
    using T = TypeParam;
    const Index batch = 5;
    for (const Index shared : {0, 1}) {  // one B for all, or one each
        for (const Shape& shape : path_shapes()) {
            const Problem<T> problem(shape);
            const auto a = random_list<T>(batch * shape.m * shape.k, 11);
            const auto b = random_list<T>(batch * shape.k * shape.n, 12);
            List<T> actual(static_cast<std::size_t>(batch * shape.m * shape.n)), expected = actual;
            Gemm<T> g = problem.call(actual.data());
            g.a = a.data();
            g.b = b.data();
            const Index stride_a = shape.m * shape.k, stride_b = shared * shape.k * shape.n,
                        stride_c = shape.m * shape.n;

            gemm_batched(g, batch, stride_a, stride_b, stride_c);

            for (Index i = 0; i < batch; ++i) {
                Gemm<T> one = g;
                one.a = a.data() + i * stride_a;
                one.b = b.data() + i * stride_b;
                one.c = expected.data() + i * stride_c;
                gemm(one);
            }
            EXPECT_TRUE(same_bits(actual, expected)) << describe(shape);
        }
    }
}

TYPED_TEST(GemmOf, PackedBEqualsB) {
    using T = TypeParam;
    for (const KernelTable* table : available()) {
        use(table->isa);
        for (Shape shape : border_shapes()) {
            shape.order = Order::chain;
            const Problem<T> problem(shape);
            const Gemm<T> original = problem.call(nullptr);
            const PackedB<T> packed(shape.op_b, shape.k, shape.n, original.b, original.ldb);
            List<T> actual = problem.c;
            Gemm<T> g = problem.call(actual.data());
            g.b = nullptr;

            gemm(g, packed);

            EXPECT_TRUE(same_bits(actual, problem.run())) << describe(shape);
        }
    }
}

TYPED_TEST(GemmOf, OtherBackendsStayWithinTheBound) {
    for (const GemmBackend* backend : gemm_backends()) {
        use_gemm_backend(backend->name);
        for (const Shape& shape : path_shapes()) {
            const Problem<TypeParam> problem(shape);

            // A library may sum in any order: d = K covers them all.
            EXPECT_LE(error_over_bound(problem, problem.run(), static_cast<double>(shape.k)), 1)
                << describe(shape) << " by " << backend->name;
        }
    }
}

std::string message_of(const Gemm<float>& g) {
    try {
        gemm(g);
    } catch (const Error& e) {
        return e.code() == ErrorCode::usage ? e.what() : "";
    }
    return "";
}

TEST(Gemm, ErrorsNameTheOperandAndTheRule) {
    const Problem<float> problem({.m = 4, .n = 5, .k = 6});
    List<float> c = problem.c;
    Gemm<float> negative = problem.call(c.data()), a = negative, b = negative, out = negative;
    negative.m = -1;
    a.lda = 5;
    b.ldb = 4;
    out.ldc = 4;

    EXPECT_NE(message_of(negative).find("gemm: M, N, K are -1, 5, 6"), std::string::npos);
    EXPECT_NE(message_of(a).find("lda is 5 for A of [4, 6]; need at least 6"), std::string::npos);
    EXPECT_NE(message_of(b).find("ldb is 4 for B of [6, 5]; need at least 5"), std::string::npos);
    EXPECT_NE(message_of(out).find("ldc is 4 for C of [4, 5]; need at least 5"), std::string::npos);
    EXPECT_EQ(c, problem.c) << "an error must come before any change";
}

TEST(Gemm, RefusesArraysThatAreMissingAliasedOrWithoutAddress) {
    std::vector<float> x(100, 1), y(100, 0);
    const Gemm<float> good{.m = 4,
                           .n = 5,
                           .k = 6,
                           .a = x.data(),
                           .lda = 6,
                           .b = x.data() + 30,
                           .ldb = 5,
                           .c = y.data(),
                           .ldc = 5};
    const auto error_of = [&](auto&& change) {
        Gemm<float> g = good;
        change(g);
        try {
            gemm(g);
        } catch (const Error& e) {
            return std::string(e.what());
        }
        return std::string();
    };

    EXPECT_EQ(error_of([](Gemm<float>&) {}), "");
    EXPECT_EQ(error_of([](Gemm<float>& g) { g.b = g.a; }), "") << "A may equal B";
    EXPECT_NE(error_of([](Gemm<float>& g) { g.a = nullptr; }).find("A is null"), std::string::npos);
    EXPECT_NE(error_of([](Gemm<float>& g) { g.c = nullptr; }).find("C is null"), std::string::npos);
    EXPECT_NE(error_of([&](Gemm<float>& g) { g.c = x.data() + 23; }).find("C overlaps A"),
              std::string::npos);
    EXPECT_NE(error_of([&](Gemm<float>& g) { g.c = x.data() + 59; }).find("C overlaps B"),
              std::string::npos);
    EXPECT_NE(error_of([](Gemm<float>& g) { g.ldb = Index{1} << 61; }).find("too large"),
              std::string::npos);
    EXPECT_EQ(error_of([](Gemm<float>& g) {
                  g.alpha = 0;
                  g.a = g.b = nullptr;
              }),
              "")
        << "not read";
    EXPECT_EQ(error_of([](Gemm<float>& g) {
                  g.m = 0;
                  g.a = g.b = nullptr;
                  g.c = nullptr;
              }),
              "")
        << "empty";
}

TEST(Gemm, PackedBRefusesOtherSizesAndTables) {
    const KernelSettings settings;
    const Problem<float> problem({.m = 4, .n = 5, .k = 6});
    List<float> c = problem.c;
    const PackedB<float> other(Op::N, 6, 4, problem.b.data(), 5);

    EXPECT_THROW(gemm(problem.call(c.data()), other), Error);
    for (const KernelTable* table : available()) {
        if (table == &active()) continue;
        const PackedB<float> packed(Op::N, 6, 5, problem.b.data(), 5);
        const std::string before = active().isa;
        use(table->isa);
        EXPECT_THROW(gemm(problem.call(c.data()), packed), Error);
        use(before);
    }
}

TEST(Gemm, UnknownBackendIsAnErrorThatNamesTheChoices) {
    try {
        use_gemm_backend("mkl");
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::usage);
        EXPECT_NE(std::string(e.what()).find("native"), std::string::npos);
    }
}

}  // namespace
}  // namespace soma::kernels
