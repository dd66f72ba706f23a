#pragma once
// The analyses of `soma analyze`: each takes a trained net apart and says what it found as a table,
// as JSON and as files in the run folder.

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "soma/neuro/dynamics.h"
#include "soma/systems/net_recipe.h"
#include "soma/train/report.h"

namespace soma::cli {

using AnalysisJson = nlohmann::ordered_json;

struct AnalyzeOptions {
    std::vector<double> input;  // held; empty: zeros
    Index seeds = 1024;         // states from which fixed points are searched
    std::uint64_t seed = 0;     // of these
    double tolerance = 1e-24;   // q of a fixed point
    double slow = 1e-8;         // q of a slow point
    Index trajectories = 32;    // trials whose states are the data
    Index modes = 10;           // written per point
    Index output = 1;           // whose readout orders the points of `selection`
    Index exponents = 10;
    Index steps = 10000, transient = 1000;
    Index grid = 41;
};

// The net, its deterministic dynamics in f64 with time in units of tau, and states it visits.
struct Subject {
    systems::RestoredNet restored;
    std::unique_ptr<neuro::Dynamics> dynamics;
    std::vector<double> input;
    linalg::Matrix states;   // [M, N]
    linalg::Matrix readout;  // [O, N]

    double tau_ms() const { return restored.recipe.task->tau(); }
    std::vector<double> outputs(const std::vector<double>& x) const;  // [O], without bias
};

struct Analysis {
    std::vector<std::string> notes;               // what was found, a sentence each
    std::vector<std::vector<std::string>> table;  // header and rows
    AnalysisJson result;
};

using Analyze = Analysis (*)(const Subject&, const AnalyzeOptions&, train::RunFolder&);

// Fixed and slow points with certificates and spectra (neuro.md 6.2, 6.3); fixed_points.npz.
Analysis analyze_fixed_points(const Subject& s, const AnalyzeOptions& o, train::RunFolder& folder);
// Slow points along an output, what each input does along them (6.5).
Analysis analyze_selection(const Subject& s, const AnalyzeOptions& o, train::RunFolder& folder);
// Velocities in the plane of the two leading components (6.7); flow.npz.
Analysis analyze_flow(const Subject& s, const AnalyzeOptions& o, train::RunFolder& folder);
// The largest exponents from the last of the states (6.9).
Analysis analyze_lyapunov(const Subject& s, const AnalyzeOptions& o, train::RunFolder& folder);

}  // namespace soma::cli
