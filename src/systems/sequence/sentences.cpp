#include "systems/sequence/sentences.h"

#include <algorithm>

#include "soma/core/error.h"
#include "soma/core/text.h"

namespace soma::systems {
namespace {

bool is_part_of_word(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '\'' ||
           byte > 127;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Adds a run of letters without the apostrophes around it, "n't" apart.
void add_word(std::string run, Words& words) {
    const auto first = run.find_first_not_of('\'');
    if (first == std::string::npos) return;
    run = run.substr(first, run.find_last_not_of('\'') - first + 1);
    constexpr std::size_t kNot = 3;
    if (run.size() > kNot && run.ends_with("n't")) {
        words.push_back(run.substr(0, run.size() - kNot));
        run = "n't";
    }
    words.push_back(std::move(run));
}

}  // namespace

Words words_of(const std::string& text) {
    Words words;
    std::string run;
    for (const char original : text + ' ') {
        const char c = lower(original);
        if (is_part_of_word(c)) {
            run += c;
            continue;
        }
        add_word(std::move(run), words);
        run.clear();
        if (c == '!' || c == '?') words.emplace_back(1, c);
    }
    return words;
}

std::string text_of(const Words& words) { return joined(words, " "); }

Vocabulary::Vocabulary(std::span<const Sentence> sentences, Index min_count) {
    std::unordered_map<std::string, Index> counts;
    for (const Sentence& sentence : sentences) {
        for (const std::string& word : sentence.words) ++counts[word];
    }
    for (const Sentence& sentence : sentences) {
        for (const std::string& word : sentence.words) {
            if (counts[word] < min_count) continue;
            numbers_.try_emplace(word, static_cast<std::int32_t>(size()));
        }
    }
}

std::vector<std::int32_t> Vocabulary::tokens(const Words& words) const {
    std::vector<std::int32_t> tokens;
    for (const std::string& word : words) {
        const auto found = numbers_.find(word);
        tokens.push_back(found == numbers_.end() ? kUnknown : found->second);
    }
    if (tokens.empty()) tokens.push_back(kUnknown);
    return tokens;
}

std::shared_ptr<const data::Dataset> token_set(std::span<const Sentence> sentences,
                                               const Vocabulary& vocabulary, Index longest) {
    SOMA_CHECK(!sentences.empty() && longest > 0, "token_set: ", sentences.size(),
               " sentences of at most ", longest, " tokens; need one of each");
    std::vector<std::vector<std::int32_t>> rows;
    std::vector<std::int32_t> labels;
    std::size_t width = 1;
    for (const Sentence& sentence : sentences) {
        rows.push_back(vocabulary.tokens(sentence.words));
        rows.back().resize(std::min(rows.back().size(), static_cast<std::size_t>(longest)));
        width = std::max(width, rows.back().size());
        labels.push_back(sentence.label);
    }
    Tensor samples(Shape{std::ssize(sentences), static_cast<Index>(width)}, DType::f32);
    samples.fill(kEndOfTokens);
    const auto values = samples.data<float>();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::transform(rows[i].begin(), rows[i].end(),
                       values.begin() + static_cast<std::ptrdiff_t>(i * width),
                       [](std::int32_t token) { return static_cast<float>(token); });
    }
    return std::make_shared<data::TensorDataset>(samples, std::move(labels), 2);
}

}  // namespace soma::systems
