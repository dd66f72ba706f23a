#pragma once
// SweepPlan: the nets of a sweep, from a file.
//
//   {
//       "name": "rates",                         // of the sweep and its folder
//       "system": "flipflop2013",
//       "options": {"units": 32},                // the same for all nets; the rest: the recipe's
//       "axes": {"rate": [0.01, 0.02], "sigma": [0, 0.1]},   // every combination is a setting
//       "seeds": {"first": 1, "count": 50}       // of every setting; or a list: [1, 2, 7]
//   }
//
// JSON with comments. A net is its spec: system, all options and seed, as canonical JSON (keys
// sorted, no blanks, numbers in their shortest exact form). Its id is the 64-bit hash of that, so
// a net stays the same whatever is added to the plan around it.

#include <cstdint>
#include <string>
#include <vector>

#include "soma/systems/net_sweep.h"

namespace soma::systems {

struct SweepAxis {
    std::string option;
    std::vector<train::Value> values;
};

struct SweepNet {
    std::string id;     // 16 hexadecimal digits
    Index setting = 0;  // position in SweepPlan::settings
    std::uint64_t seed = 0;
};

struct SweepPlan {
    std::string name, system;
    NetSweep sweep;               // of the system
    std::vector<SweepAxis> axes;  // in the order of the file
    // All options of each setting, in the order of sweep.options; the last axis varies fastest.
    std::vector<train::Fields> settings;
    // Seed by seed, the settings in order: a sweep that was stopped has every setting alike.
    std::vector<SweepNet> nets;

    std::string spec(const SweepNet& net) const;  // canonical JSON
    // What makes a log this sweep's: name, system and kNumericsVersion.
    train::Fields identity() const;
    // The values of a setting on the axes: "rate 0.01, sigma 0"; "all" without axes.
    std::string label(Index setting) const;
};

// `source` names the text in messages. Error(data) for malformed JSON, with its place; Error(usage)
// for an unknown or missing key, system or option (with the nearest known ones), a value of the
// wrong type or listed twice, an option that is both fixed and an axis, more than kMaxSweepNets.
SweepPlan parse_sweep_plan(const std::string& text, const std::string& source);
// The same from a file; Error(data) when it cannot be read.
SweepPlan read_sweep_plan(const std::string& path);

inline constexpr Index kMaxSweepNets = 10'000'000;

}  // namespace soma::systems
