#include "systems/sequence/sentiment_net.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "soma/autograd/ops/embedding.h"
#include "soma/autograd/ops/loss.h"
#include "soma/autograd/ops/shape.h"
#include "soma/nn/ctrnn.h"
#include "soma/nn/gru.h"
#include "soma/nn/lstm.h"
#include "systems/sequence/sentences.h"

namespace soma::systems {
namespace {

// A batch with its longest sentence first.
struct Packed {
    std::vector<std::int32_t> tokens;  // [n, T], behind a sentence Vocabulary::kUnknown
    std::vector<Index> ids, lengths;   // [n]
    std::vector<std::int32_t> last;    // [n], in the order of the batch: rows of the last states in
                                       // h seen as [T n, N]
    Index steps = 0;                   // T
};

Packed pack(const data::Batch& batch) {
    const Index n = batch.size(), width = batch.x.shape()[1];
    const auto rows = batch.x.data<float>();
    const auto row = [&](Index i) {
        return rows.subspan(static_cast<std::size_t>(i * width), static_cast<std::size_t>(width));
    };
    std::vector<Index> lengths, order(static_cast<std::size_t>(n));
    for (Index i = 0; i < n; ++i) {
        lengths.push_back(std::find(row(i).begin(), row(i).end(), kEndOfTokens) - row(i).begin());
    }
    std::iota(order.begin(), order.end(), Index{0});
    std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) {
        return lengths[static_cast<std::size_t>(a)] > lengths[static_cast<std::size_t>(b)];
    });
    Packed packed;
    packed.steps = lengths[static_cast<std::size_t>(order.front())];
    packed.tokens.assign(static_cast<std::size_t>(n * packed.steps), Vocabulary::kUnknown);
    packed.last.resize(static_cast<std::size_t>(n));
    for (Index place = 0; place < n; ++place) {
        const Index i = order[static_cast<std::size_t>(place)];
        const Index length = lengths[static_cast<std::size_t>(i)];
        std::transform(row(i).begin(), row(i).begin() + length,
                       packed.tokens.begin() + place * packed.steps,
                       [](float token) { return static_cast<std::int32_t>(token); });
        packed.ids.push_back(batch.ids[static_cast<std::size_t>(i)]);
        packed.lengths.push_back(length);
        packed.last[static_cast<std::size_t>(i)] =
            static_cast<std::int32_t>((length - 1) * n + place);
    }
    return packed;
}

}  // namespace

const char* name_of(RecurrentUnit unit) {
    constexpr const char* kNames[] = {"rnn", "gru", "lstm"};
    return kNames[static_cast<int>(unit)];
}

SentimentNet::SentimentNet(const SentimentNetOptions& o, Index vocabulary, std::uint64_t seed)
    : words_(store_, "words", vocabulary, o.width, nn::Init::normal(o.embedding_sd)),
      layer_(make_layer(o)),
      output_(store_, "output", o.units, 1),
      drop_words_("words", o.dropout),
      drop_state_("state", o.dropout) {
    store_.freeze(seed);
}

SentimentNet::Layer SentimentNet::make_layer(const SentimentNetOptions& o) {
    const std::string name = name_of(o.unit);
    if (o.unit == RecurrentUnit::lstm) {
        return [net = nn::Lstm(store_, name, o.width, o.units)](Var u, auto lengths) {
            return net(u, {}, {.lengths = lengths});
        };
    }
    if (o.unit == RecurrentUnit::gru) {
        return [net = nn::Gru(store_, name, o.width, o.units)](Var u, auto lengths) {
            return net(u, {}, {.lengths = lengths});
        };
    }
    return [net = nn::Ctrnn(
                store_, name, o.width, o.units,
                {.convention = Convention::rate,
                 .alpha = 1,
                 .recurrent = nn::Init::orthogonal(),
                 .input = nn::Init::uniform(1 / std::sqrt(static_cast<double>(o.units)))})](
               Var u, auto lengths) { return net(u, {.noise = false, .lengths = lengths}); };
}

train::Model::Output SentimentNet::forward(Tape& tape, const data::Batch& batch,
                                           const nn::Context& context, BatchLayout layout) const {
    const Index n = batch.size();
    const Packed p = pack(batch);
    nn::Context sorted = context;
    sorted.ids = p.ids;
    const Var words = drop_words_(words_(tape, p.tokens, {n, p.steps}), sorted);
    const bool packed = layout == BatchLayout::packed;
    const Var h = layer_(permute(words, {1, 0, 2}),
                         packed ? std::span<const Index>(p.lengths) : std::span<const Index>());
    const Var states = reshape(h, {p.steps * n, h.shape()[2]});
    const Var logit = output_(drop_state_(embedding(states, p.last), context));
    Tensor target(Shape{n, 1}, DType::f32);
    std::copy(batch.labels.begin(), batch.labels.end(), target.data<float>().begin());
    const Var loss = bce_with_logits(logit, tape.constant(target), {.weights = batch.weight});
    return {loss, concatenate({tape.constant(Tensor::zeros({n, 1})), logit}, 1)};
}

std::vector<float> SentimentNet::logits(std::span<const std::int32_t> tokens) const {
    Tape tape(Tape::Mode::no_grad);
    const Index steps = std::ssize(tokens);
    const Var h = layer_(words_(tape, tokens, {steps, 1}), {});
    const auto values = output_(h).value<float>();
    return {values.begin(), values.end()};
}

}  // namespace soma::systems
