#pragma once
// A recurrent net that learns a regular language from strings, and the automaton read off its
// states (Giles et al. 1992, Neural Computation 4; Omlin & Giles 1996, Neural Networks 9).
//
//     h_t = tanh(h_{t-1} W + u_t B + b),  h_0 = 0,  a string is accepted when h . w + b_out > 0
//
// u is one of three: the start of a string, 0, 1; after the start the net has read the empty
// string. Every prefix is a string of its own, so each step has a target.
//
// Extraction: each unit is cut into q equal parts of [-1, 1]; cells of the state space that the net
// reaches are states of an automaton, as their first visitor says what follows and what is
// accepted.
//
// Construction: a net needs no teacher. Units (q, a): the automaton is in q and came there by a;
//     h_(q,a) = s(H (sum of h_(p,b) over p with next(p, a) = q  +  u_a - 3/2))
// with s the sigmoid is the automaton itself once H is large.

#include <cstdint>
#include <functional>
#include <optional>

#include "soma/neuro/ctrnn_dynamics.h"
#include "systems/sequence/automaton.h"

namespace soma::systems {

struct GrammarLesson {
    Index units = 24;
    Index longest = 15;  // symbols of a string
    Index updates = 4000, batch = 64;
    double rate = 3e-3;  // of Adam, falling to 0
    double clip_norm = 1;
};

// A net that reads strings: its state is a row of units.
class GrammarNet {
public:
    // Trained on strings of the language; before its time when stop() becomes true.
    static GrammarNet learned(const Automaton& language, const GrammarLesson& lesson,
                              std::uint64_t seed, const std::function<bool()>& stop);
    // Made from the automaton.
    static GrammarNet constructed(const Automaton& language, double gain);

    using State = std::vector<double>;
    State start() const;  // after the empty string
    State after(const State& state, int symbol) const;
    bool accepts(const State& state) const;
    Index units() const { return net_.size(); }

    // Strings of at most `length` symbols, all 2^(length + 1) - 1, that the net judges otherwise
    // than the language does.
    Index errors(const Automaton& language, Index length) const;
    // The automaton of q parts a unit, smallest; nothing when it has more than `most` states.
    std::optional<Automaton> extract(Index parts, Index most) const;

private:
    GrammarNet(neuro::CtrnnDynamics net, std::vector<double> out, double rest)
        : net_(std::move(net)), out_(std::move(out)), rest_(rest) {}

    neuro::CtrnnDynamics net_;  // inputs: start, 0, 1
    std::vector<double> out_;
    double rest_;
};

}  // namespace soma::systems
