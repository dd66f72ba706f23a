#pragma once
// raposo: multisensory decision. 4 inputs (visual, auditory, 2 contexts), 1 output; 68 steps.
//
//     | fixation 100 | context 350 | stimulus 800 | delay 100 | decision 20 |     ms
//                    [------ context on ----------]
//
// The modality of a trial is visual, auditory or both. Its inputs are gain c in the stimulus, its
// context inputs are on; noise on both senses in every step. In both, the coherences have the same
// sign and independent magnitudes. Target: that sign, in the decision, the only epoch judged.
// Catch trials have neither stimulus nor context and target 0.
// Labels: coherence_visual, coherence_auditory, modality (0 both, 1 visual, 2 auditory),
// choice (-1, +1; 0: catch). Score: sign of the mean output in the decision.
// Best observer of n stimulus steps who knows the magnitudes:
//     Phi(sqrt(n (c_v^2 + c_a^2)) gain / noise)
// Psychometric trials give both senses the same coherence.
// Source: Raposo et al. 2014; Dubreuil, Valente et al. 2022, populations_paper_code `raposo.py`.

#include <memory>
#include <vector>

#include "soma/neuro/tasks/task.h"

namespace soma::neuro {

struct RaposoOptions {
    double dt = 20, tau = 100;                                                         // ms
    double fixation = 100, context = 350, stimulus = 800, delay = 100, decision = 20;  // ms
    double gain = 0.1;
    double amplitude = 0.1;                                     // of the context inputs
    double noise = 0.1;                                         // of the sensory inputs
    std::vector<double> coherences = {1, 2, 4};                 // magnitudes, positive
    std::vector<double> psychometric = {0, 0.2, 0.5, 1, 2, 4};  // magnitudes
    double catch_fraction = 0;
    double easy = 1;  // factor of the gain
};

// Error(usage) that names the option for times, fractions or coherences that are impossible.
std::unique_ptr<Task> make_raposo(const RaposoOptions& options = {});

}  // namespace soma::neuro
