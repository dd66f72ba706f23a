#pragma once
// SentimentNet: words, one by one, into a recurrent net whose last state answers.
//
//     e_t = embedding of word t  [E]      h_t = unit(e_t, h_{t-1})  [N]      logit = w h_last + b
//
// unit: tanh(e w_in + h w_rec + b) whose w_rec is orthogonal at first, GRU or LSTM. Dropout, while
// training, on the embedded words and on h_last. loss = log(1 + exp(-y logit)), y = +-1.
//
// A batch is packed: its sentences are sorted, longest first, and each runs for its own length.
// Padded, every sentence runs as long as the longest and the state behind its last word is taken:
// the same numbers for more work, as a check.

#include <functional>
#include <string>
#include <vector>

#include "soma/nn/dropout.h"
#include "soma/nn/embedding.h"
#include "soma/nn/linear.h"
#include "soma/train/model.h"

namespace soma::systems {

enum class RecurrentUnit { rnn, gru, lstm };
const char* name_of(RecurrentUnit unit);

struct SentimentNetOptions {
    RecurrentUnit unit = RecurrentUnit::gru;
    Index width = 32, units = 64;  // E, N
    double embedding_sd = 0.1;     // of the first embeddings
    double dropout = 0.2;          // of elements of e_t and of h_last
};

enum class BatchLayout { packed, padded };

class SentimentNet final : public train::Model {
public:
    SentimentNet(const SentimentNetOptions& options, Index vocabulary, std::uint64_t seed);

    nn::ParameterStore& parameters() override { return store_; }

    // A batch of a token_set (sentences.h); scores [n, 2] are 0 and the logit.
    Output forward(Tape& tape, const data::Batch& batch, const nn::Context& context) override {
        return forward(tape, batch, context, BatchLayout::packed);
    }
    Output forward(Tape& tape, const data::Batch& batch, const nn::Context& context,
                   BatchLayout layout) const;

    // The logit after each word of one sentence.
    std::vector<float> logits(std::span<const std::int32_t> tokens) const;

private:
    using Layer = std::function<Var(Var, std::span<const Index>)>;  // (u, lengths) -> h
    Layer make_layer(const SentimentNetOptions& options);

    nn::ParameterStore store_;
    nn::Embedding words_;
    Layer layer_;
    nn::Linear output_;
    nn::Dropout drop_words_, drop_state_;
};

}  // namespace soma::systems
