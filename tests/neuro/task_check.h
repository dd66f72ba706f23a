#pragma once
// Checks that every task must pass, and tools for looking into trials.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "soma/core/parallel.h"
#include "soma/neuro/tasks/batch.h"

namespace soma::test {

using neuro::Epoch;
using neuro::Mode;
using neuro::Stream;
using neuro::Task;
using neuro::TaskBatch;
using neuro::Trial;
using neuro::TrialSource;

// One trial in arrays of its own.
struct Written {
    Trial trial;
    Index inputs, outputs;
    std::vector<float> u, y, mask;  // [max_steps, channels], padded with zeros

    Written(const Task& task, const TrialSource& source, std::uint32_t index)
        : inputs(task.inputs()),
          outputs(task.outputs()),
          u(static_cast<std::size_t>(task.max_steps() * inputs), NAN),
          y(static_cast<std::size_t>(task.max_steps() * outputs), NAN),
          mask(y) {
        trial = task.trial(source, index,
                           {.steps = task.max_steps(),
                            .u = u.data(),
                            .u_stride = inputs,
                            .y = y.data(),
                            .mask = mask.data(),
                            .y_stride = outputs});
    }
    float at_u(Index t, Index i = 0) const { return u[static_cast<std::size_t>(t * inputs + i)]; }
    float at_y(Index t, Index o = 0) const { return y[static_cast<std::size_t>(t * outputs + o)]; }
    float at_mask(Index t, Index o = 0) const {
        return mask[static_cast<std::size_t>(t * outputs + o)];
    }
    double mean_u(const Epoch& e, Index i = 0) const {
        double sum = 0;
        for (Index t = e.begin; t < e.end; ++t) sum += static_cast<double>(at_u(t, i));
        return sum / static_cast<double>(e.steps());
    }
    float label(const Task& task, const std::string& name) const {
        return trial.labels[static_cast<std::size_t>(task.label(name))];
    }
    neuro::Answer answer(const std::vector<float>& z) const {
        return {.z = z.data(), .y = y.data(), .mask = mask.data(), .stride = outputs};
    }
};

// Trial b of a batch's tensor [T, B, C] as [max_steps, C], padded with zeros.
inline std::vector<float> trial_of(const Tensor& x, Index b, Index max_steps) {
    const Index steps = x.shape()[0], batch = x.shape()[1], channels = x.shape()[2];
    std::vector<float> rows(static_cast<std::size_t>(max_steps * channels), 0.0f);
    for (Index t = 0; t < steps; ++t) {
        const auto from = x.data<float>().begin() + (t * batch + b) * channels;
        std::copy_n(from, channels, rows.begin() + t * channels);
    }
    return rows;
}

// Epochs follow one another up to the trial's length; what lies behind it is zero.
inline void check_written(const Task& task, const Written& w) {
    ASSERT_GE(w.trial.length, 1);
    ASSERT_LE(w.trial.length, task.max_steps());
    Index covered = 0;
    for (int e = 0; e < w.trial.epoch_count; ++e) {
        const Epoch& epoch = w.trial.epochs[static_cast<std::size_t>(e)];
        EXPECT_EQ(epoch.begin, covered);
        EXPECT_GE(epoch.steps(), 0);
        covered = epoch.end;
    }
    EXPECT_EQ(covered, w.trial.length);
    const auto zero_from = [&](const std::vector<float>& x, Index channels) {
        return std::all_of(x.begin() + w.trial.length * channels, x.end(),
                           [](float v) { return v == 0; });
    };
    EXPECT_TRUE(zero_from(w.u, w.inputs));
    EXPECT_TRUE(zero_from(w.y, w.outputs));
    EXPECT_TRUE(zero_from(w.mask, w.outputs));
}

// A trial has the same bits alone and in a batch, whatever the order and the number of threads.
inline void check_task(const Task& task) {
    SCOPED_TRACE(task.name());
    const std::vector<std::uint32_t> indices = {70, 3, 1000000007, 64, 0, 3, 127};
    const auto size = static_cast<Index>(indices.size());
    const int threads_before = num_threads();
    for (const Mode mode : {Mode::drawn, Mode::grid, Mode::psychometric}) {
        const TrialSource source(11, Stream::training, mode);
        ASSERT_GE(task.cells(mode), 1);
        TaskBatch one(task, size), three(task, size);
        set_num_threads(1);
        one.fill(source, indices);
        set_num_threads(3);
        three.fill(source, indices);
        Index longest = 0;
        for (Index b = 0; b < size; ++b) {
            const Written w(task, source, indices[static_cast<std::size_t>(b)]);
            check_written(task, w);
            EXPECT_EQ(one.lengths()[static_cast<std::size_t>(b)], w.trial.length);
            longest = std::max(longest, w.trial.length);
            for (const TaskBatch* batch : {&one, &three}) {
                EXPECT_TRUE(w.u == trial_of(batch->u(), b, task.max_steps()));
                EXPECT_TRUE(w.y == trial_of(batch->y(), b, task.max_steps()));
                EXPECT_TRUE(w.mask == trial_of(batch->mask(), b, task.max_steps()));
            }
        }
        EXPECT_EQ(one.steps(), longest);
    }
    set_num_threads(threads_before);
}

// The target itself, where judged, scores 1; its negative scores less.
inline void check_score(const Task& task) {
    for (std::uint32_t k = 0; k < 50; ++k) {
        const Written w(task, TrialSource(5), k);
        const auto right = task.score(w.trial, w.answer(w.y));
        if (!right) continue;
        EXPECT_EQ(*right, 1);
        std::vector<float> opposite = w.y;
        for (float& z : opposite) z = -z;
        EXPECT_LT(*task.score(w.trial, w.answer(opposite)), 1);
    }
}

// Counts of values drawn.
template <class Value>
using Histogram = std::map<Value, Index>;

// Pearson's chi^2 of a histogram against equal probability of `bins` values is below the mean of
// its distribution, bins - 1, plus 5 standard deviations sqrt(2 (bins - 1)); every bin is met.
template <class Value>
void expect_uniform(const Histogram<Value>& histogram, Index bins) {
    Index total = 0;
    for (const auto& [value, count] : histogram) total += count;
    ASSERT_EQ(static_cast<Index>(histogram.size()), bins);
    const double expected = static_cast<double>(total) / static_cast<double>(bins);
    double chi2 = 0;
    for (const auto& [value, count] : histogram) {
        const double d = static_cast<double>(count) - expected;
        chi2 += d * d / expected;
    }
    const double freedom = static_cast<double>(bins - 1);
    EXPECT_LT(chi2, freedom + 5 * std::sqrt(2 * freedom));
}

// |counted - trials p| is at most 3 standard errors of a binomial count.
inline void expect_fraction(double fraction, double p, Index trials) {
    const double error = std::sqrt(p * (1 - p) / static_cast<double>(trials));
    EXPECT_NEAR(fraction, p, 3 * error) << trials << " trials";
}

// The number of trials in which is_right(Written) holds, against the sum of Task::ideal_score:
// coins with those probabilities, within 3 standard errors.
template <class IsRight>
void check_ideal(const Task& task, const TrialSource& source, Index trials, IsRight&& is_right) {
    double right = 0, ideal = 0, variance = 0;
    for (Index k = 0; k < trials; ++k) {
        const Written w(task, source, static_cast<std::uint32_t>(k));
        const auto p = task.ideal_score(w.trial);
        ASSERT_TRUE(p.has_value());
        right += is_right(w) ? 1 : 0;
        ideal += *p;
        variance += *p * (1 - *p);
    }
    EXPECT_GT(variance, 0);
    EXPECT_NEAR(right, ideal, 3 * std::sqrt(variance)) << trials << " trials";
}

// The same where the answer is the sign of decide(Written) and the label "choice" is right.
template <class Decide>
void check_ideal_choice(const Task& task, const TrialSource& source, Index trials,
                        Decide&& decide) {
    const auto choice = static_cast<std::size_t>(task.label("choice"));
    check_ideal(task, source, trials, [&](const Written& w) {
        return decide(w) * static_cast<double>(w.trial.labels[choice]) > 0;
    });
}

}  // namespace soma::test
