#include "neuro/tasks/paint.h"

#include <algorithm>
#include <cmath>

#include "soma/core/error.h"
#include "soma/kernels/random.h"

namespace soma::neuro {
namespace {

constexpr double kMaxSteps = 1e8;

std::vector<float> mirrored(std::span<const double> magnitudes) {
    std::vector<float> levels;
    for (const double m : magnitudes) {
        levels.push_back(static_cast<float>(m));
        if (m > 0) levels.push_back(static_cast<float>(-m));
    }
    std::sort(levels.begin(), levels.end());
    return levels;
}

}  // namespace

Clock::Clock(const std::string& task, double dt, double tau) : task_(task), dt_(dt) {
    SOMA_CHECK(dt > 0 && dt <= tau, task, ": dt is ", dt, " ms, tau is ", tau,
               " ms; need 0 < dt <= tau");
}

Index Clock::steps(const char* what, double ms) const {
    SOMA_CHECK(ms >= 0 && ms / dt_ <= kMaxSteps, task_, ": ", what, " is ", ms,
               " ms; need at least 0 and at most ", kMaxSteps, " steps of ", dt_, " ms");
    return steps_of(ms, dt_);
}

Index Clock::at_least_one(const char* what, double ms) const {
    const Index n = steps(what, ms);
    SOMA_CHECK(n >= 1, task_, ": ", what, " is ", ms, " ms, no whole step of ", dt_,
               " ms; need at least one");
    return n;
}

void ContextSteps::append_to(Trial& trial) const noexcept {
    trial.append("fixation", fixation);
    trial.append("context", context);
    trial.append("stimulus", stimulus);
    trial.append("delay", delay);
    trial.append("decision", decision);
}

void check_fraction(const std::string& task, const char* what, double fraction) {
    SOMA_CHECK(fraction >= 0 && fraction <= 1, task, ": ", what, " is ", fraction, "; need 0 to 1");
}

void add_input(const TrialView& view, const Epoch& epoch, Index input, double value) noexcept {
    const auto v = static_cast<float>(value);
    for (Index t = epoch.begin; t < epoch.end; ++t) view.u[t * view.u_stride + input] += v;
}

void set_target(const TrialView& view, const Epoch& epoch, Index output, double value) noexcept {
    const auto v = static_cast<float>(value);
    for (Index t = epoch.begin; t < epoch.end; ++t) view.y[t * view.y_stride + output] = v;
}

void set_mask(const TrialView& view, const Epoch& epoch, Index output, double weight) noexcept {
    const auto v = static_cast<float>(weight);
    for (Index t = epoch.begin; t < epoch.end; ++t) view.mask[t * view.y_stride + output] = v;
}

std::optional<double> score_choice(const Epoch& epoch, const Answer& answer,
                                   double choice) noexcept {
    if (choice == 0) return std::nullopt;
    double sum = 0;
    for (Index t = epoch.begin; t < epoch.end; ++t) {
        sum += static_cast<double>(answer.z[t * answer.stride]);
    }
    return sum * choice > 0 ? 1.0 : 0.0;
}

std::optional<double> score_curve(Index steps, Index outputs, const Answer& answer) noexcept {
    double errors = 0, squares = 0;
    for (Index t = 0; t < steps; ++t) {
        for (Index o = 0; o < outputs; ++o) {
            const Index at = t * answer.stride + o;
            const double mask = static_cast<double>(answer.mask[at]);
            const double y = mask * static_cast<double>(answer.y[at]);
            const double e = mask * static_cast<double>(answer.z[at]) - y;
            errors += e * e;
            squares += y * y;
        }
    }
    if (squares == 0) return std::nullopt;
    return std::max(0.0, 1 - errors / squares);
}

double normal_cdf(double x) noexcept { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

double choice_probability(double signal, double noise) noexcept {
    if (signal == 0) return 0.5;
    return noise == 0 ? 1.0 : normal_cdf(signal / noise);
}

SignedLevels::SignedLevels(const std::string& task, std::span<const double> training,
                           std::span<const double> psychometric)
    : training_(mirrored(training)), psychometric_(mirrored(psychometric)) {
    SOMA_CHECK(!training.empty() && !psychometric.empty(), task, ": ", training.size(),
               " coherences, ", psychometric.size(), " for the psychometric table; need some");
    for (const double c : training) {
        SOMA_CHECK(c > 0, task, ": a coherence is ", c, "; need more than 0");
    }
    for (const double c : psychometric) {
        SOMA_CHECK(c >= 0, task, ": a psychometric coherence is ", c, "; need at least 0");
    }
}

float SignedLevels::draw(RandomSequence& random) const noexcept {
    return training_[random.below(static_cast<std::uint32_t>(training_.size()))];
}

void WordStream::refill() noexcept {
    kernels::random_words(key_, at_, kBlock, words_);
    ++at_.step;
    used_ = 0;
}

float choice_of(float x, RandomSequence& random) noexcept {
    const float coin = random.below(2) == 0 ? -1.0f : 1.0f;
    if (x == 0) return coin;
    return x < 0 ? -1.0f : 1.0f;
}

}  // namespace soma::neuro
