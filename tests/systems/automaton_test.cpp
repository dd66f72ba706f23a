// The smallest automata of Tomita's languages, against the languages' own definitions.

#include "systems/sequence/automaton.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "soma/core/error.h"

namespace soma::systems {
namespace {

using String = std::vector<int>;

std::string text(const String& s) {
    std::string t;
    for (const int symbol : s) t += symbol == 0 ? '0' : '1';
    return t;
}

// An odd run of 1s and, directly after it, an odd run of 0s.
bool has_odd_after_odd(const std::string& s) {
    for (std::size_t i = 0; i < s.size();) {
        const std::size_t zeros = s.find('0', i), ones = zeros == s.npos ? s.size() : zeros;
        const std::size_t end = s.find('1', ones), after = end == s.npos ? s.size() : end;
        if ((ones - i) % 2 == 1 && (after - ones) % 2 == 1) return true;
        i = after;
    }
    return false;
}

bool belongs(int language, const std::string& s) {
    const auto ones = std::count(s.begin(), s.end(), '1'), zeros = std::ssize(s) - ones;
    switch (language) {
        case 1:
            return zeros == 0;
        case 2:
            return std::regex_match(s, std::regex("(10)*"));
        case 3:
            return !has_odd_after_odd(s);
        case 4:
            return s.find("000") == s.npos;
        case 5:
            return ones % 2 == 0 && zeros % 2 == 0;
        case 6:
            return (ones - zeros) % 3 == 0;
        default:
            return std::regex_match(s, std::regex("0*1*0*1*"));
    }
}

TEST(Tomita, AutomataAcceptWhatTheDefinitionsSay) {
    for (int language = 1; language <= kTomitaLanguages; ++language) {
        const Automaton a = tomita(language);
        for (int length = 0; length <= 10; ++length) {
            for (int bits = 0; bits < 1 << length; ++bits) {
                String s;
                for (int i = 0; i < length; ++i) s.push_back(bits >> i & 1);
                ASSERT_EQ(a.accepts(s), belongs(language, text(s))) << language << " " << text(s);
            }
        }
    }
}

TEST(Tomita, AutomataAreTheSmallest) {
    const Index sizes[kTomitaLanguages] = {2, 3, 5, 4, 4, 3, 5};
    for (int language = 1; language <= kTomitaLanguages; ++language) {
        EXPECT_EQ(tomita(language).size(), sizes[language - 1]) << language;
        EXPECT_EQ(smallest(tomita(language)), tomita(language)) << language;
    }
    EXPECT_THROW(tomita(0), Error);
}

// Parity of 1s; the same with every state twice, and one that nothing leads to.
TEST(Smallest, MergesEqualStatesAndDropsUnreachedOnes) {
    const Automaton parity{{{0, 1}, {1, 0}}, {true, false}};
    const Automaton blown_up{{{2, 3}, {3, 2}, {0, 1}, {1, 0}, {4, 0}},
                             {true, false, true, false, true}};

    EXPECT_EQ(smallest(parity), parity);
    EXPECT_EQ(smallest(blown_up), parity);
}

TEST(Smallest, LanguagesAreEqualWhateverTheNumbers) {
    // States 1 and 2 exchanged, and state 3 a copy of 0.
    const Automaton renumbered{{{2, 1}, {3, 2}, {1, 0}, {2, 1}}, {true, false, false, true}};

    EXPECT_EQ(smallest(renumbered), tomita(6));
}

TEST(Smallest, RefusesNoState) { EXPECT_THROW(smallest({}), Error); }

}  // namespace
}  // namespace soma::systems
