// soma list: the systems of the course.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "soma/core/error.h"
#include "soma/data/sets.h"
#include "soma/systems/registry.h"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
    CommonOptions common;
    DataOptions data;
    std::string what = "systems", runs = "runs";
    bool json = false;
};

// The newest run folder of a system that holds claims; "" when there is none.
fs::path newest_claims(const std::string& runs, const std::string& system) {
    std::error_code ignored;
    fs::path newest;
    for (const auto& entry : fs::directory_iterator(runs, ignored)) {
        const std::string name = entry.path().filename().string();
        const fs::path claims = entry.path() / "claims.jsonl";
        // Names end in the date, so that their order is the order of time.
        const bool ours = name.starts_with(system + "-2");
        if (ours && fs::exists(claims) && claims > newest) newest = claims;
    }
    return newest;
}

// "pass", "2 failed" or "-": what the newest reproduction found.
std::string last_verdict(const std::string& runs, const std::string& system) {
    const fs::path path = newest_claims(runs, system);
    if (path.empty()) return "-";
    std::ifstream in(path);
    int claims = 0, failed = 0;
    for (std::string line; std::getline(in, line);) {
        const auto claim = nlohmann::json::parse(line, nullptr, false);
        if (!claim.is_object()) continue;
        ++claims;
        failed += claim.value("verdict", "") == "fail";
    }
    if (claims == 0) return "-";
    return failed > 0 ? concat(failed, " failed") : "pass";
}

std::string minutes_text(double minutes) {
    if (minutes < 1) return concat(std::max(1, static_cast<int>(minutes * 60)), " s");
    return concat(static_cast<int>(minutes + 0.5), " min");
}

int list_systems(const Options& options) {
    using Json = nlohmann::ordered_json;
    std::vector<std::vector<std::string>> rows = {
        {"name", "year", "slide", "paper", "data", "time", "train", "last verdict"}};
    Json list = Json::array();
    for (const systems::System& s : systems::all_systems()) {
        const std::string verdict = last_verdict(options.runs, s.name);
        rows.push_back({s.name, concat(s.year), s.slide, s.paper, s.data, minutes_text(s.minutes),
                        s.train ? "yes" : "-", verdict});
        list.push_back({{"name", s.name},
                        {"aliases", s.aliases},
                        {"year", s.year},
                        {"title", s.title},
                        {"paper", s.paper},
                        {"slide", s.slide},
                        {"data", s.data},
                        {"minutes", s.minutes},
                        {"trains", static_cast<bool>(s.train)},
                        {"last_verdict", verdict == "-" ? Json() : Json(verdict)}});
    }
    if (options.json) {
        std::cout << Json{{"schema", 1}, {"systems", list}}.dump(2) << "\n";
    } else {
        std::cout << text_table(rows)
                  << "\nsoma reproduce NAME runs one; soma train NAME trains one"
                  << " where the column says so\n";
    }
    return 0;
}

std::string found_text(const data::SetInfo& set, const std::vector<std::string>& roots) {
    const std::optional<data::SetLocation> where = data::find_set(set.name, roots);
    if (!where) return "-";
    return where->embedded() ? "embedded" : where->folder;
}

int list_sets(const Options& options) {
    using Json = nlohmann::ordered_json;
    std::vector<std::vector<std::string>> rows = {
        {"set", "content", "train", "test", "found", "licence", "how to obtain it"}};
    Json list = Json::array();
    const std::vector<std::string> roots = options.data.roots();
    for (const data::SetInfo& set : data::known_sets()) {
        const std::string found = found_text(set, roots);
        rows.push_back({set.name, set.content, concat(set.train), concat(set.test), found,
                        set.licence, set.how});
        list.push_back({{"name", set.name},
                        {"content", set.content},
                        {"train", set.train},
                        {"test", set.test},
                        {"found", found == "-" ? Json() : Json(found)},
                        {"licence", set.licence},
                        {"how", set.how}});
    }
    if (options.json) {
        std::cout << Json{{"schema", 1}, {"sets", list}}.dump(2) << "\n";
    } else {
        std::cout << text_table(rows);
    }
    return 0;
}

}  // namespace

void add_list(CLI::App& program, Action& action) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb = add_verb(program, "list", "the systems of the course, or the data sets",
                              "soma list\n  soma list sets", options->common);
    verb->add_option("what", options->what, "systems or sets")
        ->check(CLI::IsMember({"systems", "sets"}));
    verb->add_option("--data", options->data.path, "where to look for sets, before SOMA_DATA")
        ->type_name("PATH");
    verb->add_option("--runs", options->runs, "where earlier runs are")->type_name("DIR");
    verb->add_flag("--json", options->json, "one JSON object on standard output");
    verb->callback([options, &action] {
        action = [options] {
            apply(options->common);
            options->data.check();
            return options->what == "sets" ? list_sets(*options) : list_systems(*options);
        };
    });
}

}  // namespace soma::cli
