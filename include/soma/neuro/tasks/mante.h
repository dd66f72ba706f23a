#pragma once
// mante: context-dependent decision. 4 inputs (2 senses, 2 contexts), 1 output; 68 steps.
//
//     | fixation 100 | context 350 | stimulus 800 | delay 100 | decision 20 |     ms
//                    [------- context input on -------------]
//
// Sensory input i = gain c_i in the stimulus, + noise in every step; context input k = amplitude
// from the end of fixation to the decision says which sense counts. Target sign(c_k) in the
// decision, the only epoch that is judged. c_1 and c_2 are independent, each one of +-coherences.
// Catch trials have neither stimulus nor context and target 0.
// Labels: coherence_1, coherence_2, context (1, 2), choice (-1, +1; 0: catch).
// Score: sign of the mean output in the decision.
// Best observer of n stimulus steps: Phi(|c_k| gain sqrt(n) / noise), k the context.
// Sources: Mante & Sussillo 2013; Dubreuil, Valente et al. 2022, populations_paper_code `mante.py`
// and scripts (amplitude 0.5 and 1.0 in those of the 4096-unit nets).

#include <memory>
#include <vector>

#include "soma/neuro/tasks/task.h"

namespace soma::neuro {

struct ManteOptions {
    double dt = 20, tau = 100;                                                         // ms
    double fixation = 100, context = 350, stimulus = 800, delay = 100, decision = 20;  // ms
    double gain = 0.1;
    double amplitude = 0.1;                                     // of the context input
    double noise = 0.1;                                         // of the sensory inputs
    std::vector<double> coherences = {1, 2, 4};                 // magnitudes, positive
    std::vector<double> psychometric = {0, 0.2, 0.5, 1, 2, 4};  // magnitudes
    double catch_fraction = 0;
    double easy = 1;  // factor of the gain
};

// Error(usage) that names the option for times, fractions or coherences that are impossible.
std::unique_ptr<Task> make_mante(const ManteOptions& options = {});

}  // namespace soma::neuro
