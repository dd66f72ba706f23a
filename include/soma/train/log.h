#pragma once
// JsonLog: what happened in a run, as JSON Lines: one object per line, flushed at once.
//
//   {"event":"open","schema":1,"time":"2026-01-31T12:00:00Z"}
//   {"event":"step","t":1.25,"step":100,"loss":0.31}
//   {"event":"reopen","schema":1,"time":"..."}          a restart appends behind this marker
//
// `t` is seconds since the log was opened. A line is written whole or, after a crash, is the last
// one of the file: a reader drops a last line that does not parse.

#include <fstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "soma/core/timer.h"
#include "soma/core/types.h"

namespace soma::train {

inline constexpr int kLogSchema = 1;

// A value of a log line or of a configuration. NaN and infinity are written as null: JSON has
// neither.
using Value = std::variant<bool, Index, double, std::string, std::vector<double>>;
using Fields = std::vector<std::pair<std::string, Value>>;

// One JSON object on one line, fields in the order given.
std::string to_json(const Fields& fields);
// For people: numbers in their shortest exact form, strings bare.
std::string to_text(const Value& value);

class JsonLog {
public:
    // Appends to `path`. Error(checkpoint) when it cannot be opened.
    explicit JsonLog(const std::string& path);
    // Error(checkpoint) when the line cannot be written, for example on a full disk.
    void write(const std::string& event, const Fields& fields);
    Index events() const { return events_; }  // written since it was opened

private:
    void write_line(const std::string& line);

    std::string path_;
    std::ofstream out_;
    Timer since_open_;
    Index events_ = 0;
};

}  // namespace soma::train
