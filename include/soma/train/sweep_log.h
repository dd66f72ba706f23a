#pragma once
// SweepLog: the finished nets of a sweep, on disk as each of them finishes.
//
//   {"sweep":"rates","system":"flipflop2013","numerics":2}     line 1: whose log it is
//   {"id":"9f3a51c2d07e4b68", ...}                             then a line a net, as they come
//
// Lines are only appended, and a line is on the disk when append() returns: a crash costs the nets
// that were being computed, never a finished one. What a crash left of a last line is cut off when
// the log is opened again. While it is open no other process can open it.

#include <map>
#include <string>

#include "soma/train/log.h"

namespace soma::train {

class SweepLog {
public:
    // Opens `path`, or begins it with `identity` (strings and whole numbers). Error(data) naming
    // the field when the log has another identity, or the line when one before the last is damaged;
    // Error(usage) when another process has it open; Error(checkpoint) when it cannot be written.
    SweepLog(const std::string& path, const Fields& identity);
    ~SweepLog();
    SweepLog(const SweepLog&) = delete;
    SweepLog& operator=(const SweepLog&) = delete;

    // The line of each net, by id. Of several lines with one id the last counts.
    const std::map<std::string, std::string>& rows() const { return rows_; }
    // `line` is a JSON object on one line that holds "id". Error(checkpoint) when it cannot be
    // written, for example on a full disk.
    void append(const std::string& id, const std::string& line);

private:
    void lock() const;
    void read(const Fields& identity);
    void cut(std::size_t length) const;
    void write_line(const std::string& line);

    std::string path_;
    int file_ = -1;
    std::map<std::string, std::string> rows_;
};

}  // namespace soma::train
