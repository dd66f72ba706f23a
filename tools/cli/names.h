#pragma once
// Names that a user typed, looked up.

#include <string>

#include "soma/systems/registry.h"

namespace soma::cli {

// Error(usage) with the nearest names when it is unknown.
const systems::System& known_system(const std::string& name);

// The checkpoint a user means: the file itself, or the newest valid one of a run folder or of a
// folder of checkpoints, with a warning on standard error for those passed over. Error(data) when
// there is none.
std::string known_checkpoint(const std::string& path);

}  // namespace soma::cli
