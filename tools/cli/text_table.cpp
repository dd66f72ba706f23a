#include "cli/text_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "soma/core/error.h"

namespace soma::cli {
namespace {

std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

bool is_number(const std::string& cell) {
    return !cell.empty() && (std::isdigit(static_cast<unsigned char>(cell[0])) != 0 || cell == "-");
}

}  // namespace

std::string short_number(double value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    return text;
}

std::string text_table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t c = 0; c < row.size(); ++c) {
            widths[c] = std::max(widths[c], width_of(row[c]));
        }
    }
    std::string out;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t c = 0; c < row.size(); ++c) {
            line += row[c] + std::string(widths[c] - width_of(row[c]) + 2, ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

std::string markdown_table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()), 3);
        for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
    }
    std::string out;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        for (std::size_t c = 0; c < widths.size(); ++c) {
            const std::string cell = c < rows[r].size() ? rows[r][c] : "";
            const std::string blanks(widths[c] - cell.size(), ' ');
            out += "| " + (is_number(cell) && c > 0 ? blanks + cell : cell + blanks) + " ";
        }
        out += "|\n";
        if (r > 0) continue;
        for (const std::size_t w : widths) out += "|" + std::string(w + 2, '-');
        out += "|\n";
    }
    return out;
}

std::string fixed(double value, int digits) {
    if (std::isnan(value)) return "-";
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

std::string size_text(Index bytes) {
    if (bytes <= 0) return "none";
    if (bytes >= 1 << 20) return concat(bytes >> 20, " MB");
    return concat(bytes >> 10, " KB");
}

}  // namespace soma::cli
