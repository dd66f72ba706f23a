// Texts of character models, and the n-gram they are measured against.

#include <gtest/gtest.h>

#include <cmath>

#include "soma/core/error.h"
#include "systems/sequence/char_ngram.h"
#include "systems/sequence/char_text.h"

namespace soma::systems {
namespace {

TEST(CharText, TokensArePlacesInTheSortedAlphabet) {
    const CharText text = make_char_text("t", "to be or", 0.75);
    EXPECT_EQ(text.alphabet, " beort");
    EXPECT_EQ(text.train, (std::vector<std::int32_t>{5, 3, 0, 1, 2, 0}));
    EXPECT_EQ(text.valid, (std::vector<std::int32_t>{3, 4}));
    EXPECT_EQ(text.text(text.train) + text.text(text.valid), "to be or");
    EXPECT_THROW(make_char_text("t", "", 0.5), Error);
}

TEST(CharText, CountsTheWordsThatAreKnown) {
    EXPECT_EQ(known_words("to be, orr not", "not to be or to be"), 75);
    EXPECT_EQ(known_words("'tis", "o 'tis"), 100);
    EXPECT_EQ(known_words("?!", "a"), 0);
}

// In "aab" a occurs 2 and b 1 times: (2 + 2 / 2) / 5 = .6 and .4. After a came a and b once each:
// (1 + 2 * .6) / 4 = .55 and (1 + 2 * .4) / 4 = .45.
TEST(CharNgram, MixesContextsAsWittenAndBell) {
    const std::vector<std::int32_t> aab{0, 0, 1}, ab{0, 1};
    EXPECT_NEAR(CharNgram(aab, 2, 0).nats(ab), -(std::log(0.6) + std::log(0.4)) / 2, 1e-15);
    EXPECT_NEAR(CharNgram(aab, 2, 1).nats(ab), -(std::log(0.6) + std::log(0.45)) / 2, 1e-15);
    EXPECT_THROW(CharNgram(aab, 2, 8), Error);
}

// Each character of the cycle 0 1 2 0 1 2 ... is known from the one before; a long text leaves
// p(next) = (n + p') / (n + 1) with n >= 999: below log(3) / 3000 + 2/3 / 999 together.
TEST(CharNgram, LearnsACycle) {
    std::vector<std::int32_t> cycle;
    for (std::int32_t i = 0; i < 3000; ++i) cycle.push_back(i % 3);
    EXPECT_NEAR(CharNgram(cycle, 3, 0).nats(cycle), std::log(3), 1e-6);
    EXPECT_LT(CharNgram(cycle, 3, 1).nats(cycle), std::log(3) / 3000 + 2.0 / 3 / 999);
}

TEST(CharNgram, UnseenCharactersHaveAProbability) {
    const std::vector<std::int32_t> zeros(10, 0), one{1};
    EXPECT_NEAR(CharNgram(zeros, 2, 0).nats(one), -std::log(0.5 / 11), 1e-15);
}

}  // namespace
}  // namespace soma::systems
