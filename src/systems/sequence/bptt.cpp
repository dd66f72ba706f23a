// TT: gradients through time, backwards and forwards (Rumelhart, Hinton & Williams 1986; Williams &
// Zipser 1989, "A learning algorithm for continually running fully recurrent neural networks",
// Neural Computation 1(2) 270-280; Williams & Peng 1990, Neural Computation 2(4) 490-501).
//
// Williams & Zipser 1989 is often cited for BPTT; it is the RTRL paper. Both are here, with
// truncated and checkpointed BPTT and forward-mode products (neuro/recurrent_gradients.h), in f64:
//
//     identities    random noisy nets of 8 units, 20 steps: all algorithms find one gradient
//     lags          dL_T/dx_{T-k} of nets of 64 units. A tanh net at rest is the linear net
//                   x_t = x_{t-1} w_rec, whose gradient goes like rho^k, rho its spectral radius
//     delayed XOR   8 units learn y_t = u_{t-5} xor u_{t-6} (delayed_xor.h) with each of them.
//                   A window of h steps sees u_t ... u_{t-h+1}: up to h = 5 neither bit
//
// Deviations: Williams & Zipser delay the XOR of two lines and change the weights after every step;
// here the task is that of systems.md 4.10 and Adam steps once a batch, for all algorithms alike.

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>

#include "soma/core/parallel.h"
#include "soma/core/timer.h"
#include "soma/kernels/random.h"
#include "soma/linalg/linalg.h"
#include "soma/train/report.h"
#include "systems/claim_run.h"
#include "systems/sequence/delayed_xor.h"
#include "systems/slope.h"
#include "systems/systems.h"

namespace soma::systems {
namespace {

using neuro::CtrnnCell;
using neuro::MutableValues;
using neuro::RecurrentGradient;
using neuro::RecurrentSequence;
using neuro::StepLoss;
using neuro::Values;
using Vector = std::vector<double>;

struct Options {
    int seeds = 5;
    Index units = 8, inputs = 2, steps = 20;  // of the identities
    Index memory_steps = 10000;
    Index lag_units = 64, lags = 400, first_lag = 100;  // of the fit
    std::vector<double> radii = {0.8, 0.9, 1.1, 1.25};
    DelayedXorOptions task = {};
    std::vector<Index> windows = {1, 2, 3, 4, 5, 6, 7, 8};
};

Vector normals(Index n, double sd, std::uint64_t seed, std::uint32_t tag) {
    Vector v(static_cast<std::size_t>(n));
    kernels::random_normal<double>(make_key(seed, Purpose::surrogate_data, 0, tag), {}, n, 0, sd,
                                   v.data());
    return v;
}

double norm(Values v) { return std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0)); }

// ---- identities -------------------------------------------------------------------------------

// A random noisy net whose loss in every step is c_t . x_t with random c_t.
class RandomProblem {
public:
    RandomProblem(Index units, Index inputs, Index steps, std::uint64_t seed)
        : cell_(units, inputs,
                {.alpha = 0.5, .sigma = 0.1, .key = make_key(seed, Purpose::recurrent_noise)}),
          steps_(steps),
          theta_(normals(cell_.parameters(), 1.2 / std::sqrt(static_cast<double>(units)), seed, 1)),
          start_(normals(units, 0.5, seed, 2)),
          inputs_(normals(steps * inputs, 1, seed, 3)),
          weights_(normals(steps * units, 1, seed, 4)),
          loss_([this](Index t, Values x, MutableValues dx) {
              const double* c = weights_.data() + (t - 1) * std::ssize(x);
              std::copy_n(c, x.size(), dx.begin());
              return std::inner_product(x.begin(), x.end(), c, 0.0);
          }) {}
    RandomProblem(const RandomProblem&) = delete;

    RecurrentSequence sequence() const { return {cell_, theta_, start_, inputs_, steps_, loss_}; }

private:
    CtrnnCell cell_;
    Index steps_;
    Vector theta_, start_, inputs_, weights_;
    StepLoss loss_;
};

// |a - b| / |b| of whole gradients, by theta and x_0.
double difference(const RecurrentGradient& a, const RecurrentGradient& b) {
    double gap = 0, size = 0;
    const auto add = [&](const Vector& x, const Vector& y) {
        for (std::size_t i = 0; i < x.size(); ++i) {
            gap += (x[i] - y[i]) * (x[i] - y[i]);
            size += y[i] * y[i];
        }
    };
    add(a.theta, b.theta);
    add(a.start, b.start);
    return std::sqrt(gap / size);
}

double numbers_that_differ(const RecurrentGradient& a, const RecurrentGradient& b) {
    double count = a.loss == b.loss ? 0 : 1;
    for (std::size_t i = 0; i < a.theta.size(); ++i) count += a.theta[i] == b.theta[i] ? 0 : 1;
    for (std::size_t i = 0; i < a.start.size(); ++i) count += a.start[i] == b.start[i] ? 0 : 1;
    return count;
}

double jvp_error(const RecurrentSequence& s, const RecurrentGradient& g, std::uint64_t seed) {
    const Vector dtheta = normals(std::ssize(g.theta), 1, seed, 5);
    const Vector dstart = normals(std::ssize(g.start), 1, seed, 6);
    const double along = std::inner_product(g.theta.begin(), g.theta.end(), dtheta.begin(), 0.0) +
                         std::inner_product(g.start.begin(), g.start.end(), dstart.begin(), 0.0);
    const double scale =
        std::hypot(norm(g.theta), norm(g.start)) * std::hypot(norm(dtheta), norm(dstart));
    return std::abs(neuro::jvp(s, dtheta, dstart).derivative - along) / scale;
}

// ---- gradients over lags ----------------------------------------------------------------------

// A net with w_rec ~ N(0, 1 / N), scaled to the spectral radius, input weights N(0, 1), no bias.
Vector net_of_radius(const CtrnnCell& cell, double radius, std::uint64_t seed) {
    const Index n = cell.units();
    Vector theta = normals(cell.parameters(), 1, seed, 7);
    linalg::Matrix w(n, n, Vector(theta.begin(), theta.begin() + n * n));
    const double scale = radius / std::abs(linalg::eig(w).values[0]);
    for (Index i = 0; i < n * n; ++i) theta[static_cast<std::size_t>(i)] *= scale;
    std::fill(theta.begin() + cell.bias_at(), theta.end(), 0.0);
    return theta;
}

// |dL_T/dx_{T-k}| for k = 1 ... T, where L_T = c . x_T with a random unit vector c.
train::Series gradient_over_lags(const CtrnnCell& cell, const Vector& theta, const Vector& inputs,
                                 std::uint64_t seed) {
    const Index n = cell.units(), steps = std::ssize(inputs) / cell.inputs();
    std::vector<Vector> states{Vector(static_cast<std::size_t>(n))}, slopes;
    const auto input = [&](Index t) {
        return Values(inputs).subspan(t * cell.inputs(), cell.inputs());
    };
    for (Index t = 0; t < steps; ++t) {
        Vector next(states[0].size()), slope(states[0].size());
        cell.step(theta, t, states.back(), input(t), next, slope);
        states.push_back(std::move(next));
        slopes.push_back(std::move(slope));
    }
    Vector d = normals(n, 1, seed, 8), before(d.size()), gradient(theta.size());
    const double length = norm(d);
    train::Series series;
    for (Index k = 1; k <= steps; ++k) {
        const Index t = steps - k;
        cell.pullback({theta, states[t], input(t), slopes[t]}, d, before, gradient);
        d.swap(before);
        series.x.push_back(static_cast<double>(k));
        series.y.push_back(norm(d) / length);
    }
    return series;
}

// Slope of log y over x from x = first on.
double log_slope(const train::Series& s, double first) {
    Vector x, log_y;
    for (std::size_t i = 0; i < s.x.size(); ++i) {
        if (s.x[i] < first) continue;
        x.push_back(s.x[i]);
        log_y.push_back(std::log(s.y[i]));
    }
    return fitted_slope(x, log_y);
}

// ---- claims -----------------------------------------------------------------------------------

struct Method {
    std::string name;
    GradientMethod gradient;
};

Method truncated(Index window) {
    return {"window of " + std::to_string(window), [window](const RecurrentSequence& s) {
                return neuro::truncated_bptt(s, {.window = window, .every = 1});
            }};
}

class Experiment {
public:
    Experiment(ClaimRun& run, const Options& o) : run_(run), o_(o) {}

    void identities() {
        each_seed(make("rtrl-is-bptt", "relative difference of the gradients of RTRL and BPTT",
                       "identity", Gate::at_most(1e-10)),
                  [](const RecurrentSequence& s, std::uint64_t) {
                      return difference(neuro::rtrl(s), neuro::bptt(s));
                  });
        each_seed(make("jvp", "relative error of forward-mode products against BPTT", "identity",
                       Gate::at_most(1e-10)),
                  [](const RecurrentSequence& s, std::uint64_t seed) {
                      return jvp_error(s, neuro::bptt(s), seed);
                  });
        each_seed(make("checkpoint-bits", "numbers of checkpointed BPTT with other bits than BPTT",
                       "identity", Gate::equal(0)),
                  [](const RecurrentSequence& s, std::uint64_t) {
                      return numbers_that_differ(neuro::checkpointed_bptt(s), neuro::bptt(s));
                  });
        each_seed(make("window-bits", "the same of truncated BPTT with a window over all steps",
                       "identity", Gate::equal(0)),
                  [](const RecurrentSequence& s, std::uint64_t) {
                      return numbers_that_differ(
                          neuro::truncated_bptt(s, {.window = s.steps, .every = s.steps}),
                          neuro::bptt(s));
                  });
    }

    void memory() {
        run_.claim(
            make("checkpoint-memory",
                 "numbers that checkpointed BPTT keeps, in units of N sqrt(T), T = 10,000",
                 "memory", Gate::at_most(3.1)),
            [&](Claim& c) {
                const RandomProblem p(o_.units, o_.inputs, o_.memory_steps, 1);
                const auto kept = neuro::checkpointed_bptt(p.sequence()).kept;
                const double root = std::sqrt(static_cast<double>(o_.memory_steps));
                c.values = {static_cast<double>(kept) / (static_cast<double>(o_.units) * root)};
            });
    }

    void lags() {
        run_.claim(make("exponent",
                        "worst relative error of the exponent of the gradient over lags against "
                        "log rho, linear nets",
                        "theorem", Gate::at_most(0.1)),
                   [&](Claim& c) {
                       if (skip_without_lapack({&c, 1})) return;
                       c.seeds = run_.seeds();
                       for (const std::uint64_t seed : c.seeds) {
                           double worst = 0;
                           for (const double radius : o_.radii) {
                               const double exact = std::log(radius);
                               const double found = log_slope(lag_curve(radius, 0, seed),
                                                              static_cast<double>(o_.first_lag));
                               worst = std::max(worst, std::abs(found / exact - 1));
                           }
                           c.values.push_back(worst);
                       }
                   });
    }

    void delayed_xor() {
        const Method bptt{"BPTT", neuro::bptt}, rtrl{"RTRL", neuro::rtrl};
        const double n = static_cast<double>(run_.seeds().size());
        solves(make("xor-bptt", "nets that solve delayed XOR with BPTT", "accuracy",
                    Gate::at_least(n, n)),
               bptt);
        solves(make("xor-rtrl", "nets that solve delayed XOR with RTRL", "accuracy",
                    Gate::at_least(n, n)),
               rtrl);
        solves(make("xor-window-2", "nets that solve delayed XOR with a window of 2 steps",
                    "control", Gate::equal(0)),
               truncated(2));
        solves(make("xor-window-5", "nets that solve delayed XOR with a window of 5 steps",
                    "control", Gate::equal(0)),
               truncated(5));
        solves(make("xor-window-7", "nets that solve delayed XOR with a window of 7 steps",
                    "accuracy", {}),
               truncated(7));
    }

    void draw() {
        train::RunFolder* folder = run_.context().folder;
        if (folder == nullptr || run_.stopped()) return;
        if (!runs_.empty()) draw_learning(*folder);
        if (run_.context().wants("xor-window-7")) draw_windows(*folder);
        if (run_.context().wants("exponent") && linalg::available()) draw_lags(*folder);
        if (run_.context().wants("checkpoint-memory")) draw_cost(*folder);
    }

private:
    Claim make(const std::string& id, const std::string& text, const char* kind, Gate gate) const {
        Claim c = stated(id, text, kind,
                         "systems.md 4.10; Williams & Zipser 1989, Neural Computation 1(2)", gate);
        c.dtype = "f64";
        c.set = "generated";
        return c;
    }

    template <class Value>
    void each_seed(Claim claim, const Value& value) {
        claim.samples = o_.steps;
        run_.claim(std::move(claim), [&](Claim& c) {
            c.seeds = run_.seeds();
            for (const std::uint64_t seed : c.seeds) {
                const RandomProblem p(o_.units, o_.inputs, o_.steps, seed);
                c.values.push_back(value(p.sequence(), seed));
            }
        });
    }

    // Nets are independent: a thread each.
    std::vector<DelayedXorRun> train_all(const Method& method) const {
        std::vector<DelayedXorRun> runs(run_.seeds().size());
        parallel_for(std::ssize(runs), 1, [&](Index begin, Index end) {
            for (Index i = begin; i < end && !run_.stopped(); ++i) {
                const auto at = static_cast<std::size_t>(i);
                runs[at] = train_delayed_xor(o_.task, method.gradient, run_.seeds()[at],
                                             [&] { return run_.stopped(); });
            }
        });
        return runs;
    }

    void solves(Claim claim, const Method& method) {
        claim.set = "delayed XOR";
        claim.split = "test";
        claim.samples = o_.task.test_trials;
        run_.claim(std::move(claim), [&](Claim& c) {
            c.seeds = run_.seeds();
            double solved = 0;
            for (const DelayedXorRun& r : runs_of(method)) {
                solved += r.right >= o_.task.enough ? 1 : 0;
            }
            c.values = {solved};
        });
    }

    // Trained once for the claims and the figures.
    const std::vector<DelayedXorRun>& runs_of(const Method& method) {
        const auto [entry, fresh] = runs_.try_emplace(method.name);
        if (fresh) entry->second = train_all(method);
        return entry->second;
    }

    // The net of a radius at rest (drive 0), or driven by noise of that sd.
    train::Series lag_curve(double radius, double drive, std::uint64_t seed) const {
        const CtrnnCell cell(o_.lag_units, 1);
        train::Series s = gradient_over_lags(cell, net_of_radius(cell, radius, seed),
                                             normals(o_.lags, drive, seed, 9), seed);
        char label[32];
        std::snprintf(label, sizeof label, "rho = %.2f", radius);
        s.label = label;
        return s;
    }

    void draw_lags(train::RunFolder& folder) const {
        const auto draw = [&](const char* name, const char* title, const char* caption,
                              double drive) {
            train::LinePlot plot{.text = {name, title, caption},
                                 .x_label = "lag k (steps)",
                                 .y_label = "|dL_T / dx_{T-k}|",
                                 .series = {},
                                 .log_y = true};
            for (const double radius : o_.radii) {
                plot.series.push_back(lag_curve(radius, drive, run_.seeds()[0]));
            }
            folder.add(plot);
        };
        draw("lags", "Gradients vanish or explode like rho^k",
             "Gradient of a loss after the last step by the state k steps before, in linear nets "
             "(tanh nets at rest) of 64 units and spectral radius rho; first seed.",
             0);
        draw("lags-driven", "Driven units saturate, and gradients vanish sooner",
             "The same nets driven by input noise of standard deviation 1: the slopes of tanh "
             "units are below 1, so that also nets with rho > 1 forget.",
             1);
    }

    void draw_learning(train::RunFolder& folder) const {
        train::LinePlot plot{
            .text =
                {"learning", "Delayed XOR: y_t = u_{t-5} xor u_{t-6}",
                 "Wrong answers in training, first seed. Windows up to 5 steps see neither bit; "
                 "a window of 7 steps sees both."},
            .x_label = "updates of 32 sequences",
            .y_label = "share of wrong answers",
            .series = {},
            .references = {{"chance", 0.5}},
            .log_x = true};
        for (const auto& [name, runs] : runs_) {
            train::Series curve = runs[0].errors;
            curve.label = name;
            // The same gradients make the same curve, which is drawn once.
            const bool again = !plot.series.empty() && plot.series.back().y == curve.y;
            if (again) {
                plot.series.back().label += " = " + name;
            } else {
                plot.series.push_back(std::move(curve));
            }
        }
        folder.add(plot);
    }

    void draw_windows(train::RunFolder& folder) {
        train::Series right{"mean over seeds", {}, {}, {}};
        for (const Index window : o_.windows) {
            const auto& runs = runs_of(truncated(window));
            if (run_.stopped()) return;
            const auto n = static_cast<double>(runs.size());
            double mean = 0, square = 0;
            for (const DelayedXorRun& r : runs) mean += r.right / n;
            for (const DelayedXorRun& r : runs) square += (r.right - mean) * (r.right - mean) / n;
            right.x.push_back(static_cast<double>(window));
            right.y.push_back(mean);
            right.error.push_back(std::sqrt(square));
        }
        folder.add(train::LinePlot{
            .text = {"window", "What a window of h steps can learn",
                     "Right answers to new sequences after at most 2,000 updates with BPTT(h; 1): "
                     "mean and standard deviation over seeds. The two bits entered 6 and 7 steps "
                     "ago, counting the step of the answer."},
            .x_label = "window h (steps)",
            .y_label = "share of right answers",
            .series = {right},
            .references = {{"chance", 0.5}}});
    }

    void draw_cost(train::RunFolder& folder) const {
        const Method methods[] = {
            {"BPTT", neuro::bptt},
            {"checkpointed BPTT",
             [](const RecurrentSequence& s) { return neuro::checkpointed_bptt(s); }},
            truncated(8),
            {"RTRL", neuro::rtrl}};
        std::vector<train::Series> memory, time;
        for (const Method& method : methods) {
            train::Series kept{method.name, {}, {}}, seconds{method.name, {}, {}};
            for (Index steps = 10; steps <= 10000; steps *= 10) {
                const RandomProblem p(o_.units, o_.inputs, steps, 1);
                kept.x.push_back(static_cast<double>(steps));
                kept.y.push_back(static_cast<double>(method.gradient(p.sequence()).kept));
            }
            for (Index units = 4; units <= 64 && !run_.stopped(); units *= 2) {
                const RandomProblem p(units, o_.inputs, 100, 1);
                double best = INFINITY;
                for (int i = 0; i < 5; ++i) {
                    const Timer timer;
                    method.gradient(p.sequence());
                    best = std::min(best, timer.seconds());
                }
                seconds.x.push_back(static_cast<double>(units));
                seconds.y.push_back(best * 1e6 / 100);
            }
            memory.push_back(std::move(kept));
            time.push_back(std::move(seconds));
        }
        folder.add(train::LinePlot{
            .text = {"memory", "What each algorithm keeps",
                     "Numbers kept for the gradient of one sequence, besides the parameters and "
                     "the inputs; 8 units."},
            .x_label = "steps T",
            .y_label = "f64 numbers",
            .series = std::move(memory),
            .log_x = true,
            .log_y = true});
        folder.add(train::LinePlot{
            .text = {"time", "What each algorithm costs",
                     "Time of the gradient of one sequence of 100 steps, a step; the best of 5. "
                     "RTRL costs N^4, the others N^2."},
            .x_label = "units N",
            .y_label = "microseconds a step",
            .series = std::move(time),
            .log_y = true});
    }

    ClaimRun& run_;
    const Options& o_;
    std::map<std::string, std::vector<DelayedXorRun>> runs_;  // by method, a net a seed
};

}  // namespace

Reproduction reproduce_bptt(const ReproduceContext& context) {
    const Options o;
    ClaimRun run(context, "bptt", o.seeds);
    run.headline(
        "BPTT, truncated and checkpointed, RTRL and forward mode: one gradient; delayed XOR with 8 "
        "units (Williams & Zipser 1989)");
    run.deviation("one line, XOR of its bits 5 and 6 steps ago; Adam steps once a batch");
    Experiment experiment(run, o);
    experiment.identities();
    experiment.memory();
    experiment.lags();
    experiment.delayed_xor();
    experiment.draw();
    return run.finish();
}

}  // namespace soma::systems
