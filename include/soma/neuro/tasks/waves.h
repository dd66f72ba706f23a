#pragma once
// sine, sum_of_sines: nets that generate a periodic output. 1 input, 1 output.
//
// sine: y = amplitude sin(2 pi t / period) over `periods` periods (80 steps), t the time at the end
// of the step. With one frequency the input is 0: the wave comes from the initial state. With F > 1
// frequencies, uniform between 1 / period_max and 1 / period_min, trial j of them has the constant
// input 1/4 + j / F and lasts as long as all others: `periods` periods of the slowest.
// Labels: cycles (per second), cue. The grid has one cell a frequency.
//
// sum_of_sines: y = sin a + sin(2 a) / 2 + sin(4 a) / 4, a = 2 pi (step + 1) / steps, input 0.
//
// All steps are judged. Score: 1 - sum (z - y)^2 / sum y^2, at least 0; the best is 1.
// Sources: pycog `sinewave.py` (one frequency; its net has N 100, noise 0.05, trained biases);
// Sussillo & Barak 2013 (51 frequencies; the range of periods is soma's); Murray 2019, RFLO
// (100 steps, tau 10 steps).

#include <memory>

#include "soma/neuro/tasks/task.h"

namespace soma::neuro {

struct SineOptions {
    double dt = 20, tau = 100;                  // ms
    double period_min = 800, period_max = 800;  // ms; equal for one frequency
    Index frequencies = 1;
    double periods = 2;
    double amplitude = 0.9;
    double noise = 0;  // of the input
};

struct SumOfSinesOptions {
    double dt = 1, tau = 10;  // ms
    Index steps = 100;
    double noise = 0;  // of the input
};

// Error(usage) that names the option for times or counts that are impossible.
std::unique_ptr<Task> make_sine(const SineOptions& options = {});
std::unique_ptr<Task> make_sum_of_sines(const SumOfSinesOptions& options = {});

}  // namespace soma::neuro
