#pragma once
// A net that decides by context, taken apart as in Mante, Sussillo, Shenoy & Newsome 2013.
//
// Behaviour: psychometric functions of both senses in each context. Dynamics: the slow points of
// the noiseless net while a context is on and there is no evidence, linearised; the left
// eigenvector of the slow mode selects what is integrated. Population: the axes of choice, senses
// and context by TDR, and how the activity moves along them.
//
// Legend: N units; "relevant" is the sense that the context asks for, "irrelevant" the other.

#include <array>
#include <memory>
#include <vector>

#include "soma/neuro/psychometric.h"
#include "soma/neuro/selection.h"
#include "soma/neuro/slow_points.h"
#include "soma/neuro/task_net.h"
#include "soma/neuro/tasks/mante.h"
#include "soma/neuro/tdr.h"

namespace soma::systems {

// Share of choices "+1" at each level of one sense, over all levels of the other.
struct ChoiceCurve {
    std::vector<double> coherence, share;
};

// Mean activity of the correct trials of one condition along the TDR axes.
struct MeanPath {
    double coherence = 0;  // that the trials are sorted by
    double choice = 0;     // -1 or +1
    linalg::Matrix along;  // [steps, axes]; axes: choice, sense 1, sense 2, context
};

struct ContextAnatomy {
    // ---- behaviour ----
    ChoiceCurve relevant, irrelevant;
    neuro::PsychometricFit choices;  // weights of the relevant and the irrelevant coherence
    // ---- dynamics ----
    std::vector<double> input;  // [4]: the context alone
    neuro::SlowPoints slow;
    neuro::LineAttractor line;  // without points when fewer than two are slow
    double one_mode_share = 0;  // of the points: one mode is slow, the next is fast
    double selectivity = 0;     // rms of l.B of the relevant sense over that of the irrelevant one
    double pulse_r2 = 0;        // of predicted against simulated effects of relevant pulses
    double angle_to_choice = 90;  // degrees between line and choice axis, median over points
    // ---- population ----
    std::array<std::vector<MeanPath>, 2> paths;  // sorted by sense 1 and by sense 2
};

struct ManteAnatomy {
    std::unique_ptr<neuro::TaskNet> net;
    double score = 0;
    std::array<ContextAnatomy, 2> contexts;
    neuro::Tdr tdr;
    // How far the evidence of a sense moves the activity along its axis when it is irrelevant, as
    // a share of when it is relevant; the smaller of both senses. 1: nothing is gated.
    double irrelevant_excursion = 0;
};

struct ManteAnalysis {
    Index score_trials = 2000;
    Index choices_per_cell = 60;  // of the psychometric table
    Index tdr_trials_per_cell = 10;
    double slow_modulus = 0.98, fast_modulus = 0.9;  // |lambda| of the slow mode, and of the next
    Index settle = 20;                               // steps between a pulse and its effect
};

// Takes the net; `task` is what it was trained on. One thread. Needs LAPACK.
ManteAnatomy dissect_mante(std::unique_ptr<neuro::TaskNet> net, const neuro::ManteOptions& task,
                           const ManteAnalysis& analysis = {});

// States [steps, N] of the noiseless net in f64 along trial `trial` of the batch.
linalg::Matrix noiseless_states(const neuro::Dynamics& d, const std::vector<double>& start,
                                const neuro::TaskBatch& batch, Index trial);

}  // namespace soma::systems
