#pragma once
// Helpers of the data tests: folders that vanish, expected errors, optional sets.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "soma/core/error.h"
#include "soma/data/file.h"
#include "soma/data/sets.h"

namespace soma::data::test {

class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "soma-data-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
        path_ = name;
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    std::string path() const { return path_.string(); }
    std::string operator/(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

inline void write(const std::string& path, ByteView bytes) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
}

inline Bytes to_bytes(const std::string& text) {
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}

// Message of the Error with this code that f throws; fails the test when it throws none.
template <class F>
std::string error_of(ErrorCode code, F&& f) {
    try {
        f();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), code) << e.what();
        return e.what();
    }
    ADD_FAILURE() << "no error was thrown";
    return "";
}

// Where a set that is not embedded lies, by the test program's own SOMA_DATA; nullopt: skip.
inline std::optional<SetLocation> find_optional_set(const std::string& name) {
    const char* variable = std::getenv("SOMA_DATA");
    return find_set(name, data_roots("", variable ? variable : ""));
}

}  // namespace soma::data::test
