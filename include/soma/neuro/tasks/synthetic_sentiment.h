#pragma once
// synthetic_sentiment: the running sentiment of a text in a toy language. 3 inputs, 1 output; a
// step is a word, 50 words.
//
//     input 0   valence of the word: -2 awful, -1 bad, 1 good, 2 awesome; 0 for all others
//     input 1   1 for a negator ("not"): flips the sign of the next word that has a valence
//     input 2   1 for an intensifier ("very"): doubles it; modifiers in a row multiply
//
// Target: sum of the modified valences up to the word ("not very good" adds -2), all judged.
// Words that are none of these ("the") have no effect: a modifier waits for the next valence.
// Labels: valences (how many words have one), sentiment (the final sum).
// Score: 1 - sum (z - y)^2 / sum y^2, at least 0. Without noise the target is a function of the
// input and the best score is 1. There are no conditions: one cell, drawn.
// Source: Maheswaranathan & Sussillo 2020, "How recurrent networks implement contextual processing
// in sentiment analysis", section 4; there words are one-hot. Frequencies of words are soma's.

#include <memory>

#include "soma/neuro/tasks/task.h"

namespace soma::neuro {

struct SyntheticSentimentOptions {
    Index words = 50;
    double dt = 1, tau = 1;    // ms; a word is a step
    double valence = 0.4;      // probability of a word with a valence, each of the four alike
    double negator = 0.1;      // probability of a negator
    double intensifier = 0.1;  // probability of an intensifier; the rest has no effect
    double noise = 0;          // of all inputs
};

// Error(usage) that names the option for sizes or probabilities that are impossible.
std::unique_ptr<Task> make_synthetic_sentiment(const SyntheticSentimentOptions& options = {});

}  // namespace soma::neuro
