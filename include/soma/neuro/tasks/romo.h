#pragma once
// romo: parametric working memory. 1 input, 1 output; at most 70 steps.
//
//     | fixation 100 | f1 100 | delay 500 ... 1000 | f2 100 | decision 100 |     ms
//
// u = (f - middle) / span during f1 and f2, + noise in every step; target (f1 - f2) / span in the
// decision, the only epoch that is judged. Frequencies are whole numbers from low to high; pairs
// (f1, f2) are those that differ by one of `differences` (54 pairs), each as likely as any other.
// The delay is a whole number of steps, uniform between its bounds. Catch trials have no stimuli
// and target 0.
// The grid has all pairs in ascending order of (f1, f2), the psychometric table all pairs of every
// second frequency; their delay is the longest.
// Labels: f1, f2, choice (sign of f1 - f2, a coin where they are equal; 0: catch).
// Score: sign of the mean output in the decision.
// Best observer: Phi(|f1 - f2| / span / (noise sqrt(1/n1 + 1/n2))), n1, n2 steps of f1, f2.
// Sources: Romo et al. 1999; Dubreuil, Valente et al. 2022, populations_paper_code `romo.py`. There
// catch trials are not judged.

#include <memory>
#include <vector>

#include "soma/neuro/tasks/task.h"

namespace soma::neuro {

struct RomoOptions {
    double dt = 20, tau = 100;                                  // ms
    double fixation = 100, f1 = 100, f2 = 100, decision = 100;  // ms
    double delay_min = 500, delay_max = 1000;                   // ms
    int low = 10, high = 34;                                    // Hz; span = high - low
    std::vector<int> differences = {8, 16, 24};                 // Hz, positive
    double noise = 0.01;
    double catch_fraction = 0;
    double easy = 1;  // factor of the input signal
};

// Error(usage) that names the option for times, fractions or frequencies that are impossible.
std::unique_ptr<Task> make_romo(const RomoOptions& options = {});

}  // namespace soma::neuro
