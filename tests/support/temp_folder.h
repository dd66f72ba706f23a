#pragma once
// TempFolder: an empty folder for one test, removed with it.

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace soma::test {

class TempFolder {
public:
    TempFolder() {
        path_ = (std::filesystem::temp_directory_path() / "soma-test-XXXXXX").string();
        if (mkdtemp(path_.data()) == nullptr) std::abort();
    }
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    const std::string& path() const { return path_; }
    std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

}  // namespace soma::test
