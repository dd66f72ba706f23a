// The cube as a flip-flop of three bits; graphs small enough to check by hand.

#include "soma/neuro/saddle_graph.h"

#include <gtest/gtest.h>

#include "neuro/systems.h"
#include "soma/core/error.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;
using Vector = std::vector<double>;

// Q_n: nodes are n-bit numbers, edges join those that differ in one bit.
Graph hypercube(int bits) {
    Graph g{.nodes = Index{1} << bits, .edges = {}};
    for (Index a = 0; a < g.nodes; ++a) {
        for (int bit = 0; bit < bits; ++bit) {
            if (!(a >> bit & 1)) g.edges.emplace_back(a, a | Index{1} << bit);
        }
    }
    return g;
}

Graph path(Index nodes) {
    Graph g{.nodes = nodes, .edges = {}};
    for (Index i = 0; i + 1 < nodes; ++i) g.edges.emplace_back(i, i + 1);
    return g;
}

FixedPointReport cube_report(const Dynamics& d) {
    Matrix seeds(27, 48);
    for (Index corner = 0; corner < 27; ++corner) {
        const Index digit[3] = {corner % 3 - 1, corner / 3 % 3 - 1, corner / 9 - 1};
        for (Index i = 0; i < 48; ++i) {
            seeds(corner, i) = static_cast<double>(digit[i / 16]) * test::cube_root(2);
        }
    }
    return find_fixed_points(d, {}, seeds);
}

TEST(SaddleGraph, FlipFlopOfThreeBitsIsTheCube) {
    for (const double alpha : {1.0, 0.1}) {
        const CtrnnDynamics d = test::cube(2, alpha);
        const SaddleGraph g = saddle_graph(d, {}, cube_report(d));
        EXPECT_EQ(g.nodes.size(), 8u);
        EXPECT_EQ(g.edges.size(), 12u);
        EXPECT_EQ(g.unresolved, 0);
        EXPECT_EQ(g.skipped, 0);
        EXPECT_EQ(g.certified, std::vector<bool>(8, true));
        EXPECT_EQ(degrees(g.graph()), std::vector<Index>(8, 3));
        EXPECT_TRUE(isomorphic(g.graph(), hypercube(3)));
        EXPECT_EQ(edit_distance(g.graph(), hypercube(3)), 0);
    }
}

TEST(SaddleGraph, BranchesThatRunOutOfStepsAreUnresolved) {
    const CtrnnDynamics d = test::cube(2, 0.1);
    const SaddleGraph g = saddle_graph(d, {}, cube_report(d), {.max_steps = 5});
    EXPECT_EQ(g.unresolved, 12);
    EXPECT_TRUE(g.graph().edges.empty());
    EXPECT_EQ(g.edges[0].ends[0], -1);
}

TEST(SaddleGraph, NeedsSpectra) {
    FixedPointReport report;
    report.points.push_back({.x = Vector(48, 0.0), .found_by = {}, .spectrum = {}});
    EXPECT_THROW(saddle_graph(test::cube(2), {}, report), Error);
}

TEST(Graph, IsomorphismIgnoresNames) {
    Graph renamed{.nodes = 4, .edges = {{2, 0}, {0, 3}, {3, 1}}};
    EXPECT_TRUE(isomorphic(renamed, path(4)));
    const Graph star{.nodes = 4, .edges = {{0, 1}, {0, 2}, {0, 3}}};
    EXPECT_FALSE(isomorphic(star, path(4)));
    // Both have six nodes of degree 2: one ring of six against two of three.
    const Graph ring{.nodes = 6, .edges = {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 0}}};
    const Graph rings{.nodes = 6, .edges = {{0, 1}, {1, 2}, {2, 0}, {3, 4}, {4, 5}, {5, 3}}};
    EXPECT_EQ(degrees(ring), degrees(rings));
    EXPECT_FALSE(isomorphic(ring, rings));
    EXPECT_EQ(edit_distance(ring, rings), 4);  // two edges out, two in
}

TEST(Graph, EditDistanceCountsNodesAndEdges) {
    EXPECT_EQ(edit_distance(path(4), path(4)), 0);
    EXPECT_EQ(edit_distance(path(5), path(4)), 2);  // a node with its edge
    EXPECT_EQ(edit_distance(path(4), path(5)), 2);
    const Graph ring{.nodes = 4, .edges = {{0, 1}, {1, 2}, {2, 3}, {3, 0}}};
    EXPECT_EQ(edit_distance(path(4), ring), 1);
    const Graph twice{.nodes = 2, .edges = {{0, 1}, {1, 0}}};
    EXPECT_EQ(edit_distance(twice, path(2)), 1);
    const Graph loop{.nodes = 2, .edges = {{0, 1}, {1, 1}}};
    EXPECT_EQ(edit_distance(loop, path(2)), 1);
    EXPECT_EQ(degrees(loop), (std::vector<Index>{3, 1}));
    EXPECT_THROW(edit_distance(path(11), path(2)), Error);
    EXPECT_THROW(degrees({.nodes = 1, .edges = {{0, 1}}}), Error);
}

}  // namespace
}  // namespace soma::neuro
