// Plans of products: the cells cover C exactly once, scratch is bounded, paths follow the table.

#include "kernels/gemm_plan.h"

#include <gtest/gtest.h>

#include <vector>

namespace soma::kernels {
namespace {

constexpr GemmMachine kServer{.width = 16, .element = 4, .l2_bytes = 2 << 20, .threads = 1};

GemmMachine with_threads(GemmMachine machine, int threads) {
    machine.threads = threads;
    return machine;
}

GemmShape row_major(Index m, Index n, Index k) {
    return {.m = m, .n = n, .k = k, .lda = k, .ldb = n};
}

std::vector<GemmMachine> machines() {
    std::vector<GemmMachine> list;
    for (const Index width : {1, 4, 8, 16})
        for (const Index l2 : {128 << 10, 256 << 10, 1 << 20, 2 << 20})
            for (const int threads : {1, 2, 7, 64})
                list.push_back({.width = width, .element = 4, .l2_bytes = l2, .threads = threads});
    return list;
}

TEST(GemmPlan, CellsCoverCExactlyOnce) {
    for (const GemmMachine& machine : machines()) {
        for (const Index m : {1, 15, 16, 100, 1000}) {
            for (const Index n : {1, 4, 64, 65, 1000, 4096}) {
                for (const Order order : {Order::chain, Order::tree}) {
                    GemmShape shape = row_major(m, n, 600);
                    shape.order = order;
                    const GemmPlan plan = plan_gemm(shape, machine);

                    ASSERT_GE(plan.cell_m, 1);
                    ASSERT_GE(plan.cell_n, 1);
                    EXPECT_LT((plan.cells_m(m) - 1) * plan.cell_m, m) << "an empty row of cells";
                    const Index columns = n - plan.edge;
                    EXPECT_LT((plan.cells_n(columns) - 1) * plan.cell_n, columns)
                        << "an empty column of cells";
                    EXPECT_GE(plan.cells_m(m) * plan.cell_m, m);
                    EXPECT_GE(plan.cells_n(columns) * plan.cell_n, columns);
                    EXPECT_LE(plan.cells_m(m) * plan.cells_n(columns), machine.threads);
                }
            }
        }
    }
}

TEST(GemmPlan, ScratchOfAThreadIsBoundedByItsL2) {
    for (GemmMachine machine : machines()) {
        machine.element = machine.threads % 2 == 0 ? 4 : 8;
        const Index bound = machine.l2_bytes + (2 << 20);
        for (const Index m : {1, 16, 784, 5000}) {
            for (const Index n : {1, 100, 4096}) {
                for (const Index k : {10, 784, 60000}) {
                    for (const Order order : {Order::chain, Order::tree}) {
                        const GemmShape shape{.op_a = Op::T,
                                              .op_b = Op::T,
                                              .m = m,
                                              .n = n,
                                              .k = k,
                                              .lda = m,
                                              .ldb = k,
                                              .order = order};
                        const GemmPlan plan = plan_gemm(shape, machine);
                        EXPECT_LE(scratch_bytes(plan, shape, machine), bound)
                            << name_of(plan.path) << " " << m << " " << n << " " << k;
                    }
                }
            }
        }
    }
}

TEST(GemmPlan, PathsFollowTheShape) {
    const auto path = [](GemmShape shape) { return plan_gemm(shape, kServer).path; };
    GemmShape transposed_b = row_major(40, 300, 300), few = row_major(3, 300, 300);
    transposed_b.op_b = few.op_b = Op::T;
    GemmShape gradient = row_major(100, 100, 5000), short_sum = row_major(100, 100, 256);
    gradient.order = short_sum.order = Order::tree;

    EXPECT_EQ(path(row_major(64, 64, 64)), GemmPath::tiny);
    EXPECT_EQ(path(row_major(300, 90, 90)), GemmPath::direct) << "B in L1";
    EXPECT_EQ(path(row_major(12, 4096, 4096)), GemmPath::direct) << "few rows read B once";
    EXPECT_EQ(path(row_major(8, 4096, 4096)), GemmPath::stream) << "B beyond L2";
    EXPECT_EQ(path(row_major(384, 384, 384)), GemmPath::strips) << "B and the slice of A in L2";
    EXPECT_EQ(path(row_major(30, 4096, 4096)), GemmPath::strips) << "panels are used few times";
    EXPECT_EQ(path(row_major(512, 512, 512)), GemmPath::packed);
    EXPECT_EQ(path(row_major(200, 1024, 1024)), GemmPath::packed);
    EXPECT_EQ(path(transposed_b), GemmPath::strips);
    EXPECT_EQ(path(few), GemmPath::dots);
    EXPECT_EQ(path(row_major(1000, 1, 300)), GemmPath::narrow);
    EXPECT_EQ(path(gradient), GemmPath::tree);
    EXPECT_EQ(path(short_sum), GemmPath::strips) << "one leaf is a chain";
}

TEST(GemmPlan, OneOrTwoColumnsBeyondWholeVectorsAreAnEdge) {
    const auto edge = [](Index n) { return plan_gemm(row_major(200, n, 200), kServer).edge; };

    EXPECT_EQ(edge(160), 0);
    EXPECT_EQ(edge(161), 1);
    EXPECT_EQ(edge(162), 2);
    EXPECT_EQ(edge(163), 0) << "a masked vector costs less";
    EXPECT_EQ(plan_gemm(row_major(200, 161, 20), kServer).edge, 0) << "short sums";
}

TEST(GemmPlan, BlocksFollowTheCaches) {
    const GemmPlan server = plan_gemm(row_major(2000, 2000, 2000), kServer);
    GemmMachine laptop = kServer;
    laptop.width = 8;
    laptop.l2_bytes = 256 << 10;
    const GemmPlan small = plan_gemm(row_major(2000, 2000, 2000), laptop);

    EXPECT_EQ(server.kc, 256) << "one slice";
    EXPECT_EQ(server.nc, 768) << "45 % of 2 MB over 256 rows of 4 bytes, in steps of 192";
    EXPECT_LE(small.kc * small.nc * 4, laptop.l2_bytes);
}

TEST(GemmPlan, SmallProductsStayOnOneThread) {
    const GemmShape shape = row_major(70, 70, 70);  // 0.7 Mflop, a few microseconds
    const GemmPlan plan = plan_gemm(shape, with_threads(kServer, 64));

    EXPECT_EQ(plan.cells_m(70) * plan.cells_n(70), 1);
}

}  // namespace
}  // namespace soma::kernels
