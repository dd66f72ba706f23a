#pragma once
// Continuous-time recurrent networks as Dynamics, from plain weights (neuro.md 2).
//
//     current (_sde)   x' = (1 - alpha) x + alpha (f(x) w_rec + u w_in + b)
//     rate             r' = (1 - alpha) r + alpha f(r w_rec + u w_in + b)
//     rectified_leak   r' = f((1 - alpha) r + alpha (r w_rec + u w_in + b))
//
// States are rows and w_rec is stored [from, to], the transpose of the W of papers. Noise is off:
// analyses take the deterministic skeleton. Letters: N units, I inputs, R rank, alpha = dt / tau.
//
// With h the argument of f (h = x for `current`), D = diag f'(h), W = w_rec^T, A = (1 - alpha) 1 +
// alpha W, the Jacobian and an L with |J(a) - J(b)|_inf <= L |a - b|_inf are
//
//     current          J = (1 - alpha) 1 + alpha W D     L = alpha |W| M
//     rate             J = (1 - alpha) 1 + alpha D W     L = alpha |W|^2 M
//     rectified_leak   J = D A                           L = |A|^2 M
//
// where |.| is the largest absolute row sum and M = max |f''|. Where f has a kink, L is infinite
// as soon as a unit could cross it within the radius.

#include <string>
#include <vector>

#include "soma/kernels/rate_model.h"
#include "soma/neuro/dynamics.h"

namespace soma::neuro {

// y = f(x), n values; in place allowed.
void apply(Nonlinearity f, Index n, const double* x, double* y);
// d = f'(x) from the value r = f(x) alone; in place allowed. At a kink the left derivative.
void apply_derivative(Nonlinearity f, Index n, const double* r, double* d);
// max |f''|, away from a kink.
double max_curvature(Nonlinearity f);
// Whether f' jumps at 0.
bool has_kink(Nonlinearity f);
bool is_bounded(Nonlinearity f);

// All matrices row-major; an empty one counts as zero. w_rec and the low-rank part are added.
struct CtrnnWeights {
    Index units = 0;                     // N
    Index inputs = 0;                    // I
    Index rank = 0;                      // R
    std::vector<double> w_rec = {};      // [N, N], from, to
    std::vector<double> m = {}, n = {};  // [N, R]: adds n m^T / N to w_rec, that is m n^T / N to W
    std::vector<double> w_in = {};       // [I, N]
    std::vector<double> bias = {};       // [N]
};

struct CtrnnOptions {
    Convention convention = Convention::current;
    Nonlinearity f = Nonlinearity::tanh;
    TimeScale time = {};
};

// The network in its N states. Cost of a step: 2 B N^2 flop; of a pullback twice that, except for
// `current` (once, f' being known from x).
class CtrnnDynamics : public Dynamics {
public:
    // Error(usage) for a matrix of another size.
    CtrnnDynamics(CtrnnWeights weights, CtrnnOptions options);

    const CtrnnOptions& options() const { return options_; }
    // [N, N], from, to; with the low-rank part.
    Values recurrent_weights() const { return w_rec_; }

    double jacobian_lipschitz(Values x, Values u, double radius) const override;
    bool is_dissipative() const override;

private:
    void do_step(Index batch, const double* x, const double* u, double* out) const override;
    void do_pullback(Index batch, const double* x, const double* u, const double* v,
                     double* out) const override;
    void do_jacobian(const double* x, const double* u, double* j) const override;
    void do_input_jacobian(const double* x, const double* u, double* b) const override;

    void drive(const double* u, double* d) const;
    void argument(Index batch, const double* x, const double* u, double* h) const;
    void slope(Index batch, const double* x, const double* u, double* d) const;

    CtrnnOptions options_;
    std::vector<double> w_rec_;  // [N, N], from, to
    std::vector<double> w_;      // its transpose: the rows of Jacobians
    std::vector<double> w_in_;   // [I, N]
    std::vector<double> bias_;   // [N]
    double row_sum_ = 0;         // |dh/dx|_inf
};

// The same for a network whose recurrent weights are of rank R alone, in R states (convention
// `current`): at a fixed point, and after transients always, x = m kappa + u w_in + b with
//
//     kappa' = (1 - alpha) kappa + (alpha / N) n^T f(m kappa + u w_in + b)
//
// Its fixed points and cycles, lifted, are those of the network; the other N - R modes decay with
// 1 - alpha.
class LowRankDynamics : public Dynamics {
public:
    // Error(usage) unless rank >= 1, w_rec is empty and the convention is `current`.
    LowRankDynamics(CtrnnWeights weights, CtrnnOptions options);

    // x [N] of kappa [R].
    std::vector<double> lift(Values kappa, Values u) const;

    double jacobian_lipschitz(Values x, Values u, double radius) const override;
    bool is_dissipative() const override { return is_bounded(options_.f); }

private:
    void do_step(Index batch, const double* x, const double* u, double* out) const override;
    void do_jacobian(const double* x, const double* u, double* j) const override;
    void do_input_jacobian(const double* x, const double* u, double* b) const override;

    std::vector<double> slopes(const double* kappa, const double* u) const;

    CtrnnWeights weights_;
    CtrnnOptions options_;
};

}  // namespace soma::neuro
