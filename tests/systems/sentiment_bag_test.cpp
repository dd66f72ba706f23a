// Naive Bayes and logistic regression on bags of words.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "soma/core/error.h"
#include "systems/sequence/bag_of_words.h"
#include "systems/sequence/sentiment_data.h"

namespace soma::systems {
namespace {

const std::vector<Sentence> kFour{{{"good", "good", "film"}, 1},
                                  {{"good", "plot"}, 1},
                                  {{"bad", "film"}, 0},
                                  {{"not", "good"}, 1}};

// Label 1: good 4, film, plot, not 1 each, 7 in all; label 0: bad, film; V = 5.
TEST(BagOfWords, NaiveBayesCountsByLaplacesRule) {
    const BagOfWords model = BagOfWords::naive_bayes(kFour, Grams::words);
    EXPECT_DOUBLE_EQ(model.bias(), std::log(3.0));
    EXPECT_NEAR(model.weight("good"), std::log((5.0 / 12) / (1.0 / 7)), 1e-14);
    EXPECT_NEAR(model.weight("film"), std::log((2.0 / 12) / (2.0 / 7)), 1e-14);
    EXPECT_NEAR(model.weight("bad"), std::log((1.0 / 12) / (2.0 / 7)), 1e-14);
    EXPECT_EQ(model.weight("unknown"), 0);
    EXPECT_NEAR(model.log_odds({"bad", "unknown", "bad"}), model.bias() + 2 * model.weight("bad"),
                1e-14);
    EXPECT_EQ(model.accuracy(kFour), 100);
}

// With pairs: label 1 has 7 words and 4 pairs, label 0 has 2 and 1; V = 5 + 5.
TEST(BagOfWords, PairsOfNeighboursAreFeatures) {
    const BagOfWords model = BagOfWords::naive_bayes(kFour, Grams::words_and_pairs);
    EXPECT_NEAR(model.weight("not good"), std::log((2.0 / 21) / (1.0 / 13)), 1e-14);
    EXPECT_EQ(model.weight("good not"), 0);
}

// A model of two words of which each sentence has one fits both shares exactly where l2 vanishes:
// the odds of "a" are 3 : 1, those of "b" 1 : 2. With l2 the minimum moves by about l2 |w| over the
// curvature (here at least 3 * 2 / 9): by less than 1e-7 at l2 = 1e-8.
TEST(BagOfWords, LogisticRegressionFindsTheSharesOfWords) {
    std::vector<Sentence> sentences;
    for (const std::int32_t label : {1, 1, 1, 0}) sentences.push_back({{"a"}, label});
    for (const std::int32_t label : {1, 0, 0}) sentences.push_back({{"b"}, label});
    const BagOfWords model = BagOfWords::logistic(sentences, Grams::words, 1e-8);
    EXPECT_NEAR(model.log_odds({"a"}), std::log(3.0), 2e-6);
    EXPECT_NEAR(model.log_odds({"b"}), std::log(0.5), 2e-6);
}

// At the minimum l2 w_f equals the sum of n_f (label - p) over the sentences, for every feature;
// the search stops at 1e-6.
TEST(BagOfWords, LogisticRegressionEndsWhereTheGradientVanishes) {
    const double l2 = 0.5;
    const BagOfWords model = BagOfWords::logistic(kFour, Grams::words, l2);
    double for_good = 0, for_bias = 0;
    for (const Sentence& s : kFour) {
        const double rest = s.label - 1 / (1 + std::exp(-model.log_odds(s.words)));
        for_good += rest * static_cast<double>(std::count(s.words.begin(), s.words.end(), "good"));
        for_bias += rest;
    }
    EXPECT_NEAR(l2 * model.weight("good"), for_good, 1e-6);
    EXPECT_NEAR(for_bias, 0, 1e-6);
}

TEST(BagOfWords, NeedsBothLabels) {
    EXPECT_THROW(BagOfWords::naive_bayes(std::vector<Sentence>{{{"a"}, 1}}, Grams::words), Error);
    EXPECT_THROW(BagOfWords::logistic(kFour, Grams::words, 0), Error);
}

// The grammar hides the label from words and mostly from pairs: 62 and 70 % by design, within three
// standard deviations 100 sqrt(.62 .38 / 4000) = .8 of 4,000 test sentences and a point for the
// choice of shares in steps.
TEST(BagOfWords, PolarityIsHardWithoutTheOrderOfWords) {
    const auto all = make_polarity(1, 9000);
    const std::span<const Sentence> train(all.data(), 5000), test(all.data() + 5000, 4000);
    EXPECT_NEAR(BagOfWords::naive_bayes(train, Grams::words).accuracy(test), 62, 3.3);
    EXPECT_NEAR(BagOfWords::naive_bayes(train, Grams::words_and_pairs).accuracy(test), 70, 3.3);
}

}  // namespace
}  // namespace soma::systems
