#pragma once
// CtrnnCell: one step of a leaky recurrent network in f64 with all its derivatives, by the
// parameters too: what learning algorithms over time are written with (recurrent_gradients.h).
//
// The formulas are those of kernels/rate_model.h, with the noise that a sequence of the engine
// (kernels/ctrnn.h) has: xi_t of unit i is normal number i of (key, step t, trial, visit), made
// again whenever step t is run again. With q = f(x) for `current`, else q = x, and
//
//     p = q w_rec + u w_in + bias                     F = x_t as a function of x_{t-1}
//
// every convention has one vector of slopes f' and, unit by unit, three factors
//
//                      slope      s = dF/dp     l = dF/dx, straight    c = dq/dx
//     current (_sde)   f'(x)      alpha         1 - alpha              slope
//     rate             f'(h)      alpha slope   1 - alpha              1
//     rectified_leak   f'(h)      alpha slope   (1 - alpha) slope      1
//
//     J_ij = dF_i/dx_j = l_i [i = j] + s_i w_rec[j, i] c_j
//     dF_i/dw_rec[j, i] = s_i q_j     dF_i/dw_in[k, i] = s_i u_k     dF_i/dbias_i = s_i
//
// Legend: N units, I inputs, P = N (N + I + 1) parameters in one vector theta:
//
//     theta = [ w_rec [N, N], from, to | w_in [I, N] | bias [N] ]
//
// All members are const and may run at the same time from several threads; none checks the sizes
// of its arguments, the algorithms do so once a sequence. Arguments must not overlap.

#include <cstdint>

#include "soma/core/rng.h"
#include "soma/kernels/rate_model.h"
#include "soma/neuro/dynamics.h"

namespace soma::neuro {

struct CtrnnCellOptions {
    Convention convention = Convention::rate;
    Nonlinearity f = Nonlinearity::tanh;
    double alpha = 1;  // dt / tau, in (0, 1]; 1 is the discrete network
    double sigma = 0;  // of the noise, as the convention has it
    PhiloxKey key = {};
    std::uint32_t trial = 0, visit = 0;
};

class CtrnnCell {
public:
    // Error(usage) unless units >= 1, inputs >= 0, 0 < alpha <= 1 and sigma >= 0.
    CtrnnCell(Index units, Index inputs, const CtrnnCellOptions& options = {});

    Index units() const { return units_; }
    Index inputs() const { return inputs_; }
    Index parameters() const { return units_ * (units_ + inputs_ + 1); }
    const CtrnnCellOptions& options() const { return options_; }

    // Where the parts of theta begin.
    Index w_in_at() const { return units_ * units_; }
    Index bias_at() const { return units_ * (units_ + inputs_); }

    // x_{t-1} [N] and u_t [I] at which step t was taken, and its slopes [N].
    struct At {
        Values theta, x, u, slope;
    };

    // y = F(x, u) in step t, the first being 0, and its slopes. 2 N (N + I) flop.
    void step(Values theta, Index t, Values x, Values u, MutableValues y,
              MutableValues slope) const;
    // dx = d J; gradient += d dF/dtheta, [P]. 4 N^2 flop.
    void pullback(const At& at, Values d, MutableValues dx, MutableValues gradient) const;
    // y = J v + dF/dtheta w; v [N], w [P]. 4 N^2 flop.
    void pushforward(const At& at, Values v, Values w, MutableValues y) const;
    // y = J s + [dF/dtheta | 0]; s and y [N, P + N]: how the derivatives of a state by theta and by
    // the first state go on. 2 N^2 (P + N) flop, N^4 for large N.
    void push_all(const At& at, Values s, MutableValues y) const;

private:
    struct Factors {
        double s, l, c;
    };
    Factors factors(double slope) const;
    const double* rates(const At& at, double* buffer) const;  // q
    double noise_scale() const;

    Index units_, inputs_;
    CtrnnCellOptions options_;
};

}  // namespace soma::neuro
