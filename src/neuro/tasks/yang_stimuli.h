#pragma once
// What a trial of yang.h shows and asks: locations, strengths, answer.

#include <span>
#include <vector>

#include "neuro/tasks/yang_rules.h"

namespace soma::neuro::yang {

inline constexpr int kRing = 32;  // units of a ring

struct Stimuli {
    double location[2] = {-1, -1};  // [0, 2 pi); -1: there is none
    double strength[2][2] = {};     // of stimulus s in ring r
    double answer = kFixate;
    double coherence = 0;
    int match = -1;  // dms, dmc
};

// Cells of the tables of dm and delaydm depend on the number of coherences, all others do not.
struct Coherences {
    std::vector<double> training;      // positive
    std::vector<double> psychometric;  // ascending, both signs and 0

    explicit Coherences(std::span<const double> magnitudes = {}, double easy = 1);
};

// Rows of the table of a rule in a mode; 1 when drawn.
Index cells_of(const RuleInfo& rule, Mode mode, const Coherences& coherences) noexcept;

// The stimuli of a trial: drawn, with the rings of its group, or cell `cell` of a table.
Stimuli draw_stimuli(const RuleInfo& rule, const int (&rings)[2], const Coherences& coherences,
                     RandomSequence& random) noexcept;
Stimuli cell_stimuli(const RuleInfo& rule, Mode mode, std::uint32_t cell,
                     const Coherences& coherences, RandomSequence& random) noexcept;

// b(x), yang.h.
void bump(double location, float (&b)[kRing]) noexcept;
// |b(x) - b(y)|^2, and |b(x)|^2.
double squared_distance(double x, double y) noexcept;
double squared_norm(double x) noexcept;

}  // namespace soma::neuro::yang
