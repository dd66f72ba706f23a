// Suggestions for misspelt names.
#include "soma/core/text.h"

#include <gtest/gtest.h>

namespace soma {
namespace {

const std::vector<std::string> kNames = {"lecun1989", "perceptron", "xor", "mcculloch_pitts"};

TEST(Text, EditDistanceCountsSwapsOnce) {
    EXPECT_EQ(edit_distance("train", "train"), 0);
    EXPECT_EQ(edit_distance("trian", "train"), 1);
    EXPECT_EQ(edit_distance("", "abc"), 3);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
}

TEST(Text, EditDistanceIgnoresCaseAndDashes) {
    EXPECT_EQ(edit_distance("McCulloch-Pitts", "mcculloch_pitts"), 0);
}

TEST(Text, NearestFindsTyposAndBeginnings) {
    EXPECT_EQ(nearest("lecun198", kNames), (std::vector<std::string>{"lecun1989"}));
    EXPECT_EQ(nearest("percpetron", kNames), (std::vector<std::string>{"perceptron"}));
    EXPECT_EQ(nearest("mccull", kNames), (std::vector<std::string>{"mcculloch_pitts"}));
}

TEST(Text, NearestFindsNothingForAStranger) {
    EXPECT_TRUE(nearest("transformer", kNames).empty());
    EXPECT_EQ(did_you_mean("transformer", kNames), "");
}

TEST(Text, SuggestionReadsAsASentence) {
    const std::vector<std::string> options = {"--seed", "--seeds"};
    EXPECT_EQ(did_you_mean("--sed", options), "; did you mean --seed or --seeds?");
}

}  // namespace
}  // namespace soma
