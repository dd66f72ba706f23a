#include "systems/sequence/char_text.h"

#include <array>
#include <cctype>
#include <filesystem>
#include <set>

#include "soma/core/error.h"
#include "soma/data/file.h"
#include "soma/data/sha256.h"

namespace soma::systems {
namespace {

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : text + ' ') {
        if (std::isalpha(static_cast<unsigned char>(c)) || c == '\'') {
            word += c;
        } else if (!word.empty()) {
            words.push_back(std::move(word));
            word.clear();
        }
    }
    return words;
}

}  // namespace

std::string CharText::text(const std::vector<std::int32_t>& tokens) const {
    std::string result;
    for (const std::int32_t token : tokens) result += alphabet[static_cast<std::size_t>(token)];
    return result;
}

CharText make_char_text(const std::string& name, const std::string& text, double train_share) {
    SOMA_CHECK(!text.empty() && train_share > 0 && train_share <= 1, "text ", name, ": it has ",
               text.size(), " bytes, the share to train on is ", train_share,
               "; need some of both");
    CharText result;
    result.name = name;
    result.sha256 = data::sha256(data::as_bytes(text));
    const std::set<unsigned char> distinct(text.begin(), text.end());
    result.alphabet.assign(distinct.begin(), distinct.end());
    std::array<std::int32_t, 256> token{};
    for (std::size_t i = 0; i < result.alphabet.size(); ++i) {
        token[static_cast<unsigned char>(result.alphabet[i])] = static_cast<std::int32_t>(i);
    }
    const auto cut = static_cast<std::size_t>(train_share * static_cast<double>(text.size()));
    for (std::size_t i = 0; i < text.size(); ++i) {
        (i < cut ? result.train : result.valid)
            .push_back(token[static_cast<unsigned char>(text[i])]);
    }
    return result;
}

std::optional<std::string> find_text(const std::string& name,
                                     const std::vector<std::string>& roots) {
    for (const std::string& root : roots) {
        for (const char* folder : {"/text/", "/"}) {
            std::string path = root + folder + name + ".txt";
            if (std::filesystem::is_regular_file(path)) return path;
        }
    }
    return std::nullopt;
}

double known_words(const std::string& text, const std::string& known) {
    const std::vector<std::string> list = words_of(known);
    const std::set<std::string> lexicon(list.begin(), list.end());
    double found = 0, all = 0;
    for (const std::string& word : words_of(text)) {
        found += lexicon.count(word) > 0;
        ++all;
    }
    return all > 0 ? 100 * found / all : 0;
}

}  // namespace soma::systems
