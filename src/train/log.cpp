#include "soma/train/log.h"

#include <chrono>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

#include "soma/core/error.h"

namespace soma::train {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Fields& fields) {
    Json object = Json::object();
    for (const auto& [key, value] : fields) {
        std::visit([&, &name = key](const auto& v) { object[name] = v; }, value);
    }
    return object;
}

// Bytes that are not UTF-8 (a file name, say) are replaced instead of losing the line.
std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string utc_now() {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[32];
    const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text, length};
}

enum class Tail { none, whole_line, half_line };

// How the file ends that a log is about to be appended to.
Tail tail_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in || !in.seekg(-1, std::ios::end)) return Tail::none;
    return in.get() == '\n' ? Tail::whole_line : Tail::half_line;
}

}  // namespace

std::string to_json(const Fields& fields) { return dump(json_of(fields)); }

std::string to_text(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    return dump(std::visit([](const auto& v) { return Json(v); }, value));
}

JsonLog::JsonLog(const std::string& path) : path_(path) {
    const Tail tail = tail_of(path);
    out_.open(path, std::ios::app);
    if (!out_) fail(ErrorCode::checkpoint, "log: cannot open ", path, " for appending");
    if (tail == Tail::half_line) out_ << '\n';  // left by a crash; the marker starts on its own
    write_line(to_json({{"event", tail == Tail::none ? "open" : "reopen"},
                        {"schema", Index{kLogSchema}},
                        {"time", utc_now()}}));
}

void JsonLog::write(const std::string& event, const Fields& fields) {
    Fields all{{"event", event}, {"t", std::round(since_open_.seconds() * 1e3) / 1e3}};
    all.insert(all.end(), fields.begin(), fields.end());
    write_line(to_json(all));
    ++events_;
}

void JsonLog::write_line(const std::string& line) {
    out_ << line << '\n' << std::flush;
    if (!out_) fail(ErrorCode::checkpoint, "log: cannot write to ", path_, "; is the disk full?");
}

}  // namespace soma::train
