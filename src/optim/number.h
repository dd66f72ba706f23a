#pragma once
// Numbers as text for describe(): the shortest digits that read back as the same double, so that
// different options never print alike.

#include <array>
#include <charconv>
#include <string>

namespace soma::optim {

inline std::string number(double value) {
    std::array<char, 32> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return {text.data(), end};
}

}  // namespace soma::optim
