// ThresholdNet and AutomatonNet: see soma/systems/mcculloch_pitts.h for the equations.

#include <algorithm>

#include "soma/core/error.h"
#include "soma/systems/mcculloch_pitts.h"

namespace soma::systems {

int ThresholdNet::add_input() {
    neurons_.push_back({.is_input = true});
    reset();
    return neurons() - 1;
}

int ThresholdNet::add_neuron(int threshold) {
    neurons_.push_back({.threshold = threshold});
    reset();
    return neurons() - 1;
}

void ThresholdNet::connect(int from, int to, int weight, int delay) {
    SOMA_CHECK(from >= 0 && from < neurons() && to >= 0 && to < neurons(), "connect: ", from,
               " -> ", to, " in a net of ", neurons(), " neurons");
    Neuron& target = neurons_[static_cast<std::size_t>(to)];
    SOMA_CHECK(delay >= 1, "connect: delay is ", delay, "; need delay >= 1");
    SOMA_CHECK(!target.is_input, "connect: neuron ", to, " is an input");
    SOMA_CHECK(mode_ == Mode::signed_weights || weight == 1 || weight == -1, "connect: weight is ",
               weight, "; a classic synapse excites (+1) or vetoes (-1)");
    target.synapses.push_back({from, weight, delay});
    longest_delay_ = std::max(longest_delay_, delay);
    reset();
}

void ThresholdNet::reset() {
    history_.assign(static_cast<std::size_t>(longest_delay_) + 1,
                    std::vector<int>(neurons_.size(), 0));
    now_ = 0;
}

int ThresholdNet::state(int neuron, int ago) const {
    const std::size_t n = history_.size();
    return history_[(now_ + n - static_cast<std::size_t>(ago)) % n]
                   [static_cast<std::size_t>(neuron)];
}

// Called after the ring has advanced: a synapse of delay d reads d ticks before the new time.
int ThresholdNet::fires(const Neuron& n) const {
    int sum = 0;
    for (const Synapse& s : n.synapses) {
        const int active = state(s.from, s.delay);
        if (mode_ == Mode::classic && s.weight < 0 && active) return 0;
        sum += s.weight * active;
    }
    return sum >= n.threshold ? 1 : 0;
}

void ThresholdNet::tick(const std::vector<int>& inputs) {
    now_ = (now_ + 1) % history_.size();
    std::size_t next_input = 0;
    for (std::size_t i = 0; i < neurons_.size(); ++i) {
        int value;
        if (neurons_[i].is_input) {
            SOMA_CHECK(next_input < inputs.size(), "tick: ", inputs.size(),
                       " input values are too few");
            value = inputs[next_input++];
        } else {
            value = fires(neurons_[i]);
        }
        history_[now_][i] = value;
    }
    SOMA_CHECK(next_input == inputs.size(), "tick: ", inputs.size(), " input values; need ",
               next_input);
}

// Inputs: 0 symbol 0, 1 symbol 1, 2 the start pulse. State neuron s fires two ticks after a symbol
// when the automaton is in s; the symbol lines are read by the AND neurons one tick later.
AutomatonNet::AutomatonNet(const Automaton& automaton)
    : automaton_(automaton), net_(ThresholdNet::Mode::classic) {
    const int symbol[2] = {net_.add_input(), net_.add_input()};
    const int start = net_.add_input();
    for (int s = 0; s < automaton.states(); ++s) state_neurons_.push_back(net_.add_neuron(1));
    net_.connect(start, state_neurons_[static_cast<std::size_t>(automaton.start)], 1);
    for (int bit = 0; bit < 2; ++bit) {
        for (std::size_t s = 0; s < state_neurons_.size(); ++s) {
            const int both = net_.add_neuron(2);
            net_.connect(state_neurons_[s], both, 1);
            net_.connect(symbol[bit], both, 1);
            const int target = automaton.next[bit][s];
            net_.connect(both, state_neurons_[static_cast<std::size_t>(target)], 1);
        }
    }
}

bool AutomatonNet::accepts(const std::vector<int>& symbols) {
    net_.reset();
    net_.tick({0, 0, 1});
    for (const int symbol : symbols) {  // the symbol meets the state neuron that fires with it
        net_.tick({symbol == 0, symbol == 1, 0});
        net_.tick({0, 0, 0});
    }
    net_.tick({0, 0, 0});
    for (std::size_t s = 0; s < state_neurons_.size(); ++s) {
        if (net_.state(state_neurons_[s])) return automaton_.accepting[s];
    }
    return false;
}

}  // namespace soma::systems
