#pragma once
// Tables of text in columns, and the numbers in their cells.

#include <string>
#include <vector>

#include "soma/core/types.h"

namespace soma::cli {

// Columns two blanks apart, left-aligned, as wide as their widest cell; no blanks at line ends.
// Width counts characters, not bytes (UTF-8).
std::string text_table(const std::vector<std::vector<std::string>>& rows);

// A Markdown table with padded columns; numbers to the right. The first row is the head.
std::string markdown_table(const std::vector<std::vector<std::string>>& rows);

// A number for a cell: "%.<digits>g".
std::string short_number(double value, int digits = 4);
// "%.<digits>f"; "-" for NaN.
std::string fixed(double value, int digits);
// Bytes: "48 KB", "2 MB", cut to whole ones; "none" below one.
std::string size_text(Index bytes);

}  // namespace soma::cli
