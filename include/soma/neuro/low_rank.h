#pragma once
// Low-rank nets as points in a space of loadings, and the dynamics that only the statistics of
// these points decide (neuro.md 6.16; Dubreuil, Valente et al. 2022, Nature Neuroscience 25).
//
// Unit i of a net of rank R with S inputs and O outputs is the point
//
//     (m_1 ... m_R, n_1 ... n_R, I_1 ... I_S, w_1 ... w_O)_i        in D = 2 R + S + O dimensions
//
// and the net is its cloud of N points: W = m n^T / N, z = w^T f(x) / N. In the limit of many units
// two nets whose points have the same distribution compute the same.

#include <string>
#include <vector>

#include "soma/linalg/matrix.h"
#include "soma/neuro/gaussian_mixture.h"
#include "soma/neuro/task_net.h"

namespace soma::neuro {

// Which coordinate is which.
struct LoadingSpace {
    Index rank = 1, inputs = 1, outputs = 1;

    Index dimensions() const { return 2 * rank + inputs + outputs; }
    Index m(Index r) const { return r; }
    Index n(Index r) const { return rank + r; }
    Index input(Index i) const { return 2 * rank + i; }
    Index output(Index o) const { return 2 * rank + inputs + o; }
    std::vector<std::string> names() const;  // "m1", "n1", "I1", "w1"; no number where there is one
};

// The space of a net. Error(usage) unless it is of rank >= 1 and reads out means over units.
LoadingSpace loading_space(const TaskNet& net);

// Its points [N, D].
linalg::Matrix loadings(TaskNet& net);
// Makes points [N, D] the net's weights. Error(usage) for another shape.
void set_loadings(TaskNet& net, const linalg::Matrix& points);

// a^T b / N of all pairs of coordinates: [D, D]. Of these m^T n / N drives the latent variables,
// n^T I / N lets inputs in, m^T w / N lets them be read.
linalg::Matrix overlaps(const linalg::Matrix& points);

// The latent dynamics of infinitely many units drawn from a Gaussian mixture (f = tanh):
//
//     kappa_r' = (1 - alpha) kappa_r + alpha sum_k w_k ( mu_k(n_r) <f> + C_k(n_r, y) <f'> )
//
// where y = sum_s m_s kappa_s + sum_i I_i u_i is a unit's input, mu_k and C_k are means and
// covariances in component k, and <.> are means over y, which is Gaussian in each component
// (Stein's lemma). Inputs are held: the filter of the membrane is in equilibrium. A net of N units
// differs by O(1 / sqrt N).
class MeanFieldDynamics : public Dynamics {
public:
    // Error(usage) unless the mixture has space.dimensions() dimensions.
    MeanFieldDynamics(LoadingSpace space, GaussianMixture populations, TimeScale time = {});

    // <f'> in each component: its gain.
    std::vector<double> gains(Values kappa, Values u) const;

private:
    void do_step(Index batch, const double* x, const double* u, double* out) const override;
    void do_jacobian(const double* x, const double* u, double* j) const override;
    void do_input_jacobian(const double* x, const double* u, double* b) const override;

    struct Field;  // what a component sees at one (kappa, u)
    Field field(Index component, const double* kappa, const double* u) const;
    // dF_r / dy_k for coordinates k = first, ..., first + count - 1, F without its leak.
    void slopes(const double* kappa, const double* u, Index first, Index count, double* out) const;

    LoadingSpace space_;
    GaussianMixture populations_;
};

}  // namespace soma::neuro
