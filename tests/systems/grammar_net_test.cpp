// Nets that read strings: constructed ones are exact, extraction gives the automaton back.

#include "systems/sequence/grammar_net.h"

#include <gtest/gtest.h>

namespace soma::systems {
namespace {

const std::function<bool()> kNever = [] { return false; };

TEST(GrammarNet, ConstructedNetsJudgeAsTheirAutomata) {
    for (int language = 1; language <= kTomitaLanguages; ++language) {
        const Automaton a = tomita(language);
        const GrammarNet net = GrammarNet::constructed(a, 20);

        EXPECT_EQ(net.units(), 2 * a.size() + 1);
        EXPECT_EQ(net.errors(a, 10), 0) << language;
    }
}

// Sigmoid units stay on their side of 1/2; of 4 parts of [-1, 1], that is the border of two.
TEST(GrammarNet, ExtractionGivesTheAutomatonBack) {
    for (int language = 1; language <= kTomitaLanguages; ++language) {
        const Automaton a = tomita(language);

        EXPECT_EQ(GrammarNet::constructed(a, 20).extract(4, 100), a) << language;
    }
}

TEST(GrammarNet, ExtractionGivesUpOnTooManyStates) {
    EXPECT_EQ(GrammarNet::constructed(tomita(3), 20).extract(4, 2), std::nullopt);
}

// All of a language's strings differ from those of its complement.
TEST(GrammarNet, CountsErrorsOfEveryStringAndLength) {
    Automaton complement = tomita(5);
    complement.accepting.flip();

    EXPECT_EQ(GrammarNet::constructed(tomita(5), 20).errors(complement, 6), (1 << 7) - 1);
}

TEST(GrammarNet, LearnsFromStrings) {
    const Automaton a = tomita(4);
    const GrammarNet net =
        GrammarNet::learned(a, {.units = 12, .longest = 8, .updates = 1000}, 1, kNever);

    EXPECT_EQ(net.errors(a, 8), 0);
    EXPECT_EQ(net.extract(2, 100), a);
}

}  // namespace
}  // namespace soma::systems
