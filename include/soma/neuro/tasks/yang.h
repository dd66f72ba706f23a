#pragma once
// yang: the 20 rules of Yang et al. 2019, one input and output layout for all. 85 inputs, 33
// outputs; at most 210 steps.
//
//     inputs    0 fixation | 1-32 ring 1 | 33-64 ring 2 | 65-84 rules, 1 for the rule of the trial
//     outputs   0 fixation | 1-32 ring
//
// A stimulus of strength s at location x adds s b(x) to a ring, unit i of which prefers 2 pi i /
// 32:
//     b_i(x) = 0.8 exp(-(d / (pi/8))^2 / 2),   d the distance on the circle
// Epochs, in ms: {...} one of these, a-b uniform; each is cut to whole steps.
//     fd       fixation 300-700      stimulus_1 500-1500                               go 500
//     react    fixation 500-2500                                                       go 500
//     delay    fixation {300,500,700}  stimulus_1 {200,400,600}  delay_1 D             go 500
//     dm       fixation 100-400      stimulus_1 {400,800,1600}                         go 500
//     delaydm  fixation {200,400,600}  stimulus_1 {200,400,600}  delay_1 D
//              stimulus_2 {200,400,600}  delay_2 100-300                               go 500
//     dms      fixation {200,400,600}  stimulus_1 {200,400,600}  delay_1 D             go 500
//     dmc      the same                                                   go {200,400,600}
//     D = {200,400,800,1600}
// fd, react, delay: one stimulus, from stimulus_1 to the end in fd, in go in react. Answer its
// location, in `anti` the opposite one.
// dm, delaydm: two stimuli, (pi/2)-(3pi/2) apart, in dm at once; answer the stronger. Strengths are
// m +- c, m 0.8-1.2. dm1, dm2: in that ring. context: both rings, same locations, independent
// strengths, the rule says which ring counts. multi: the sum over rings counts; each strength s is
// split s +- s f / 2 between them, f 0.2-0.8.
// dms, dmc: stimulus 2 is in go; rings of both are independent. They match in dms when at the same
// place (else pi/9 - 17pi/9 away), in dmc (locations 0.1 pi, 0.3 pi ... 1.9 pi) when on the same
// half of the circle. `go`: answer stimulus 2 on a match, `nogo`: on a non-match; else fixate.
// The fixation input is 1 until go, in react, dms and dmc to the end.
// Target: fixation 0.8 while fixating, ring 0.05 + b(answer) in go; all else 0.05. Mask: 0 for the
// first 100 ms, 1 up to go, 0 for 100 ms, then 5; twice that for the fixation output.
// Noise on all inputs in every step: `noise` sqrt(2 tau / dt).
//
// Rule, times and rings of fd, react, delay, dms and dmc are drawn per group of `timing_group`
// trials, index / timing_group; 1 gives every trial its own. There are no catch trials.
// Grid (the original's test mode, times fixed): 20 locations, by 2 rings (fd, react, delay), by 2 x
// 2 rings with an answer to give (dms, dmc), by 5 strengths in the ring or by 5 x 5 in the two
// (dm, delaydm; stimuli opposite). The psychometric table of dm and delaydm has the coherences of
// training, half the smallest, and 0, of both signs; it is the grid for the others.
// Labels: rule; answer (location, -1: fixate); location_1, location_2 (-1: none);
// strength_1_ring_1, strength_1_ring_2, strength_2_ring_1, strength_2_ring_2; coherence (half the
// mean difference of strengths that counts, > 0: stimulus 1 is stronger); match (0, 1; -1: none).
// Score, of the last step: fixation output > 0.5 if it should fixate; else at most 0.5 and the
// population vector of the ring within 0.2 pi of the answer.
// Best observer who knows locations, n steps of a stimulus:
//     dm        Phi(|c| |b(x1) - b(x2)| sqrt(n) / sd)
//     delaydm   Phi(2 |c| |b| / (sd sqrt(1/n1 + 1/n2)))
//     multi     the same with sqrt(2) c;   the others: 1 to double precision
// Source: multitask `task.py`, `train.py`, `network.py`. Its easy_task is easy = 10 in dm, 2 in
// delaydm.

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "soma/neuro/tasks/task.h"

namespace soma::neuro {

// In the order of the rule inputs.
enum class YangRule {
    fdgo,
    reactgo,
    delaygo,
    fdanti,
    reactanti,
    delayanti,
    dm1,
    dm2,
    contextdm1,
    contextdm2,
    multidm,
    delaydm1,
    delaydm2,
    contextdelaydm1,
    contextdelaydm2,
    multidelaydm,
    dmsgo,
    dmsnogo,
    dmcgo,
    dmcnogo,
};
inline constexpr int kYangRules = 20;
const char* name_of(YangRule rule);

struct YangOptions {
    std::optional<YangRule> rule = {};  // none: drawn, with the weights below
    std::array<double, kYangRules> weights = {1, 1, 1, 1, 1, 1, 1, 1, 5, 5,
                                              1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    double dt = 20, tau = 100;  // ms
    double noise = 0.01;
    Index timing_group = 64;
    std::vector<double> dm_coherences = {0.01, 0.02, 0.04, 0.08};
    std::vector<double> delaydm_coherences = {0.08, 0.16, 0.32};
    double easy = 1;  // factor of the coherences
};

// Named after its rule, or "yang20". Error(usage) that names the option for impossible values.
std::unique_ptr<Task> make_yang(const YangOptions& options = {});

}  // namespace soma::neuro
