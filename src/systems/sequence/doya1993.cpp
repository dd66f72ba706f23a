// Doya 1993, "Bifurcations of recurrent neural networks in gradient descent learning" (after Doya
// 1992, ISCAS 6, 2777-2780): on its way to an automaton or an oscillator a net must cross
// bifurcations of its own dynamics. There its output jumps, the gradient explodes, and descent may
// fail; teacher forcing takes the dynamics out of the gradient.
//
//     one unit     x' = tanh(w x + b): with x_f = sqrt(1 - 1/w), folds at
//                  b = +-(atanh x_f - w x_f) for w > 1; at b = 0 a pitchfork at w = 1 and a flip at
//                  w = -1. Taught: a memory of one bit, w = 2, b = 0, from x_0 = +-.2
//     two units    x' = tanh(g R x), R a rotation by a: at g = 1 a Neimark-Sacker bifurcation with
//                  the angle a. Taught: its cycle at g = 1.2, a = 2 pi / 12
//
// Near the fold F = x_f + A d - B (x - x_f)^2 with d = b - b_f, A = 1 / w, B = w x_f. Above it the
// gradient of the fixed point is closed form, dx/db = (1 - x^2) / (1 - w (1 - x^2)), and goes like
// d^(-1/2). Below it a state takes pi / sqrt(A B |d|) steps through the gap: |dx_T/db| is largest
// where that is T, |d| = pi^2 / (x_f T^2), and its peak grows like T^3.
//
// Deviations: the paper's nets and rates are not at hand; discrete time, the smallest nets that
// have the bifurcations, plain gradient descent from a grid of starts.

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "soma/core/parallel.h"
#include "soma/core/text.h"
#include "soma/linalg/linalg.h"
#include "soma/neuro/continuation.h"
#include "soma/neuro/ctrnn_dynamics.h"
#include "soma/train/report.h"
#include "systems/claim_run.h"
#include "systems/sequence/bifurcation_learning.h"
#include "systems/sequence/fold.h"
#include "systems/systems.h"

namespace soma::systems {
namespace {

using neuro::Bifurcation;
using neuro::CtrnnCell;
using neuro::MutableValues;
using neuro::Values;

struct Options {
    double w = 2, bit_start = 0.2;  // the one-bit teacher
    Index bit_steps = 60;
    DescentOptions bit = {.rate = 0.3};
    std::vector<double> w_starts = {-1, -0.2, 0.6, 1.4, 2.2, 3};
    std::vector<double> b_starts = {-1, -0.6, -0.2, 0.2, 0.6, 1};
    double tolerance = 0.05;  // of theta, for success

    double gain = 1.2, angle = 2 * std::numbers::pi / 12;  // the oscillator
    Index cycle_steps = 40;
    DescentOptions cycle = {.rate = 0.1};
    double small_rate = 0.01;
    std::vector<double> gain_starts = {0.3, 0.6, 0.9, 1.1, 1.4};
    std::vector<double> angle_starts = {-0.3, 0, 0.3, 0.6, 0.9, 1.2};
    double shape_tolerance = 0.02;  // of amplitude and period, for success
};

// ---- bifurcations -----------------------------------------------------------------------------

neuro::CtrnnDynamics unit_with_bias(double w) {
    return {{.units = 1, .inputs = 1, .w_rec = {w}, .w_in = {1}}, {.convention = Convention::rate}};
}

// x' = tanh(u M x), u the parameter.
neuro::FunctionDynamics scaled_net(const linalg::Matrix& m) {
    const Index n = m.rows;
    const auto product = [m, n](Values x, Index i) {
        return std::inner_product(x.begin(), x.begin() + n, m.row(i), 0.0);
    };
    const auto slope = [product](Values x, Values u, Index i) {
        const double y = std::tanh(u[0] * product(x, i));
        return 1 - y * y;
    };
    return {"scaled net",
            n,
            1,
            {.step =
                 [=](Values x, Values u, MutableValues y) {
                     for (Index i = 0; i < n; ++i) y[i] = std::tanh(u[0] * product(x, i));
                 },
             .jacobian =
                 [=](Values x, Values u, MutableValues j) {
                     for (Index i = 0; i < n; ++i) {
                         for (Index k = 0; k < n; ++k) {
                             j[i * n + k] = slope(x, u, i) * u[0] * m(i, k);
                         }
                     }
                 },
             .input_jacobian =
                 [=](Values x, Values u, MutableValues b) {
                     for (Index i = 0; i < n; ++i) b[i] = slope(x, u, i) * product(x, i);
                 }}};
}

linalg::Matrix rotation(double angle) {
    return {2, 2, {std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle)}};
}

// The bifurcations of a kind that the curve from x meets while the parameter goes from `from` to
// `to`.
std::vector<neuro::BifurcationPoint> find_bifurcations(const neuro::Dynamics& d, const Vector& x,
                                                       double from, double to, Bifurcation kind) {
    const Vector u{from};
    const neuro::Curve curve = neuro::continue_fixed_point(
        d, x, u, {.low = std::min(from, to), .high = std::max(from, to), .upwards = to > from});
    std::vector<neuro::BifurcationPoint> found;
    for (const neuro::BifurcationPoint& p : curve.bifurcations) {
        if (p.kind == kind) found.push_back(p);
    }
    return found;
}

// ---- learning ---------------------------------------------------------------------------------

Vector rotation_net(double gain, double angle) {  // theta, w_rec from, to
    const linalg::Matrix r = rotation(angle);
    return {gain * r(0, 0), gain * r(1, 0), gain * r(0, 1), gain * r(1, 1), 0, 0};
}

class Experiment {
public:
    Experiment(ClaimRun& run, const Options& o) : run_(run), o_(o) {
        const CtrnnCell two(2, 0);
        const Vector oscillator = rotation_net(o.gain, o.angle);
        const Vector settled = trajectory(two, oscillator, {0.5, 0}, 500);
        cycle_ = {trajectory(two, oscillator, {settled.end() - 2, settled.end()}, o.cycle_steps)};
        for (const double start : {o.bit_start, -o.bit_start}) {
            bit_.push_back(trajectory(CtrnnCell(1, 0), {o.w, 0}, {start}, o.bit_steps));
        }
    }

    void bifurcations() {
        located("folds", "largest error of the two folds in b at w = 2", 1e-8, [&] {
            const auto found =
                find_bifurcations(unit_with_bias(o_.w), {1}, 1, -1, Bifurcation::fold);
            if (found.size() != 2) return double{INFINITY};
            return std::max(std::abs(found[0].parameter - fold_bias(o_.w)),
                            std::abs(found[1].parameter + fold_bias(o_.w)));
        });
        const linalg::Matrix one(1, 1, {1});
        const auto error_at = [](const std::vector<neuro::BifurcationPoint>& found, double truth) {
            return found.size() == 1 ? std::abs(found[0].parameter - truth) : INFINITY;
        };
        located("pitchfork", "error of the pitchfork in w at b = 0, exactly 1", 1e-6, [&] {
            return error_at(
                find_bifurcations(scaled_net(one), {0}, 0.5, 1.5, Bifurcation::pitchfork), 1);
        });
        located("flip", "error of the flip in w at b = 0, exactly -1", 1e-8, [&] {
            return error_at(find_bifurcations(scaled_net(one), {0}, -0.5, -1.5, Bifurcation::flip),
                            -1);
        });
        located("neimark-sacker", "error of the Neimark-Sacker point in g and its angle", 1e-8,
                [&] {
                    const auto found = find_bifurcations(scaled_net(rotation(o_.angle)), {0, 0},
                                                         0.5, 1.5, Bifurcation::neimark_sacker);
                    if (found.size() != 1) return double{INFINITY};
                    return std::max(std::abs(found[0].parameter - 1),
                                    std::abs(found[0].coefficient - o_.angle));
                });
    }

    void explosion() {
        const double w = o_.w, x_f = fold_state(w);
        run_.claims(
            {make("branch-gradient", "worst relative error of BPTT against dx/db of the branch",
                  "identity", Gate::at_most(1e-6)),
             make("branch-exponent", "error of the exponent of |dx/db| over b - b_f, exactly -1/2",
                  "theorem", Gate::at_most(0.01))},
            [&](std::vector<Claim>& c) {
                train::Series slopes;
                double worst = 0;
                for (const double distance : {1e-3, 1e-4, 1e-5, 1e-6}) {
                    // lambda^T = e^-40, lambda = 1 - 2 sqrt(A B d) near the fold
                    const auto steps = static_cast<Index>(20 / std::sqrt(x_f * distance));
                    const EndState end = end_state(w, fold_bias(w) + distance, steps);
                    const double s = 1 - end.x * end.x, exact = s / (1 - w * s);
                    worst = std::max(worst, std::abs(end.slope / exact - 1));
                    slopes.x.push_back(distance);
                    slopes.y.push_back(end.slope);
                }
                c[0].values = {worst};
                if (c.size() > 1) {
                    c[1].values = {std::abs(log_log_slope(slopes) + 0.5)};
                }
            });
        run_.claim(make("peak-place",
                        "relative error of pi^2 / (x_f T^2), where the gradient peaks, T = 1,600",
                        "theorem", Gate::at_most(0.01)),
                   [&](Claim& c) {
                       const double t = 1600, pi = std::numbers::pi;
                       const double theory = pi * pi / (x_f * t * t);
                       c.values = {std::abs(find_peak(w, 1600).distance / theory - 1)};
                   });
        run_.claim(make("peak-exponent",
                        "error of the exponent of the peak gradient over T = 200 ... 1,600, in "
                        "the limit 3",
                        "theorem", Gate::at_most(0.02)),
                   [&](Claim& c) {
                       train::Series peaks;
                       for (const Index t : {200, 400, 800, 1600}) {
                           peaks.x.push_back(static_cast<double>(t));
                           peaks.y.push_back(find_peak(w, t).slope);
                       }
                       c.values = {std::abs(log_log_slope(peaks) - 3)};
                   });
    }

    void learning() {
        const auto bits = static_cast<double>(o_.w_starts.size() * o_.b_starts.size());
        const auto cycles = static_cast<double>(o_.gain_starts.size() * o_.angle_starts.size());
        const auto learn = [&](const char* id, const char* text, Gate gate, const auto& count) {
            run_.claim(
                make(id, text, gate.kind == Gate::Kind::at_most ? "control" : "accuracy", gate),
                [&](Claim& c) { c.values = {count()}; });
        };
        DescentOptions forced = o_.bit, free = o_.bit;
        forced.forced = true;
        learn("bit-forced", "starts of 36 that find the one-bit memory, teacher forcing",
              Gate::at_least(bits, bits), [&] { return bits_learnt(forced); });
        learn("bit-free", "the same running free", Gate::at_most(bits - 1),
              [&] { return bits_learnt(free); });
        forced = free = o_.cycle;
        forced.forced = true;
        learn("cycle-forced", "starts of 30 that find the oscillator, teacher forcing",
              Gate::at_least(cycles, cycles), [&] { return cycles_learnt(forced); });
        learn("cycle-free", "the same running free", Gate::at_most(cycles - 1),
              [&] { return cycles_learnt(free); });
        free.rate = o_.small_rate;
        learn("cycle-free-slow", "the same running free at a tenth of the rate", {},
              [&] { return cycles_learnt(free); });
    }

    void draw() const {
        train::RunFolder* folder = run_.context().folder;
        if (folder == nullptr || run_.stopped()) return;
        if (run_.context().wants("folds")) draw_fold(*folder);
        if (run_.context().wants("peak-place")) draw_gradients(*folder);
        if (run_.context().wants("bit-free")) draw_plane(*folder);
        if (run_.context().wants("cycle-free")) draw_oscillator(*folder);
    }

private:
    Claim make(const std::string& id, const std::string& text, const char* kind, Gate gate) const {
        Claim c =
            stated(id, text, kind, "Doya 1993; closed forms in the header of the system", gate);
        c.dtype = "f64";
        c.set = "generated";
        return c;
    }

    template <class Error>
    void located(const char* id, const char* text, double bound, const Error& error) {
        run_.claim(make(id, text, "theorem", Gate::at_most(bound)), [&](Claim& c) {
            if (skip_without_lapack({&c, 1})) return;
            c.values = {error()};
        });
    }

    Descent descend_from(const Vector& theta, const DescentOptions& options) const {
        const bool bit = theta.size() == 2;
        return descend(CtrnnCell(bit ? 1 : 2, 0), theta, bit ? bit_ : cycle_, options,
                       [&] { return run_.stopped(); });
    }

    // How many of the starts succeed; a thread each.
    template <class Success>
    double successes(const std::vector<Vector>& starts, const DescentOptions& options,
                     const Success& success) const {
        std::vector<double> found(starts.size());
        parallel_for(std::ssize(starts), 1, [&](Index begin, Index end) {
            for (Index i = begin; i < end; ++i) {
                const auto at = static_cast<std::size_t>(i);
                found[at] = success(descend_from(starts[at], options).thetas.back()) ? 1 : 0;
            }
        });
        return std::accumulate(found.begin(), found.end(), 0.0);
    }

    double bits_learnt(const DescentOptions& options) const {
        std::vector<Vector> starts;
        for (const double w : o_.w_starts) {
            for (const double b : o_.b_starts) starts.push_back({w, b});
        }
        return successes(starts, options, [&](const Vector& theta) {
            return std::hypot(theta[0] - o_.w, theta[1]) < o_.tolerance;
        });
    }

    double cycles_learnt(const DescentOptions& options) const {
        std::vector<Vector> starts;
        for (const double gain : o_.gain_starts) {
            for (const double angle : o_.angle_starts) {
                starts.push_back(rotation_net(gain, angle));
            }
        }
        const Oscillation teacher = oscillation_of(rotation_net(o_.gain, o_.angle));
        return successes(starts, options, [&](const Vector& theta) {
            const Oscillation s = oscillation_of(theta);
            return std::abs(s.amplitude / teacher.amplitude - 1) < o_.shape_tolerance &&
                   std::abs(s.period / teacher.period - 1) < o_.shape_tolerance;
        });
    }

    // Descent of b alone towards a state that no stable fixed point has.
    void draw_fold(train::RunFolder& folder) const {
        constexpr Index kSteps = 60, kUpdates = 300;
        constexpr double kTarget = 0.5, kRate = 0.5, kShown = 0.9, kFar = 1.5;
        const double x_f = fold_state(o_.w);
        train::Series upper{"stable", {}, {}}, unstable{"unstable", {}, {}};
        train::Series lower{"", {}, {}}, path{"learning", {}, {}};
        lower.color = 1;  // as the upper branch
        path.marks = true;
        for (int i = -495; i <= 495; ++i) {
            const double x = i / 500.0, b = std::atanh(x) - o_.w * x;
            if (std::abs(b) > kShown) continue;
            train::Series& s = x > x_f ? upper : x < -x_f ? lower : unstable;
            s.x.push_back(b);
            s.y.push_back(x);
        }
        double b = 0.3, slope = 0;
        Index falls = 0;
        for (Index k = 0; k < kUpdates && std::abs(b) < kFar; ++k) {
            const EndState end = end_state(o_.w, b, kSteps);
            falls += k > 0 && end.x < 0 && path.y.back() > 0 ? 1 : 0;
            path.x.push_back(b);
            path.y.push_back(end.x);
            slope = end.slope;
            b -= kRate * (end.x - kTarget) * slope;
        }
        folder.add(train::LinePlot{
            .text = {"fold", "Learning across a fold: x' = tanh(2 x + b)",
                     concat("Fixed points over b, and x_T (T = 60, from x_0 = 1) in ",
                            path.x.size(),
                            " updates of b that look for x_T = 0.5, which no stable point has. "
                            "Below the fold at b = ",
                            fold_bias(o_.w),
                            " the state drops to the lower branch and descent climbs back, ", falls,
                            " times. The last update drawn, with dx_T/db = ", slope, ", puts b at ",
                            b, ".")},
            .x_label = "b",
            .y_label = "x",
            .series = {upper, unstable, lower, path}});
    }

    void draw_gradients(train::RunFolder& folder) const {
        const double b_f = fold_bias(o_.w);
        train::LinePlot plot{
            .text =
                {"gradient", "The gradient at the fold",
                 "|dx_T/db| of x' = tanh(2 x + b) from x_0 = 1 by BPTT over T steps, and of the "
                 "stable fixed point in closed form, which ends at b = b_f. Below it the peak "
                 "comes nearer like T^-2 and grows like T^3."},
            .x_label = "b - b_f",
            .y_label = "|dx_T/db|",
            .series = {},
            .log_y = true};
        for (const Index steps : {25, 50, 100, 200}) {
            train::Series s{"T = " + std::to_string(steps), {}, {}};
            for (int i = -1500; i <= 1500; ++i) {  // densest at the fold
                const double side = i / 1500.0;
                s.x.push_back(0.03 * side * side * side);
                s.y.push_back(std::abs(end_state(o_.w, b_f + s.x.back(), steps).slope));
            }
            plot.series.push_back(std::move(s));
        }
        train::Series branch{"fixed point", {}, {}};
        for (int i = 1; i <= 200; ++i) {
            const double x = fold_state(o_.w) + i * 1e-3, s = 1 - x * x;
            const double b = std::atanh(x) - o_.w * x - b_f;
            if (b > 0.03) break;
            branch.x.push_back(b);
            branch.y.push_back(s / (1 - o_.w * s));
        }
        plot.series.push_back(std::move(branch));
        folder.add(plot);
    }

    void draw_plane(train::RunFolder& folder) const {
        DescentOptions forced = o_.bit;
        forced.forced = true;
        train::LinePlot plane{
            .text = {"plane", "Learning a memory of one bit: x' = tanh(w x + b)",
                     "Between the folds (closed form, from the cusp at w = 1, b = 0) there are two "
                     "stable points, outside one. Paths of gradient descent at one rate from w = "
                     "1.4, b = 0.2 (running free: 100 updates); the teacher is w = 2, b = 0."},
            .x_label = "w",
            .y_label = "b",
            .series = {{"folds", {}, {}}, {"", {}, {}}}};
        plane.series[1].color = 1;
        for (double w = 1; w <= 2.6; w += 0.02) {
            for (const int side : {0, 1}) {
                plane.series[static_cast<std::size_t>(side)].x.push_back(w);
                plane.series[static_cast<std::size_t>(side)].y.push_back(side == 0 ? fold_bias(w)
                                                                                   : -fold_bias(w));
            }
        }
        train::LinePlot norms{.text = {"learning-gradient", "Gradients on the way",
                                       "Norm of the gradient along the two paths."},
                              .x_label = "updates",
                              .y_label = "|dL/d(w, b)|",
                              .series = {},
                              .log_x = true,
                              .log_y = true};
        for (const DescentOptions& options : {o_.bit, forced}) {
            const Descent d = descend_from({1.4, 0.2}, options);
            train::Series path{options.forced ? "teacher forcing" : "running free", {}, {}};
            train::Series norm = path;
            const std::size_t shown = options.forced ? d.thetas.size() : 100;
            for (std::size_t k = 0; k < std::min(shown, d.thetas.size()); ++k) {
                path.x.push_back(d.thetas[k][0]);
                path.y.push_back(d.thetas[k][1]);
            }
            for (std::size_t k = 0; k < d.gradient_norms.size(); ++k) {
                norm.x.push_back(static_cast<double>(k + 1));
                norm.y.push_back(d.gradient_norms[k]);
            }
            plane.series.push_back(std::move(path));
            norms.series.push_back(std::move(norm));
        }
        folder.add(plane);
        folder.add(norms);
    }

    void draw_oscillator(train::RunFolder& folder) const {
        DescentOptions forced = o_.cycle, slow = o_.cycle;
        forced.forced = true;
        slow.rate = o_.small_rate;
        train::LinePlot plot{
            .text = {"oscillator", "Learning to oscillate across a Neimark-Sacker bifurcation",
                     "Amplitude of what the net does alone, over g = sqrt |det W|: of rotations "
                     "(cycles from g = 1 on) and along the paths of learning from g = 0.6; the "
                     "teacher is at g = 1.2."},
            .x_label = "g",
            .y_label = "amplitude",
            .series = {{"rotations", {}, {}}}};
        for (int i = 50; i <= 160; ++i) {
            plot.series[0].x.push_back(i / 100.0);
            plot.series[0].y.push_back(oscillation_of(rotation_net(i / 100.0, o_.angle)).amplitude);
        }
        constexpr std::size_t kPoints = 100;
        const auto add = [&](const char* label, const DescentOptions& options) {
            const Descent d = descend_from(rotation_net(0.6, 0.3), options);
            train::Series path{label, {}, {}};
            path.marks = true;
            double last = 0;
            for (const Vector& theta : d.thetas) {
                if (path.x.size() == kPoints) break;
                const double g = std::sqrt(std::abs(theta[0] * theta[3] - theta[1] * theta[2]));
                if (std::abs(g - last) < 0.01) continue;  // a point where it has moved
                last = g;
                path.x.push_back(g);
                path.y.push_back(oscillation_of(theta).amplitude);
            }
            plot.series.push_back(std::move(path));
        };
        add("teacher forcing, rate 0.1", forced);
        add("running free, rate 0.1", o_.cycle);
        add("running free, rate 0.01", slow);
        folder.add(plot);
    }

    ClaimRun& run_;
    const Options& o_;
    std::vector<Vector> bit_, cycle_;  // the teachers' trajectories
};

}  // namespace

Reproduction reproduce_doya1993(const ReproduceContext& context) {
    const Options o;
    ClaimRun run(context, "doya1993", 1);
    run.headline(
        "bifurcations on the way of gradient descent, and teacher forcing: nets of one and two "
        "units (Doya 1993)");
    run.deviation("discrete time and the smallest nets with the bifurcations; a grid of starts");
    Experiment experiment(run, o);
    experiment.bifurcations();
    experiment.explosion();
    experiment.learning();
    experiment.draw();
    return run.finish();
}

}  // namespace soma::systems
