#pragma once
// A table of text in columns, for terminals.

#include <string>
#include <vector>

namespace soma::cli {

// Columns two blanks apart, left-aligned, as wide as their widest cell; no blanks at line ends.
// Width counts characters, not bytes (UTF-8).
std::string text_table(const std::vector<std::vector<std::string>>& rows);

// A number for a cell: "%.<digits>g".
std::string short_number(double value, int digits = 4);

}  // namespace soma::cli
