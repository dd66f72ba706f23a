#pragma once
// Figures of sentiment_rnn.

#include <span>
#include <vector>

#include "soma/train/figures.h"
#include "systems/sequence/sentiment_study.h"

namespace soma::systems {

// Bars of right answers, a group a study and a bar a method, with 95 % intervals of a share of
// independent answers: 1.96 sqrt(p (1 - p) / n). Every study has all methods.
train::BarChart accuracy_figure(std::span<const SentimentStudy* const> studies);

// Right answers after each epoch, means over the splits. The study has nets.
train::LinePlot learning_figure(const SentimentStudy& study);

// The logit after each word of a few sentences, by the nets of the first split: on polarity pairs
// of sentences that differ in the word that turns them, else test sentences with such a word.
std::vector<train::HeatMap> logit_figures(const SentimentStudy& study);

}  // namespace soma::systems
