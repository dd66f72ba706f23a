#pragma once
// Task: a generator of trials for recurrent nets (neuro.md 4).
//
// A trial is a pure function of (source, index): the same bits alone, in a batch, in any order and
// on any thread. It consists of
//   u    [T, I]   input: signal + noise
//   y    [T, O]   target
//   mask [T, O]   weight of the squared error of every output at every step; 0: not judged
//   length        T of this trial; epochs: named ranges of steps; labels: what was drawn
// Row t of u is the input of step t, which also yields the output judged against row t of y.
//
// A task draws a trial (plan: times and labels, a few random words) and paints it (write). Both are
// noexcept and allocate nothing. The noise of noisy input c in step t is number k = t C + c of the
// trial's normals, C noisy inputs: unit k % 1024 of step k / 1024 (core/rng.h). So it does not
// depend on the length of the trial.
//
// Times are in ms and become steps by floor(t / dt + 1e-9).
// Legend: T steps, B trials, I inputs, O outputs.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "soma/core/rng.h"
#include "soma/core/types.h"

namespace soma::neuro {

// Independent families of trials: what a net is judged on was never trained on.
enum class Stream : std::uint32_t { training = 0, evaluation = 1, analysis = 2 };

// How trial k gets its conditions.
enum class Mode {
    drawn,         // at random, as in training
    grid,          // trial k is cell k % cells of the conditions used in training, times fixed
    psychometric,  // the same over a finer range of difficulty, with cases too hard to train on
};

// What trials are drawn from. Immutable; making one costs two Philox calls.
class TrialSource {
public:
    explicit TrialSource(std::uint64_t seed, Stream stream = Stream::training,
                         Mode mode = Mode::drawn);

    Mode mode() const { return mode_; }
    // The numbers that decide trial `index`, or group `index` of trials that share a property.
    RandomSequence parameters(std::uint32_t index, std::uint32_t property = 0) const {
        return RandomSequence(parameters_, {.step = property, .trial = index});
    }
    PhiloxKey parameter_key() const { return parameters_; }  // purpose 3
    PhiloxKey noise_key() const { return noise_; }           // purpose 2

private:
    PhiloxKey parameters_, noise_;
    Mode mode_;
};

// Steps [begin, end).
struct Epoch {
    const char* name = "";
    Index begin = 0, end = 0;
    Index steps() const { return end - begin; }
};

inline constexpr int kMaxEpochs = 8;
inline constexpr int kMaxLabels = 12;

// What was drawn for one trial.
struct Trial {
    std::uint32_t index = 0;
    Index length = 0;  // steps
    int epoch_count = 0;
    std::array<Epoch, kMaxEpochs> epochs = {};  // in order of time; the first begins at 0
    std::array<float, kMaxLabels> labels = {};  // named by Task::labels()

    // Appends an epoch of `steps` that begins where the trial ends so far.
    void append(const char* name, Index steps) noexcept;
    // The epoch called `name`; {"", 0, 0} when there is none.
    Epoch epoch(const char* name) const noexcept;
};

// Where a trial is written: row t of u begins at u + t u_stride; y and mask share y_stride.
// Rows from the trial's length to `steps` are padding: zeros. steps >= Trial::length.
struct TrialView {
    Index steps = 0;
    float* u = nullptr;
    Index u_stride = 0;
    float* y = nullptr;
    float* mask = nullptr;
    Index y_stride = 0;
};

// A net's output z beside target and mask of the same trial, all with one stride from step to step.
struct Answer {
    const float* z = nullptr;
    const float* y = nullptr;
    const float* mask = nullptr;
    Index stride = 0;
};

// How the errors e = mask (z - y) of a batch become a loss; the mask stands inside the square.
enum class TaskLoss {
    per_trial,    // mean over trials of sum_{t,o} e^2 / sum_{t,o} mask; no error where mask is 0
    per_element,  // mean of e^2 over all T B O elements, T the longest trial of the batch
};

// What is fixed for all trials of a task.
struct TaskShape {
    std::string name;
    Index inputs = 0, outputs = 0;
    Index max_steps = 0;        // no trial is longer
    double dt = 20, tau = 100;  // ms: step, time constant of the units
    TaskLoss loss = TaskLoss::per_trial;
    std::vector<std::string> labels;  // at most kMaxLabels
    double noise = 0;                 // standard deviation of the input noise, every step
    Index noisy_inputs = 0;           // of inputs 0 ... noisy_inputs - 1
};

class Task {
public:
    virtual ~Task() = default;
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;

    const std::string& name() const { return shape_.name; }
    Index inputs() const { return shape_.inputs; }
    Index outputs() const { return shape_.outputs; }
    Index max_steps() const { return shape_.max_steps; }
    double dt() const { return shape_.dt; }
    double tau() const { return shape_.tau; }
    TaskLoss loss() const { return shape_.loss; }
    double noise() const { return shape_.noise; }
    std::span<const std::string> labels() const { return shape_.labels; }
    // Where a label stands in Trial::labels; Error(usage) that names the nearest when unknown.
    int label(const std::string& name) const;

    // Cells of a mode's table of conditions; 1 where there are no conditions, and when drawn.
    virtual Index cells(Mode mode) const noexcept;

    // Draws length, epochs and labels.
    virtual Trial plan(const TrialSource& source, std::uint32_t index) const noexcept = 0;
    // Writes what was planned; every element of rows [0, view.steps) is set.
    void write(const TrialSource& source, const Trial& trial, const TrialView& view) const noexcept;
    Trial trial(const TrialSource& source, std::uint32_t index,
                const TrialView& view) const noexcept;

    // The fraction of the trial's decisions that are right: 0 or 1 where there is one. None for
    // catch trials. Tasks whose target is a curve: 1 - sum e^2 / sum (mask y)^2, at least 0.
    virtual std::optional<double> score(const Trial& trial,
                                        const Answer& answer) const noexcept = 0;

    // Probability that the best observer of u is right (neuro.md 4.6); 1/2 where coherence is 0.
    // None for catch trials and where it is not known.
    virtual std::optional<double> ideal_score(const Trial& trial) const noexcept;

protected:
    // Error(usage) unless 0 < dt <= tau, noise >= 0, sizes are positive and labels few enough.
    explicit Task(TaskShape shape);

    // Adds the signal to u, which holds the noise, and sets what is not zero of y and mask.
    virtual void paint(const TrialSource& source, const Trial& trial,
                       const TrialView& view) const noexcept = 0;

private:
    void add_noise(const TrialSource& source, const Trial& trial,
                   const TrialView& view) const noexcept;

    TaskShape shape_;
};

}  // namespace soma::neuro
