#pragma once
// The saddle graph: attractors as nodes, index-1 saddles as edges between the two attractors to
// which their unstable directions lead (neuro.md 6.4). It says which memories are neighbours, and
// it is an object that can be compared between networks.

#include <utility>
#include <vector>

#include "soma/neuro/dynamics.h"
#include "soma/neuro/fixed_points.h"

namespace soma::neuro {

// ---- graphs ----

// Undirected; several edges between two nodes and loops are allowed.
struct Graph {
    Index nodes = 0;
    std::vector<std::pair<Index, Index>> edges;  // node numbers below `nodes`, in any order
};

// Edge ends at each node (a loop counts twice), descending.
std::vector<Index> degrees(const Graph& g);

// Whether the nodes of a can be renamed into those of b. Backtracking over nodes of equal degree:
// fast for the sparse graphs of attractors, exponential at worst.
bool isomorphic(const Graph& a, const Graph& b);

// Least number of insertions and deletions of nodes and edges that turn a into b. Exact branch and
// bound over all assignments of nodes: Error(usage) above 10 nodes.
Index edit_distance(const Graph& a, const Graph& b);

// ---- from fixed points ----

struct SaddleGraphOptions {
    double offset = 1e-4;   // of the start from the saddle along the unstable mode, times rms(x)
    double capture = 1e-3;  // inf-norm distance at which a stable point is reached, times rms(x)
    Index max_steps = 100000;
};

struct SaddleGraph {
    struct Edge {
        Index saddle = 0;          // into report.points
        Index ends[2] = {-1, -1};  // nodes reached from x* + eps v and x* - eps v; -1: none
        Index steps[2] = {0, 0};   // until then
    };
    std::vector<Index> nodes;     // stable fixed points, into report.points
    std::vector<bool> certified;  // [nodes], by certify(): isolated for certain
    std::vector<Edge> edges;
    Index unresolved = 0;  // edges with an end that reached no stable point
    Index skipped = 0;     // saddles whose unstable eigenvalue is negative: both sides alternate

    // Resolved edges alone.
    Graph graph() const;
};

// Follows both branches of every index-1 saddle, all in one batch. rms(x) is that of the report's
// fixed points. Error(usage) when the report holds fixed points without spectra.
SaddleGraph saddle_graph(const Dynamics& d, Values u, const FixedPointReport& report,
                         const SaddleGraphOptions& options = {});

}  // namespace soma::neuro
