// Comparison of small graphs: both searches assign the nodes of one graph to those of the other in
// order, and keep a matrix of edge counts.

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "soma/core/error.h"
#include "soma/neuro/saddle_graph.h"

namespace soma::neuro {
namespace {

constexpr Index kMaxEditNodes = 10;

// Edge counts [nodes, nodes], symmetric; a loop stands on the diagonal once.
class Adjacency {
public:
    explicit Adjacency(const Graph& g)
        : n_(g.nodes), counts_(static_cast<std::size_t>(g.nodes * g.nodes)) {
        for (const auto& [a, b] : g.edges) {
            SOMA_CHECK(0 <= a && a < n_ && 0 <= b && b < n_, "graph: edge ", a, " - ", b,
                       " in a graph of ", n_, " nodes; need existing ones");
            ++at(a, b);
            if (a != b) ++at(b, a);
        }
    }
    Index nodes() const { return n_; }
    Index operator()(Index a, Index b) const {
        return counts_[static_cast<std::size_t>(a * n_ + b)];
    }
    Index degree(Index a) const {
        Index sum = (*this)(a, a);
        for (Index b = 0; b < n_; ++b) sum += (*this)(a, b);
        return sum;
    }

private:
    Index& at(Index a, Index b) { return counts_[static_cast<std::size_t>(a * n_ + b)]; }

    Index n_;
    std::vector<Index> counts_;
};

class IsomorphismSearch {
public:
    IsomorphismSearch(const Graph& a, const Graph& b)
        : a_(a),
          b_(b),
          image_(static_cast<std::size_t>(a.nodes)),
          used_(static_cast<std::size_t>(b.nodes)) {}

    // Assigns nodes node, node + 1, ... of a.
    bool assign(Index node) {
        if (node == a_.nodes()) return true;
        for (Index target = 0; target < b_.nodes(); ++target) {
            if (used_[static_cast<std::size_t>(target)] || !fits(node, target)) continue;
            used_[static_cast<std::size_t>(target)] = true;
            image_[static_cast<std::size_t>(node)] = target;
            if (assign(node + 1)) return true;
            used_[static_cast<std::size_t>(target)] = false;
        }
        return false;
    }

private:
    bool fits(Index node, Index target) const {
        if (a_.degree(node) != b_.degree(target) || a_(node, node) != b_(target, target)) {
            return false;
        }
        for (Index k = 0; k < node; ++k) {
            if (a_(node, k) != b_(target, image_[static_cast<std::size_t>(k)])) return false;
        }
        return true;
    }

    Adjacency a_, b_;
    std::vector<Index> image_;
    std::vector<bool> used_;
};

// a is the larger graph; a node of it goes to one of b or, with its edges, is deleted.
class EditSearch {
public:
    EditSearch(const Graph& a, const Graph& b)
        : a_(a),
          b_(b),
          image_(static_cast<std::size_t>(a.nodes)),
          used_(static_cast<std::size_t>(b.nodes)) {
        best_ = a.nodes + b.nodes + static_cast<Index>(a.edges.size() + b.edges.size());
    }

    Index run() {
        assign(0, 0, a_.nodes() - b_.nodes());
        return best_;
    }

private:
    // cost: of what is assigned so far; spare: nodes of a that may still be deleted.
    void assign(Index node, Index cost, Index spare) {
        if (cost >= best_) return;
        if (node == a_.nodes()) {
            best_ = cost;
            return;
        }
        for (Index target = 0; target < b_.nodes(); ++target) {
            if (used_[static_cast<std::size_t>(target)]) continue;
            used_[static_cast<std::size_t>(target)] = true;
            image_[static_cast<std::size_t>(node)] = target;
            assign(node + 1, cost + edge_cost(node, target), spare);
            used_[static_cast<std::size_t>(target)] = false;
        }
        if (spare == 0) return;
        image_[static_cast<std::size_t>(node)] = -1;
        assign(node + 1, cost + 1 + edge_cost(node, -1), spare - 1);
    }

    // Edges to nodes already assigned that must be inserted or deleted.
    Index edge_cost(Index node, Index target) const {
        Index cost = std::abs(a_(node, node) - (target < 0 ? 0 : b_(target, target)));
        for (Index k = 0; k < node; ++k) {
            const Index other = image_[static_cast<std::size_t>(k)];
            const Index there = target < 0 || other < 0 ? 0 : b_(target, other);
            cost += std::abs(a_(node, k) - there);
        }
        return cost;
    }

    Adjacency a_, b_;
    std::vector<Index> image_;
    std::vector<bool> used_;
    Index best_;
};

}  // namespace

std::vector<Index> degrees(const Graph& g) {
    const Adjacency adjacency(g);
    std::vector<Index> result;
    for (Index i = 0; i < g.nodes; ++i) result.push_back(adjacency.degree(i));
    std::sort(result.rbegin(), result.rend());
    return result;
}

bool isomorphic(const Graph& a, const Graph& b) {
    if (a.nodes != b.nodes || a.edges.size() != b.edges.size() || degrees(a) != degrees(b)) {
        return false;
    }
    return IsomorphismSearch(a, b).assign(0);
}

Index edit_distance(const Graph& a, const Graph& b) {
    SOMA_CHECK(std::max(a.nodes, b.nodes) <= kMaxEditNodes, "edit_distance: graphs have ", a.nodes,
               " and ", b.nodes, " nodes; need at most ", kMaxEditNodes);
    return a.nodes >= b.nodes ? EditSearch(a, b).run() : EditSearch(b, a).run();
}

}  // namespace soma::neuro
