// gemm of libsoma_blas.so: the bits of soma::kernels::gemm, and exact agreement with plain
// column-major loops on integers, in every interface and corner.

#include <gtest/gtest.h>

#include <limits>

#include "capi/blas_api.h"
#include "support/gemm_problem.h"
#include "support/guarded.h"

namespace soma::test {
namespace {

template <class T>
class BlasGemm : public ::testing::Test {};
using Precisions = ::testing::Types<float, double>;
TYPED_TEST_SUITE(BlasGemm, Precisions);

template <class T>
constexpr T kNaN = std::numeric_limits<T>::quiet_NaN();

char flag(Op op) { return op == Op::N ? 'N' : 'T'; }
int cblas_flag(Op op) { return op == Op::N ? kNoTrans : kTrans; }

// A column-major call in the words of BLAS.
template <class T>
struct Call {
    int m, n, k, lda, ldb, ldc;
    Op op_a, op_b;
    T alpha, beta;

    int stored_a() const { return lda * (op_a == Op::N ? k : m); }
    int stored_b() const { return ldb * (op_b == Op::N ? n : k); }

    void fortran(const T* a, const T* b, T* c) const {
        const char ta = flag(op_a), tb = flag(op_b);
        Blas<T>::gemm(&ta, &tb, &m, &n, &k, &alpha, a, &lda, b, &ldb, &beta, c, &ldc);
    }
    void cblas(const T* a, const T* b, T* c) const {
        Blas<T>::cblas_gemm(kColumn, cblas_flag(op_a), cblas_flag(op_b), m, n, k, alpha, a, lda, b,
                            ldb, beta, c, ldc);
    }
    // The same memory seen row-major is the product of the transposes.
    void cblas_row_major(const T* a, const T* b, T* c) const {
        Blas<T>::cblas_gemm(kRow, cblas_flag(op_b), cblas_flag(op_a), n, m, k, alpha, b, ldb, a,
                            lda, beta, c, ldc);
    }
    void by_loops(const T* a, const T* b, T* c) const {
        for (int j = 0; j < n; ++j) {
            for (int i = 0; i < m; ++i) {
                T sum = 0;
                for (int l = 0; l < k && alpha != 0; ++l)
                    sum += a[op_a == Op::N ? i + l * lda : l + i * lda] *
                           b[op_b == Op::N ? l + j * ldb : j + l * ldb];
                T& out = c[i + j * ldc];
                out = alpha * sum + (beta == 0 ? 0 : beta * out);
            }
        }
    }
};

template <class T>
Call<T> random_call(RandomSequence& random) {
    const auto below = [&](int n) { return static_cast<int>(random.below(n)); };
    const auto size = [&] { return below(10) == 0 ? below(150) : below(24); };
    const auto scalar = [&] { return static_cast<T>(below(4) - 1); };
    Call<T> call{
        size(),   size(),  size(), 0, 0, 0, below(2) ? Op::T : Op::N, below(2) ? Op::T : Op::N,
        scalar(), scalar()};
    call.lda = std::max(1, call.op_a == Op::N ? call.m : call.k) + below(4);
    call.ldb = std::max(1, call.op_b == Op::N ? call.k : call.n) + below(4);
    call.ldc = std::max(1, call.m) + below(4);
    return call;
}

// A stored matrix [rows, columns] of integers whose gap to the leading dimension is NaN.
template <class T>
List<T> stored(int rows, int ld, int columns, std::uint64_t seed) {
    List<T> x = random_list<T>(ld * columns, seed, Values::integers);
    for (int j = 0; j < columns; ++j)
        for (int i = rows; i < ld; ++i) x[static_cast<std::size_t>(i + j * ld)] = kNaN<T>;
    return x;
}

TYPED_TEST(BlasGemm, EqualsPlainLoopsOnIntegersInEveryInterface) {
    using T = TypeParam;
    RandomSequence random(make_key(7, Purpose::data_generation));
    for (std::uint64_t trial = 0; trial < 400; ++trial) {
        const Call<T> call = random_call<T>(random);
        SCOPED_TRACE(concat("trial ", trial, ": ", call.m, " ", call.n, " ", call.k, " ",
                            flag(call.op_a), flag(call.op_b), " ", call.alpha, " ", call.beta));
        const List<T> a = stored<T>(call.op_a == Op::N ? call.m : call.k, call.lda,
                                    call.op_a == Op::N ? call.k : call.m, 3 * trial);
        const List<T> b = stored<T>(call.op_b == Op::N ? call.k : call.n, call.ldb,
                                    call.op_b == Op::N ? call.n : call.k, 3 * trial + 1);
        const List<T> before = stored<T>(call.m, call.ldc, call.n, 3 * trial + 2);
        List<T> expected = before;
        call.by_loops(a.data(), b.data(), expected.data());
        using Entry = void (Call<T>::*)(const T*, const T*, T*) const;
        for (const Entry entry : {&Call<T>::fortran, &Call<T>::cblas, &Call<T>::cblas_row_major}) {
            List<T> c = before;
            (call.*entry)(a.data(), b.data(), c.data());
            for (int j = 0; j < call.n; ++j) {
                for (int i = 0; i < call.ldc; ++i) {
                    const auto at = static_cast<std::size_t>(i + j * call.ldc);
                    if (i < call.m) {
                        ASSERT_EQ(c[at], expected[at]) << i << " " << j;
                    } else {
                        ASSERT_TRUE(std::isnan(c[at])) << "gap written: " << i << " " << j;
                    }
                }
            }
        }
    }
}

TYPED_TEST(BlasGemm, HasTheBitsOfSomaGemm) {
    using T = TypeParam;
    for (Shape shape : border_shapes()) {
        if (shape.k == 0) continue;  // netlib's zero has no sign from alpha
        shape.order = Order::chain;
        SCOPED_TRACE(describe(shape));
        const Problem<T> p(shape);
        const List<T> expected = p.run();
        List<T> fortran = p.c, row_major = p.c;
        const auto size = [](Index x) { return static_cast<int>(x); };
        const auto leading = [](Index x) { return std::max(1, static_cast<int>(x)); };
        const Call<T> call{size(shape.n),
                           size(shape.m),
                           size(shape.k),
                           leading(p.ldb),
                           leading(p.lda),
                           leading(p.ldc),
                           shape.op_b,
                           shape.op_a,
                           static_cast<T>(shape.alpha),
                           static_cast<T>(shape.beta)};
        call.fortran(p.b.data(), p.a.data(), fortran.data());
        call.cblas_row_major(p.b.data(), p.a.data(), row_major.data());
        ASSERT_TRUE(same_bits(fortran, expected));
        ASSERT_TRUE(same_bits(row_major, expected));
    }
}

TYPED_TEST(BlasGemm, BetaZeroIgnoresNaN) {
    using T = TypeParam;
    const Call<T> call{2, 2, 1, 2, 1, 2, Op::N, Op::N, 1, 0};
    const List<T> a{1, 2}, b{3, 4};
    List<T> c(4, kNaN<T>);
    call.fortran(a.data(), b.data(), c.data());
    EXPECT_EQ(c, (List<T>{3, 6, 4, 8}));
}

TYPED_TEST(BlasGemm, AlphaZeroOrNoDepthReadsNeitherOperand) {
    using T = TypeParam;
    for (const int k : {0, 3}) {
        for (const T alpha : {T{0}, kNaN<T>}) {
            if (k != 0 && alpha != 0) continue;
            const Call<T> call{2, 1, k, 2, 3, 2, Op::N, Op::N, alpha, 2};
            List<T> c{3, -5};
            call.fortran(nullptr, nullptr, c.data());
            EXPECT_EQ(c, (List<T>{6, -10})) << "k " << k << " alpha " << alpha;
        }
    }
}

TYPED_TEST(BlasGemm, AlphaAndBetaZeroWriteZeroOverNaN) {
    using T = TypeParam;
    const Call<T> call{2, 1, 3, 2, 3, 2, Op::N, Op::N, 0, 0};
    List<T> c(2, kNaN<T>);
    call.fortran(nullptr, nullptr, c.data());
    EXPECT_EQ(c, (List<T>{0, 0}));
}

TYPED_TEST(BlasGemm, ReturnsQuicklyWithoutTouchingAnything) {
    using T = TypeParam;
    // No rows; no columns; nothing to add with beta = 1.
    Call<T>{0, 3, 2, 1, 2, 1, Op::N, Op::N, 1, 0}.fortran(nullptr, nullptr, nullptr);
    Call<T>{3, 0, 2, 3, 2, 3, Op::N, Op::N, 1, 0}.fortran(nullptr, nullptr, nullptr);
    Call<T>{3, 3, 2, 3, 2, 3, Op::N, Op::N, 0, 1}.fortran(nullptr, nullptr, nullptr);
    Call<T>{3, 3, 0, 3, 1, 3, Op::N, Op::N, 1, 1}.fortran(nullptr, nullptr, nullptr);
}

TYPED_TEST(BlasGemm, PropagatesNaNAndInfinityOfTheOperands) {
    using T = TypeParam;
    const Call<T> call{1, 2, 2, 1, 2, 1, Op::N, Op::N, 1, 0};
    const List<T> a{0, 1}, b{kNaN<T>, 1, std::numeric_limits<T>::infinity(), 1};
    List<T> c(2);
    call.fortran(a.data(), b.data(), c.data());
    EXPECT_TRUE(std::isnan(c[0])) << "0 * NaN";
    EXPECT_TRUE(std::isnan(c[1])) << "0 * Inf";
}

TYPED_TEST(BlasGemm, AcceptsEveryFlagInBothCases) {
    using T = TypeParam;
    const int m = 1, n = 1, k = 2, ld = 2, one = 1;
    const T alpha = 1, beta = 0;
    const List<T> a{1, 2}, b{3, 4};
    for (const char* flag_a : {"T", "t", "C", "c", "Transposed"}) {
        for (const char* flag_b : {"N", "n", "Not"}) {
            T c = 0;
            Blas<T>::gemm(flag_a, flag_b, &m, &n, &k, &alpha, a.data(), &ld, b.data(), &ld, &beta,
                          &c, &one);
            EXPECT_EQ(c, 11) << flag_a << " " << flag_b;
        }
    }
    T c = 0;
    Blas<T>::cblas_gemm(kColumn, kConjTrans, kNoTrans, 1, 1, 2, 1, a.data(), 2, b.data(), 2, 0, &c,
                        1);
    EXPECT_EQ(c, 11);
}

TYPED_TEST(BlasGemm, StaysInsideItsOperands) {
    using T = TypeParam;
    RandomSequence random(make_key(8, Purpose::data_generation));
    for (std::uint64_t trial = 0; trial < 60; ++trial) {
        Call<T> call = random_call<T>(random);
        call.lda = std::max(1, call.op_a == Op::N ? call.m : call.k);  // no gap at the border
        call.ldb = std::max(1, call.op_b == Op::N ? call.k : call.n);
        call.ldc = std::max(1, call.m);
        for (const Edge edge : {Edge::begin, Edge::end}) {
            const List<T> a = random_list<T>(call.stored_a(), trial, Values::integers);
            const List<T> b = random_list<T>(call.stored_b(), trial + 1, Values::integers);
            List<T> expected = random_list<T>(call.ldc * call.n, trial + 2, Values::integers);
            Guarded<T> guarded_a(a, edge), guarded_b(b, edge), c(expected, edge);
            call.fortran(guarded_a.data(), guarded_b.data(), c.data());
            call.by_loops(a.data(), b.data(), expected.data());
            ASSERT_EQ(c.copy(), expected) << "trial " << trial;
        }
    }
}

}  // namespace
}  // namespace soma::test
