#include "systems/sequence/grammar_net.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "soma/autograd/ops/linear.h"
#include "soma/autograd/ops/loss.h"
#include "soma/autograd/ops/shape.h"
#include "soma/nn/ctrnn.h"
#include "soma/nn/linear.h"
#include "soma/optim/adam.h"
#include "soma/optim/clip.h"
#include "soma/tensor/as_doubles.h"

namespace soma::systems {
namespace {

constexpr Index kSymbols = 3;  // start, 0, 1
constexpr Index kStart = 0;    // symbol a is input a + 1

std::array<double, kSymbols> one_hot(Index input) {
    std::array<double, kSymbols> u{};
    u[static_cast<std::size_t>(input)] = 1;
    return u;
}

// States from which no string is accepted any more.
std::vector<bool> dead_states(const Automaton& a) {
    std::vector<bool> alive = a.accepting;
    for (Index round = 0; round < a.size(); ++round) {
        for (std::size_t s = 0; s < alive.size(); ++s) {
            for (const Index to : a.next[s]) {
                if (alive[static_cast<std::size_t>(to)]) alive[s] = true;
            }
        }
    }
    alive.flip();
    return alive;
}

// Strings and the verdicts on all their prefixes. Half of the strings are coin flips; the others
// avoid dead states for as long as a random number of symbols, or they would hardly be seen.
class Lessons {
public:
    Lessons(const Automaton& language, const GrammarLesson& o, std::uint64_t seed)
        : language_(language),
          dead_(dead_states(language)),
          key_(make_key(seed, Purpose::data_generation)),
          u_(Tensor::zeros({o.longest + 1, o.batch, kSymbols})),
          y_(Tensor::zeros({o.longest + 1, o.batch})) {}

    void draw(Index update) {
        const Index steps = y_.shape()[0], batch = y_.shape()[1];
        u_.fill(0);
        float* const u = u_.data<float>().data();
        float* const y = y_.data<float>().data();
        for (Index b = 0; b < batch; ++b) {
            RandomSequence random(key_, {.step = static_cast<std::uint32_t>(update),
                                         .trial = static_cast<std::uint32_t>(b)});
            const Index careful =
                b % 2 == 0 ? 0 : 1 + random.below(static_cast<std::uint32_t>(steps));
            Index state = 0;
            for (Index t = 0; t < steps; ++t) {
                Index input = kStart;
                if (t > 0) {
                    int symbol = random.coin(0.5F) ? 1 : 0;
                    if (t < careful && dead(language_.after(state, symbol)) &&
                        !dead(language_.after(state, 1 - symbol))) {
                        symbol = 1 - symbol;
                    }
                    state = language_.after(state, symbol);
                    input = symbol + 1;
                }
                u[(t * batch + b) * kSymbols + input] = 1;
                y[t * batch + b] = language_.accepting[static_cast<std::size_t>(state)] ? 1 : 0;
            }
        }
    }

    const Tensor& inputs() const { return u_; }
    const Tensor& verdicts() const { return y_; }

private:
    bool dead(Index state) const { return dead_[static_cast<std::size_t>(state)]; }

    const Automaton& language_;
    std::vector<bool> dead_;
    PhiloxKey key_;
    Tensor u_, y_;  // [T, B, 3], [T, B]
};

neuro::CtrnnDynamics discrete_net(neuro::CtrnnWeights weights, Nonlinearity f) {
    return {std::move(weights), {.convention = Convention::rate, .f = f}};
}

}  // namespace

GrammarNet GrammarNet::learned(const Automaton& language, const GrammarLesson& o,
                               std::uint64_t seed, const std::function<bool()>& stop) {
    nn::ParameterStore store;
    const nn::Ctrnn layer(store, "rnn", kSymbols, o.units,
                          {.convention = Convention::rate, .alpha = 1});
    const nn::Linear out(store, "out", o.units, 1);
    store.freeze(seed);
    optim::Adam adam(store);
    Lessons lessons(language, o, seed);
    Tape tape;
    for (Index k = 0; k < o.updates && !stop(); ++k) {
        lessons.draw(k);
        tape.reset();
        store.zero_gradients();
        const Var h = layer(tape.constant(lessons.inputs()), {});
        const Var logits = reshape(out(h), lessons.verdicts().shape());
        const auto count = static_cast<double>(lessons.verdicts().shape().count());
        tape.backward(
            bce_with_logits(logits, tape.constant(lessons.verdicts()), {.scale = 1 / count}));
        const double scale = optim::clip_scale(optim::gradient_norm(store), o.clip_norm);
        const double left = 1 - static_cast<double>(k) / static_cast<double>(o.updates);
        adam.step(o.rate * left, scale);
    }
    return {discrete_net({.units = o.units,
                          .inputs = kSymbols,
                          .w_rec = as_doubles(store.value(layer.w_rec())),
                          .w_in = as_doubles(store.value(layer.w_in())),
                          .bias = as_doubles(store.value(layer.bias()))},
                         Nonlinearity::tanh),
            as_doubles(store.value(out.weight())), as_doubles(store.value(out.bias()))[0]};
}

GrammarNet GrammarNet::constructed(const Automaton& a, double gain) {
    // Unit 2 q + symbol is on when q was entered by the symbol; the last one after the start, in
    // state 0.
    const Index units = 2 * a.size() + 1;
    const auto n = static_cast<std::size_t>(units);
    std::vector<double> w(n * n), in(static_cast<std::size_t>(kSymbols) * n), out(n);
    const auto state_of = [&](std::size_t unit) {
        return unit + 1 == n ? Index{0} : static_cast<Index>(unit / 2);
    };
    for (std::size_t from = 0; from < n; ++from) {
        for (int symbol = 0; symbol < 2; ++symbol) {
            const Index to = 2 * a.after(state_of(from), symbol) + symbol;
            w[from * n + static_cast<std::size_t>(to)] = gain;
        }
        out[from] = a.accepting[static_cast<std::size_t>(state_of(from))] ? 1 : 0;
    }
    for (std::size_t unit = 0; unit + 1 < n; ++unit) in[(unit % 2 + 1) * n + unit] = gain;
    in[kStart * n + n - 1] = 2 * gain;
    return {discrete_net({.units = units,
                          .inputs = kSymbols,
                          .w_rec = std::move(w),
                          .w_in = std::move(in),
                          .bias = std::vector<double>(n, -1.5 * gain)},
                         Nonlinearity::sigmoid),
            std::move(out), -0.5};
}

GrammarNet::State GrammarNet::start() const {
    const State zero(static_cast<std::size_t>(units()));
    State h(zero.size());
    net_.step(zero, one_hot(kStart), h);
    return h;
}

GrammarNet::State GrammarNet::after(const State& state, int symbol) const {
    State h(state.size());
    net_.step(state, one_hot(symbol + 1), h);
    return h;
}

bool GrammarNet::accepts(const State& state) const {
    double sum = rest_;
    for (std::size_t i = 0; i < state.size(); ++i) sum += state[i] * out_[i];
    return sum > 0;
}

Index GrammarNet::errors(const Automaton& language, Index length) const {
    // All strings of one length at a time; a string's successors stand at 2 i and 2 i + 1.
    State states = start();
    std::vector<Index> truth{0};
    const auto n = static_cast<std::size_t>(units());
    Index wrong = 0;
    for (Index at = 0;; ++at) {
        for (std::size_t i = 0; i < truth.size(); ++i) {
            const State state(states.begin() + static_cast<Index>(i * n),
                              states.begin() + static_cast<Index>((i + 1) * n));
            const bool right = language.accepting[static_cast<std::size_t>(truth[i])];
            wrong += accepts(state) != right ? 1 : 0;
        }
        if (at == length) return wrong;
        State longer(2 * states.size());
        std::vector<Index> truth_longer(2 * truth.size());
        State moved(states.size());
        for (int symbol = 0; symbol < 2; ++symbol) {
            net_.step(states, one_hot(symbol + 1), moved);
            for (std::size_t i = 0; i < truth.size(); ++i) {
                const std::size_t to = 2 * i + static_cast<std::size_t>(symbol);
                std::copy_n(moved.begin() + static_cast<Index>(i * n), n,
                            longer.begin() + static_cast<Index>(to * n));
                truth_longer[to] = language.after(truth[i], symbol);
            }
        }
        states = std::move(longer);
        truth = std::move(truth_longer);
    }
}

std::optional<Automaton> GrammarNet::extract(Index parts, Index most) const {
    const auto cell_of = [&](const State& h) {
        std::vector<Index> cell;
        for (const double v : h) {
            const auto part = static_cast<Index>((v + 1) / 2 * static_cast<double>(parts));
            cell.push_back(std::clamp<Index>(part, 0, parts - 1));
        }
        return cell;
    };
    std::vector<State> visitors{start()};
    std::map<std::vector<Index>, Index> known{{cell_of(visitors[0]), 0}};
    Automaton a;
    for (std::size_t i = 0; i < visitors.size(); ++i) {
        std::array<Index, 2> next{};
        for (int symbol = 0; symbol < 2; ++symbol) {
            State h = after(visitors[i], symbol);
            const auto [at, is_new] =
                known.emplace(cell_of(h), static_cast<Index>(visitors.size()));
            if (is_new) visitors.push_back(std::move(h));
            next[static_cast<std::size_t>(symbol)] = at->second;
        }
        if (std::ssize(visitors) > most) return std::nullopt;
        a.next.push_back(next);
        a.accepting.push_back(accepts(visitors[i]));
    }
    return smallest(a);
}

}  // namespace soma::systems
