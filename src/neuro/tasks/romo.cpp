#include "soma/neuro/tasks/romo.h"

#include <algorithm>
#include <cstdlib>

#include "neuro/tasks/paint.h"
#include "soma/core/error.h"

namespace soma::neuro {
namespace {

constexpr const char* kName = "romo";
constexpr int kHighest = 1000;  // Hz

enum Label { kF1, kF2, kChoice };

struct Steps {
    Index fixation, f1, delay_min, delay_max, f2, decision;
    Index longest() const { return fixation + f1 + delay_max + f2 + decision; }
};

Steps in_steps(const RomoOptions& o) {
    const Clock clock(kName, o.dt, o.tau);
    SOMA_CHECK(o.delay_min <= o.delay_max, kName, ": delay_min is ", o.delay_min,
               " ms, delay_max is ", o.delay_max, " ms; need delay_min <= delay_max");
    return {.fixation = clock.steps("fixation", o.fixation),
            .f1 = clock.at_least_one("f1", o.f1),
            .delay_min = clock.steps("delay_min", o.delay_min),
            .delay_max = clock.steps("delay_max", o.delay_max),
            .f2 = clock.at_least_one("f2", o.f2),
            .decision = clock.at_least_one("decision", o.decision)};
}

struct Pair {
    float f1, f2;
};

// Pairs of frequencies in ascending order.
std::vector<Pair> training_pairs(const RomoOptions& o) {
    SOMA_CHECK(0 <= o.low && o.low < o.high && o.high <= kHighest, kName, ": low is ", o.low,
               " Hz, high is ", o.high, " Hz; need 0 <= low < high <= ", kHighest);
    std::vector<Pair> pairs;
    for (int f1 = o.low; f1 <= o.high; ++f1) {
        for (int f2 = o.low; f2 <= o.high; ++f2) {
            const int difference = std::abs(f1 - f2);
            if (difference > 0 &&
                std::count(o.differences.begin(), o.differences.end(), difference) > 0) {
                pairs.push_back({static_cast<float>(f1), static_cast<float>(f2)});
            }
        }
    }
    SOMA_CHECK(!pairs.empty(), kName, ": no two frequencies from ", o.low, " to ", o.high,
               " Hz have one of the ", o.differences.size(), " differences; need a pair");
    return pairs;
}

std::vector<Pair> psychometric_pairs(const RomoOptions& o) {
    std::vector<Pair> pairs;
    for (int f1 = o.low; f1 <= o.high; f1 += 2) {
        for (int f2 = o.low; f2 <= o.high; f2 += 2) {
            pairs.push_back({static_cast<float>(f1), static_cast<float>(f2)});
        }
    }
    return pairs;
}

class Romo final : public Task {
public:
    Romo(const RomoOptions& o, const Steps& steps)
        : Task({.name = kName,
                .inputs = 1,
                .outputs = 1,
                .max_steps = steps.longest(),
                .dt = o.dt,
                .tau = o.tau,
                .loss = TaskLoss::per_trial,
                .labels = {"f1", "f2", "choice"},
                .noise = o.noise,
                .noisy_inputs = 1}),
          steps_(steps),
          training_(training_pairs(o)),
          psychometric_(psychometric_pairs(o)),
          middle_(0.5 * (o.low + o.high)),
          span_(o.high - o.low),
          easy_(o.easy),
          catch_fraction_(o.catch_fraction) {
        check_fraction(kName, "catch_fraction", o.catch_fraction);
    }

    Index cells(Mode mode) const noexcept override {
        if (mode == Mode::drawn) return 1;
        return static_cast<Index>(mode == Mode::grid ? training_.size() : psychometric_.size());
    }

    Trial plan(const TrialSource& source, std::uint32_t index) const noexcept override {
        RandomSequence random = source.parameters(index);
        const bool drawn = source.mode() == Mode::drawn;
        const auto& pairs = source.mode() == Mode::psychometric ? psychometric_ : training_;
        const auto delays = static_cast<std::uint32_t>(steps_.delay_max - steps_.delay_min + 1);
        const Index delay = drawn ? steps_.delay_min + random.below(delays) : steps_.delay_max;
        Trial trial;
        trial.index = index;
        trial.append("fixation", steps_.fixation);
        trial.append("f1", steps_.f1);
        trial.append("delay", delay);
        trial.append("f2", steps_.f2);
        trial.append("decision", steps_.decision);
        if (drawn && random.coin(static_cast<float>(catch_fraction_))) return trial;
        const auto n = static_cast<std::uint32_t>(pairs.size());
        const Pair pair = pairs[drawn ? random.below(n) : index % n];
        trial.labels = {pair.f1, pair.f2, choice_of(pair.f1 - pair.f2, random)};
        return trial;
    }

    std::optional<double> score(const Trial& trial, const Answer& answer) const noexcept override {
        return score_choice(trial.epoch("decision"), answer, trial.labels[kChoice]);
    }

    std::optional<double> ideal_score(const Trial& trial) const noexcept override {
        if (trial.labels[kChoice] == 0) return std::nullopt;
        const double signal = easy_ * std::abs(difference(trial));
        const double n1 = static_cast<double>(steps_.f1), n2 = static_cast<double>(steps_.f2);
        return choice_probability(signal, noise() * std::sqrt(1 / n1 + 1 / n2));
    }

private:
    double difference(const Trial& trial) const noexcept {
        return (double{trial.labels[kF1]} - double{trial.labels[kF2]}) / span_;
    }

    void paint(const TrialSource&, const Trial& trial,
               const TrialView& view) const noexcept override {
        const Epoch decision = trial.epoch("decision");
        set_mask(view, decision, 0, 1);
        if (trial.labels[kChoice] == 0) return;
        add_input(view, trial.epoch("f1"), 0, easy_ * (trial.labels[kF1] - middle_) / span_);
        add_input(view, trial.epoch("f2"), 0, easy_ * (trial.labels[kF2] - middle_) / span_);
        set_target(view, decision, 0, difference(trial));
    }

    Steps steps_;
    std::vector<Pair> training_, psychometric_;
    double middle_, span_, easy_, catch_fraction_;
};

}  // namespace

std::unique_ptr<Task> make_romo(const RomoOptions& options) {
    return std::make_unique<Romo>(options, in_steps(options));
}

}  // namespace soma::neuro
