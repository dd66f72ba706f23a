#pragma once
// Lists in words, and help for misspelt names: systems, data sets, options.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "soma/core/error.h"

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

// The one of `all` whose member `name` is `name`. Error(usage) that begins with `unknown` and says
// which there are: "plan: unknown model 'alexnt'; did you mean alexnet?; need resnet50, alexnet".
template <class List>
const auto& named(const List& all, const std::string& unknown, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& one : all) {
        if (name == one.name) return one;
        names.push_back(one.name);
    }
    fail(ErrorCode::usage, unknown, " '", name, "'", did_you_mean(name, names), "; need ",
         joined(names));
}

}  // namespace soma
