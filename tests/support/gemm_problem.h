#pragma once
// Products for tests: operands with values between rows that must not be touched, the definition of
// both orders of summation, and the bound of rounding.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kernels/ref/gemm.h"
#include "soma/core/error.h"
#include "soma/core/rng.h"
#include "soma/kernels/gemm.h"

namespace soma::test {

using kernels::Gemm;
using kernels::Op;
using kernels::Order;

template <class T>
using List = std::vector<T>;

// n numbers in [-1, 1), or integers in [-8, 8].
enum class Values { reals, integers };
template <class T>
List<T> random_list(Index n, std::uint64_t seed, Values values = Values::reals) {
    RandomSequence random(make_key(seed, Purpose::data_generation));
    List<T> list(static_cast<std::size_t>(n));
    for (T& x : list) {
        x = values == Values::reals ? static_cast<T>(random.uniform(-1, 1))
                                    : static_cast<T>(random.below(17)) - 8;
    }
    return list;
}

// Sizes and scalars of a product; `gap` elements lie between rows.
struct Shape {
    Index m, n, k;
    Op op_a = Op::N, op_b = Op::N;
    Order order = Order::chain;
    double alpha = 1, beta = 0;
    Index gap = 0;
};

inline std::string describe(const Shape& s) {
    return concat(s.m, "x", s.n, "x", s.k, " ", s.op_a == Op::N ? "N" : "T",
                  s.op_b == Op::N ? "N" : "T", s.order == Order::chain ? " chain" : " tree",
                  " alpha ", s.alpha, " beta ", s.beta, " gap ", s.gap);
}

// Operands of a shape. c is what C holds before; run() works on a copy of it.
template <class T>
struct Problem {
    explicit Problem(const Shape& s, std::uint64_t seed = 1, Values values = Values::reals)
        : shape(s),
          lda((s.op_a == Op::N ? s.k : s.m) + s.gap),
          ldb((s.op_b == Op::N ? s.n : s.k) + s.gap),
          ldc(s.n + s.gap),
          a(random_list<T>((s.op_a == Op::N ? s.m : s.k) * lda, 3 * seed, values)),
          b(random_list<T>((s.op_b == Op::N ? s.k : s.n) * ldb, 3 * seed + 1, values)),
          c(random_list<T>(s.m * ldc, 3 * seed + 2, values)) {}

    // The call, on the given C.
    Gemm<T> call(T* out) const {
        return {.op_a = shape.op_a,
                .op_b = shape.op_b,
                .m = shape.m,
                .n = shape.n,
                .k = shape.k,
                .alpha = static_cast<T>(shape.alpha),
                .a = a.data(),
                .lda = lda,
                .b = b.data(),
                .ldb = ldb,
                .beta = static_cast<T>(shape.beta),
                .c = out,
                .ldc = ldc,
                .order = shape.order};
    }
    List<T> run() const {
        List<T> out = c;
        kernels::gemm(call(out.data()));
        return out;
    }

    Shape shape;
    Index lda, ldb, ldc;
    List<T> a, b, c;
};

// The tree over list[first, first + count): its left part is the largest power of two below count.
template <class T>
T tree_sum(const List<T>& list, std::size_t first, std::size_t count) {
    if (count == 1) return list[first];
    const std::size_t left = std::bit_floor(count - 1);
    return tree_sum(list, first, left) + tree_sum(list, first + left, count - left);
}

// alpha op(A) op(B) + beta C by the definition of the orders in soma/kernels/gemm.h.
template <class T>
List<T> by_definition(const Problem<T>& p) {
    List<T> out = p.c;
    const Gemm<T> g = p.call(out.data());
    for (Index i = 0; i < g.m; ++i) {
        for (Index j = 0; j < g.n; ++j) {
            List<T> slices;
            for (Index first = 0; first < std::max<Index>(g.k, 1); first += 256) {
                T s = 0;
                for (Index k = first; k < std::min(first + 256, g.k); ++k)
                    s = std::fma(kernels::ref::element_a(g, i, k), kernels::ref::element_b(g, k, j),
                                 s);
                slices.push_back(s);
            }
            T& c = g.c[i * g.ldc + j];
            const bool tree = g.order == Order::tree;
            const T head = tree ? tree_sum(slices, 0, slices.size()) : slices[0];
            c = g.beta == 0 ? g.alpha * head : std::fma(g.alpha, head, g.beta * c);
            for (std::size_t s = 1; s < slices.size() && !tree; ++s)
                c = std::fma(g.alpha, slices[s], c);
        }
    }
    return out;
}

// gamma_d = d u / (1 - d u).
template <class T>
double gamma(double d) {
    const double u = std::numeric_limits<T>::epsilon() / 2;
    return d * u / (1 - d * u);
}

// Largest |out - exact| / (gamma_d (|alpha| |A||B| + |beta C|)) over all elements, d as in gemm.h
// with 2 roundings for alpha and beta; `more` for the rounding of the reference or an epilogue. At
// most 1 when the bound holds; gaps between rows must be untouched, else infinity.
template <class T>
double error_over_bound(const Problem<T>& p, const List<T>& out, double more = 0) {
    List<T> before = p.c;
    const Gemm<T> g = p.call(before.data());
    const double slices = std::max(1.0, std::ceil(static_cast<double>(g.k) / 256));
    const double merges = g.order == Order::chain ? slices - 1 : std::ceil(std::log2(slices));
    const double bound =
        gamma<T>(static_cast<double>(std::min<Index>(g.k, 256)) + merges + 2 + more);
    double worst = 0;
    for (Index i = 0; i < g.m; ++i) {
        for (Index j = 0; j < g.ldc; ++j) {
            const auto at = static_cast<std::size_t>(i * g.ldc + j);
            if (j >= g.n) {
                if (out[at] != before[at]) return std::numeric_limits<double>::infinity();
                continue;
            }
            double size = std::abs(static_cast<double>(g.beta) * before[at]);
            for (Index k = 0; k < g.k; ++k)
                size += std::abs(static_cast<double>(g.alpha) * kernels::ref::element_a(g, i, k) *
                                 kernels::ref::element_b(g, k, j));
            const auto exact = kernels::ref::product(g, i, j);
            const auto error = static_cast<double>(std::abs(out[at] - exact));
            if (error > 0) worst = std::max(worst, error / (bound * size));
        }
    }
    return worst;
}

template <class T>
bool same_bits(const List<T>& a, const List<T>& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

// One shape for every path and border of the drivers: tiles, strips, slices and blocks +- 1.
inline std::vector<Shape> border_shapes() {
    const std::vector<std::vector<Index>> sizes = {
        {0, 5, 3},     {3, 0, 4},    {4, 5, 0},     {1, 1, 1},      {1, 17, 255},  {2, 130, 257},
        {3, 65, 512},  {4, 63, 40},  {5, 80, 256},  {6, 64, 33},    {7, 47, 300},  {8, 49, 129},
        {9, 33, 65},   {13, 31, 16}, {15, 96, 600}, {16, 16, 16},   {17, 15, 17},  {23, 2, 700},
        {25, 24, 23},  {31, 1, 513}, {64, 64, 64},  {65, 65, 65},   {48, 97, 768}, {97, 1, 260},
        {33, 4, 1030}, {100, 81, 9}, {30, 200, 70}, {66, 258, 257}, {2, 130, 40},  {6, 90, 300}};
    std::vector<Shape> shapes;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        for (const Op op_a : {Op::N, Op::T}) {
            for (const Op op_b : {Op::N, Op::T}) {
                const std::size_t pick = shapes.size();
                shapes.push_back({.m = sizes[i][0],
                                  .n = sizes[i][1],
                                  .k = sizes[i][2],
                                  .op_a = op_a,
                                  .op_b = op_b,
                                  .order = pick % 3 == 1 ? Order::tree : Order::chain,
                                  .alpha = pick % 5 == 2   ? 0.7
                                           : pick % 7 == 3 ? -1
                                                           : 1,
                                  .beta = pick % 2 == 0   ? 0
                                          : pick % 3 == 0 ? 1
                                                          : -0.3,
                                  .gap = static_cast<Index>(pick % 4 * (pick % 3))});
            }
        }
    }
    return shapes;
}

}  // namespace soma::test
