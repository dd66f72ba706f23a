// The page of a run: one HTML file with its images inside, no scripts, nothing loaded from outside.

#include <cstdint>
#include <fstream>
#include <iterator>

#include "soma/core/error.h"
#include "soma/train/report.h"

namespace soma::train {
namespace {

constexpr const char* kHead = R"(<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 62rem; margin: 2rem auto;
       padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; }
th, td { text-align: left; padding: 0.25rem 0.9rem 0.25rem 0; border-bottom: 1px solid #e4e4e4;
         vertical-align: top; }
td { font-variant-numeric: tabular-nums; }
figure { margin: 1.5rem 0; } figure img { max-width: 100%; height: auto; }
figcaption, .note { color: #555; font-size: 0.9rem; }
.pass { color: #00704a; font-weight: 600; } .fail { color: #b00020; font-weight: 600; }
.reported, .skipped { color: #777; }
</style>
)";

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

// RFC 4648 section 4.
std::string base64(const std::string& bytes) {
    constexpr const char* kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t word = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            const bool inside = i + k < bytes.size();
            word = word << 8 | (inside ? static_cast<std::uint8_t>(bytes[i + k]) : 0u);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            const bool inside = i + k <= bytes.size();
            out += inside ? kDigits[word >> (18 - 6 * k) & 63] : '=';
        }
    }
    return out;
}

std::string table_html(const Table& table) {
    std::string out;
    if (!table.title.empty()) out += concat("<h2>", escaped(table.title), "</h2>\n");
    out += "<div class=\"wide\"><table>\n";
    if (!table.header.empty()) {
        out += "<tr>";
        for (const std::string& cell : table.header) out += "<th>" + escaped(cell) + "</th>";
        out += "</tr>\n";
    }
    for (const auto& row : table.rows) {
        out += "<tr>";
        for (const std::string& cell : row) {
            const bool verdict =
                cell == "pass" || cell == "fail" || cell == "reported" || cell == "skipped";
            out += (verdict ? "<td class=\"" + cell + "\">" : "<td>") + escaped(cell) + "</td>";
        }
        out += "</tr>\n";
    }
    out += "</table></div>\n";
    if (!table.note.empty()) out += concat("<p class=\"note\">", escaped(table.note), "</p>\n");
    return out;
}

std::string figure_html(const RenderedFigure& figure, const std::string& folder) {
    const std::string& name = figure.text.name;
    std::string out = "<figure>\n";
    const std::string suffix = figure.pixels ? ".png" : ".svg";
    std::ifstream in(folder + "/" + name + suffix, std::ios::binary);
    if (figure.rendered && in) {
        const std::string bytes{std::istreambuf_iterator<char>(in), {}};
        out += concat("<img alt=\"", escaped(figure.text.title.empty() ? name : figure.text.title),
                      "\" src=\"data:image/", figure.pixels ? "png" : "svg+xml", ";base64,",
                      base64(bytes), "\"", figure.pixels ? " style=\"width: 40rem\"" : "", ">\n");
    } else {
        out += concat("<p class=\"note\">",
                      escaped(figure.text.title.empty() ? name : figure.text.title),
                      ": not drawn (", escaped(figure.problem), "); figures/", name,
                      ".gp draws it from figures/", name, ".dat</p>\n");
    }
    if (!figure.text.caption.empty()) {
        out += concat("<figcaption>", escaped(figure.text.caption), "</figcaption>\n");
    }
    return out + "</figure>\n";
}

}  // namespace

std::string html_page(const std::string& title, const std::vector<std::string>& notes,
                      const std::vector<Table>& tables, const std::vector<RenderedFigure>& figures,
                      const std::string& figures_folder, const Fields& config) {
    std::string out =
        concat("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>", escaped(title), "</title>\n",
               kHead, "</head>\n<body>\n<h1>", escaped(title), "</h1>\n");
    for (const std::string& note : notes) out += concat("<p>", escaped(note), "</p>\n");
    for (const Table& table : tables) out += table_html(table);
    if (!figures.empty()) out += "<h2>Figures</h2>\n";
    for (const RenderedFigure& figure : figures) out += figure_html(figure, figures_folder);
    if (!config.empty()) {
        Table table{.title = "Configuration", .header = {"option", "value"}, .rows = {}};
        for (const auto& [key, value] : config) table.rows.push_back({key, to_text(value)});
        out += table_html(table);
    }
    return out + "</body>\n</html>\n";
}

}  // namespace soma::train
