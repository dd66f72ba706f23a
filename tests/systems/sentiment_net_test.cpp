// The net that reads sentences: batches, lengths, dropout, and that it learns the order of words.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "soma/data/loader.h"
#include "soma/optim/adam.h"
#include "systems/sequence/sentences.h"
#include "systems/sequence/sentiment_data.h"
#include "systems/sequence/sentiment_net.h"

namespace soma::systems {
namespace {

constexpr RecurrentUnit kUnits[] = {RecurrentUnit::rnn, RecurrentUnit::gru, RecurrentUnit::lstm};

struct Batches {
    std::vector<Sentence> sentences;
    Vocabulary vocabulary;
    data::Loader loader;

    explicit Batches(std::vector<Sentence> given, Index batch = 0)
        : sentences(std::move(given)),
          vocabulary(sentences, 1),
          loader(token_set(sentences, vocabulary),
                 {.batch = batch > 0 ? batch : std::ssize(sentences), .shuffle = false}) {}
};

// E N + N^2 + N of a tanh unit, 3 (E N + N^2 + N) + N of a GRU, 4 (E N + N^2 + N) of an LSTM;
// besides V E and N + 1.
TEST(SentimentNet, HasTheParametersOfItsUnits) {
    const Index gate = 32 * 64 + 64 * 64 + 64, rest = 10 * 32 + 64 + 1;
    const Index own[] = {gate, 3 * gate + 64, 4 * gate};
    for (int i = 0; i < 3; ++i) {
        SentimentNet net({.unit = kUnits[i]}, 10, 1);
        EXPECT_EQ(net.parameters().parameter_count(), own[i] + rest) << name_of(kUnits[i]);
    }
}

// States have the same bits for any batch and any later step, so the scores are equal; the
// gradients add the same numbers, and zeros, in another order.
TEST(SentimentNet, PaddedAndPackedBatchesAgree) {
    const Batches data(make_polarity(5, 24));
    const data::Batch batch = data.loader.load(0, 0);
    const nn::Context context{.training = true, .seed = 9, .step = 3, .ids = batch.ids};
    for (const RecurrentUnit unit : kUnits) {
        SentimentNet net({.unit = unit}, data.vocabulary.size(), 1);
        std::vector<std::vector<float>> scores, gradients;
        for (const BatchLayout layout : {BatchLayout::packed, BatchLayout::padded}) {
            Tape tape;
            const auto out = net.forward(tape, batch, context, layout);
            const auto values = out.scores.value<float>();
            scores.emplace_back(values.begin(), values.end());
            net.parameters().zero_gradients();
            tape.backward(out.loss);
            const Tensor all = net.parameters().gradients();
            gradients.emplace_back(all.data<float>().begin(), all.data<float>().end());
        }
        EXPECT_EQ(scores[0], scores[1]) << name_of(unit);
        float largest = 0;
        for (const float g : gradients[0]) largest = std::max(largest, std::abs(g));
        for (std::size_t i = 0; i < gradients[0].size(); ++i) {
            ASSERT_NEAR(gradients[0][i], gradients[1][i], 1e-5f * largest) << name_of(unit);
        }
    }
}

TEST(SentimentNet, AScoreIsTheLogitAfterTheLastWord) {
    const Batches data(make_polarity(6, 9));
    const data::Batch batch = data.loader.load(0, 0);
    for (const RecurrentUnit unit : kUnits) {
        const SentimentNet net({.unit = unit}, data.vocabulary.size(), 2);
        Tape tape(Tape::Mode::no_grad);
        const nn::Context context{.training = false, .ids = batch.ids};
        const auto out = net.forward(tape, batch, context, BatchLayout::packed);
        for (std::size_t i = 0; i < data.sentences.size(); ++i) {
            const auto tokens = data.vocabulary.tokens(data.sentences[i].words);
            const std::vector<float> logits = net.logits(tokens);
            ASSERT_EQ(logits.size(), tokens.size());
            EXPECT_EQ(out.scores.value<float>()[2 * i], 0);
            EXPECT_EQ(out.scores.value<float>()[2 * i + 1], logits.back()) << name_of(unit);
        }
    }
}

// Two batches hold the same sentences in opposite order: masks follow the sentences, so scores do.
TEST(SentimentNet, DropoutBelongsToTheSentence) {
    const Batches data(make_polarity(7, 8));
    data::Batch batch = data.loader.load(0, 0);
    SentimentNet net({.dropout = 0.5}, data.vocabulary.size(), 1);
    const auto scores = [&](bool training) {
        Tape tape;
        const auto out = net.forward(tape, batch, {.training = training, .ids = batch.ids});
        const auto values = out.scores.value<float>();
        std::vector<float> logits;
        for (std::size_t i = 1; i < values.size(); i += 2) logits.push_back(values[i]);
        return logits;
    };
    const std::vector<float> forward = scores(true), without = scores(false);
    EXPECT_NE(forward, without);
    const Index n = batch.size(), width = batch.x.shape()[1];
    const Tensor original = batch.x.clone();
    for (Index i = 0; i < n; ++i) {
        batch.x.slice(i, i + 1).copy_from(original.slice(n - 1 - i, n - i));
    }
    ASSERT_EQ(width, original.shape()[1]);
    std::reverse(batch.ids.begin(), batch.ids.end());
    std::vector<float> backward = scores(true);
    std::reverse(backward.begin(), backward.end());
    EXPECT_EQ(forward, backward);
}

// "a b" is positive and "b a" negative, whatever stands around them: no bag of words tells these
// apart.
TEST(SentimentNet, LearnsTheOrderOfWords) {
    const Batches data({{{"a", "b"}, 1},
                        {{"b", "a"}, 0},
                        {{"c", "a", "c", "b"}, 1},
                        {{"c", "b", "c", "a"}, 0},
                        {{"a", "c", "c", "b", "c"}, 1},
                        {{"b", "c", "c", "a", "c"}, 0}});
    const data::Batch batch = data.loader.load(0, 0);
    for (const RecurrentUnit unit : kUnits) {
        SentimentNet net({.unit = unit, .width = 8, .units = 16, .dropout = 0},
                         data.vocabulary.size(), 1);
        optim::Adam adam(net.parameters());
        Tape tape;
        float loss = 0;
        for (Index step = 0; step < 300; ++step) {
            tape.reset();
            const Var sum = net.forward(tape, batch, {.ids = batch.ids}).loss;
            net.parameters().zero_gradients();
            tape.backward(sum);
            adam.step(0.01, 1.0 / 6);
            loss = static_cast<float>(sum.item());
        }
        EXPECT_LT(loss, 6 * 0.1) << name_of(unit);  // all six right, at .1 nats each
    }
}

}  // namespace
}  // namespace soma::systems
