#include "soma/kernels/reduce.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/ref/reduce.h"
#include "support/every_isa.h"

namespace soma::kernels {
namespace {

using test::on_every_isa;
using test::uniform;

template <class T>
class Reduce : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Reduce, Types);

TYPED_TEST(Reduce, RowsFollowLanes16Exactly) {
    using T = TypeParam;
    on_every_isa([] {
        for (const Index cols : {0, 1, 7, 8, 15, 16, 17, 31, 100, 1000}) {
            const Index rows = 5, ld = cols + 3;
            const std::vector<T> a = uniform<T>(rows * ld, 1), b = uniform<T>(rows * ld, 2);
            std::vector<T> sum(5, T{1}), dot(5, T{1});

            row_sums(rows, cols, a.data(), ld, T{0.5}, sum.data(), true);
            row_dots(rows, cols, a.data(), ld, b.data(), ld, dot.data(), false);

            for (Index r = 0; r < rows; ++r) {
                const auto at = static_cast<std::size_t>(r);
                EXPECT_EQ(sum[at], std::fma(T{0.5}, ref::row_sum(cols, &a[at * ld]), T{1}));
                EXPECT_EQ(dot[at], ref::row_dot(cols, &a[at * ld], &b[at * ld])) << cols;
            }
        }
    });
}

TYPED_TEST(Reduce, ColumnsFollowTheTreeExactly) {
    using T = TypeParam;
    on_every_isa([] {
        for (const Index rows : {0, 1, 255, 256, 257, 769, 1800}) {
            for (const Index cols : {1, 3, 16, 37, 70}) {
                const Index ld = cols + 1;
                const std::vector<T> a = uniform<T>(rows * ld, 1), b = uniform<T>(rows * ld, 2);
                std::vector<T> sum(static_cast<std::size_t>(cols), T{2}), dot = sum;

                column_sums_tree(rows, cols, a.data(), ld, T{-1}, sum.data(), true);
                column_dots_tree(rows, cols, a.data(), ld, b.data(), ld, T{1}, dot.data(), false);

                for (Index c = 0; c < cols; ++c) {
                    const T s = ref::column_tree<T>(rows, [&](T v, Index r) {
                        return v + a[static_cast<std::size_t>(r * ld + c)];
                    });
                    const T d = ref::column_tree<T>(rows, [&](T v, Index r) {
                        const auto i = static_cast<std::size_t>(r * ld + c);
                        return std::fma(a[i], b[i], v);
                    });
                    ASSERT_EQ(sum[static_cast<std::size_t>(c)], T{2} - s) << rows << " " << cols;
                    ASSERT_EQ(dot[static_cast<std::size_t>(c)], d) << rows << " " << cols;
                }
            }
        }
    });
}

TYPED_TEST(Reduce, WholeArraysFollowLongExactly) {
    using T = TypeParam;
    on_every_isa([] {
        for (const Index n : {0, 1, 15, 1023, 1024, 1025, 5000, 70000}) {
            const std::vector<T> a = uniform<T>(n, 1), b = uniform<T>(n, 2);
            const std::vector<T> ones(static_cast<std::size_t>(n), T{1});

            EXPECT_EQ(dot_long(n, a.data(), b.data()), ref::dot_long(n, a.data(), b.data())) << n;
            EXPECT_EQ(sum_squares_long(n, a.data()), ref::dot_long(n, a.data(), a.data())) << n;
            EXPECT_EQ(sum_long(n, a.data()), ref::dot_long(n, a.data(), ones.data())) << n;
        }
    });
}

TYPED_TEST(Reduce, MaximumIsTheFirstAndNaNWins) {
    using T = TypeParam;
    const T nan = std::numeric_limits<T>::quiet_NaN();
    on_every_isa([nan] {
        for (const Index n : {1, 2, 9, 16, 33, 40}) {
            std::vector<T> x(static_cast<std::size_t>(n), T{-3});
            x[static_cast<std::size_t>(n / 2)] = x[static_cast<std::size_t>(n - 1)] = T{-1};
            T value = 0;
            std::int32_t index = -1;

            row_max(1, n, x.data(), n, &value, &index);
            EXPECT_EQ(value, T{-1});
            EXPECT_EQ(index, n / 2);
            column_max(n, 1, x.data(), 1, &value, &index);
            EXPECT_EQ(value, T{-1});
            EXPECT_EQ(index, n / 2);

            x[static_cast<std::size_t>(n - 1)] = nan;
            row_max(1, n, x.data(), n, &value, &index);
            EXPECT_TRUE(std::isnan(value));
            EXPECT_EQ(index, n - 1);
            column_max(n, 1, x.data(), 1, &value, &index);
            EXPECT_TRUE(std::isnan(value));
            EXPECT_EQ(index, n - 1);
        }
    });
}

TYPED_TEST(Reduce, ColumnMaximumIsThatOfEveryColumnAlone) {
    using T = TypeParam;
    const T nan = std::numeric_limits<T>::quiet_NaN();
    on_every_isa([nan] {
        for (const Index cols : {1, 3, 8, 15, 16, 17, 64, 65, 100, 133}) {
            const Index rows = 21, ld = cols + 5;
            std::vector<T> x = uniform<T>(rows * ld, 3);
            for (std::size_t i = 0; i < x.size(); i += 97) x[i] = nan;
            for (std::size_t i = 5; i < x.size(); i += 41) x[i] = 2;  // ties: the first row wins
            const auto n = static_cast<std::size_t>(cols);
            std::vector<T> value(n), column(n);
            std::vector<std::int32_t> index(n, -1), row(n, -1);

            column_max(rows, cols, x.data(), ld, value.data(), index.data());

            for (Index c = 0; c < cols; ++c) {
                std::vector<T> one(static_cast<std::size_t>(rows));
                for (Index r = 0; r < rows; ++r) {
                    one[static_cast<std::size_t>(r)] = x[static_cast<std::size_t>(r * ld + c)];
                }
                row_max(1, rows, one.data(), rows, &column[static_cast<std::size_t>(c)],
                        &row[static_cast<std::size_t>(c)]);
            }
            EXPECT_EQ(index, row) << cols;
            EXPECT_EQ(std::memcmp(value.data(), column.data(), n * sizeof(T)), 0) << cols;
        }
    });
}

TYPED_TEST(Reduce, MaximumOfZerosHasTheSignOfTheFirst) {
    using T = TypeParam;
    on_every_isa([] {
        for (const Index n : {2, 9, 16, 33, 40}) {
            for (const Index first : {Index{0}, n / 2}) {
                for (const T zero : {T{0}, -T{0}}) {
                    std::vector<T> x(static_cast<std::size_t>(n), T{-1});
                    x[static_cast<std::size_t>(first)] = zero;
                    for (Index i = first + 1; i < n; ++i) x[static_cast<std::size_t>(i)] = -zero;
                    T row = 1, column = 1;

                    row_max(1, n, x.data(), n, &row, nullptr);
                    column_max(n, 1, x.data(), 1, &column, nullptr);

                    EXPECT_EQ(row, T{0});
                    EXPECT_EQ(std::signbit(row), std::signbit(zero)) << n << " " << first;
                    EXPECT_EQ(std::signbit(column), std::signbit(zero)) << n << " " << first;
                }
            }
        }
    });
}

TYPED_TEST(Reduce, SpreadIsTheAdjointOfSum) {
    using T = TypeParam;
    for (const Index inner : {1, 3}) {
        const Index outer = 4, n = 5;
        const std::vector<T> x = uniform<T>(outer * n * inner, 1);
        const std::vector<T> y = uniform<T>(outer * inner, 2);
        std::vector<T> sum(y.size()), spread(x.size(), T{0});

        sum_axis(outer, n, inner, x.data(), T{2}, sum.data(), false);
        spread_axis(outer, n, inner, T{2}, y.data(), spread.data(), true);

        // <sum(x), y> = <x, spread(y)>; 20 to 60 products of order 1, each rounded a few times.
        const double left = dot_long(outer * inner, sum.data(), y.data());
        const double right = dot_long(outer * n * inner, x.data(), spread.data());
        EXPECT_NEAR(left, right, 60 * 8 * std::numeric_limits<T>::epsilon());
    }
}

}  // namespace
}  // namespace soma::kernels
