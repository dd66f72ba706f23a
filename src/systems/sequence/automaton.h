#pragma once
// Deterministic finite automata over the symbols 0 and 1, and the seven languages of Tomita (1982,
// Proc. 4th Conf. Cogn. Sci. Soc., 105-108), on which nets have been measured since.

#include <array>
#include <span>
#include <string>
#include <vector>

#include "soma/core/types.h"

namespace soma::systems {

inline constexpr int kTomitaLanguages = 7;

// States 0 ... n - 1; 0 is where every string starts.
struct Automaton {
    std::vector<std::array<Index, 2>> next;  // by state and symbol
    std::vector<bool> accepting;

    Index size() const { return static_cast<Index>(next.size()); }
    Index after(Index state, int symbol) const {
        return next[static_cast<std::size_t>(state)][static_cast<std::size_t>(symbol)];
    }
    bool accepts(std::span<const int> string) const;
    bool operator==(const Automaton&) const = default;
};

// The smallest automaton of the same language (Moore 1956: states are told apart by what they
// accept, then by where they lead), its states in the order of a breadth-first walk. Two automata
// accept one language exactly when their smallest ones are equal.
Automaton smallest(const Automaton& a);

// Language 1 ... 7; smallest.
//   1  1*                                2  (10)*
//   3  no odd run of 0s directly after an odd run of 1s
//   4  no 000                            5  0s and 1s both even in number
//   6  3 divides #1 - #0                 7  0*1*0*1*
Automaton tomita(int language);
std::string tomita_text(int language);

}  // namespace soma::systems
