#pragma once
// Figures of yang2019: how the rules were learned, and what the net that learned them is made of.

#include <span>
#include <vector>

#include "systems/brain/yang_anatomy.h"

namespace soma::train {
class RunFolder;
}

namespace soma::systems {

// What a check during training found.
struct RuleCheck {
    Index trials = 0;  // trained on so far
    RuleScores scores{};
};

// Share right against trials, a figure for each family of rules, of one net.
void draw_learning(train::RunFolder& folder, std::span<const RuleCheck> checks,
                   Index trials_per_check);

// Accuracy beside the best observer and rule sums, over nets; task variance, silhouette, lesions
// and the squares of rules in state space, of the first net. A table of the rules.
void draw_yang(train::RunFolder& folder, std::span<const YangAnatomy> nets,
               const YangAnalysis& analysis);

}  // namespace soma::systems
