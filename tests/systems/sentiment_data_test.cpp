// Sentences as tokens, the grammar of polarity, and files of labelled sentences.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "soma/core/error.h"
#include "soma/data/file.h"
#include "support/temp_folder.h"
#include "systems/sequence/sentences.h"
#include "systems/sequence/sentiment_data.h"

namespace soma::systems {
namespace {

// ---- words and tokens -------------------------------------------------------------------------

TEST(Sentences, WordsAreLowerCaseRunsWithNegationApart) {
    EXPECT_EQ(words_of("It DIDN'T work, 'really'!"),
              (Words{"it", "did", "n't", "work", "really", "!"}));
    EXPECT_EQ(words_of("10/10... caf\xc3\xa9?"), (Words{"10", "10", "caf\xc3\xa9", "?"}));
    EXPECT_EQ(words_of(" ' -- '' n't "), Words{"n't"});
}

TEST(Sentences, VocabularyNumbersFrequentWordsAsTheyCome) {
    const std::vector<Sentence> sentences{{{"b", "a", "b"}, 1}, {{"c", "a"}, 0}};
    const Vocabulary all(sentences, 1), twice(sentences, 2);
    EXPECT_EQ(all.size(), 4);
    EXPECT_EQ(all.tokens({"c", "a", "b", "d"}), (std::vector<std::int32_t>{3, 2, 1, 0}));
    EXPECT_EQ(twice.size(), 3);
    EXPECT_EQ(twice.tokens({"c", "a", "b"}), (std::vector<std::int32_t>{0, 2, 1}));
    EXPECT_EQ(all.tokens({}), std::vector<std::int32_t>{Vocabulary::kUnknown});
}

TEST(Sentences, SamplesAreRowsOfTokensThatEndWithMinusOne) {
    const std::vector<Sentence> sentences{{{"a", "b"}, 1}, {{"c"}, 0}, {{"a", "b", "c", "a"}, 1}};
    const auto set = token_set(sentences, Vocabulary(sentences, 1), 3);
    ASSERT_EQ(set->sample_shape(), (Shape{3}));
    std::vector<float> row(3);
    set->read(0, row);
    EXPECT_EQ(row, (std::vector<float>{1, 2, kEndOfTokens}));
    set->read(2, row);
    EXPECT_EQ(row, (std::vector<float>{1, 2, 3}));
    EXPECT_EQ(set->label(1), 0);
    EXPECT_THROW(token_set({}, Vocabulary({}, 1)), Error);
}

// ---- polarity ---------------------------------------------------------------------------------

// Reads a sentence of the grammar again: the value of one opinion from its words.
int value_of(const Words& opinion) {
    const std::set<std::string> negative{"bad",      "awful",   "dull",   "terrible", "stupid",
                                         "horrible", "poor",    "nasty",  "weak",     "boring",
                                         "ugly",     "useless", "clumsy", "shallow",  "dreary",
                                         "cheap",    "sad",     "stale",  "flimsy",   "annoying"};
    const std::set<std::string> turns{"not", "doubt", "nobody", "untrue"};
    const std::set<std::string> weak{"slightly", "somewhat", "fairly"};
    const std::set<std::string> strong{"very", "really", "extremely"};
    int sign = negative.contains(opinion.back()) ? -1 : 1, strength = 2;
    for (const std::string& word : opinion) {
        if (turns.contains(word)) sign = -sign;
        if (weak.contains(word)) strength = 1;
        if (strong.contains(word)) strength = 3;
    }
    return sign * strength;
}

TEST(Polarity, TheLabelIsTheSignThatTheGrammarGives) {
    Index joined = 0;
    for (const Sentence& s : make_polarity(3, 2000)) {
        const auto link = std::find_if(s.words.begin(), s.words.end(), [](const std::string& w) {
            return w == "and" || w == "but";
        });
        int value = value_of({s.words.begin(), link});
        if (link != s.words.end()) {
            ++joined;
            const int second = value_of({link + 1, s.words.end()});
            if (*link == "but") {
                EXPECT_LT(value * second, 0) << text_of(s.words);
            }
            value = *link == "but" ? second : value + second;
        }
        ASSERT_NE(value, 0) << text_of(s.words);
        ASSERT_EQ(s.label, value > 0) << text_of(s.words);
    }
    EXPECT_GT(joined, 500);
    EXPECT_LT(joined, 1500);
}

TEST(Polarity, IsAFunctionOfTheSeedWithoutRepetition) {
    const auto all = make_polarity(7, 1500), some = make_polarity(7, 400);
    EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin()));
    EXPECT_NE(all.front(), make_polarity(8, 1).front());
    std::set<Words> distinct;
    for (const Sentence& s : all) distinct.insert(s.words);
    EXPECT_EQ(distinct.size(), all.size());
}

// Half of the labels are 1: of 6,000 the share is within four standard deviations .5 / sqrt(6000).
TEST(Polarity, LabelsAreBalanced) {
    double positive = 0;
    for (const Sentence& s : make_polarity(1, 6000)) positive += s.label;
    EXPECT_NEAR(positive / 6000, 0.5, 4 * 0.5 / std::sqrt(6000));
}

// ---- files ------------------------------------------------------------------------------------

void write(const std::string& path, const std::string& text) {
    data::write_file_atomically(path, data::as_bytes(text));
}

TEST(SentenceFile, ReadsLinesWithAndWithoutSource) {
    const test::TempFolder folder;
    const std::string path = folder.file("mine.tsv");
    write(path, "1\tyelp\tGood food.\r\n0\tBad!");
    const SentenceFile file = read_sentences(path);
    EXPECT_EQ(file.name, "mine");
    EXPECT_EQ(file.sentences, (std::vector<Sentence>{{{"good", "food"}, 1}, {{"bad", "!"}, 0}}));
    EXPECT_EQ(file.sha256.size(), 64u);
}

void expect_refused(const std::string& text, const std::string& says) {
    const test::TempFolder folder;
    const std::string path = folder.file("mine.tsv");
    write(path, text);
    try {
        read_sentences(path);
        FAIL() << text;
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::data);
        EXPECT_NE(std::string(e.what()).find(says), std::string::npos) << e.what();
    }
}

TEST(SentenceFile, NamesTheLineThatIsWrong) {
    expect_refused("1\tgood\n2\tbad\n", "mine.tsv:2: '2\tbad'");
    expect_refused("1\tgood\n0\tbad\n\n", "mine.tsv:3: ''");
    expect_refused("1 good\n", "mine.tsv:1");
    expect_refused("1\tgood\n1\tnice\n", "0 sentences of label 0 and 2 of label 1");
    expect_refused("", "0 sentences of label 0");
}

TEST(SentenceFile, IsFoundByFolderOrByItsOwnName) {
    const test::TempFolder folder;
    const std::string mine = folder.file("mine.tsv");
    EXPECT_EQ(find_sentences({folder.path(), mine}), std::nullopt);
    write(mine, "1\tgood\n");
    EXPECT_EQ(find_sentences({folder.path(), mine}), mine);
    write(folder.file("sentences.tsv"), "1\tgood\n");
    EXPECT_EQ(find_sentences({folder.path(), mine}), folder.path() + "/sentences.tsv");
}

// Hashes spread 6,000 sentences evenly: each part has 1,200 within four standard deviations
// sqrt(6000 .2 .8).
TEST(SentenceFile, EqualSentencesAreInOneFold) {
    const Sentence twice{{"works", "great", "!"}, 1};
    EXPECT_EQ(fold_of(twice, 5), fold_of({twice.words, 0}, 5));
    std::vector<Index> sizes(5);
    for (const Sentence& s : make_polarity(1, 6000)) {
        ++sizes.at(static_cast<std::size_t>(fold_of(s, 5)));
    }
    for (const Index size : sizes) {
        EXPECT_NEAR(static_cast<double>(size), 1200, 4 * std::sqrt(6000 * 0.2 * 0.8));
    }
}

}  // namespace
}  // namespace soma::systems
