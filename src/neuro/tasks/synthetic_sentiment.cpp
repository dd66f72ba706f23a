#include "soma/neuro/tasks/synthetic_sentiment.h"

#include "neuro/tasks/paint.h"
#include "soma/core/error.h"

namespace soma::neuro {
namespace {

constexpr const char* kName = "synthetic_sentiment";

enum Label { kValences, kSentiment };

struct Word {
    int valence = 0;
    bool negates = false, intensifies = false;
};

class SyntheticSentiment final : public CurveTask {
public:
    explicit SyntheticSentiment(const SyntheticSentimentOptions& o)
        : CurveTask({.name = kName,
                     .inputs = 3,
                     .outputs = 1,
                     .max_steps = o.words,
                     .dt = o.dt,
                     .tau = o.tau,
                     .loss = TaskLoss::per_trial,
                     .labels = {"valences", "sentiment"},
                     .noise = o.noise,
                     .noisy_inputs = 3}),
          options_(o) {
        check_fraction(kName, "valence", o.valence);
        check_fraction(kName, "negator", o.negator);
        check_fraction(kName, "intensifier", o.intensifier);
        check_fraction(kName, "valence + negator + intensifier",
                       o.valence + o.negator + o.intensifier);
    }

    Trial plan(const TrialSource& source, std::uint32_t index) const noexcept override {
        Trial trial;
        trial.index = index;
        trial.append("text", options_.words);
        Index valences = 0;
        read(source, trial, [&](Index, const Word& word, double sum) {
            if (word.valence != 0) ++valences;
            trial.labels[kSentiment] = static_cast<float>(sum);
        });
        trial.labels[kValences] = static_cast<float>(valences);
        return trial;
    }

    std::optional<double> ideal_score(const Trial&) const noexcept override {
        return noise() == 0 ? std::optional<double>(1) : std::nullopt;
    }

private:
    Word draw(WordStream& words) const noexcept {
        constexpr int kValenceOf[] = {-2, -1, 1, 2};
        const int valence = kValenceOf[words.next() >> 30];
        const double kind = double{uniform01(words.next())};
        const double modifiers = options_.valence + options_.negator;
        if (kind < options_.valence) return {.valence = valence};
        if (kind < modifiers) return {.negates = true};
        return {.intensifies = kind < modifiers + options_.intensifier};
    }

    // Calls f(step, word, sum so far) for every word of the trial.
    template <class F>
    void read(const TrialSource& source, const Trial& trial, F&& f) const noexcept {
        WordStream words(source, trial.index, 1);
        double sum = 0, factor = 1;
        for (Index t = 0; t < trial.length; ++t) {
            const Word word = draw(words);
            if (word.negates) factor = -factor;
            if (word.intensifies) factor *= 2;
            if (word.valence != 0) {
                sum += factor * word.valence;
                factor = 1;
            }
            f(t, word, sum);
        }
    }

    void paint(const TrialSource& source, const Trial& trial,
               const TrialView& view) const noexcept override {
        set_mask(view, trial.epochs[0], 0, 1);
        read(source, trial, [&](Index t, const Word& word, double sum) {
            float* const u = view.u + t * view.u_stride;
            u[0] += static_cast<float>(word.valence);
            u[1] += word.negates ? 1.0f : 0.0f;
            u[2] += word.intensifies ? 1.0f : 0.0f;
            view.y[t * view.y_stride] = static_cast<float>(sum);
        });
    }

    SyntheticSentimentOptions options_;
};

}  // namespace

std::unique_ptr<Task> make_synthetic_sentiment(const SyntheticSentimentOptions& options) {
    return std::make_unique<SyntheticSentiment>(options);
}

}  // namespace soma::neuro
