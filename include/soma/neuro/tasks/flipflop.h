#pragma once
// flipflop: n bits of memory. n inputs, n outputs; 64 steps.
//
// In every step each bit receives a pulse with probability p, always in step 0: +1 or -1, a coin.
// A pulse lasts w steps, w a whole number uniform in [width_min, width_max], or until the next one.
// Target: the sign of the last pulse of the bit, from the step in which it begins. All is judged.
// Known variant: pulse_probability 0.02 with widths 1 to 5.
// Score: the fraction of (step, bit) in which the output has the sign of the target.
// Best observer without noise: 1. There are no conditions: one cell, drawn.
// Source: Sussillo & Barak 2013; Golub & Sussillo 2018, fixed-point-finder `FlipFlop.py`.

#include <memory>

#include "soma/neuro/tasks/task.h"

namespace soma::neuro {

struct FlipflopOptions {
    Index bits = 3;
    Index steps = 64;
    double dt = 20, tau = 100;  // ms
    double pulse_probability = 0.5;
    Index width_min = 1, width_max = 1;  // steps
    double noise = 0;
    double easy = 1;  // factor of the pulses
};

// Error(usage) that names the option for sizes or probabilities that are impossible.
std::unique_ptr<Task> make_flipflop(const FlipflopOptions& options = {});

}  // namespace soma::neuro
