#include "soma/neuro/saddle_graph.h"

#include <algorithm>
#include <cmath>

#include "soma/core/error.h"
#include "soma/neuro/certificate.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;

// A branch on its way: side 0 or 1 of an edge.
struct Branch {
    std::size_t edge;
    int side;
};

double rms_of_fixed(const FixedPointReport& report) {
    double sum = 0, count = 0;
    for (const FixedPoint& p : report.points) {
        if (p.label != PointLabel::fixed) continue;
        for (const double v : p.x) sum += v * v;
        count += static_cast<double>(p.x.size());
    }
    return sum > 0 ? std::sqrt(sum / count) : 1;
}

// The node within `radius` of x (inf-norm), or -1.
Index node_near(const double* x, const SaddleGraph& graph, const FixedPointReport& report,
                double radius) {
    for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
        const std::vector<double>& p = report.points[static_cast<std::size_t>(graph.nodes[node])].x;
        bool near = true;
        for (std::size_t i = 0; near && i < p.size(); ++i) near = std::abs(x[i] - p[i]) <= radius;
        if (near) return static_cast<Index>(node);
    }
    return -1;
}

// Nodes and edges without ends; appends the two starts of every edge to x and branches.
SaddleGraph classify(const Dynamics& d, Values u, const FixedPointReport& report, double offset,
                     Matrix& x, std::vector<Branch>& branches) {
    SaddleGraph graph;
    for (std::size_t k = 0; k < report.points.size(); ++k) {
        const FixedPoint& p = report.points[k];
        if (p.label != PointLabel::fixed) continue;
        SOMA_CHECK(p.spectrum.has_value(), "saddle graph: point ", k,
                   " has no spectrum; need find_fixed_points with spectra");
        if (p.spectrum->stable) {
            graph.nodes.push_back(static_cast<Index>(k));
            graph.certified.push_back(certify(d, p.x, u).certified);
        }
        if (p.spectrum->unstable != 1) continue;
        if (p.spectrum->values[0].real() < 0) {
            ++graph.skipped;
            continue;
        }
        graph.edges.push_back({.saddle = static_cast<Index>(k)});
        for (int side = 0; side < 2; ++side) {
            branches.push_back({graph.edges.size() - 1, side});
            const double step = side == 0 ? offset : -offset;
            for (Index i = 0; i < x.cols; ++i) {
                const double mode = p.spectrum->right(i, 0).real();
                x.values.push_back(p.x[static_cast<std::size_t>(i)] + step * mode);
            }
            ++x.rows;
        }
    }
    return graph;
}

}  // namespace

Graph SaddleGraph::graph() const {
    Graph g{.nodes = static_cast<Index>(nodes.size()), .edges = {}};
    for (const Edge& e : edges) {
        if (e.ends[0] >= 0 && e.ends[1] >= 0) g.edges.emplace_back(e.ends[0], e.ends[1]);
    }
    return g;
}

SaddleGraph saddle_graph(const Dynamics& d, Values u, const FixedPointReport& report,
                         const SaddleGraphOptions& options) {
    const double rms = rms_of_fixed(report);
    const Index n = d.size();
    Matrix x(0, n);
    std::vector<Branch> branches;
    // The mode has unit length in n dimensions: sqrt(n) makes its rms the offset.
    const double offset = options.offset * rms * std::sqrt(static_cast<double>(n));
    SaddleGraph graph = classify(d, u, report, offset, x, branches);
    Matrix next(x.rows, n);
    for (Index step = 1; step <= options.max_steps && x.rows > 0; ++step) {
        next.rows = x.rows;
        next.values.resize(x.values.size());
        d.step(x.values, u, next.values);
        Index kept = 0;
        for (Index r = 0; r < x.rows; ++r) {
            const Branch b = branches[static_cast<std::size_t>(r)];
            const Index node = node_near(next.row(r), graph, report, options.capture * rms);
            SaddleGraph::Edge& edge = graph.edges[b.edge];
            edge.steps[b.side] = step;
            edge.ends[b.side] = node;
            if (node >= 0) continue;
            branches[static_cast<std::size_t>(kept)] = b;
            std::copy_n(next.row(r), n, x.row(kept));
            ++kept;
        }
        x.rows = kept;
        x.values.resize(static_cast<std::size_t>(kept * n));
    }
    graph.unresolved = std::count_if(graph.edges.begin(), graph.edges.end(),
                                     [](const auto& e) { return e.ends[0] < 0 || e.ends[1] < 0; });
    return graph;
}

}  // namespace soma::neuro
