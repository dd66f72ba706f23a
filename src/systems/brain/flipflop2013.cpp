// Sussillo & Barak 2013, "Opening the black box: low-dimensional dynamics in high-dimensional
// recurrent neural networks", Neural Computation 25(3) 626-649: the 3-bit flip-flop.
//
// Three inputs bring pulses of +-1; three outputs hold the sign of the last pulse of their input.
// Trained nets solve it with 2^3 stable fixed points, one a memory, at the corners of a cube, and
// saddles between them: what one pulse flips is what one saddle separates. So the graph with a
// node for each stable point and an edge for each saddle with one unstable mode is the graph of
// the cube, Q3: each memory has three neighbours, which differ from it in one bit.
//
//     x_t = (1 - alpha) x_{t-1} + alpha (W r_{t-1} + B u_t + b) + sigma xi,  r = tanh x,
//     z = w_out r + b_out      alpha = .5, sigma = .1, N = 64, W from N(0, .5^2 / N)
//
// For every seed the net is trained, all fixed points of the noiseless net at u = 0 are searched
// from 1,024 states, and both ends of the unstable mode of every saddle are followed.
//
// Deviations: the paper's net has 1,000 units and is trained by FORCE with feedback of the outputs;
// ours has 64, no feedback, and backpropagation through time with Adam. Pulses come in half of the
// steps, as in Golub & Sussillo's fixed-point finder.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/linalg/linalg.h"
#include "soma/neuro/certificate.h"
#include "soma/neuro/pca.h"
#include "soma/neuro/saddle_graph.h"
#include "soma/neuro/task_net.h"
#include "soma/neuro/tasks/flipflop.h"
#include "soma/systems/net_recipe.h"
#include "soma/train/report.h"
#include "systems/claim_run.h"
#include "systems/systems.h"

namespace soma::systems {
namespace {

struct Options {
    Index bits = 3, units = 64;
    double dt = 20, tau = 40, sigma = 0.1;  // ms
    double gain = 0.5;  // about the first spectral radius of W; at 1 some nets remember more bits
    Index updates = 1500, batch = 32;
    double rate = 0.02, clip_norm = 1;
    int seeds = 10;
    double seeds_that_must_hold = 9;
    Index search_states = 1024, trajectories = 32;
};

constexpr Index kStatesDrawn = 64;

nn::Init initial_weights(const Options& o) {
    return nn::Init::normal(o.gain / std::sqrt(static_cast<double>(o.units)));
}

// The graph of the cube of `bits` dimensions: nodes are words, edges flip one bit.
neuro::Graph cube_graph(Index bits) {
    neuro::Graph g{Index{1} << bits, {}};
    for (Index a = 0; a < g.nodes; ++a) {
        for (Index bit = 0; bit < bits; ++bit) {
            const Index b = a ^ (Index{1} << bit);
            if (a < b) g.edges.emplace_back(a, b);
        }
    }
    return g;
}

// A trained net taken apart.
struct Anatomy {
    double score = 0, loss = 0;
    Index updates = 0;
    neuro::FixedPointReport points;
    Index certified = 0;
    neuro::IndexSum index_sum;
    neuro::SaddleGraph graph;
    bool is_cube = false;        // the graph is that of the cube
    Index edges_of_one_bit = 0;  // saddles whose ends are memories that differ in one bit
    linalg::Matrix states;
};

// The memory that a state holds: the signs of the outputs, as a word.
Index memory_of(const linalg::Matrix& readout, const std::vector<double>& x) {
    std::vector<double> rates(x.size());
    neuro::apply(Nonlinearity::tanh, readout.cols, x.data(), rates.data());
    Index word = 0;
    for (Index o = 0; o < readout.rows; ++o) {
        double z = 0;
        for (Index i = 0; i < readout.cols; ++i) {
            z += readout(o, i) * rates[static_cast<std::size_t>(i)];
        }
        if (z > 0) word |= Index{1} << o;
    }
    return word;
}

Index one_bit_edges(const Anatomy& a, const linalg::Matrix& readout) {
    Index count = 0;
    for (const neuro::SaddleGraph::Edge& edge : a.graph.edges) {
        if (edge.ends[0] < 0 || edge.ends[1] < 0) continue;
        const auto memory = [&](int end) {
            const Index node = a.graph.nodes[static_cast<std::size_t>(edge.ends[end])];
            return memory_of(readout, a.points.points[static_cast<std::size_t>(node)].x);
        };
        const Index differ = memory(0) ^ memory(1);
        count += differ != 0 && (differ & (differ - 1)) == 0 ? 1 : 0;
    }
    return count;
}

NetRecipe recipe_of(const Options& o) {
    return {.system = "flipflop2013",
            .name = "",
            .task = neuro::make_flipflop({.bits = o.bits, .dt = o.dt, .tau = o.tau}),
            .net = {.units = o.units, .layer = {.sigma = o.sigma, .recurrent = initial_weights(o)}},
            .training = {.updates = o.updates,
                         .batch = o.batch,
                         .rate = o.rate,
                         .clip_norm = o.clip_norm,
                         .eval_every = 200,
                         .eval_trials = 128},
            .test_trials = 128};
}

Anatomy dissect(const Options& o, std::uint64_t seed, const std::function<bool()>& stop) {
    const NetRecipe recipe = recipe_of(o);
    const neuro::Task& task = *recipe.task;
    const auto [trained, result] = train_new(recipe, seed, stop);
    neuro::TaskNet& net = *trained;
    Anatomy a;
    a.score = result.score;
    a.loss = result.loss;
    a.updates = result.updates;

    const SerialScope one_thread;  // nets run side by side
    const auto dynamics = net.dynamics();
    const std::vector<double> no_input(static_cast<std::size_t>(o.bits), 0.0);
    a.states = neuro::sample_states(net, task, o.trajectories);
    a.points = neuro::find_fixed_points(
        *dynamics, no_input, neuro::make_seeds(a.states, {.count = o.search_states, .seed = seed}));
    for (const neuro::FixedPoint& p : a.points.points) {
        a.certified += neuro::certify(*dynamics, p.x, no_input).certified ? 1 : 0;
    }
    a.index_sum = neuro::index_sum(*dynamics, no_input, a.points);
    a.graph = neuro::saddle_graph(*dynamics, no_input, a.points);
    a.is_cube = neuro::isomorphic(a.graph.graph(), cube_graph(o.bits));
    a.edges_of_one_bit = one_bit_edges(a, net.readout());
    return a;
}

class Experiment {
public:
    Experiment(ClaimRun& run, const Options& o) : run_(run), o_(o) {}

    void claims() {
        const Gate most = run_.on_most_seeds(o_.seeds_that_must_hold, o_.seeds);
        run_.claims(
            {make("score", "worst share of (step, bit) remembered", "accuracy",
                  Gate::at_least(0.99)),
             make("stable", "seeds with exactly 8 stable fixed points", "count", most),
             make("edges",
                  "seeds with 12 saddles of one unstable mode, each between two "
                  "memories that differ in one bit",
                  "count", most),
             make("cube", "seeds whose saddle graph is the graph of the cube", "count", most),
             make("index-sum", "seeds whose fixed points have the index sum +1", "theorem", most),
             make("certified", "smallest share of fixed points with a certificate", "identity",
                  Gate::at_least(0.9))},
            [&](std::vector<Claim>& c) {
                if (skip_without_lapack(c)) return;
                all_ = run_.for_every_seed<Anatomy>("nets", [&](std::uint64_t seed) {
                    return dissect(o_, seed, [&] { return run_.stopped(); });
                });
                if (run_.stopped()) return;
                for (Claim& claim : c) claim.seeds = run_.seeds();
                const auto least = [&](auto value) {
                    double best = INFINITY;
                    for (const Anatomy& a : all_) best = std::min<double>(best, value(a));
                    return best;
                };
                const auto count = [&](auto holds) {
                    return static_cast<double>(std::count_if(all_.begin(), all_.end(), holds));
                };
                c[0].values = {least([](const Anatomy& a) { return a.score; })};
                c[1].values = {
                    count([](const Anatomy& a) { return a.points.with_unstable(0) == 8; })};
                c[2].values = {count([](const Anatomy& a) {
                    return a.points.with_unstable(1) == 12 && a.edges_of_one_bit == 12;
                })};
                c[3].values = {count([](const Anatomy& a) { return a.is_cube; })};
                c[4].values = {count([](const Anatomy& a) {
                    return a.index_sum.applicable && a.index_sum.sum == 1;
                })};
                c[5].values = {least([](const Anatomy& a) {
                    return static_cast<double>(a.certified) /
                           static_cast<double>(std::max<std::size_t>(a.points.points.size(), 1));
                })};
            });
    }

    void draw() {
        train::RunFolder* folder = run_.context().folder;
        if (folder == nullptr || all_.empty() || run_.stopped()) return;
        draw_state_space(*folder, all_.front());
        draw_counts(*folder);
    }

private:
    Claim make(const std::string& id, const std::string& text, const char* kind, Gate gate) const {
        Claim c = stated(id, text, kind,
                         "Sussillo & Barak 2013, Neural Computation 25(3), 3-bit flip-flop", gate);
        c.set = "flipflop";
        c.samples = o_.search_states;
        return c;
    }

    // Figure 2 of the paper: trajectories, fixed points and the saddles between them.
    static void draw_state_space(train::RunFolder& folder, const Anatomy& a) {
        // The plane of the cube: components of its corners, seen from the side, so that no two
        // corners fall together.
        linalg::Matrix corners(0, a.states.cols);
        for (const neuro::FixedPoint& point : a.points.points) {
            if (!point.spectrum->stable) continue;
            corners.append_row(point.x);
        }
        if (corners.rows < 4) return;
        const neuro::Pca pca = neuro::pca(corners, {.components = 3});
        const auto view = [](const double* c) {
            return std::pair{c[0] + 0.4 * c[2], c[1] + 0.25 * c[2]};
        };
        train::Series paths{"states", {}, {}};
        const linalg::Matrix p = pca.project(a.states);
        for (Index i = 0; i < std::min(p.rows, kStatesDrawn); ++i) {
            const auto [x, y] = view(p.row(i));
            paths.x.push_back(x);
            paths.y.push_back(y);
        }
        std::vector<train::Series> series{paths};
        const char* names[] = {"stable", "1 unstable mode", "2 unstable modes", "3 unstable modes"};
        for (Index modes = 0; modes < 4; ++modes) {
            train::Series s{names[modes], {}, {}};
            for (const neuro::FixedPoint& point : a.points.points) {
                if (point.spectrum->unstable != modes) continue;
                linalg::Matrix row(1, std::ssize(point.x), point.x);
                const auto [x, y] = view(pca.project(row).row(0));
                s.x.push_back(x);
                s.y.push_back(y);
            }
            series.push_back(std::move(s));
        }
        folder.add(train::LinePlot{
            .text = {"state-space", "The cube in state space",
                     "States along one trial and all fixed points without input, in the principal "
                     "components of the stable points, seen from the side; first seed."},
            .x_label = "PC1 + 0.4 PC3",
            .y_label = "PC2 + 0.25 PC3",
            .series = std::move(series),
            .points = true});
    }

    void draw_counts(train::RunFolder& folder) const {
        train::BarChart chart;
        chart.text = {"counts", "Fixed points by their number of unstable modes",
                      "A cube has 8 corners, 12 edges, 6 faces and 1 centre."};
        chart.y_label = "fixed points";
        for (const std::uint64_t seed : run_.seeds()) {
            chart.labels.push_back("seed " + std::to_string(seed));
        }
        for (std::size_t modes = 0; modes < 4; ++modes) {
            train::BarChart::Bars bars{std::to_string(modes) + " unstable", {}};
            for (const Anatomy& a : all_) {
                bars.values.push_back(static_cast<double>(a.points.with_unstable(modes)));
            }
            chart.series.push_back(std::move(bars));
        }
        folder.add(chart);
    }

    ClaimRun& run_;
    const Options& o_;
    std::vector<Anatomy> all_;
};

}  // namespace

Reproduction reproduce_flipflop2013(const ReproduceContext& context) {
    const Options o;
    ClaimRun run(context, "flipflop2013", o.seeds);
    run.headline(
        "3-bit flip-flop, 64 tanh units, 1,500 updates of 32 trials (Sussillo & Barak 2013)");
    run.deviation(
        "64 units trained by backpropagation through time; the paper's net has 1,000 "
        "units and is trained by FORCE with output feedback");
    Experiment experiment(run, o);
    experiment.claims();
    experiment.draw();
    return run.finish();
}

NetRecipe flipflop2013_net(const std::string& recipe) {
    SOMA_CHECK(recipe.empty(), "flipflop2013: recipe '", recipe, "' is unknown; it has one");
    return recipe_of({});
}

train::TrainResult train_flipflop2013(const train::TrainOptions& options, dist::Comm& comm) {
    return train_net(flipflop2013_net(options.recipe), options, comm);
}

NetSweep sweep_flipflop2013() {
    using Net = std::optional<train::Fields>;
    return make_net_sweep<Options>(
        {{"bits", &Options::bits},
         {"units", &Options::units},
         {"dt", &Options::dt},
         {"tau", &Options::tau},
         {"sigma", &Options::sigma},
         {"gain", &Options::gain},
         {"updates", &Options::updates},
         {"batch", &Options::batch},
         {"rate", &Options::rate},
         {"clip_norm", &Options::clip_norm},
         {"search_states", &Options::search_states},
         {"trajectories", &Options::trajectories}},
        [](const Options& o, std::uint64_t seed, const std::function<bool()>& stop) -> Net {
            SOMA_CHECK(linalg::available(), "flipflop2013: soma was built without LAPACK");
            const Anatomy a = dissect(o, seed, stop);
            if (stop()) return std::nullopt;
            return train::Fields{{"accuracy", a.score},
                                 {"loss", a.loss},
                                 {"updates_done", a.updates},
                                 {"stable_points", a.points.with_unstable(0)},
                                 {"saddles", a.points.with_unstable(1)},
                                 {"cube", a.is_cube}};
        });
}

}  // namespace soma::systems
