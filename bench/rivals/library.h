#pragma once
// A shared library found at run time: how rivals are used without being linked (kernels.md 18.7).
//
// RTLD_LOCAL | RTLD_DEEPBIND keeps its symbols, and those of what it depends on, to itself. A
// Python wheel may hold libraries that need each other without saying where: what the loader
// misses is looked for in the same folder. A library stays loaded until the program ends, because
// thread pools do not survive their code.

#include <string>
#include <vector>

namespace soma::bench {

class Library {
public:
    Library() = default;
    // The first of `names` found in one of `folders`, else where the system looks.
    Library(const std::vector<std::string>& names, const std::vector<std::string>& folders);

    explicit operator bool() const { return handle_ != nullptr; }
    const std::string& path() const { return path_; }

    // The address of a function of this library or of one it needs; nullptr when there is none.
    template <class F>
    F* function(const char* name) const {
        return reinterpret_cast<F*>(address(name));
    }

private:
    void* address(const char* name) const;

    void* handle_ = nullptr;
    std::string path_;
};

// The folders of a list separated by commas or colons, each with its lib/ where it has one.
// Error(usage) for a folder that is not there.
std::vector<std::string> library_folders(const std::string& list);

}  // namespace soma::bench
