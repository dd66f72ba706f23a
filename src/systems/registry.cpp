// The systems of the course, by year: one row each. A new system adds its row here and its
// functions to systems.h.

#include "soma/systems/registry.h"

#include <fnmatch.h>

#include <algorithm>

#include "soma/core/text.h"
#include "systems/systems.h"

namespace soma::systems {
namespace {

std::string folded(std::string name) {
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

}  // namespace

bool ReproduceContext::wants(const std::string& claim_id) const {
    return fnmatch(claims_glob.c_str(), claim_id.c_str(), 0) == 0;
}

std::span<const System> all_systems() {
    static const std::vector<System> systems = {
        {.name = "mcculloch_pitts",
         .aliases = {"mp"},
         .year = 1943,
         .title = "A logical calculus of the ideas immanent in nervous activity",
         .paper = "McCulloch & Pitts 1943, Bulletin of Mathematical Biophysics 5",
         .slide = "McCulloch-Pitts neuron",
         .data = "generated",
         .minutes = 0.1,
         .reproduce = reproduce_mcculloch_pitts,
         .train = nullptr},
        {.name = "perceptron",
         .aliases = {"pc", "rosenblatt"},
         .year = 1958,
         .title = "The perceptron: a probabilistic model for information storage",
         .paper = "Rosenblatt 1958, Psychological Review 65(6)",
         .slide = "Perceptron",
         .data = "generated",
         .minutes = 0.1,
         .reproduce = reproduce_perceptron,
         .train = nullptr},
    };
    return systems;
}

const System* find(const std::string& name) {
    const std::string wanted = folded(name);
    for (const System& system : all_systems()) {
        const auto& aliases = system.aliases;
        const bool alias = std::any_of(aliases.begin(), aliases.end(),
                                       [&](const std::string& a) { return folded(a) == wanted; });
        if (alias || folded(system.name) == wanted) return &system;
    }
    return nullptr;
}

std::vector<std::string> nearest_names(const std::string& name) {
    std::vector<std::string> known;
    for (const System& system : all_systems()) {
        known.push_back(system.name);
        known.insert(known.end(), system.aliases.begin(), system.aliases.end());
    }
    return nearest(name, known);
}

}  // namespace soma::systems
