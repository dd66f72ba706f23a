#pragma once
// What a sentence says when the order of its words is ignored: the yardsticks of sentiment_rnn.
//
// Features f of a sentence are its words, or its words and its pairs of neighbours; n_f is how
// often one occurs. Both models give the log odds of the label 1; features that training did not
// show count nothing. V is the number of features, c a label.
//
//     naive Bayes           log p(c) + sum_f n_f log p(f | c),  p(f | c) = (N_fc + 1) / (N_c + V)
//                           (multinomial, Laplace's rule; log p(1) - log p(0) + ...)
//     logistic regression   b + w . n,  the minimum of  sum log(1 + exp(-y (b + w . n))) + l2 |w|^2
//     / 2
//                           over the sentences, y = +-1: convex, found by L-BFGS in f64

#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "systems/sequence/sentences.h"

namespace soma::systems {

enum class Grams { words, words_and_pairs };

// b + sum_f w_f n_f.
class BagOfWords {
public:
    double log_odds(const Words& words) const;
    // Percent of the sentences whose label it finds; log odds of 0 answer 0.
    double accuracy(std::span<const Sentence> sentences) const;
    // Of a word or, as "first second", of a pair; 0 when it is unknown.
    double weight(const std::string& feature) const;
    double bias() const { return bias_; }

    // Error(usage) unless both labels occur, here and below.
    static BagOfWords naive_bayes(std::span<const Sentence> sentences, Grams grams);
    // l2 > 0.
    static BagOfWords logistic(std::span<const Sentence> sentences, Grams grams, double l2 = 1);

private:
    using Counts = std::vector<std::pair<Index, double>>;  // (feature, n_f)

    BagOfWords(std::span<const Sentence> sentences, Grams grams);
    Counts count(const Words& words) const;

    Grams grams_;
    std::unordered_map<std::string, Index> numbers_;
    std::vector<double> weights_;
    double bias_ = 0;
};

}  // namespace soma::systems
