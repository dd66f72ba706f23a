#include "systems/sequence/bag_of_words.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "soma/core/error.h"
#include "soma/optim/lbfgs.h"

namespace soma::systems {
namespace {

std::vector<std::string> features_of(const Words& words, Grams grams) {
    std::vector<std::string> features = words;
    if (grams == Grams::words) return features;
    for (std::size_t i = 1; i < words.size(); ++i) {
        features.push_back(words[i - 1] + ' ' + words[i]);
    }
    return features;
}

// log(1 + exp(-m)) without overflow.
double softplus_of_minus(double m) {
    return std::max(-m, 0.0) + std::log1p(std::exp(-std::abs(m)));
}

}  // namespace

BagOfWords::BagOfWords(std::span<const Sentence> sentences, Grams grams) : grams_(grams) {
    std::array<Index, 2> with_label{};
    for (const Sentence& sentence : sentences) {
        ++with_label[static_cast<std::size_t>(sentence.label)];
        for (const std::string& feature : features_of(sentence.words, grams)) {
            numbers_.try_emplace(feature, std::ssize(numbers_));
        }
    }
    SOMA_CHECK(with_label[0] > 0 && with_label[1] > 0, "BagOfWords: ", with_label[0],
               " sentences of label 0 and ", with_label[1], " of label 1; need some of both");
    weights_.resize(numbers_.size());
}

BagOfWords::Counts BagOfWords::count(const Words& words) const {
    Counts counts;
    std::unordered_map<Index, std::size_t> places;
    for (const std::string& feature : features_of(words, grams_)) {
        const auto found = numbers_.find(feature);
        if (found == numbers_.end()) continue;
        const auto [place, is_new] = places.try_emplace(found->second, counts.size());
        if (is_new) counts.emplace_back(found->second, 0);
        ++counts[place->second].second;
    }
    return counts;
}

double BagOfWords::log_odds(const Words& words) const {
    double sum = bias_;
    for (const auto& [f, n] : count(words)) sum += n * weights_[static_cast<std::size_t>(f)];
    return sum;
}

double BagOfWords::accuracy(std::span<const Sentence> sentences) const {
    double right = 0;
    for (const Sentence& s : sentences) right += (log_odds(s.words) > 0) == (s.label == 1);
    return 100 * right / static_cast<double>(sentences.size());
}

double BagOfWords::weight(const std::string& feature) const {
    const auto found = numbers_.find(feature);
    return found == numbers_.end() ? 0 : weights_[static_cast<std::size_t>(found->second)];
}

BagOfWords BagOfWords::naive_bayes(std::span<const Sentence> sentences, Grams grams) {
    BagOfWords model(sentences, grams);
    std::array<std::vector<double>, 2> counts;  // N_fc
    for (std::vector<double>& c : counts) c.resize(model.weights_.size());
    std::array<double, 2> all{}, labels{};  // N_c, sentences
    for (const Sentence& sentence : sentences) {
        const auto c = static_cast<std::size_t>(sentence.label);
        ++labels[c];
        for (const auto& [f, n] : model.count(sentence.words)) {
            counts[c][static_cast<std::size_t>(f)] += n;
            all[c] += n;
        }
    }
    const auto features = static_cast<double>(model.weights_.size());
    model.bias_ = std::log(labels[1] / labels[0]);
    for (std::size_t f = 0; f < model.weights_.size(); ++f) {
        model.weights_[f] = std::log((counts[1][f] + 1) / (all[1] + features)) -
                            std::log((counts[0][f] + 1) / (all[0] + features));
    }
    return model;
}

BagOfWords BagOfWords::logistic(std::span<const Sentence> sentences, Grams grams, double l2) {
    SOMA_CHECK(l2 > 0, "BagOfWords: l2 is ", l2, "; need a positive number");
    BagOfWords model(sentences, grams);
    std::vector<Counts> rows;
    for (const Sentence& sentence : sentences) rows.push_back(model.count(sentence.words));
    const std::size_t bias = model.weights_.size();  // behind the weights
    const auto loss = [&](std::span<const double> x, std::span<double> gradient) {
        double sum = 0;
        for (std::size_t f = 0; f < bias; ++f) {
            sum += l2 * x[f] * x[f] / 2;
            gradient[f] = l2 * x[f];
        }
        gradient[bias] = 0;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const double y = sentences[i].label == 1 ? 1 : -1;
            double odds = x[bias];
            for (const auto& [f, n] : rows[i]) odds += n * x[static_cast<std::size_t>(f)];
            sum += softplus_of_minus(y * odds);
            const double slope = -y / (1 + std::exp(y * odds));
            for (const auto& [f, n] : rows[i]) gradient[static_cast<std::size_t>(f)] += slope * n;
            gradient[bias] += slope;
        }
        return sum;
    };
    std::vector<double> x =
        optim::lbfgs(loss, std::vector<double>(bias + 1), {.gradient_tolerance = 1e-6}).x;
    model.bias_ = x.back();
    x.pop_back();
    model.weights_ = std::move(x);
    return model;
}

}  // namespace soma::systems
