#include "systems/sequence/automaton.h"

#include <map>

#include "soma/core/error.h"

namespace soma::systems {
namespace {

// The states that strings reach, renumbered in the order in which a breadth-first walk finds them.
Automaton reachable(const Automaton& a) {
    std::vector<Index> order{0}, number(a.next.size(), -1);
    number[0] = 0;
    Automaton out;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const Index state = order[i];
        std::array<Index, 2> next{};
        for (int symbol = 0; symbol < 2; ++symbol) {
            const Index to = a.after(state, symbol);
            Index& known = number[static_cast<std::size_t>(to)];
            if (known < 0) {
                known = static_cast<Index>(order.size());
                order.push_back(to);
            }
            next[static_cast<std::size_t>(symbol)] = known;
        }
        out.next.push_back(next);
        out.accepting.push_back(a.accepting[static_cast<std::size_t>(state)]);
    }
    return out;
}

}  // namespace

bool Automaton::accepts(std::span<const int> string) const {
    Index state = 0;
    for (const int symbol : string) state = after(state, symbol);
    return accepting[static_cast<std::size_t>(state)];
}

Automaton smallest(const Automaton& automaton) {
    SOMA_CHECK(automaton.size() >= 1 && automaton.accepting.size() == automaton.next.size(),
               "automaton: ", automaton.size(), " states, ", automaton.accepting.size(),
               " verdicts; need a state, and a verdict for each");
    const Automaton a = reachable(automaton);
    std::vector<Index> group(a.accepting.begin(), a.accepting.end());  // states not yet told apart
    std::size_t groups = 0;
    for (;;) {
        std::map<std::array<Index, 3>, Index> seen;  // group, and groups of both successors
        std::vector<Index> finer;
        for (Index s = 0; s < a.size(); ++s) {
            const auto of = [&](Index state) { return group[static_cast<std::size_t>(state)]; };
            const std::array<Index, 3> key{of(s), of(a.after(s, 0)), of(a.after(s, 1))};
            finer.push_back(seen.emplace(key, static_cast<Index>(seen.size())).first->second);
        }
        group = finer;
        if (seen.size() == groups) break;
        groups = seen.size();
    }
    Automaton merged{std::vector<std::array<Index, 2>>(groups), std::vector<bool>(groups)};
    for (Index s = a.size() - 1; s >= 0; --s) {  // state 0 is in group 0
        const auto at = static_cast<std::size_t>(s);
        const auto to = static_cast<std::size_t>(group[at]);
        for (std::size_t symbol = 0; symbol < 2; ++symbol) {
            merged.next[to][symbol] = group[static_cast<std::size_t>(a.next[at][symbol])];
        }
        merged.accepting[to] = a.accepting[at];
    }
    return reachable(merged);
}

Automaton tomita(int language) {
    switch (language) {
        case 1:
            return {{{1, 0}, {1, 1}}, {true, false}};
        case 2:
            return {{{1, 2}, {1, 1}, {0, 1}}, {true, false, false}};
        case 3:
            // 0: even run of 1s, or 0s after one; 1: odd run of 1s; 2, 3: odd and even run of 0s
            // after it; 4: a run that ended odd
            return smallest(
                {{{0, 1}, {2, 0}, {3, 4}, {2, 1}, {4, 4}}, {true, true, false, true, false}});
        case 4:
            return {{{1, 0}, {2, 0}, {3, 0}, {3, 3}}, {true, true, true, false}};
        case 5:
            return {{{1, 2}, {0, 3}, {3, 0}, {2, 1}}, {true, false, false, false}};
        case 6:
            return {{{1, 2}, {2, 0}, {0, 1}}, {true, false, false}};
        case 7:
            return smallest(
                {{{0, 1}, {2, 1}, {2, 3}, {4, 3}, {4, 4}}, {true, true, true, true, false}});
        default:
            fail(ErrorCode::usage, "tomita: language ", language, "; need 1 ... 7");
    }
}

std::string tomita_text(int language) {
    static const char* const texts[kTomitaLanguages] = {
        "1*", "(10)*", "odd 1s, even 0s", "no 000", "even 0s, 1s", "3 | #1 - #0", "0*1*0*1*"};
    SOMA_CHECK(language >= 1 && language <= kTomitaLanguages, "tomita: language ", language,
               "; need 1 ... 7");
    return texts[language - 1];
}

}  // namespace soma::systems
