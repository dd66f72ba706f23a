#pragma once
// LSTM, GRU and UGRNN as Dynamics, from plain weights (f64).
//
// Rows, one column block a gate, stored [from, to] as every Linear; s = sigmoid, * elementwise:
//
//     lstm    i, f, g, o     a = u w_in + h w_rec + b;  c' = s(a_f) * c + s(a_i) * tanh(a_g)
//                            h' = s(a_o) * tanh(c');  the state is (h, c) [2 N]
//     gru     r, z, n        h' = (1 - z) * n + z * h,  r = s(a_r), z = s(a_z)
//       reset_before         n = tanh(u w_n + (r * h) U_n + b_n)
//       reset_after          n = tanh(u w_n + b_n + r * (h U_n + bias_rec))
//     ugrnn   c, g           h' = s(a_g) * h + (1 - s(a_g)) * tanh(a_c)       (Collins et al. 2017)
//
// Gate orders are those of PyTorch for LSTM and GRU; w_in and w_rec are its weights transposed. A
// Jacobian is one pullback over as many copies of the state as there are states. In all of them
// F - x points inwards on the box |h| <= 1, so the index sum is +1; no Lipschitz bound is given, so
// their fixed points have no certificates. Far outside the box a gate rounds to 1 and keeps any
// state: drop the points that a finder returns from there.

#include <vector>

#include "soma/kernels/table/gated.h"
#include "soma/neuro/dynamics.h"

namespace soma::neuro {

using kernels::GatedCell;
using kernels::gates_of;

const char* name_of(GatedCell cell);

// G = gates_of(cell); an empty matrix counts as zero.
struct GatedMatrices {
    Index units = 0;                    // N
    Index inputs = 0;                   // I
    std::vector<double> w_rec = {};     // [N, G N]
    std::vector<double> w_in = {};      // [I, G N]
    std::vector<double> bias = {};      // [G N]; sums of both biases where a framework has two
    std::vector<double> bias_rec = {};  // [N]; gru_reset_after alone
};

class GatedDynamics : public Dynamics {
public:
    // Error(usage) for a matrix of another size.
    GatedDynamics(GatedCell cell, GatedMatrices weights, TimeScale time = {});

    GatedCell cell() const { return cell_; }
    bool is_dissipative() const override { return true; }

private:
    struct Forward;
    void do_step(Index batch, const double* x, const double* u, double* out) const override;
    void do_pullback(Index batch, const double* x, const double* u, const double* v,
                     double* out) const override;
    void do_jacobian(const double* x, const double* u, double* j) const override;
    void do_input_jacobian(const double* x, const double* u, double* b) const override;

    Forward forward(Index batch, const double* x, const double* u) const;
    void gru_candidate(Forward& f, const double* drive) const;
    void recurrent_product(Index batch, const double* a, Index lda, Index from, Index to,
                           const double* row, double* c, Index ldc) const;
    // Cotangents of the arguments of all gates [B, G N]; adds to out [B, n] what reaches the state
    // past w_rec, unless out is null.
    std::vector<double> gate_cotangents(const Forward& f, const double* v, double* out) const;
    void lstm_cotangents(const Forward& f, const double* v, double* da, double* out) const;
    void gru_cotangents(const Forward& f, const double* v, double* da, double* out) const;
    void ugrnn_cotangents(const Forward& f, const double* v, double* da, double* out) const;

    GatedCell cell_;
    GatedMatrices w_;
};

}  // namespace soma::neuro
