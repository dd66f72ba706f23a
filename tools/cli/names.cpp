#include "cli/names.h"

#include <filesystem>
#include <iostream>

#include "cli/ranks.h"
#include "soma/core/error.h"
#include "soma/core/text.h"
#include "soma/train/checkpoint.h"

namespace soma::cli {

const systems::System& known_system(const std::string& name) {
    const systems::System* system = systems::find(name);
    if (system == nullptr) {
        fail(ErrorCode::usage, "unknown system '", name, "'",
             suggestion(systems::nearest_names(name)), " (soma list shows all)");
    }
    return *system;
}

std::string known_checkpoint(const std::string& path) {
    namespace fs = std::filesystem;
    if (!fs::exists(path)) fail(ErrorCode::data, "checkpoint ", path, ": no such file or folder");
    if (!fs::is_directory(path)) return path;
    const fs::path inner = fs::path(path) / "checkpoints";
    std::string warning;
    const std::string found =
        train::newest_valid_checkpoint(fs::is_directory(inner) ? inner.string() : path, &warning);
    if (found.empty()) {
        fail(ErrorCode::data, "checkpoint: ", path, " holds no valid checkpoint",
             warning.empty() ? "" : "; passed over: " + warning);
    }
    if (!warning.empty() && launched_rank() == 0) {
        std::cerr << "soma: warning: passed over " << warning << "soma: warning: going on from "
                  << found << std::endl;
    }
    return found;
}

}  // namespace soma::cli
