#include "cli/claims.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/text_table.h"
#include "soma/core/error.h"
#include "soma/core/text.h"
#include "soma/core/types.h"

namespace soma::cli {
namespace {

using Json = nlohmann::ordered_json;
using systems::Claim;
using systems::Verdict;

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }
Json number_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }
Json positive_or_null(double value) { return value > 0 ? Json(value) : Json(); }
template <class T>
Json list_or_null(const std::vector<T>& list) {
    return list.empty() ? Json() : Json(list);
}

Json json_of(const Claim& c) {
    const double rate = c.seconds > 0 ? c.flop / c.seconds : 0;
    return {
        {"schema", systems::kClaimSchema},
        {"system", text_or_null(c.system)},
        {"id", text_or_null(c.id)},
        {"text", text_or_null(c.text)},
        {"kind", text_or_null(c.kind)},
        {"source", text_or_null(c.source)},
        {"paper_value", number_or_null(c.paper_value)},
        {"paper_unit", text_or_null(c.paper_unit)},
        {"paper_tag", text_or_null(c.paper_tag)},
        {"set", text_or_null(c.set)},
        {"split", text_or_null(c.split)},
        {"samples", c.samples > 0 ? Json(c.samples) : Json()},
        {"sha256", text_or_null(c.sha256)},
        {"own_value", number_or_null(c.own_value)},
        {"own_sd", number_or_null(c.own_sd)},
        {"n", c.values.size()},
        {"values", list_or_null(c.values)},
        {"tolerance", text_or_null(c.tolerance.text())},
        {"goal", text_or_null(c.goal.text())},
        {"verdict", systems::name_of(c.verdict)},
        {"reason", text_or_null(c.reason)},
        {"seconds", c.seconds},
        {"flop", positive_or_null(c.flop)},
        {"flop_per_s", positive_or_null(rate)},
        {"rss_bytes", c.rss_bytes > 0 ? Json(c.rss_bytes) : Json()},
        {"seeds", list_or_null(c.seeds)},
        {"dtype", text_or_null(c.dtype)},
        {"threads", c.threads},
        {"ranks", c.ranks},
        {"shards", c.shards},
        {"isa", text_or_null(c.isa)},
        {"gemm", text_or_null(c.gemm)},
        {"version", text_or_null(c.version)},
        {"deviations", list_or_null(c.deviations)},
    };
}

std::string dump(const Json& json, int indent = -1) {
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string format(const char* pattern, double value) {
    char text[64];
    std::snprintf(text, sizeof text, pattern, value);
    return text;
}

bool is_percent(const Claim& c) { return c.paper_unit.starts_with('%'); }
bool is_count(double v) { return v == std::floor(v) && std::abs(v) < 1e15; }

// A value of the paper, as precise as it was printed: 9760, 0.14 %, 5.0 %.
std::string paper_text(const Claim& c) {
    if (!c.paper_value) return "-";
    const double v = *c.paper_value;
    std::string text = format(is_count(v) ? "%.0f" : "%.6g", v);
    if (is_percent(c)) text = (is_count(v) ? format("%.1f", v) : text) + " %";
    if (c.paper_tag == "R") text += " (to be checked)";
    return text;
}

std::string own_number(const Claim& c, double v) {
    if (is_percent(c)) return format("%.2f", v);
    return format(is_count(v) ? "%.0f" : "%.4g", v);
}

// "9760", "5.33 % (0.34, 5)", "70/100".
std::string own_text(const Claim& c) {
    if (!c.own_value) return "-";
    std::string text = own_number(c, *c.own_value);
    if (c.tolerance.of > 0) text += "/" + format("%.0f", c.tolerance.of);
    if (is_percent(c)) text += " %";
    if (c.own_sd) text += concat(" (", own_number(c, *c.own_sd), ", ", c.values.size(), ")");
    return text;
}

// "1-5", "3", "1-3,7"; "-" when none.
std::string seeds_text(const std::vector<std::uint64_t>& seeds) {
    std::string out;
    for (std::size_t i = 0; i < seeds.size();) {
        std::size_t end = i + 1;
        while (end < seeds.size() && seeds[end] == seeds[end - 1] + 1) ++end;
        out += concat(out.empty() ? "" : ",", seeds[i]);
        if (end - i > 1) out += concat("-", seeds[end - 1]);
        i = end;
    }
    return out.empty() ? "-" : out;
}

std::string dash_if_empty(const std::string& text) { return text.empty() ? "-" : text; }

// Every deviation once: those of the system, then those of single claims.
std::vector<std::string> all_deviations(const systems::Reproduction& result) {
    std::vector<std::string> out = result.deviations;
    for (const Claim& c : result.claims) {
        for (const std::string& d : c.deviations) {
            if (std::find(out.begin(), out.end(), d) == out.end()) out.push_back(d);
        }
    }
    return out;
}

std::string reasons_text(const systems::Reproduction& result) {
    std::string out;
    for (const Claim& c : result.claims) {
        if (!c.reason.empty()) {
            out += concat(systems::name_of(c.verdict), ": ", c.text, ": ", c.reason, "\n");
        }
    }
    return out;
}

}  // namespace

std::string claim_json(const Claim& claim) { return dump(json_of(claim)); }

std::string results_json(const std::vector<SystemResult>& results) {
    Json claims = Json::array(), list = Json::array();
    for (const SystemResult& r : results) {
        for (const Claim& c : r.reproduction.claims) claims.push_back(json_of(c));
        list.push_back({{"system", r.system},
                        {"headline", text_or_null(r.reproduction.headline)},
                        {"deviations", all_deviations(r.reproduction)},
                        {"interrupted", r.reproduction.interrupted},
                        {"folder", r.folder}});
    }
    const Json all = {{"schema", systems::kClaimSchema}, {"systems", list}, {"claims", claims}};
    return dump(all, 2);
}

std::string claim_line(const Claim& c) {
    const std::string gate = c.tolerance.text();
    std::string line = concat(systems::name_of(c.verdict), ": ", c.text);
    if (c.own_value) line += " = " + own_text(c);
    if (!gate.empty()) line += " (need " + gate + ")";
    if (!c.reason.empty()) line += ": " + c.reason;
    return line;
}

std::vector<std::vector<std::string>> claim_rows(const std::vector<Claim>& claims) {
    std::vector<std::vector<std::string>> rows = {
        {"claim", "paper", "soma (sd, n)", "gate", "verdict", "s", "GFLOP", "GFLOP/s", "seeds"}};
    for (const Claim& c : claims) {
        const bool counted = c.flop > 0;
        rows.push_back({c.text, paper_text(c), own_text(c), dash_if_empty(c.tolerance.text()),
                        systems::name_of(c.verdict), format("%.1f", c.seconds),
                        counted ? format("%.3g", c.flop * 1e-9) : "-",
                        counted && c.seconds > 0 ? format("%.3g", c.flop * 1e-9 / c.seconds) : "-",
                        seeds_text(c.seeds)});
    }
    return rows;
}

std::string reproduction_text(const std::string& system, const systems::Reproduction& result) {
    std::string out = concat(system, "  ", result.headline, "\n",
                             text_table(claim_rows(result.claims)), reasons_text(result));
    const std::vector<std::string> deviations = all_deviations(result);
    if (!deviations.empty()) out += "deviations: " + joined(deviations, "; ") + "\n";
    if (result.interrupted)
        out += "interrupted: the claims above are complete, the others missing\n";
    return out;
}

train::Table claim_table(const systems::Reproduction& result) {
    auto rows = claim_rows(result.claims);
    const std::vector<std::string> header = rows.front();
    rows.erase(rows.begin());
    const std::vector<std::string> deviations = all_deviations(result);
    return {.title = "Claims",
            .header = header,
            .rows = std::move(rows),
            .note = reasons_text(result) +
                    (deviations.empty() ? "" : "Deviations: " + joined(deviations, "; "))};
}

bool any_failed(const systems::Reproduction& result) {
    return std::any_of(result.claims.begin(), result.claims.end(),
                       [](const Claim& c) { return c.verdict == Verdict::fail; });
}

}  // namespace soma::cli
