// gemv and the batched strided gemm of libsoma_blas.so: exact agreement with plain loops on
// integers, the bits of soma::kernels::gemm, and netlib's corners.

#include <gtest/gtest.h>

#include <limits>

#include "capi/blas_api.h"
#include "support/gemm_problem.h"
#include "support/guarded.h"

namespace soma::test {
namespace {

template <class T>
class BlasGemv : public ::testing::Test {};
template <class T>
class BlasBatch : public ::testing::Test {};
using Precisions = ::testing::Types<float, double>;
TYPED_TEST_SUITE(BlasGemv, Precisions);
TYPED_TEST_SUITE(BlasBatch, Precisions);

template <class T>
constexpr T kNaN = std::numeric_limits<T>::quiet_NaN();

// y = alpha op(A) x + beta y, A [m, n] column-major.
template <class T>
struct Call {
    Op op;
    int m, n, lda, incx, incy;
    T alpha, beta;

    int length_x() const { return op == Op::N ? n : m; }
    int length_y() const { return op == Op::N ? m : n; }
    static int at(int i, int length, int increment) {
        return increment > 0 ? i * increment : (i - (length - 1)) * increment;
    }
    static int stored(int length, int increment) {
        return length == 0 ? 0 : (length - 1) * std::abs(increment) + 1;
    }

    void fortran(const T* a, const T* x, T* y) const {
        Blas<T>::gemv(op == Op::N ? "n" : "c", &m, &n, &alpha, a, &lda, x, &incx, &beta, y, &incy);
    }
    void cblas(const T* a, const T* x, T* y) const {
        Blas<T>::cblas_gemv(kColumn, op == Op::N ? kNoTrans : kConjTrans, m, n, alpha, a, lda, x,
                            incx, beta, y, incy);
    }
    // The same memory seen row-major is the transpose.
    void cblas_row_major(const T* a, const T* x, T* y) const {
        Blas<T>::cblas_gemv(kRow, op == Op::N ? kTrans : kNoTrans, n, m, alpha, a, lda, x, incx,
                            beta, y, incy);
    }
    void by_loops(const T* a, const T* x, T* y) const {
        if (m == 0 || n == 0) return;
        for (int i = 0; i < length_y(); ++i) {
            T sum = 0;
            for (int l = 0; l < length_x() && alpha != 0; ++l)
                sum += a[op == Op::N ? i + l * lda : l + i * lda] * x[at(l, length_x(), incx)];
            T& out = y[at(i, length_y(), incy)];
            out = alpha * sum + (beta == 0 ? 0 : beta * out);
        }
    }
};

template <class T>
Call<T> random_call(RandomSequence& random) {
    const auto below = [&](int n) { return static_cast<int>(random.below(n)); };
    const auto size = [&] { return below(8) == 0 ? below(300) : below(20); };
    const auto increment = [&] { return (1 + below(3)) * (below(2) ? 1 : -1); };
    const int m = size();
    return {below(2) ? Op::T : Op::N,
            m,
            size(),
            std::max(1, m) + below(3),
            increment(),
            increment(),
            static_cast<T>(below(4) - 1),
            static_cast<T>(below(4) - 1)};
}

TYPED_TEST(BlasGemv, EqualsPlainLoopsOnIntegersInsideItsOperands) {
    using T = TypeParam;
    RandomSequence random(make_key(9, Purpose::data_generation));
    for (std::uint64_t trial = 0; trial < 300; ++trial) {
        const Call<T> call = random_call<T>(random);
        SCOPED_TRACE(concat("trial ", trial, ": ", call.m, " ", call.n, " ", call.incx, " ",
                            call.incy, " ", call.alpha, " ", call.beta));
        const Edge edge = trial % 2 == 0 ? Edge::begin : Edge::end;
        const int columns = std::max(0, call.n - 1) * call.lda + (call.n > 0 ? call.m : 0);
        const List<T> a = random_list<T>(columns, 3 * trial, Values::integers);
        const List<T> x = random_list<T>(Call<T>::stored(call.length_x(), call.incx), 3 * trial + 1,
                                         Values::integers);
        const List<T> before = random_list<T>(Call<T>::stored(call.length_y(), call.incy),
                                              3 * trial + 2, Values::integers);
        Guarded<T> guarded_a(a, edge), guarded_x(x, edge);
        List<T> expected = before;
        call.by_loops(a.data(), x.data(), expected.data());
        using Entry = void (Call<T>::*)(const T*, const T*, T*) const;
        for (const Entry entry : {&Call<T>::fortran, &Call<T>::cblas, &Call<T>::cblas_row_major}) {
            Guarded<T> y(before, edge);
            (call.*entry)(guarded_a.data(), guarded_x.data(), y.data());
            ASSERT_EQ(y.copy(), expected);
        }
    }
}

TYPED_TEST(BlasGemv, HasTheBitsOfSomaGemm) {
    using T = TypeParam;
    for (const Op op : {Op::N, Op::T}) {
        for (const Index m : {1, 7, 64, 300, 1000}) {
            for (const Index n : {1, 5, 33, 260, 700}) {
                const Index rows = op == Op::N ? m : n, k = op == Op::N ? n : m;
                // Column-major [m, n] is row-major [n, m].
                const Problem<T> p({.m = rows,
                                    .n = 1,
                                    .k = k,
                                    .op_a = op == Op::N ? Op::T : Op::N,
                                    .alpha = 0.7,
                                    .beta = -0.3});
                const Call<T> call{
                    op, static_cast<int>(m), static_cast<int>(n), static_cast<int>(m), 1,
                    1,  static_cast<T>(0.7), static_cast<T>(-0.3)};
                List<T> y = p.c;
                call.fortran(p.a.data(), p.b.data(), y.data());
                ASSERT_TRUE(same_bits(y, p.run())) << m << " " << n;
            }
        }
    }
}

TYPED_TEST(BlasGemv, ReturnsQuicklyWithoutScalingY) {
    using T = TypeParam;
    T y[2] = {3, 4};
    Call<T>{Op::N, 2, 0, 2, 1, 1, 1, 0}.fortran(nullptr, nullptr, y);
    Call<T>{Op::T, 0, 2, 1, 1, 1, 1, 5}.fortran(nullptr, nullptr, y);
    Call<T>{Op::N, 2, 2, 2, 1, 1, 0, 1}.fortran(nullptr, nullptr, y);
    EXPECT_EQ(y[0], 3);
    EXPECT_EQ(y[1], 4);
}

TYPED_TEST(BlasGemv, AlphaZeroReadsNeitherOperand) {
    using T = TypeParam;
    for (const int incx : {1, -2}) {
        T y[3] = {3, 9, 4};
        Call<T>{Op::N, 2, 5, 2, incx, -2, 0, 2}.fortran(nullptr, nullptr, y);
        EXPECT_EQ((List<T>{y, y + 3}), (List<T>{6, 9, 8}));
    }
}

TYPED_TEST(BlasGemv, BetaZeroIgnoresNaNInY) {
    using T = TypeParam;
    const List<T> a{1, 2, 3, 4}, x{1, 10};
    for (const int incy : {1, 2}) {
        List<T> y(3, kNaN<T>);
        Call<T>{Op::N, 2, 2, 2, 1, incy, 1, 0}.fortran(a.data(), x.data(), y.data());
        EXPECT_EQ(y[0], 31);
        EXPECT_EQ(y[static_cast<std::size_t>(incy)], 42);
        if (incy == 2) {
            EXPECT_TRUE(std::isnan(y[1])) << "between the elements";
        }
    }
}

// Heads of an attention lie side by side in a row: strides of items below the leading dimension.
TYPED_TEST(BlasBatch, EachItemHasTheBitsOfItsOwnProduct) {
    using T = TypeParam;
    const int m = 5, n = 9, k = 300, batch = 4, ld = batch * 300;
    const List<T> a = random_list<T>(ld * m, 1), b = random_list<T>(n * ld, 2);
    const List<T> before = random_list<T>(m * n * batch, 3);
    List<T> expected = before, row = before, fortran = before;
    for (int i = 0; i < batch; ++i) {
        kernels::gemm<T>({.op_b = Op::T,
                          .m = m,
                          .n = n,
                          .k = k,
                          .alpha = static_cast<T>(0.5),
                          .a = a.data() + i * k,
                          .lda = ld,
                          .b = b.data() + i * k,
                          .ldb = ld,
                          .beta = 2,
                          .c = expected.data() + i * n,
                          .ldc = batch * n});
    }
    const T alpha = static_cast<T>(0.5), beta = 2;
    const int ldc = batch * n;
    Blas<T>::cblas_gemm_batch(kRow, kNoTrans, kTrans, m, n, k, alpha, a.data(), ld, k, b.data(), ld,
                              k, beta, row.data(), ldc, n, batch);
    Blas<T>::gemm_batch("T", "N", &n, &m, &k, &alpha, b.data(), &ld, &k, a.data(), &ld, &k, &beta,
                        fortran.data(), &ldc, &n, &batch);
    EXPECT_TRUE(same_bits(row, expected));
    EXPECT_TRUE(same_bits(fortran, expected));
}

TYPED_TEST(BlasBatch, OperandsWithStrideZeroAreShared) {
    using T = TypeParam;
    const List<T> a{1, 2}, b{3, 4, 5};
    List<T> c(6, kNaN<T>);
    Blas<T>::cblas_gemm_batch(kColumn, kNoTrans, kNoTrans, 2, 1, 1, 1, a.data(), 2, 0, b.data(), 1,
                              1, 0, c.data(), 2, 2, 3);
    EXPECT_EQ(c, (List<T>{3, 6, 4, 8, 5, 10}));
}

TYPED_TEST(BlasBatch, NothingToDoTouchesNothing) {
    using T = TypeParam;
    for (const int batch : {0, 2}) {
        Blas<T>::cblas_gemm_batch(kColumn, kNoTrans, kNoTrans, batch == 0 ? 2 : 0, 2, 2, 1, nullptr,
                                  2, 0, nullptr, 2, 0, 0, nullptr, 2, 0, batch);
    }
}

}  // namespace
}  // namespace soma::test
