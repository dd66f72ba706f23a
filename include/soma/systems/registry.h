#pragma once
// The systems of the course: what each one is, and how it is run.
//
// A system is one file in src/systems/<folder>/ that defines its network, its recipe and its
// claims, and one line in registry.cpp. `reproduce` runs the claims; `train` (where the system has
// one) trains the net once under the caller's options, on any number of ranks; `sweep` tells how
// one of many small nets is trained.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "soma/systems/claim.h"
#include "soma/systems/net_sweep.h"

namespace soma::dist {
class Comm;
}
namespace soma::train {
class RunFolder;
struct TrainOptions;
struct TrainResult;
}  // namespace soma::train

namespace soma::systems {

struct NetRecipe;  // net_recipe.h

// What `soma reproduce` passes to a system.
struct ReproduceContext {
    int seeds = 0;                        // number of seeds; 0: the recipe's own
    std::optional<std::uint64_t> seed;    // just this one
    std::string set;                      // force a data set; "": the preferred one found
    std::vector<std::string> data_roots;  // where to look for sets (data/sets.h)
    bool roots_given = false;             // the roots came from --data or SOMA_DATA
    std::string tier;                     // "": every tier the claim list has
    std::string claims_glob = "*";        // only claims whose id matches
    train::RunFolder* folder = nullptr;   // figures and artefacts; never null in `reproduce`
    // Called as each claim is decided, to print it at once.
    std::function<void(const Claim&)> on_claim;
    // Called with (done, total) work units of the current claim, for the progress bar.
    std::function<void(const std::string& what, double done, double total)> on_progress;
    // Polled between units of work: true after SIGINT. The system returns what it has.
    std::function<bool()> stop_requested;

    bool wants(const std::string& claim_id) const;  // matches claims_glob
    bool stopped() const { return stop_requested && stop_requested(); }
    void progress(const std::string& what, double done, double total) const {
        if (on_progress) on_progress(what, done, total);
    }
};

struct Reproduction {
    std::string headline;  // one line above the table: sizes, paper, data
    std::vector<Claim> claims;
    std::vector<std::string> deviations;  // of the system as a whole
    std::vector<std::string> unwanted;    // ids of claims that claims_glob left out
    bool interrupted = false;
};

struct System {
    std::string name;                  // "lecun1989"
    std::vector<std::string> aliases;  // "digits"
    int year = 0;
    std::string title;   // "Backpropagation applied to handwritten zip code recognition"
    std::string paper;   // "LeCun et al. 1989, Neural Computation 1(4)"
    std::string slide;   // the course's name for it: "LeCun 1989"
    std::string data;    // "digits8x8 / usps, mnist16"
    double minutes = 0;  // of `reproduce` on two cores
    std::function<Reproduction(const ReproduceContext&)> reproduce;
    // Trains once; nullptr: nothing to train by gradient descent.
    std::function<train::TrainResult(const train::TrainOptions&, dist::Comm&)> train;
    // How `soma sweep` trains one of many nets; absent: it has none.
    std::function<NetSweep()> sweep = {};
    // The recurrent net of a recipe ("": the first) that `train` makes, for `soma analyze`; absent:
    // it has none.
    std::function<NetRecipe(const std::string& recipe)> net = {};
};

// All systems, by year. find() accepts names and aliases and spells '-' as '_' and the reverse;
// nullptr when unknown.
std::span<const System> all_systems();
const System* find(const std::string& name);
// Known names nearest to a misspelt one, nearest first, at most three.
std::vector<std::string> nearest_names(const std::string& name);

}  // namespace soma::systems
