#include "systems/sequence/sentiment_figures.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "soma/core/error.h"

namespace soma::systems {
namespace {

constexpr std::pair<const char*, const char*> kMethods[] = {{"naive-bayes", "naive Bayes"},
                                                            {"pairs", "naive Bayes, pairs"},
                                                            {"logistic", "logistic regression"},
                                                            {"rnn", "tanh RNN"},
                                                            {"gru", "GRU"},
                                                            {"lstm", "LSTM"}};

// Of file names, which a user's set cannot always be.
std::string id_of(const SentimentStudy& study) {
    return study.polarity ? "polarity" : kSentimentSet;
}

// Percent of right answers after each epoch, means over nets.
train::Series learning_curve(const std::string& label, std::span<const TrainedSentimentNet> nets,
                             bool on_test) {
    train::Series series{label, {}, {}};
    const auto n = static_cast<double>(nets.size());
    for (std::size_t e = 0; e < nets.front().result.history.size(); ++e) {
        double error = 0;
        for (const TrainedSentimentNet& net : nets) {
            const train::EpochRecord& record = net.result.history[e];
            error += on_test ? record.test_error : record.train_error;
        }
        series.x.push_back(static_cast<double>(nets.front().result.history[e].epoch));
        series.y.push_back(100 - error / n);
    }
    return series;
}

// Sentences of equal length, seen in one figure.
using Variants = std::vector<Words>;

// Pairs that differ in one word, which turns them; or up to three short test sentences with a word
// that may turn them.
std::vector<Variants> shown_sentences(const SentimentStudy& study) {
    if (study.polarity) {
        return {
            {words_of("the plot was not good"), words_of("the plot was very good")},
            {words_of("the plot was good but the acting seemed slightly dull"),
             words_of("the plot was good and the acting seemed slightly dull")},
            {words_of("i doubt that the food was bad"), words_of("i think that the food was bad")}};
    }
    constexpr std::size_t kShown = 3, kFewest = 5, kMost = 12;
    std::vector<Variants> shown;
    for (const Sentence& sentence : study.splits.front().test) {
        const Words& words = sentence.words;
        const bool turns = std::any_of(words.begin(), words.end(), [](const std::string& word) {
            return word == "not" || word == "n't" || word == "but";
        });
        if (!turns || words.size() < kFewest || words.size() > kMost) continue;
        shown.push_back({words});
        if (shown.size() == kShown) break;
    }
    return shown;
}

// The words of all variants, place by place: "the plot was not/very good".
Words merged(const Variants& variants) {
    Words words = variants.front();
    for (std::size_t i = 0; i < words.size(); ++i) {
        for (const Words& variant : variants) {
            if (variant[i] != variants.front()[i]) words[i] += "/" + variant[i];
        }
    }
    return words;
}

// The word in which a variant differs from the others.
std::string own_word(const Words& variant, const Words& all) {
    const auto place = std::mismatch(variant.begin(), variant.end(), all.begin()).first;
    return place == variant.end() ? "" : *place;
}

}  // namespace

train::BarChart accuracy_figure(std::span<const SentimentStudy* const> studies) {
    train::BarChart chart{
        .text = {"accuracy", "Sentences whose polarity is found",
                 "Means over seeds (polarity) or five folds (real sentences), with 95 % intervals "
                 "of the share of right answers."},
        .y_label = "right answers (%)",
        .labels = {},
        .series = {},
        .references = {{"guessing", 50}}};
    for (const SentimentStudy* study : studies) chart.labels.push_back(study->splits.front().name);
    for (const auto& [method, label] : kMethods) {
        train::BarChart::Bars bars{label, {}, {}};
        for (const SentimentStudy* study : studies) {
            const double p = study->mean_accuracy(method) / 100;
            const auto n = static_cast<double>(study->test_samples());
            bars.values.push_back(100 * p);
            bars.error.push_back(100 * 1.96 * std::sqrt(p * (1 - p) / n));
        }
        chart.series.push_back(std::move(bars));
    }
    return chart;
}

train::LinePlot learning_figure(const SentimentStudy& study) {
    train::LinePlot plot{
        .text = {"learning-" + id_of(study), "Learning " + study.splits.front().name,
                 "Right answers to unseen sentences after each epoch, and to the training "
                 "sentences during it, with dropout; means over seeds or folds."},
        .x_label = "epoch",
        .y_label = "right answers (%)",
        .series = {}};
    for (const auto& [unit, nets] : study.nets) {
        train::Series unseen = learning_curve(concat(name_of(unit), ", unseen"), nets, true);
        train::Series training = learning_curve(concat(name_of(unit), ", training"), nets, false);
        unseen.color = training.color = 1 + static_cast<int>(unit);
        training.marks = true;
        plot.series.push_back(std::move(unseen));
        plot.series.push_back(std::move(training));
    }
    return plot;
}

std::vector<train::HeatMap> logit_figures(const SentimentStudy& study) {
    std::vector<train::HeatMap> figures;
    for (const Variants& variants : shown_sentences(study)) {
        const Words columns = merged(variants);
        train::HeatMap map{
            .text =
                {concat("logit-", id_of(study), "-", figures.size() + 1), text_of(columns),
                 "Log odds that the sentence is positive, if it ended after the word. Nets were "
                 "trained to answer at the end only: inside an opinion they need not make "
                 "sense."},
            .x_label = "",
            .y_label = "",
            .value_label = "logit",
            .rows = 0,
            .cols = std::ssize(columns),
            .values = {},
            .row_labels = {},
            .col_labels = columns,
            .diverging = true,
            .print_values = true,
            .equal_cells = false};
        for (const Words& words : variants) {
            const std::string own = own_word(words, columns);
            for (const auto& [unit, nets] : study.nets) {
                ++map.rows;
                map.row_labels.push_back(concat(own, own.empty() ? "" : ": ", name_of(unit)));
                const TrainedSentimentNet& trained = nets.front();
                for (const float logit : trained.net->logits(trained.vocabulary.tokens(words))) {
                    map.values.push_back(std::round(10 * static_cast<double>(logit)) / 10);
                }
            }
        }
        figures.push_back(std::move(map));
    }
    return figures;
}

}  // namespace soma::systems
