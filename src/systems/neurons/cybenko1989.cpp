// UA: Cybenko, "Approximation by superpositions of a sigmoidal function" (1989).
//
// Theorem: for every continuous sigmoidal function s, finite sums
//     G(x) = sum_j a_j s(y_j . x + th_j)
// are dense in C([0,1]^n) in the uniform norm. Nothing is said about how many terms are needed, nor
// how to find them. Here:
//   - one hidden layer is fitted to f(x) = sin(2 pi x) + .3 sin(10 pi x) on [0, 1] by L-BFGS in
//   f64:
//     the sup-error on 10,001 points falls with the number of units;
//   - a staircase of N steep sigmoids is built without training: its sup-error is at most the
//     modulus of continuity of f at 1/N;
//   - regions of the plane are told apart: a disc and two spirals;
//   - with a quadratic activation nothing is gained beyond the best parabola, for polynomials of
//     fixed degree are not dense.
//
// Deviations: the target function and the regions are ours; the paper is a theorem and has no runs.

#include <algorithm>
#include <cmath>

#include "soma/autograd/ops/linear.h"
#include "soma/autograd/ops/loss.h"
#include "soma/autograd/ops/math.h"
#include "soma/core/rng.h"
#include "soma/kernels/vmath.h"
#include "soma/optim/lbfgs.h"
#include "soma/train/report.h"
#include "systems/claim_run.h"
#include "systems/systems.h"

namespace soma::systems {
namespace {

struct Options {
    std::vector<Index> units = {4, 8, 16, 32, 64};
    int starts = 5, region_starts = 2;
    Index fit_points = 401, check_points = 10001, iterations = 3000;
    double slope = 60;  // first-layer weights start in U(+-slope)
    Index disc_units = 16, spiral_units = 32, region_points = 8000, region_grid = 200;
    double spiral_turns = 1;
};

double target(double x) { return vmath::sin(2 * M_PI * x) + 0.3 * vmath::sin(10 * M_PI * x); }

// One hidden layer, parameters in one flat vector: w [in, N], th [N], a [N], c [1].
class HiddenLayerNet {
public:
    enum class Unit { sigmoid, quadratic };

    HiddenLayerNet(Index inputs, Index units, Unit unit) : in_(inputs), n_(units), unit_(unit) {}

    Index parameters() const { return (in_ + 2) * n_ + 1; }

    // The net on the tape; p is the flat vector, g its gradient (nullptr: none).
    Var operator()(Tape& tape, Var x, double* p, double* g) const {
        const auto take = [&](const Shape& shape) {
            const Var v = tape.parameter(shape, DType::f64, p, g);
            p += shape.count();
            if (g != nullptr) g += shape.count();
            return v;
        };
        const Var w = take({in_, n_}), th = take({n_}), a = take({n_, 1}), c = take({1});
        const Var z = linear(x, w, th);
        return linear(unit_ == Unit::sigmoid ? sigmoid(z) : square(z), a, c);
    }

    std::vector<double> start(double slope, std::uint64_t seed) const {
        RandomSequence random(make_key(seed, Purpose::initial_weights));
        std::vector<double> p(static_cast<std::size_t>(parameters()));
        for (Index j = 0; j < n_; ++j) {
            double threshold = 0;  // chosen so that the unit's middle lies inside the unit cube
            for (Index i = 0; i < in_; ++i) {
                const double w = random.uniform(-1, 1) * slope;
                p[static_cast<std::size_t>(i * n_ + j)] = w;
                threshold -= w * random.uniform();
            }
            p[static_cast<std::size_t>(in_ * n_ + j)] = threshold;
            p[static_cast<std::size_t>((in_ + 1) * n_ + j)] = random.uniform(-0.1f, 0.1f);
        }
        return p;
    }

    // Output on points x [P, in].
    std::vector<double> evaluate(const Tensor& x, std::vector<double> p) const {
        Tape tape(Tape::Mode::no_grad);
        const auto y = (*this)(tape, tape.constant(x), p.data(), nullptr).value<double>();
        return {y.begin(), y.end()};
    }

    enum class Loss { squared_error, logistic };
    std::vector<double> fit(const Tensor& x, const Tensor& d, Loss loss, std::vector<double> p,
                            Index iterations) const {
        Tape tape;
        const double scale = 1.0 / static_cast<double>(x.shape()[0]);
        const optim::Objective objective = [&](std::span<const double> at, std::span<double> g) {
            tape.reset();
            std::fill(g.begin(), g.end(), 0.0);
            const Var y = (*this)(tape, tape.constant(x), const_cast<double*>(at.data()), g.data());
            const LossOptions options{.scale = scale};
            const Var e = loss == Loss::logistic ? bce_with_logits(y, tape.constant(d), options)
                                                 : squared_error(y, tape.constant(d), options);
            tape.backward(e);
            return e.item();
        };
        return optim::lbfgs(
                   objective, std::move(p),
                   {.history = 30, .max_iterations = iterations, .gradient_tolerance = 1e-9})
            .x;
    }

private:
    Index in_, n_;
    Unit unit_;
};

// n points evenly on [0, 1], as [n, 1].
Tensor grid(Index n) {
    Tensor x({n, 1}, DType::f64);
    for (Index i = 0; i < n; ++i) {
        x.data<double>()[static_cast<std::size_t>(i)] =
            static_cast<double>(i) / static_cast<double>(n - 1);
    }
    return x;
}

Tensor target_on(const Tensor& x) {
    Tensor d = x.clone();
    for (double& v : d.data<double>()) v = target(v);
    return d;
}

double sup_error(const Tensor& x, const std::vector<double>& y) {
    double worst = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
        worst = std::max(worst, std::abs(y[i] - target(x.data<double>()[i])));
    }
    return worst;
}

struct CurveFit {
    double error = 1e300;
    std::vector<double> y;  // on the check points
};

CurveFit best_curve(const Options& o, Index units, HiddenLayerNet::Unit unit) {
    const HiddenLayerNet net(1, units, unit);
    const Tensor x = grid(o.fit_points), d = target_on(x), check = grid(o.check_points);
    CurveFit best;
    for (int s = 1; s <= o.starts; ++s) {
        const double slope = unit == HiddenLayerNet::Unit::sigmoid ? o.slope : 1;
        const auto p = net.fit(x, d, HiddenLayerNet::Loss::squared_error,
                               net.start(slope, static_cast<std::uint64_t>(s)), o.iterations);
        std::vector<double> y = net.evaluate(check, p);
        const double error = sup_error(check, y);
        if (error < best.error) best = {error, std::move(y)};
    }
    return best;
}

// The proof's idea made concrete: N steep sigmoids, unit j stepping by f(x_j) - f(x_{j-1}) half way
// between x_{j-1} and x_j, x_j = j / N. Returns sup-error - modulus of continuity of f at 1/N.
double staircase_excess(const Options& o, Index n) {
    const double steepness = 1e6;
    const auto count = static_cast<double>(n), points = static_cast<double>(o.check_points - 1);
    double worst = 0;
    for (Index i = 0; i < o.check_points; ++i) {
        const double x = static_cast<double>(i) / points;
        double g = target(0);
        for (Index j = 1; j <= n; ++j) {
            const double xj = static_cast<double>(j) / count;
            const double z = steepness * (x - (xj - 0.5 / count));
            const double s = z > 40 ? 1 : z < -40 ? 0 : 1 / (1 + vmath::exp(-z));
            g += (target(xj) - target(xj - 1 / count)) * s;
        }
        worst = std::max(worst, std::abs(g - target(x)));
    }
    double modulus = 0;  // on the same grid: max |f(x) - f(x')| over |x - x'| <= 1/N
    const auto reach = static_cast<Index>(points / count);
    for (Index i = 0; i < o.check_points; ++i) {
        for (Index k = 1; k <= reach && i + k < o.check_points; ++k) {
            const double a = static_cast<double>(i) / points,
                         b = static_cast<double>(i + k) / points;
            modulus = std::max(modulus, std::abs(target(a) - target(b)));
        }
    }
    return worst - modulus;
}

// Regions of the unit square.
bool in_disc(double x, double y) { return (x - 0.5) * (x - 0.5) + (y - 0.5) * (y - 0.5) < 0.09; }

// Between two spiral arms of `turns` turns: sin(angle - phase) > 0 with phase = 2 pi turns r,
// written with sin(angle) = dy / r and cos(angle) = dx / r.
bool in_spiral(double turns, double x, double y) {
    const double dx = x - 0.5, dy = y - 0.5,
                 phase = 4 * M_PI * turns * std::sqrt(dx * dx + dy * dy);
    return dy * vmath::cos(phase) - dx * vmath::sin(phase) > 0;
}

struct Region {
    const char* name;
    Index units;
    std::function<bool(double, double)> inside;
};

struct RegionFit {
    double right = 0;             // % of the area
    std::vector<double> answers;  // 0 or 1 on the grid, row-major from the top
};

RegionFit fit_region(const Options& o, const Region& region) {
    const HiddenLayerNet net(2, region.units, HiddenLayerNet::Unit::sigmoid);
    RandomSequence random(make_key(1, Purpose::data_generation));
    Tensor x({o.region_points, 2}, DType::f64), d({o.region_points, 1}, DType::f64);
    for (std::size_t i = 0; i < static_cast<std::size_t>(o.region_points); ++i) {
        const double u = random.uniform(), v = random.uniform();
        x.data<double>()[2 * i] = u;
        x.data<double>()[2 * i + 1] = v;
        d.data<double>()[i] = region.inside(u, v);
    }
    const Index side = o.region_grid;
    Tensor all({side * side, 2}, DType::f64);
    for (Index r = 0; r < side; ++r) {
        for (Index c = 0; c < side; ++c) {
            const auto at = static_cast<std::size_t>(2 * (r * side + c));
            all.data<double>()[at] = (static_cast<double>(c) + 0.5) / static_cast<double>(side);
            all.data<double>()[at + 1] =
                1 - (static_cast<double>(r) + 0.5) / static_cast<double>(side);
        }
    }
    RegionFit best;
    for (int s = 1; s <= o.region_starts; ++s) {
        const auto p = net.fit(x, d, HiddenLayerNet::Loss::logistic,
                               net.start(10, static_cast<std::uint64_t>(s)), o.iterations);
        RegionFit fit{0, net.evaluate(all, p)};
        Index right = 0;
        for (std::size_t i = 0; i < fit.answers.size(); ++i) {
            const auto at = all.data<double>().subspan(2 * i, 2);
            fit.answers[i] = fit.answers[i] > 0;
            right += (fit.answers[i] > 0) == region.inside(at[0], at[1]);
        }
        fit.right = 100.0 * static_cast<double>(right) / static_cast<double>(side * side);
        if (fit.right > best.right) best = std::move(fit);
    }
    return best;
}

Claim make(const std::string& id, const std::string& text, const char* kind, const char* unit,
           Gate gate) {
    Claim c =
        stated(id, text, kind, "Cybenko 1989, Mathematics of Control, Signals and Systems 2", gate);
    c.paper_unit = unit;
    c.set = "generated curves";
    c.dtype = "f64";
    return c;
}

void curve_claims(ClaimRun& run, const Options& o) {
    std::vector<CurveFit> fits;
    Claim falls = make("monotone", "doublings of the units that lower the sup-error", "theorem", "",
                       Gate::equal(static_cast<double>(o.units.size() - 1)));
    Claim last = make("sup-error", concat("sup-error with ", o.units.back(), " units"), "theorem",
                      "", o.units.back() == 64 ? Gate::at_most(0.01) : Gate{});
    run.claims({falls, last}, [&](std::vector<Claim>& list) {
        for (const Index n : o.units) {
            if (run.stopped()) return;
            fits.push_back(best_curve(o, n, HiddenLayerNet::Unit::sigmoid));
            run.context().progress("curve", static_cast<double>(fits.size()),
                                   static_cast<double>(o.units.size()));
        }
        int falling = 0;
        for (std::size_t i = 1; i < fits.size(); ++i) falling += fits[i].error < fits[i - 1].error;
        for (Claim& c : list) {
            c.values = {c.id == falls.id ? static_cast<double>(falling) : fits.back().error};
        }
    });
    if (fits.size() != o.units.size() || run.context().folder == nullptr) return;
    train::LinePlot curves{
        .text = {"fits", "One hidden layer and f(x) = sin 2\u03c0x + .3 sin 10\u03c0x",
                 "Best of five starts, L-BFGS in f64."},
        .x_label = "x",
        .y_label = "f(x)",
        .series = {}};
    train::Series errors{"best of five starts", {}, {}}, truth{"f", {}, {}};
    for (Index i = 0; i < o.check_points; i += 25) {
        truth.x.push_back(static_cast<double>(i) / static_cast<double>(o.check_points - 1));
        truth.y.push_back(target(truth.x.back()));
    }
    curves.series.push_back(truth);
    for (std::size_t k = 0; k < fits.size(); ++k) {
        errors.x.push_back(static_cast<double>(o.units[k]));
        errors.y.push_back(fits[k].error);
        if (k > 1) continue;  // beyond 8 units the curves coincide with f
        train::Series s{std::to_string(o.units[k]) + " units", truth.x, {}};
        for (Index i = 0; i < o.check_points; i += 25) {
            s.y.push_back(fits[k].y[static_cast<std::size_t>(i)]);
        }
        curves.series.push_back(std::move(s));
    }
    run.context().folder->add(curves);
    run.context().folder->add(
        train::LinePlot{.text = {"sup-error", "Uniform error against the number of units",
                                 "Largest error on 10,001 points."},
                        .x_label = "hidden units",
                        .y_label = "sup |G - f|",
                        .series = {errors},
                        .references = {{"gate at 64", 0.01}},
                        .log_x = true,
                        .log_y = true});
}

void region_claim(ClaimRun& run, const Options& o, const Region& region) {
    RegionFit fit;
    run.claim(make(region.name, std::string("area of the ") + region.name + " region told right",
                   "accuracy", "% of the area", Gate::at_least(99)),
              [&](Claim& c) {
                  fit = fit_region(o, region);
                  c.values = {fit.right};
              });
    if (fit.answers.empty() || run.context().folder == nullptr) return;
    run.context().folder->add(train::HeatMap{
        .text = {std::string("region-") + region.name, std::string("Region: ") + region.name,
                 "What one hidden layer answers on the unit square."},
        .x_label = "x",
        .y_label = "y",
        .value_label = "answer",
        .rows = o.region_grid,
        .cols = o.region_grid,
        .values = fit.answers});
}

}  // namespace

Reproduction reproduce_cybenko1989(const ReproduceContext& context) {
    Options o;
    const bool quick = context.tier == "1";
    if (quick) o.units = {4, 8, 16};
    ClaimRun run(context, "cybenko1989");
    run.headline("sums of sigmoids are dense in C([0,1]^n) in the uniform norm (Cybenko 1989)");
    run.deviation(
        "target function and regions are ours: the paper proves a theorem, it has no runs");
    curve_claims(run, o);
    run.claim(
        make("staircase", "sup-error of 64 steep sigmoids minus the modulus of continuity at 1/64",
             "theorem", "", Gate::at_most(1e-3)),
        [&](Claim& c) { c.values = {staircase_excess(o, 64)}; });
    run.claim(
        make("quadratic", "sup-error of 64 quadratic units (a parabola, however many)", "control",
             "", Gate::at_least(0.5)),
        [&](Claim& c) { c.values = {best_curve(o, 64, HiddenLayerNet::Unit::quadratic).error}; });
    if (quick) return run.finish();
    region_claim(run, o, {"disc", o.disc_units, in_disc});
    region_claim(run, o, {"two-spirals", o.spiral_units, [&o](double x, double y) {
                              return in_spiral(o.spiral_turns, x, y);
                          }});
    return run.finish();
}

}  // namespace soma::systems
