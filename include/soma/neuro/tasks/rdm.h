#pragma once
// rdm: random-dot motion, a perceptual decision. 1 input, 1 output; 51 steps.
//
//     | fixation 100 | stimulus 800 | delay 100 | decision 20 |     ms
//
// u = gain c in the stimulus, + noise in every step; target sign(c) in the decision, the only epoch
// that is judged. c is one of +-coherences. Catch trials have no stimulus and target 0.
// Labels: coherence, choice (-1, +1; 0: catch). Score: sign of the mean output in the decision.
// Best observer of n stimulus steps: Phi(|c| gain sqrt(n) / noise).
// Source: Dubreuil, Valente et al. 2022, populations_paper_code `rdm.py` and scripts.

#include <memory>
#include <vector>

#include "soma/neuro/tasks/task.h"

namespace soma::neuro {

struct RdmOptions {
    double dt = 20, tau = 100;                                          // ms
    double fixation = 100, stimulus = 800, delay = 100, decision = 20;  // ms
    double gain = 0.1;
    double noise = 0.1;
    std::vector<double> coherences = {1, 2, 4};                 // magnitudes, positive
    std::vector<double> psychometric = {0, 0.2, 0.5, 1, 2, 4};  // magnitudes
    double catch_fraction = 0;
    double easy = 1;  // factor of the gain
};

// Error(usage) that names the option for times, fractions or coherences that are impossible.
std::unique_ptr<Task> make_rdm(const RdmOptions& options = {});

}  // namespace soma::neuro
