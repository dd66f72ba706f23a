#include "soma/train/sweep_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "soma/core/error.h"
#include "soma/data/file.h"

namespace soma::train {
namespace {

using Json = nlohmann::json;

Json parsed(const std::string& line) { return Json::parse(line, nullptr, false); }

// The id of a net's line; "" when the line is damaged.
std::string id_of(const std::string& line) {
    const Json row = parsed(line);
    const bool whole = row.is_object() && row.contains("id") && row["id"].is_string();
    return whole ? row["id"].get<std::string>() : "";
}

// A file as its lines and what stands behind the last end of a line.
struct Lines {
    std::vector<std::string> whole;
    std::string rest;
};

Lines read_lines(const std::string& path) {
    const data::Bytes bytes = data::read_file(path);
    const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    Lines lines;
    std::size_t begin = 0;
    for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
        lines.whole.push_back(text.substr(begin, end - begin));
    }
    lines.rest = text.substr(begin);
    return lines;
}

[[noreturn]] void fail_other_file(const std::string& path) {
    fail(ErrorCode::data, "sweep log ", path, ": line 1 names no sweep; this is another file");
}

void check_identity(const std::string& path, const std::string& line, const Fields& identity) {
    const Json header = parsed(line), expected = parsed(to_json(identity));
    if (!header.is_object() || !header.contains(identity[0].first)) fail_other_file(path);
    for (const auto& [key, value] : expected.items()) {
        if (header.value(key, Json()) == value) continue;
        fail(ErrorCode::data, "sweep log ", path, " is of another sweep: its ", key, " is ",
             header.value(key, Json()).dump(), ", need ", value.dump());
    }
}

// A new name in a folder is safe once the folder is.
void sync_folder_of(const std::string& path) {
    const auto folder = std::filesystem::absolute(path).parent_path();
    const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return;
    ::fsync(file);
    ::close(file);
}

}  // namespace

SweepLog::SweepLog(const std::string& path, const Fields& identity) : path_(path) {
    file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file_ < 0) {
        fail(ErrorCode::checkpoint, "sweep log: cannot open ", path, ": ", std::strerror(errno));
    }
    try {
        lock();
        read(identity);
    } catch (...) {
        ::close(file_);
        throw;
    }
}

SweepLog::~SweepLog() { ::close(file_); }

// Where the file system has no locks, the caller sees to it that one process writes.
void SweepLog::lock() const {
    if (::flock(file_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
    fail(ErrorCode::usage, "sweep log ", path_,
         " is being written by another process; is the sweep running already?");
}

void SweepLog::read(const Fields& identity) {
    const auto [lines, rest] = read_lines(path_);
    if (lines.empty()) {
        if (!to_json(identity).starts_with(rest)) fail_other_file(path_);
        cut(0);
        write_line(to_json(identity));
        sync_folder_of(path_);
        return;
    }
    check_identity(path_, lines[0], identity);
    std::size_t length = lines[0].size() + 1;
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const std::string id = id_of(lines[i]);
        if (id.empty() && i + 1 == lines.size()) break;
        if (id.empty()) {
            fail(ErrorCode::data, "sweep log ", path_, ": line ", i + 1,
                 " is damaged; remove it to have its net computed again");
        }
        rows_[id] = lines[i];
        length += lines[i].size() + 1;
    }
    cut(length);
}

void SweepLog::cut(std::size_t length) const {
    if (::ftruncate(file_, static_cast<off_t>(length)) == 0) return;
    fail(ErrorCode::checkpoint, "sweep log: cannot cut ", path_, ": ", std::strerror(errno));
}

void SweepLog::append(const std::string& id, const std::string& line) {
    write_line(line);
    rows_[id] = line;
}

void SweepLog::write_line(const std::string& line) {
    const std::string text = line + "\n";
    std::size_t written = 0;
    while (written < text.size()) {
        const ssize_t n = ::write(file_, text.data() + written, text.size() - written);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            fail(ErrorCode::checkpoint, "sweep log: cannot write to ", path_, ": ",
                 std::strerror(errno));
        }
        written += static_cast<std::size_t>(n);
    }
    if (::fsync(file_) != 0) {
        fail(ErrorCode::checkpoint, "sweep log: cannot sync ", path_, ": ", std::strerror(errno));
    }
}

}  // namespace soma::train
