#pragma once
// dms: delayed match to sample. 2 inputs, 1 output; at most 255 steps.
//
//     | fixation 100 | sample 500 | delay 500 ... 3000 | test 500 | decision 1000 |     ms
//
// Sample and test are A (input 0 is on) or B (input 1), the four pairs as likely as each other;
// noise on both inputs in every step. Target +1 for a match, -1 otherwise, in the decision, the
// only epoch that is judged. The delay is uniform in ms, then cut to whole steps. Catch trials have
// no stimuli and target 0.
// Shaping of the delay (paper): train with delay_max 2000, then 700, 1000, 4000.
// The grid runs through AA, AB, BA, BB with the longest delay; so does the psychometric table.
// Labels: sample, test (1 A, 2 B), choice (+1 match, -1 non-match; 0: catch).
// Score: sign of the mean output in the decision.
// Best observer: p q + (1 - p) (1 - q), p = Phi(sqrt(n / 2) / noise) for the n steps of the sample,
// q the same for the test.
// Source: Dubreuil, Valente et al. 2022, populations_paper_code `dms.py`. There catch trials are
// not judged.

#include <memory>

#include "soma/neuro/tasks/task.h"

namespace soma::neuro {

struct DmsOptions {
    double dt = 20, tau = 100;                                         // ms
    double fixation = 100, sample = 500, test = 500, decision = 1000;  // ms
    double delay_min = 500, delay_max = 3000;                          // ms
    double noise = 0.03;
    double catch_fraction = 0;
    double easy = 1;  // factor of the stimuli
};

// Error(usage) that names the option for times or fractions that are impossible.
std::unique_ptr<Task> make_dms(const DmsOptions& options = {});

}  // namespace soma::neuro
