#pragma once
// SentimentStudy: nets and bags of words, trained side by side on several splits of one set.

#include <map>
#include <span>
#include <string>
#include <vector>

#include "systems/claim_run.h"
#include "systems/sequence/sentiment_recipe.h"

namespace soma::systems {

struct SentimentStudy {
    bool polarity = true;                   // else a file
    std::vector<SentimentSplit> splits;     // one a seed, or one a fold
    std::vector<std::uint64_t> seeds = {};  // of each split
    std::map<RecurrentUnit, std::vector<TrainedSentimentNet>> nets = {};  // one a split
    // Percent of right answers, one a split, by method: naive-bayes, pairs (naive Bayes on words
    // and pairs of neighbours), logistic, rnn, gru, lstm.
    std::map<std::string, std::vector<double>> accuracy = {};

    Index test_samples() const;  // of all splits
    double mean_accuracy(const std::string& method) const;
};

SentimentStudy study_of_polarity(std::span<const std::uint64_t> seeds);
SentimentStudy study_of_folds(const SentenceFile& file, std::uint64_t seed);
// The same folds, each test part now a fold of the training part: to choose on.
SentimentStudy validation_of(const SentimentStudy& folds);

void train_bags(SentimentStudy& study);
// A thread a net. Adds nothing when the run is stopped.
void train_nets(SentimentStudy& study, std::span<const RecurrentUnit> units, const ClaimRun& run);

// Largest |packed - padded| of the mean loss of a batch of test sentences, of all nets.
double padding_difference(const SentimentStudy& study);

// For each split the accuracy of the unit that is best on its validation split.
std::vector<double> accuracy_of_best(const SentimentStudy& folds, const SentimentStudy& validation);

}  // namespace soma::systems
