#pragma once
// Claim: one statement of a paper, beside what this program found; the output contract of
// `soma reproduce` (systems.md 8). Every field is always present in the JSON, null where empty;
// none is renamed or removed without raising kClaimSchema.

#include <optional>
#include <string>
#include <vector>

#include "soma/core/types.h"

namespace soma::systems {

inline constexpr int kClaimSchema = 1;

enum class Verdict { pass, fail, reported, skipped };
const char* name_of(Verdict v);

// The gate of a claim: what its own value must satisfy. Printed as "<= 5.8" or ">= 56/100".
struct Gate {
    enum class Kind { none, at_most, at_least, equal } kind = Kind::none;
    double bound = 0;
    double of = 0;  // "k of n" gates: the n; 0 otherwise

    static Gate at_most(double bound) { return {Kind::at_most, bound, 0}; }
    static Gate at_least(double bound, double of = 0) { return {Kind::at_least, bound, of}; }
    static Gate equal(double bound) { return {Kind::equal, bound, 0}; }
    bool holds(double value) const;  // false for NaN; true when there is no gate
    std::string text() const;        // "" when there is no gate
};

struct Claim {
    // ---- what is claimed ----
    std::string system;  // "lecun1989"
    std::string id;      // "test-error-usps"; unique in its system
    std::string text;    // one sentence
    std::string kind;    // count, identity, theorem, accuracy, ablation, control, speed, memory
    std::string source;  // citation with table, page or repository file
    std::optional<double> paper_value;
    std::string paper_unit;  // unit of paper_value and own_value: "% test error"
    std::string paper_tag;   // P printed, R from memory (prints as "to be checked"), A arithmetic
    // ---- what was found ----
    std::string set, split, sha256;  // the data own_value was made on
    Index samples = 0;
    std::vector<double> values;  // one a seed
    std::optional<double> own_value, own_sd;
    Gate tolerance, goal;
    Verdict verdict = Verdict::reported;
    std::string reason;  // why skipped, or what failed
    // ---- what it cost, and what is needed to run it again ----
    double seconds = 0, flop = 0;
    Index rss_bytes = 0;
    std::vector<std::uint64_t> seeds;
    std::string dtype = "f32";
    int threads = 1, ranks = 1, shards = 1;
    std::string isa, gemm, version;
    std::vector<std::string> deviations;  // every difference from the paper

    // Sets own_value to the mean of `values`, own_sd to their standard deviation (n - 1), and the
    // verdict from the gate: pass or fail, reported when there is none.
    void decide();
    void decide(double value);  // a single value
    void skip(const std::string& why);
};

// A claim as a system states it, before anything is found.
Claim stated(const std::string& id, const std::string& text, const std::string& kind,
             const std::string& source, Gate tolerance);

}  // namespace soma::systems
