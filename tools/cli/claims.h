#pragma once
// How claims are shown: the lines and the table of `soma reproduce`, and its JSON (systems.md 8).

#include <string>
#include <vector>

#include "soma/systems/registry.h"
#include "soma/train/report.h"

namespace soma::cli {

// One JSON object on one line, with every field of the contract; null where empty.
std::string claim_json(const systems::Claim& claim);
// The object of --json: schema, claims, deviations, folders.
struct SystemResult {
    std::string system;
    systems::Reproduction reproduction;
    std::string folder;
};
std::string results_json(const std::vector<SystemResult>& results);

// The line printed when a claim is decided: "pass  parameters: 9760 (= 9760)".
std::string claim_line(const systems::Claim& claim);

// Header and one row a claim, in the columns of the contract.
std::vector<std::vector<std::string>> claim_rows(const std::vector<systems::Claim>& claims);
// Headline, table, reasons and deviations: what stands at the end of a reproduction.
std::string reproduction_text(const std::string& system, const systems::Reproduction& result);
// The same table for the page of the run.
train::Table claim_table(const systems::Reproduction& result);

// Whether any claim failed.
bool any_failed(const systems::Reproduction& result);

}  // namespace soma::cli
