#include "bench/rivals/library.h"

#include <dlfcn.h>

#include <filesystem>

#include "soma/core/error.h"

namespace soma::bench {
namespace {

constexpr int kMostNeeded = 64;  // libraries that one may need from its folder
#ifdef __SANITIZE_ADDRESS__      // whose allocator has to serve the libraries as well
constexpr int kFlags = RTLD_NOW | RTLD_LOCAL;
#else
constexpr int kFlags = RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND;
#endif

// dlopen, loading what it misses from `folder` first: a loaded library is found by its name.
void* open_with_needed(const std::string& folder, const std::string& file, int depth = 0) {
    const std::string path = folder + "/" + file;
    for (int i = 0; i < kMostNeeded; ++i) {
        if (void* handle = dlopen(path.c_str(), kFlags)) return handle;
        // "libtbb.so.12: cannot open shared object file: No such file or directory"
        const std::string message = dlerror();
        const std::string missing = message.substr(0, message.find(':'));
        const bool here = missing != path && std::filesystem::exists(folder + "/" + missing);
        if (!here || depth == 8 || open_with_needed(folder, missing, depth + 1) == nullptr) break;
    }
    return nullptr;
}

}  // namespace

Library::Library(const std::vector<std::string>& names, const std::vector<std::string>& folders) {
    for (const std::string& folder : folders) {
        for (const std::string& name : names) {
            if (!std::filesystem::exists(folder + "/" + name)) continue;
            handle_ = open_with_needed(folder, name);
            path_ = folder + "/" + name;
            if (handle_ != nullptr) return;
        }
    }
    for (const std::string& name : names) {
        handle_ = dlopen(name.c_str(), kFlags);
        path_ = name;
        if (handle_ != nullptr) return;
    }
    path_.clear();
}

void* Library::address(const char* name) const {
    return handle_ == nullptr ? nullptr : dlsym(handle_, name);
}

std::vector<std::string> library_folders(const std::string& list) {
    std::vector<std::string> folders;
    std::size_t begin = 0;
    while (begin < list.size()) {
        const std::size_t end = std::min(list.find_first_of(",:", begin), list.size());
        const std::string folder = list.substr(begin, end - begin);
        begin = end + 1;
        if (folder.empty()) continue;
        SOMA_CHECK(std::filesystem::is_directory(folder), "rivals: '", folder,
                   "' is no folder; need folders that hold libraries, separated by commas");
        folders.push_back(std::filesystem::absolute(folder).string());
        if (std::filesystem::is_directory(folder + "/lib")) {
            folders.push_back(folders.back() + "/lib");
        }
    }
    return folders;
}

}  // namespace soma::bench
