#pragma once
// Sentences with a label, and their words as numbers.
//
// A sentence is a list of words. As a sample of a data set it is a row of tokens, ended by -1:
//
//     "not bad at all"  ->  4 17 9 22 -1 -1 -1 ...        as floats, exact below 2^24

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "soma/data/dataset.h"

namespace soma::systems {

using Words = std::vector<std::string>;

struct Sentence {
    Words words;
    std::int32_t label = 0;  // 1 is positive, 0 negative
    bool operator==(const Sentence&) const = default;
};

// The words of a text in lower case: runs of letters, digits, apostrophes and bytes above 127; the
// marks ! and ? are words too, other marks and blanks separate. A negation is a word of its own:
// "Didn't work!" -> did n't work !
Words words_of(const std::string& text);

// The words with single blanks between them.
std::string text_of(const Words& words);

class Vocabulary {
public:
    static constexpr std::int32_t kUnknown = 0;

    // Words that occur at least min_count times, numbered from 1 in the order they first occur.
    Vocabulary(std::span<const Sentence> sentences, Index min_count);

    Index size() const { return 1 + static_cast<Index>(numbers_.size()); }
    // One token a word; of a sentence without words one kUnknown.
    std::vector<std::int32_t> tokens(const Words& words) const;

private:
    std::unordered_map<std::string, std::int32_t> numbers_;
};

constexpr std::int32_t kEndOfTokens = -1;

// Rows of tokens, as wide as the longest sentence, but at most `longest` tokens: the first ones.
// Error(usage) when there is no sentence.
std::shared_ptr<const data::Dataset> token_set(std::span<const Sentence> sentences,
                                               const Vocabulary& vocabulary, Index longest = 256);

}  // namespace soma::systems
