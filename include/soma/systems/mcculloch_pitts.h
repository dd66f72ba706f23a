#pragma once
// McCulloch & Pitts 1943: nets of threshold neurons in discrete time, integers only, no gradient.
//
//   y_i(t) = H( sum_j w_ij y_j(t - d_ij) - theta_i ),   H(z) = 1 for z >= 0,   d_ij >= 1
//
// All neurons are updated at once. In `classic` mode excitatory synapses have weight 1 and one
// active inhibitory synapse vetoes its neuron (weights are +1 and -1); in `signed_weights` mode
// weights are any integers, as the neuron is usually drawn today. Nets with cycles recognise
// exactly what finite automata recognise (Kleene 1956).

#include <vector>

#include "soma/core/types.h"

namespace soma::systems {

class ThresholdNet {
public:
    enum class Mode { classic, signed_weights };

    explicit ThresholdNet(Mode mode) : mode_(mode) {}

    // A neuron whose value the caller sets each tick. Returns its number.
    int add_input();
    // A neuron that fires when its sum reaches the threshold. It starts silent.
    int add_neuron(int threshold);
    // Error(usage): unknown neuron, delay < 1, a synapse onto an input, or a classic weight not
    // +-1.
    void connect(int from, int to, int weight, int delay = 1);

    // One tick: the inputs (in the order of add_input) are the state at the new time, every neuron
    // is updated from earlier times.
    void tick(const std::vector<int>& inputs);
    // State of a neuron now, or `ago` ticks earlier (0 before the beginning).
    int state(int neuron, int ago = 0) const;
    void reset();  // everything silent

    int neurons() const { return static_cast<int>(neurons_.size()); }

private:
    struct Synapse {
        int from, weight, delay;
    };
    struct Neuron {
        int threshold = 0;
        bool is_input = false;
        std::vector<Synapse> synapses = {};
    };
    int fires(const Neuron& n) const;

    Mode mode_;
    std::vector<Neuron> neurons_;
    int longest_delay_ = 1;
    std::vector<std::vector<int>> history_;  // ring of states; history_[now_] is the present
    std::size_t now_ = 0;
};

// A deterministic finite automaton over {0, 1}.
struct Automaton {
    int start = 0;
    std::vector<int> next[2];     // next[symbol][state]
    std::vector<bool> accepting;  // by state
    int states() const { return static_cast<int>(accepting.size()); }
};

// An automaton as a net: one AND neuron (threshold 2) per (state, symbol), one OR neuron (threshold
// 1) per state, two ticks a symbol.
class AutomatonNet {
public:
    explicit AutomatonNet(const Automaton& automaton);
    bool accepts(const std::vector<int>& symbols);
    const ThresholdNet& net() const { return net_; }

private:
    Automaton automaton_;
    ThresholdNet net_;
    std::vector<int> state_neurons_;
};

}  // namespace soma::systems
