// soma inspect: what is in a file of arrays or a log; safe on files that nobody vouches for.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/arrays.h"
#include "cli/hang_report.h"
#include "cli/names.h"
#include "cli/text_table.h"
#include "cli/trace.h"
#include "cli/verbs.h"
#include "soma/core/error.h"
#include "soma/data/file.h"

namespace soma::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
    CommonOptions common;
    std::string file, other;
    std::string trace;  // file to write; "": none
    bool verify = false, json = false, csv = false, hang = false;
};

std::string shape_text(const std::vector<Index>& sizes) {
    std::string out;
    for (const Index size : sizes) out += concat(out.empty() ? "" : ", ", size);
    return "[" + out + "]";
}

std::string abridged(const std::string& text) {
    constexpr std::size_t kLongest = 100;
    return text.size() <= kLongest ? text : text.substr(0, kLongest) + "...";
}

Json json_of(const ArrayFile& file, const std::string& path) {
    Json arrays = Json::array(), metadata = Json::object();
    for (const auto& [key, value] : file.metadata) metadata[key] = value;
    for (const NamedArray& a : file.arrays) {
        const Statistics s = statistics_of(a.values);
        arrays.push_back({{"name", a.name},
                          {"type", a.type},
                          {"shape", a.sizes},
                          {"count", s.count},
                          {"min", s.min},
                          {"max", s.max},
                          {"mean", s.mean},
                          {"sd", s.sd},
                          {"nan", s.nan},
                          {"infinite", s.infinite}});
    }
    return {{"schema", 1},
            {"file", path},
            {"format", file.format},
            {"metadata", metadata},
            {"arrays", arrays}};
}

void print_arrays(const ArrayFile& file, const std::string& path) {
    std::cout << path << ": " << file.format << ", " << file.arrays.size() << " arrays\n";
    for (const auto& [key, value] : file.metadata) {
        std::cout << "  " << key << ": " << abridged(value) << "\n";
    }
    std::vector<std::vector<std::string>> rows = {
        {"name", "type", "shape", "min", "max", "mean", "sd", "NaN", "Inf"}};
    for (const NamedArray& a : file.arrays) {
        const Statistics s = statistics_of(a.values);
        rows.push_back({a.name, a.type, shape_text(a.sizes), short_number(s.min, 5),
                        short_number(s.max, 5), short_number(s.mean, 5), short_number(s.sd, 5),
                        concat(s.nan), concat(s.infinite)});
    }
    std::cout << text_table(rows);
}

// ---- logs ----

// The objects of a log. A last line that does not parse was cut by a crash and is dropped.
std::vector<Json> read_log(const std::string& path) {
    std::ifstream in(path);
    if (!in) fail(ErrorCode::data, "log ", path, ": cannot be opened");
    std::vector<Json> events;
    Index number = 0, bad = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (bad > 0) fail(ErrorCode::data, "log ", path, ": line ", bad, " is no JSON object");
        Json event = Json::parse(line, nullptr, false);
        if (event.is_object()) {
            events.push_back(std::move(event));
        } else {
            bad = number;
        }
    }
    return events;
}

std::string cell_text(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

// All events as comma-separated values; the columns are all keys, in the order of appearance.
void print_csv(const std::vector<Json>& events) {
    std::vector<std::string> keys;
    for (const Json& event : events) {
        for (const auto& [key, value] : event.items()) {
            if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
        }
    }
    for (std::size_t k = 0; k < keys.size(); ++k) std::cout << (k == 0 ? "" : ",") << keys[k];
    std::cout << "\n";
    for (const Json& event : events) {
        for (std::size_t k = 0; k < keys.size(); ++k) {
            if (k > 0) std::cout << ",";
            if (event.contains(keys[k])) std::cout << event[keys[k]].dump();
        }
        std::cout << "\n";
    }
}

int inspect_log(const Options& options) {
    const std::vector<Json> events = read_log(options.file);
    if (options.csv) {
        print_csv(events);
        return 0;
    }
    std::map<std::string, std::pair<Index, const Json*>> kinds;  // how many, and the last one
    for (const Json& event : events) {
        const Json kind = event.value("event", Json());
        auto& [count, last] = kinds[kind.is_string() ? kind.get<std::string>() : "?"];
        ++count;
        last = &event;
    }
    std::vector<std::vector<std::string>> rows = {{"event", "lines", "last"}};
    Json list = Json::object();
    for (const auto& [kind, found] : kinds) {
        rows.push_back({kind, concat(found.first), abridged(cell_text(*found.second))});
        list[kind] = {{"lines", found.first}, {"last", *found.second}};
    }
    if (options.json) {
        std::cout << Json{{"schema", 1}, {"file", options.file}, {"events", list}}.dump(2) << "\n";
    } else {
        std::cout << options.file << ": log, " << events.size() << " lines\n" << text_table(rows);
    }
    return 0;
}

int print_difference(const Options& options, const ArrayFile& file) {
    const std::string found = first_difference(file, read_arrays(options.other));
    if (options.json) {
        std::cout << Json{{"schema", 1},
                          {"file", options.file},
                          {"other", options.other},
                          {"equal", found.empty()},
                          {"difference", found.empty() ? Json() : Json(found)}}
                         .dump(2)
                  << "\n";
    } else {
        std::cout << (found.empty() ? "equal: same names, shapes and bits" : found) << "\n";
    }
    return found.empty() ? 0 : 1;
}

int verify(const Options& options) {
    const bool checksums = verify_arrays(options.file);
    if (options.json) {
        std::cout << Json{{"schema", 1},
                          {"file", options.file},
                          {"layout", "ok"},
                          {"checksums", checksums ? Json("ok") : Json()}}
                         .dump(2)
                  << "\n";
    } else {
        std::cout << options.file << ": layout ok"
                  << (checksums ? ", checksums ok" : ", it has no checksums") << "\n";
    }
    return 0;
}

// ---- log folders ----

int write_trace(const Options& options) {
    const std::vector<train::RankTimeline> timelines = read_timelines(options.file);
    data::write_file_atomically(options.trace,
                                data::as_bytes(chrome_trace(timelines).dump() + "\n"));
    if (!options.json) {
        std::cout << exposed_table(timelines) << "trace: " << options.trace << "\n";
        return 0;
    }
    Json percent = Json::array();
    ExposedTime all;
    for (const train::RankTimeline& t : timelines) {
        const ExposedTime time = exposed_time(t);
        percent.push_back(time.percent());
        all.waited += time.waited;
        all.total += time.total;
    }
    std::cout << Json{{"schema", 1},
                      {"trace", options.trace},
                      {"exposed_percent", all.percent()},
                      {"exposed_percent_by_rank", percent}}
                     .dump(2)
              << "\n";
    return 0;
}

int show_hang(const Options& options) {
    const std::vector<HangReport> reports = read_hangs(options.file);
    const HangVerdict verdict = hang_verdict(reports);
    if (!options.json) {
        std::cout << hang_table(reports) << "culprit: " << verdict.why << "\n";
        return 0;
    }
    Json list = Json::array();
    for (const HangReport& r : reports) list.push_back(Json::parse(hang_text(r)));
    std::cout << Json{{"schema", 1},
                      {"culprits", verdict.culprits},
                      {"why", verdict.why},
                      {"reports", list}}
                     .dump(2)
              << "\n";
    return 0;
}

int run_inspect(Options& options) {
    apply(options.common);
    if (options.hang) return show_hang(options);
    if (!options.trace.empty()) return write_trace(options);
    if (options.file.ends_with(".jsonl")) return inspect_log(options);
    for (std::string* path : {&options.file, &options.other}) {
        if (std::filesystem::is_directory(*path)) *path = known_checkpoint(*path);
    }
    if (options.verify && options.other.empty()) return verify(options);
    const ArrayFile file = read_arrays(options.file);
    if (!options.other.empty()) return print_difference(options, file);
    if (options.json) {
        std::cout << json_of(file, options.file).dump(2) << "\n";
    } else {
        print_arrays(file, options.file);
    }
    return 0;
}

}  // namespace

void add_inspect(CLI::App& program, Action& action) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb =
        add_verb(program, "inspect",
                 "list, verify or compare files: safetensors, npy, npz, png, "
                 "idx, jsonl",
                 "soma inspect first/lecun1989-*/log.jsonl   # after: soma train lecun1989 --out "
                 "first\n  soma inspect first/lecun1989-* --verify\n"
                 "  soma inspect a.safetensors --diff b.safetensors\n"
                 "  soma inspect logs --trace out.json   # after: mpirun -np 2 soma train "
                 "lecun1989 --log-dir logs",
                 options->common);
    verb->add_option(
            "file", options->file,
            "the file; a run folder: its newest checkpoint; or the --log-dir of a training")
        ->type_name("FILE")
        ->required();
    verb->add_flag("--verify", options->verify, "check layout and checksums only");
    verb->add_option("--diff", options->other, "name the first difference from this file")
        ->type_name("FILE");
    verb->add_option("--trace", options->trace,
                     "write the ranks' timelines of a log folder as one Chrome trace (Perfetto "
                     "shows it), and print the share of exposed communication")
        ->type_name("FILE");
    verb->add_flag(
        "--hang", options->hang,
        "who waits for whom, from the reports of ranks that waited long in a log folder, "
        "and the culprit");
    verb->add_flag("--csv", options->csv, "a log as comma-separated values");
    verb->add_flag("--json", options->json, "one JSON object on standard output");
    verb->callback([options, &action] { action = [options] { return run_inspect(*options); }; });
}

}  // namespace soma::cli
