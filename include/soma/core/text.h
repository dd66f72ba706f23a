#pragma once
// Lists in words, and help for misspelt names: systems, data sets, options.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace soma {

// "a, b, c".
std::string joined(std::span<const std::string> parts, std::string_view separator = ", ");

// Edits (insert, delete, replace, swap neighbours) that turn a into b; '-' equals '_' and case does
// not count.
int edit_distance(const std::string& a, const std::string& b);

// The candidates nearest to a misspelt word, nearest first, at most `at_most`: those it begins, or
// that are at most max(2, a third of its letters) edits away.
std::vector<std::string> nearest(const std::string& word, std::span<const std::string> candidates,
                                 int at_most = 3);

// "; did you mean a, b or c?", or "" for no names.
std::string suggestion(std::span<const std::string> names);
// The suggestion of the nearest candidates.
std::string did_you_mean(const std::string& word, std::span<const std::string> candidates);

}  // namespace soma
