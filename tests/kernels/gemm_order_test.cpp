// GEMM: the promise of equal bits. Every ISA, thread count, path and blocking must give exactly
// what the definition of the order of summation gives, element by element.

#include <gtest/gtest.h>

#include "kernels/gemm_job.h"
#include "support/gemm_problem.h"
#include "support/guarded.h"
#include "support/kernel_settings.h"

namespace soma::kernels {
namespace {

using namespace soma::test;

template <class T>
class GemmOrder : public testing::Test {
    KernelSettings settings_;
};
using Dtypes = testing::Types<float, double>;
TYPED_TEST_SUITE(GemmOrder, Dtypes);

TYPED_TEST(GemmOrder, EqualsTheDefinitionOnEveryIsa) {
    for (const Shape& shape : border_shapes()) {
        const Problem<TypeParam> problem(shape);
        const List<TypeParam> expected = by_definition(problem);
        for (const KernelTable* table : available()) {
            use(table->isa);
            EXPECT_TRUE(same_bits(problem.run(), expected))
                << describe(shape) << " on " << table->isa;
        }
    }
}

TYPED_TEST(GemmOrder, SameBitsForAnyNumberOfThreads) {
    const std::vector<Shape> shapes = {
        {.m = 130, .n = 300, .k = 270},
        {.m = 700, .n = 40, .k = 300, .op_a = Op::T, .op_b = Op::T},
        {.m = 6, .n = 2000, .k = 520},
        {.m = 2, .n = 3000, .k = 300, .op_b = Op::T},
        {.m = 7, .n = 2500, .k = 300},
        {.m = 9000, .n = 1, .k = 300},
        {.m = 150, .n = 200, .k = 700, .op_a = Op::T, .order = Order::tree},
        {.m = 20, .n = 25, .k = 20000, .op_a = Op::T, .order = Order::tree, .beta = 1}};
    for (const Shape& shape : shapes) {
        const Problem<TypeParam> problem(shape);
        set_num_threads(1);
        const List<TypeParam> expected = problem.run();
        for (const int threads : {2, 3, 4, 7, 16, 64}) {
            set_num_threads(threads);
            EXPECT_TRUE(same_bits(problem.run(), expected))
                << describe(shape) << ", " << threads << " threads";
        }
    }
}

// C by a given path and blocking on this thread.
template <class T>
List<T> run_with(const Problem<T>& problem, const GemmPlan& plan) {
    List<T> out = problem.c;
    const GemmJob<T> job{problem.call(out.data())};
    switch (plan.path) {
        case GemmPath::tiny:
        case GemmPath::direct:
            run_direct(job, plan);
            break;
        case GemmPath::strips:
            run_strips(job, plan);
            break;
        case GemmPath::packed:
            run_packed<T>(job, plan, nullptr);
            break;
        case GemmPath::stream:
            run_stream(job);
            break;
        case GemmPath::dots:
            run_dots(job);
            break;
        case GemmPath::narrow:
            run_narrow(job, plan);
            break;
        case GemmPath::tree:
            run_tree(job, plan);
            break;
    }
    return out;
}

TYPED_TEST(GemmOrder, EveryPathAndBlockingGivesTheSameBits) {
    for (const KernelTable* table : available()) {
        use(table->isa);
        for (Shape shape : border_shapes()) {
            if (shape.m == 0 || shape.n == 0 || shape.k == 0) continue;
            shape.order = Order::chain;
            const Problem<TypeParam> problem(shape);
            const List<TypeParam> expected = by_definition(problem);
            const auto expect_same = [&](const GemmPlan& plan) {
                EXPECT_TRUE(same_bits(run_with(problem, plan), expected))
                    << describe(shape) << " on " << table->isa << " by " << name_of(plan.path)
                    << " kc " << plan.kc << " nc " << plan.nc << " mc " << plan.mc;
            };
            if (shape.op_b == Op::N) expect_same({.path = GemmPath::direct, .mc = 24});
            expect_same({.path = GemmPath::strips, .far_c = true, .kc = 256});
            if (shape.op_b == Op::N && shape.m <= 8) expect_same({.path = GemmPath::stream});
            if (shape.op_b == Op::T && shape.m <= 8) expect_same({.path = GemmPath::dots});
            if (shape.n <= 4) expect_same({.path = GemmPath::narrow, .mc = 40});
            for (const Index width : {1, 5, 12})
                expect_same({.path = GemmPath::packed,
                             .pack_a = shape.op_a == Op::T && width > 1,
                             .kc = width == 5 ? 256 : 512,
                             .nc = width * table->f32.width,
                             .mc = 24 * width});
        }
    }
}

TYPED_TEST(GemmOrder, EveryTreeBlockingGivesTheSameBits) {
    for (const Index k : {257, 512, 700, 1281, 2048, 3000}) {
        const Shape shape{.m = 30, .n = 37, .k = k, .op_a = Op::T, .order = Order::tree, .beta = 1};
        const Problem<TypeParam> problem(shape);
        const List<TypeParam> expected = by_definition(problem);
        for (const bool pack : {false, true}) {
            for (const Index leaves_per_task : {0, 1, 2, 4}) {
                const GemmPlan plan{.path = GemmPath::tree,
                                    .pack_a = pack,
                                    .pack_b = pack,
                                    .nc = 20,
                                    .mc = 7,
                                    .leaves_per_task = leaves_per_task};
                EXPECT_TRUE(same_bits(run_with(problem, plan), expected))
                    << describe(shape) << " pack " << pack << " leaves " << leaves_per_task;
            }
        }
    }
}

TYPED_TEST(GemmOrder, EachRowEqualsTheRowAlone) {
    for (Shape shape : border_shapes()) {
        if (shape.op_a == Op::T) continue;
        shape.order = Order::chain;
        const Problem<TypeParam> problem(shape);
        const List<TypeParam> all = problem.run();
        List<TypeParam> rows = problem.c;
        for (Index i = 0; i < shape.m; ++i) {
            Gemm<TypeParam> g = problem.call(rows.data() + i * problem.ldc);
            g.m = 1;
            g.a += i * g.lda;
            gemm(g);
        }
        EXPECT_TRUE(same_bits(rows, all)) << describe(shape);
    }
}

TYPED_TEST(GemmOrder, TreeEqualsTheTreeOverShards) {
    // 8 shards of 2 leaves: what data parallelism over 1, 2, 4 or 8 ranks computes.
    const Index shards = 8, length = 512, m = 19, n = 21;
    const Problem<TypeParam> problem(
        {.m = m, .n = n, .k = shards * length, .op_a = Op::T, .order = Order::tree});
    std::vector<List<TypeParam>> parts;
    for (Index s = 0; s < shards; ++s) {
        List<TypeParam> part(static_cast<std::size_t>(m * n));
        Gemm<TypeParam> g = problem.call(part.data());
        g.k = length;
        g.a += s * length * g.lda;
        g.b += s * length * g.ldb;
        gemm(g);
        parts.push_back(part);
    }
    for (std::size_t step = 1; step < parts.size(); step *= 2)
        for (std::size_t s = 0; s < parts.size(); s += 2 * step)
            for (std::size_t i = 0; i < parts[s].size(); ++i)
                parts[s][i] = parts[s][i] + parts[s + step][i];

    EXPECT_TRUE(same_bits(problem.run(), parts[0]));
}

TYPED_TEST(GemmOrder, SmallSizesEqualTheDefinition) {
    const std::vector<Index> sizes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 33};
    const double factors[] = {0, 1, -1, 0.7};
    std::uint32_t pick = 0;
    for (const Index m : sizes) {
        for (const Index n : sizes) {
            for (const Index k : sizes) {
                ++pick;
                const Shape shape{.m = m,
                                  .n = n,
                                  .k = k,
                                  .op_a = pick % 2 == 0 ? Op::N : Op::T,
                                  .op_b = pick / 2 % 2 == 0 ? Op::N : Op::T,
                                  .alpha = factors[pick / 3 % 4],
                                  .beta = factors[pick / 5 % 4],
                                  .gap = pick % 3};
                const Problem<TypeParam> problem(shape);
                // Signs of zero are part of the bits, so alpha == 0 follows its own rule: K = 0.
                Problem<TypeParam> defined = problem;
                if (shape.alpha == 0) defined.shape.k = 0;
                ASSERT_TRUE(same_bits(problem.run(), by_definition(defined))) << describe(shape);
            }
        }
    }
}

TYPED_TEST(GemmOrder, NothingOutsideTheOperandsIsTouched) {
    for (const KernelTable* table : available()) {
        use(table->isa);
        for (const Edge edge : {Edge::begin, Edge::end}) {
            const std::vector<Shape> shapes = border_shapes();
            for (std::size_t i = 0; i < shapes.size(); i += 3) {  // 3: all transposes occur
                Shape shape = shapes[i];
                shape.gap = 0;
                const Problem<TypeParam> problem(shape);
                const auto bias = random_list<TypeParam>(shape.n, 9);
                Guarded<TypeParam> a(problem.a, edge), b(problem.b, edge), c(problem.c, edge),
                    guarded_bias(bias, edge);
                Gemm<TypeParam> g = problem.call(c.data());
                g.a = a.data();
                g.b = b.data();
                g.epilogue.bias = guarded_bias.data();
                gemm(g);

                List<TypeParam> expected = problem.c;
                Gemm<TypeParam> plain = problem.call(expected.data());
                plain.epilogue.bias = bias.data();
                gemm(plain);
                EXPECT_TRUE(same_bits(c.copy(), expected))
                    << describe(shape) << " on " << table->isa;
            }
        }
    }
}

}  // namespace
}  // namespace soma::kernels
