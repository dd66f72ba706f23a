#pragma once
// The data sets of sentiment_rnn: sentences of a grammar whose polarity hangs on the order of
// words, and real ones from a file.
//
// Polarity. A sentence is one opinion, or two joined by "and" or "but":
//
//     opinion   [frame] the NOUN COPULA [not] [INTENSIFIER] ADJECTIVE
//     value     valence of the adjective, -1 or +1, times 1, 2 or 3: slightly good, good, very
//     good;
//               the sign turns with "not" and with a frame that denies ("i doubt that ..."), and
//               stays with one that affirms ("i think that ..."); at most one of both turns it
//     A and B   value A + value B, never 0
//     A but B   value B; the values of A and B have opposite signs
//
// The label is the sign of the value. Frames speak of their own opinion only. Words that affirm are
// as frequent as words that deny, valences and labels are balanced: single words tell little.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "systems/sequence/sentences.h"

namespace soma::systems {

// The first `count` distinct sentences of a seed: a pure function of both, and the sentences of a
// smaller count come first.
std::vector<Sentence> make_polarity(std::uint64_t seed, Index count);

constexpr const char* kSentimentSet = "sentiment";

struct SentenceFile {
    std::string name;    // kSentimentSet, or of a user's file its name without .tsv
    std::string sha256;  // of the file
    std::vector<Sentence> sentences;
};

// Lines "label TAB text" or "label TAB source TAB text", label 0 or 1. Error(data) naming file and
// line when a line is none of these, or a label has no line.
SentenceFile read_sentences(const std::string& path);

// A root that is itself a file *.tsv, else <root>/sentiment/sentences.tsv or <root>/sentences.tsv
// of the first root that has it; nullopt when none has.
std::optional<std::string> find_sentences(const std::vector<std::string>& roots);
// How to get a file, for messages.
std::string how_to_get_sentences();

// Which of `folds` parts of a set a sentence is in: by the hash of its words, so that a sentence
// that stands in the file twice is in one part.
Index fold_of(const Sentence& sentence, Index folds);

}  // namespace soma::systems
