#pragma once
// A text as numbers of characters, for models that predict the next one.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "soma/core/types.h"

namespace soma::systems {

struct CharText {
    std::string name, sha256;
    std::string alphabet;                    // its distinct bytes, ascending; a token is a place
    std::vector<std::int32_t> train, valid;  // the first part and the rest

    Index vocabulary() const { return static_cast<Index>(alphabet.size()); }
    std::string text(const std::vector<std::int32_t>& tokens) const;
};

// Cuts a text behind the given share of its bytes.
CharText make_char_text(const std::string& name, const std::string& text, double train_share);

// Path of <root>/text/<name>.txt or <root>/<name>.txt; nullopt when no root has it.
std::optional<std::string> find_text(const std::string& name,
                                     const std::vector<std::string>& roots);

// Percent of the words of `text` (runs of letters and apostrophes) that occur in `known`.
double known_words(const std::string& text, const std::string& known);

}  // namespace soma::systems
