#include "systems/sequence/sentiment_study.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <optional>

#include "soma/core/parallel.h"
#include "soma/dist/comm.h"
#include "systems/sequence/bag_of_words.h"

namespace soma::systems {
namespace {

double padding_difference(const TrainedSentimentNet& trained) {
    Tape tape(Tape::Mode::no_grad);
    double largest = 0;
    for (Index k = 0; k < trained.test.batches(); ++k) {
        tape.reset();
        const data::Batch batch = trained.test.load(0, k);
        const nn::Context context{.training = false, .ids = batch.ids};
        const auto loss = [&](BatchLayout layout) {
            return trained.net->forward(tape, batch, context, layout).loss.item();
        };
        const double difference = loss(BatchLayout::packed) - loss(BatchLayout::padded);
        largest = std::max(largest, std::abs(difference) / static_cast<double>(batch.size()));
    }
    return largest;
}

}  // namespace

Index SentimentStudy::test_samples() const {
    Index sum = 0;
    for (const SentimentSplit& split : splits) sum += std::ssize(split.test);
    return sum;
}

double SentimentStudy::mean_accuracy(const std::string& method) const {
    const std::vector<double>& all = accuracy.at(method);
    return std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size());
}

SentimentStudy study_of_polarity(std::span<const std::uint64_t> seeds) {
    SentimentStudy study{.splits = {}, .seeds = {seeds.begin(), seeds.end()}};
    for (const std::uint64_t seed : seeds) study.splits.push_back(polarity_split(seed));
    return study;
}

SentimentStudy study_of_folds(const SentenceFile& file, std::uint64_t seed) {
    SentimentStudy study{.polarity = false, .splits = {}, .seeds = {}};
    for (Index fold = 0; fold < kFolds; ++fold) {
        study.splits.push_back(fold_split(file, fold));
        study.seeds.push_back(seed);
    }
    return study;
}

SentimentStudy validation_of(const SentimentStudy& folds) {
    SentimentStudy study{.polarity = false, .splits = {}, .seeds = folds.seeds};
    for (Index fold = 0; fold < kFolds; ++fold) {
        const SentimentSplit& split = folds.splits[static_cast<std::size_t>(fold)];
        study.splits.push_back(
            fold_split({split.name, split.sha256, split.train}, (fold + 1) % kFolds));
    }
    return study;
}

void train_bags(SentimentStudy& study) {
    for (const SentimentSplit& s : study.splits) {
        const auto score = [&](const char* method, const BagOfWords& model) {
            study.accuracy[method].push_back(model.accuracy(s.test));
        };
        score("naive-bayes", BagOfWords::naive_bayes(s.train, Grams::words));
        score("pairs", BagOfWords::naive_bayes(s.train, Grams::words_and_pairs));
        score("logistic", BagOfWords::logistic(s.train, Grams::words));
    }
}

void train_nets(SentimentStudy& study, std::span<const RecurrentUnit> units, const ClaimRun& run) {
    const std::size_t splits = study.splits.size(), jobs = units.size() * splits;
    std::vector<std::optional<TrainedSentimentNet>> made(jobs);
    std::mutex reporting;
    double done = 0;
    parallel_for(static_cast<Index>(jobs), 1, [&](Index begin, Index end) {
        for (Index job = begin; job < end && !run.stopped(); ++job) {
            const auto at = static_cast<std::size_t>(job);
            const SentimentSplit& split = study.splits[at % splits];
            const std::unique_ptr<dist::Comm> alone = dist::make_self_comm();
            made[at] = train_sentiment_net(
                sentiment_recipe(study.polarity, units[at / splits]), split,
                {.seed = study.seeds[at % splits], .stop_requested = [&] { return run.stopped(); }},
                *alone);
            const std::lock_guard lock(reporting);
            run.context().progress(split.name, ++done, static_cast<double>(jobs));
        }
    });
    if (run.stopped()) return;
    for (std::size_t job = 0; job < jobs; ++job) {
        const RecurrentUnit unit = units[job / splits];
        study.accuracy[name_of(unit)].push_back(100 - made[job]->result.test_error);
        study.nets[unit].push_back(std::move(*made[job]));
    }
}

double padding_difference(const SentimentStudy& study) {
    double largest = 0;
    for (const auto& [unit, nets] : study.nets) {
        for (const TrainedSentimentNet& net : nets) {
            largest = std::max(largest, padding_difference(net));
        }
    }
    return largest;
}

std::vector<double> accuracy_of_best(const SentimentStudy& folds,
                                     const SentimentStudy& validation) {
    std::vector<double> accuracy;
    for (std::size_t i = 0; i < folds.splits.size(); ++i) {
        const auto on_validation = [&](const auto& net) {
            return validation.accuracy.at(name_of(net.first))[i];
        };
        const auto best = std::max_element(
            folds.nets.begin(), folds.nets.end(),
            [&](const auto& a, const auto& b) { return on_validation(a) < on_validation(b); });
        accuracy.push_back(folds.accuracy.at(name_of(best->first))[i]);
    }
    return accuracy;
}

}  // namespace soma::systems
