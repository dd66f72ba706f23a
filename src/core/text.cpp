#include "soma/core/text.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace soma {
namespace {

std::string folded(const std::string& text) {
    std::string out;
    for (const char c : text) {
        out += c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return out;
}

}  // namespace

std::string joined(std::span<const std::string> parts, std::string_view separator) {
    std::string text;
    for (const std::string& part : parts) {
        if (!text.empty()) text += separator;
        text += part;
    }
    return text;
}

int edit_distance(const std::string& a, const std::string& b) {
    // Optimal string alignment: row i holds the distances of a's first i letters to b's first j.
    const std::string x = folded(a), y = folded(b);
    std::vector<int> before(y.size() + 1), above(y.size() + 1), row(y.size() + 1);
    for (std::size_t j = 0; j <= y.size(); ++j) row[j] = static_cast<int>(j);
    for (std::size_t i = 1; i <= x.size(); ++i) {
        std::swap(before, above);
        std::swap(above, row);
        row[0] = static_cast<int>(i);
        for (std::size_t j = 1; j <= y.size(); ++j) {
            const int replace = above[j - 1] + (x[i - 1] == y[j - 1] ? 0 : 1);
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, replace});
            const bool swapped = i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row[y.size()];
}

std::vector<std::string> nearest(const std::string& word, std::span<const std::string> candidates,
                                 int at_most) {
    const int limit = std::max(2, static_cast<int>(word.size()) / 3);
    const std::string start = folded(word);
    std::vector<std::pair<int, std::string>> found;
    for (const std::string& candidate : candidates) {
        const int distance = edit_distance(word, candidate);
        const bool begins = start.size() >= 2 && folded(candidate).starts_with(start);
        if (begins || distance <= limit) found.emplace_back(begins ? 1 : distance, candidate);
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> names;
    for (auto& [distance, name] : found) {
        if (static_cast<int>(names.size()) < at_most) names.push_back(std::move(name));
    }
    return names;
}

std::string suggestion(std::span<const std::string> names) {
    if (names.empty()) return "";
    std::string out = "; did you mean " + names[0];
    for (std::size_t i = 1; i < names.size(); ++i) {
        out += (i + 1 == names.size() ? " or " : ", ") + names[i];
    }
    return out + "?";
}

std::string did_you_mean(const std::string& word, std::span<const std::string> candidates) {
    return suggestion(nearest(word, candidates));
}

}  // namespace soma
