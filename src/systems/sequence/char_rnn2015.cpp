// CR: a net that writes (Karpathy 2015, "The unreasonable effectiveness of recurrent neural
// networks", repository karpathy/char-rnn, train.lua at its defaults).
//
//   one-hot characters [T, B, V] -> LSTM 128 -> LSTM 128 -> V scores, softmax cross-entropy
//   the text as 50 streams, 50 steps a batch, states carried on: truncated backpropagation
//   RMSprop .95, rate 2e-3, gradients clamped to +-5, weights U(+-.08), forget bias 1, split 95 / 5
//
// The yardstick is an interpolated n-gram of four characters of context (char_ngram.h).
//
// Deviations: one bias vector a layer instead of two; epochs, 10 instead of 50 (the rate is
// constant for the first 10); no dropout, as in the repository's default.

#include <algorithm>
#include <cmath>
#include <string>

#include "soma/autograd/ops/loss.h"
#include "soma/core/timer.h"
#include "soma/data/file.h"
#include "soma/nn/linear.h"
#include "soma/nn/lstm.h"
#include "soma/optim/clip.h"
#include "soma/optim/rmsprop.h"
#include "soma/train/report.h"
#include "systems/claim_run.h"
#include "systems/sequence/char_ngram.h"
#include "systems/sequence/char_text.h"
#include "systems/systems.h"

namespace soma::systems {
namespace {

struct Options {
    Index units = 128, layers = 2, steps = 50, streams = 50, epochs = 10;
    double lr = 2e-3, rho = 0.95, clamp = 5, init = 0.08, train_share = 0.95;
    int ngram = 4;
    double temperature = 0.5;
    Index sample = 3000;
};

using Tokens = std::vector<std::int32_t>;

// ---- net --------------------------------------------------------------------------------------

class CharNet {
public:
    // Of the layers, from one piece of the text to the next.
    struct State {
        std::vector<Tensor> h, c;
    };

    CharNet(const Options& o, Index vocabulary, std::uint64_t seed)
        : vocabulary_(vocabulary),
          layers_(make_layers(o)),
          output_(store_, "output", o.units, vocabulary,
                  {.weight = nn::Init::uniform(o.init), .bias_init = nn::Init::uniform(o.init)}) {
        store_.freeze(seed);
    }

    nn::ParameterStore& parameters() { return store_; }

    State start(Index streams) const {
        const Tensor zero = Tensor::zeros({streams, layers_.front().units()});
        const std::vector<Tensor> all(layers_.size(), zero);
        return {all, all};
    }

    // Scores [T, B, V] of the characters that follow `tokens` [T, B]; moves the state on.
    Var operator()(Tape& tape, const Tokens& tokens, State& state) const {
        const Index streams = state.h.front().shape()[0];
        const Index steps = static_cast<Index>(tokens.size()) / streams;
        Tensor one_hot = Tensor::zeros({steps, streams, vocabulary_});
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            const auto row = static_cast<Index>(i) * vocabulary_;
            one_hot.data<float>()[static_cast<std::size_t>(row + tokens[i])] = 1;
        }
        Var x = tape.constant(one_hot);
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            const LstmStart from{tape.constant(state.h[l]), tape.constant(state.c[l])};
            x = layers_[l](x, from, {.h_last = &state.h[l], .c_last = &state.c[l]});
        }
        return output_(x);
    }

private:
    std::vector<nn::Lstm> make_layers(const Options& o) {
        const nn::Init init = nn::Init::uniform(o.init);
        std::vector<nn::Lstm> layers;
        for (Index l = 0; l < o.layers; ++l) {
            layers.emplace_back(store_, concat("lstm", l + 1), l == 0 ? vocabulary_ : o.units,
                                o.units, nn::LstmLayerOptions{.w_in = init, .w_rec = init});
        }
        return layers;
    }

    nn::ParameterStore store_;
    Index vocabulary_;
    std::vector<nn::Lstm> layers_;
    nn::Linear output_;
};

// ---- training ---------------------------------------------------------------------------------

// A text as parallel streams: piece k is [T, B] characters and the ones that follow them.
class Streams {
public:
    Streams(const Tokens& text, const Options& o)
        : text_(text),
          steps_(o.steps),
          streams_(o.streams),
          length_((static_cast<Index>(text.size()) - 1) / o.streams) {}

    Index pieces() const { return length_ / steps_; }
    Tokens inputs(Index piece) const { return cut(piece * steps_); }
    Tokens targets(Index piece) const { return cut(piece * steps_ + 1); }

private:
    Tokens cut(Index from) const {
        Tokens tokens;
        for (Index t = 0; t < steps_; ++t) {
            for (Index b = 0; b < streams_; ++b) {
                tokens.push_back(text_[static_cast<std::size_t>(b * length_ + from + t)]);
            }
        }
        return tokens;
    }

    const Tokens& text_;
    Index steps_, streams_, length_;
};

Var nats(Tape& tape, const CharNet& net, const Streams& text, Index piece, CharNet::State& state) {
    const Tokens targets = text.targets(piece);
    return softmax_cross_entropy(net(tape, text.inputs(piece), state), targets,
                                 {.scale = 1 / static_cast<double>(targets.size())});
}

double evaluate(const CharNet& net, const Options& o, const Tokens& text) {
    const Streams streams(text, o);
    CharNet::State state = net.start(o.streams);
    Tape tape(Tape::Mode::no_grad);
    double sum = 0;
    for (Index piece = 0; piece < streams.pieces(); ++piece) {
        tape.reset();
        sum += nats(tape, net, streams, piece, state).item();
    }
    return sum / static_cast<double>(streams.pieces());
}

struct Run {
    train::Series train{"training", {}, {}}, valid{"validation", {}, {}};
    double seconds = 0, flop = 0;
};

Run train(CharNet& net, const Options& o, const CharText& text, const ReproduceContext& context) {
    const Streams streams(text.train, o);
    optim::Rmsprop optimizer(net.parameters(), {.rho = o.rho});
    Run run;
    Tape tape;
    const Timer timer;
    const auto pieces = static_cast<double>(streams.pieces());
    for (Index epoch = 0; epoch < o.epochs; ++epoch) {
        CharNet::State state = net.start(o.streams);
        double sum = 0;
        for (Index piece = 0; piece < streams.pieces() && !context.stopped(); ++piece) {
            tape.reset();
            const Var loss = nats(tape, net, streams, piece, state);
            net.parameters().zero_gradients();
            tape.backward(loss);
            optim::clip_by_value(net.parameters(), o.clamp);
            optimizer.step(o.lr);
            sum += loss.item();
            context.progress("char_rnn2015",
                             static_cast<double>(epoch) * pieces + static_cast<double>(piece),
                             static_cast<double>(o.epochs) * pieces);
        }
        for (train::Series* s : {&run.train, &run.valid}) {
            s->x.push_back(static_cast<double>(epoch + 1));
        }
        run.train.y.push_back(sum / pieces);
        run.valid.y.push_back(evaluate(net, o, text.valid));
    }
    run.seconds = timer.seconds();
    run.flop = tape.flop();
    return run;
}

// ---- writing ----------------------------------------------------------------------------------

std::int32_t draw(std::span<const float> scores, double temperature, double uniform) {
    std::vector<double> up_to;
    double sum = 0;
    const double best = *std::max_element(scores.begin(), scores.end());
    for (const float s : scores) up_to.push_back(sum += std::exp((s - best) / temperature));
    const auto at = std::upper_bound(up_to.begin(), up_to.end(), uniform * sum);
    return static_cast<std::int32_t>(std::min(at, up_to.end() - 1) - up_to.begin());
}

// Characters after `first`, one by one.
Tokens write(const CharNet& net, const Options& o, std::int32_t first, std::uint64_t seed) {
    RandomSequence random(make_key(seed, Purpose::data_generation));
    CharNet::State state = net.start(1);
    Tokens text{first};
    Tape tape(Tape::Mode::no_grad);
    while (static_cast<Index>(text.size()) <= o.sample) {
        tape.reset();
        const Var scores = net(tape, {text.back()}, state);
        text.push_back(draw(scores.value<float>(), o.temperature, random.uniform()));
    }
    return {text.begin() + 1, text.end()};
}

// ---- claims -----------------------------------------------------------------------------------

Claim make(const std::string& id, const std::string& text, const char* kind,
           const std::string& unit, Gate gate) {
    Claim c = stated(id, text, kind, "Karpathy 2015, char-rnn; gate: systems.md 4.17", gate);
    c.paper_unit = unit;
    return c;
}

std::vector<Claim> learned_claims() {
    Claim seconds = make("seconds", "training time", "speed", "s", {});
    return {make("nats", "loss on the validation text", "accuracy", "nats", Gate::at_most(1.85)),
            make("ngram", "how far below an n-gram of 4 characters", "control", "nats",
                 Gate::at_least(0)),
            make("words", "words it writes that stand in the training text", "accuracy", "%",
                 Gate::at_least(80)),
            seconds};
}

void show(train::RunFolder& folder, const Run& run, double ngram, const std::string& sample) {
    folder.add(train::LinePlot{.text = {"loss", "Learning to write",
                                        concat("Nats a character; an n-gram of four characters "
                                               "has ",
                                               ngram, ".")},
                               .x_label = "epoch",
                               .y_label = "nats",
                               .series = {run.train, run.valid}});
    folder.write("sample.txt", sample);
    folder.note("What it writes (sample.txt has more): " + sample.substr(0, 600));
}

// Trains a net a seed and fills in the claims by their ids.
void learn(ClaimRun& claims, const Options& o, const CharText& text, std::vector<Claim>& list) {
    const double ngram = CharNgram(text.train, text.vocabulary(), o.ngram).nats(text.valid);
    const auto newline = text.alphabet.find('\n');
    const auto first = static_cast<std::int32_t>(newline == std::string::npos ? 0 : newline);
    for (const std::uint64_t seed : claims.seeds()) {
        CharNet net(o, text.vocabulary(), seed);
        const Run run = train(net, o, text, claims.context());
        if (claims.stopped()) return;
        const std::string sample = text.text(write(net, o, first, seed));
        for (Claim& c : list) {
            const double valid = run.valid.y.back();
            c.values.push_back(c.id == "nats"    ? valid
                               : c.id == "ngram" ? ngram - valid
                               : c.id == "words" ? known_words(sample, text.text(text.train))
                                                 : run.seconds);
            c.flop += run.flop;
            c.seeds = claims.seeds();
            c.set = text.name;
            c.sha256 = text.sha256;
            c.split = "last 5 %";
            c.samples = static_cast<Index>(text.valid.size());
        }
        train::RunFolder* folder = claims.context().folder;
        if (folder != nullptr && seed == claims.seeds().front()) show(*folder, run, ngram, sample);
    }
}

}  // namespace

Reproduction reproduce_char_rnn2015(const ReproduceContext& context) {
    const Options o;
    ClaimRun run(context, "char_rnn2015");
    run.headline("2 x 128 LSTM on single characters, 10 epochs (Karpathy 2015, char-rnn)");
    run.deviation("one bias vector a layer; 10 epochs instead of 50");
    Claim count = make("parameters", "parameters at 65 characters", "count", "", {});
    count.source = "240,321 with two bias vectors a layer, 1,024 fewer with one";
    count.paper_tag = "A";
    count.tolerance = Gate::equal(239297);
    run.claim(count, [&](Claim& c) {
        c.values = {static_cast<double>(CharNet(o, 65, 1).parameters().parameter_count())};
    });
    run.claims(learned_claims(), [&](std::vector<Claim>& list) {
        const std::string name = context.set.empty() ? "tinyshakespeare" : context.set;
        const auto path = find_text(name, context.data_roots);
        if (!path) {
            for (Claim& c : list) {
                c.skip(concat(name, ".txt is absent; put it into ROOT/text and pass --data ROOT"));
            }
            return;
        }
        const data::Bytes bytes = data::read_file(*path);
        const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        learn(run, o, make_char_text(name, text, o.train_share), list);
    });
    return run.finish();
}

}  // namespace soma::systems
