#pragma once
// What a contest of soma against its rivals says: shares of the peak, ratios, and when it says
// nothing.
//
// The FMA probe (peak.h) is a contender of every contest, so that the share of the peak is a ratio
// of two times of the same round, whatever the clock did. Ratios are rival's time / soma's time:
// above 1 soma is the faster. A row is conclusive when both its share and its ratio to the best
// rival are known to 5 % (measure.h). A run refuses to conclude when more than a quarter of its
// rows are not, or when the probe's middle half of rounds spans more than 20 %: the machine was
// doing something else.

#include <string>
#include <vector>

#include "bench/measure.h"
#include "soma/kernels/kernel_table.h"

namespace soma::bench {

inline constexpr double kMostProbeSpan = 0.2;
inline constexpr double kMostInconclusive = 0.25;

struct Timing {
    std::string name;
    Index repeats = 0;            // calls in a block
    std::vector<double> seconds;  // of a call, one a round
};

struct Outcome {
    std::string group, name;
    double flop = 0, bytes = 0;           // of a call; bytes: operands and result once
    std::vector<Timing> timings;          // soma first
    std::vector<double> peak;             // FMA peak in flop per second, one a round
    std::vector<std::string> notes = {};  // why a rival is missing

    double gflops(std::size_t contender = 0) const;
    Spread peak_share() const;       // of soma: 1 is the peak
    std::size_t best_rival() const;  // the index of the fastest, 0 without any
    // Per round: time of a contender / time of `to`; rival's / soma's as long as nothing is said.
    Spread ratio(std::size_t contender, std::size_t to = 0) const;
    bool conclusive() const;
};

// Runs the contenders, soma first, together with the probe of `table`.
template <class T>
Outcome hold_contest(const std::string& group, const std::string& name, double flop, double bytes,
                     std::vector<Contender> contenders, const MeasureOptions& options);

struct GroupSummary {
    std::string group;
    double peak_share = 0;                 // geometric means
    double ratio = 0;                      // to the best rival of each row; NaN without rivals
    std::string worst;                     // name of the row with the smallest ratio, or share
    double worst_ratio = 0;                // NaN without rivals
    std::vector<std::string> losses = {};  // "name (0.93 mkl)": ratios surely below 1
    std::vector<std::string> inconclusive = {};  // names
};

// One a group, in order of appearance.
std::vector<GroupSummary> summarise(const std::vector<Outcome>& outcomes);
// "" when the run is fit to conclude from, else the reason why not.
std::string refusal(const std::vector<Outcome>& outcomes);

}  // namespace soma::bench
