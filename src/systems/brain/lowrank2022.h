#pragma once
// What lowrank2022 finds out about one trained net, and the figures it draws from that.

#include <memory>
#include <string>
#include <vector>

#include "soma/neuro/epairs.h"
#include "soma/neuro/low_rank.h"
#include "soma/systems/net_recipe.h"

namespace soma::train {
class RunFolder;
}

namespace soma::systems {

// Nets drawn anew from `populations` Gaussians fitted to the loadings of a trained net.
struct Resampling {
    neuro::GaussianMixture fit;          // by EM, zero means
    neuro::GaussianMixture populations;  // moments of the units assigned to each component
    std::vector<double> scores;          // of the nets drawn
    double mean() const;
};

struct LowRankStudy {
    std::uint64_t seed = 0;
    NetRecipe recipe;
    std::unique_ptr<neuro::TaskNet> net;
    double score = 0;
    linalg::Matrix points;  // loadings [N, D]
    neuro::LoadingSpace space;
    std::vector<Resampling> resampled;  // with 1, 2, ... populations
    neuro::Epairs epairs;
};

// The latent dynamics of the net under held inputs.
neuro::LowRankDynamics latent_dynamics(const LowRankStudy& study);

// Velocity that each sensory input gives the latent variable at kappa = 0 in a context of mante:
// n^T f'(x) I / N, per unit of input and of tau.
std::vector<double> effective_inputs(const LowRankStudy& study, int context);

// Inputs of mante: two senses, two contexts.
std::vector<double> mante_input(double sense_1, double sense_2, int context);

// Bars of accuracy: trained, and resampled with one and with two populations.
void draw_resampling(train::RunFolder& folder, const std::vector<std::vector<LowRankStudy>>& all);
// Units of the mante net in connectivity space, by population; its overlaps.
void draw_connectivity(train::RunFolder& folder, const LowRankStudy& mante);
// Latent velocity of the mante net with the attended and with the ignored input.
void draw_gating(train::RunFolder& folder, const LowRankStudy& mante);
// Paths of the two latent variables of the romo net.
void draw_memory(train::RunFolder& folder, const LowRankStudy& romo);

}  // namespace soma::systems
