#pragma once
// The figures of mante2013.

#include <span>

#include "systems/brain/mante_anatomy.h"

namespace soma::train {
class RunFolder;
}

namespace soma::systems {

// Behaviour and summaries of all nets, dynamics and population of the first. `nets` not empty.
void draw_mante(train::RunFolder& folder, std::span<const ManteAnatomy> nets,
                const neuro::ManteOptions& task);

}  // namespace soma::systems
