#pragma once
// A net that does the 20 tasks of Yang, Joglekar, Song, Newsome & Wang 2019, taken apart as in the
// paper and its code (gyyang/multitask: variance, clustering, taskset).
//
// Task variance of unit i and rule A: variance of its noiseless rate over the conditions of A, mean
// over the steps from 500 ms on. Units whose variances over all rules add up to 1e-3 are active;
// each is described by its 20 variances over the largest of them. k-means of these rows, as many
// clusters as have the best silhouette. Lesion: what the units of a cluster send is 0.
//
// Rule sums: the net gets, in place of its rule input, first + second - third of a square of rules,
// such as delayanti = fdanti + delaygo - fdgo. If rules are composed of parts the net does the
// task, and in state space the way from `first` to the rule is the way from `third` to `second`.
//
// Legend: N units, K clusters, 20 rules in the order of YangRule.

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "soma/neuro/clustering.h"
#include "soma/neuro/task_net.h"
#include "soma/neuro/tasks/yang.h"

namespace soma::systems {

using RuleScores = std::array<double, neuro::kYangRules>;

// ---- behaviour ----

// A rule input and its strength.
struct RuleTerm {
    neuro::YangRule rule;
    double strength = 1;
};

// Share of right answers to `trials` trials of a rule (rounded up to groups of 32 that share their
// times), with all noise. `input` replaces the rule input; empty: the rule's own.
double score_rule(neuro::TaskNet& net, neuro::YangRule rule, Index trials,
                  std::span<const RuleTerm> input = {});
RuleScores score_rules(neuro::TaskNet& net, Index trials);
// What the best observer of the same trials reaches.
RuleScores best_scores(std::uint64_t seed, Index trials);

// Silences units of a net while it lives: what they send to units and outputs is 0.
class Lesion {
public:
    // Borrows the net, in which nothing else may change meanwhile.
    Lesion(neuro::TaskNet& net, std::span<const Index> units);
    ~Lesion();
    Lesion(const Lesion&) = delete;
    Lesion& operator=(const Lesion&) = delete;

private:
    neuro::TaskNet& net_;
    Tensor intact_;
};

// ---- units ----

// [N, 20]
linalg::Matrix task_variance(neuro::TaskNet& net);

struct ActiveUnits {
    std::vector<Index> units;
    linalg::Matrix variance;  // [units, 20], the largest of each row is 1
};
ActiveUnits active_units(const linalg::Matrix& variance, double threshold = 1e-3);

// ---- rule sums ----

// A square of rules: rule = first + second - third.
struct RuleSquare {
    neuro::YangRule rule, first, second, third;
};
inline constexpr std::array<RuleSquare, 3> kRuleSquares = {
    {{neuro::YangRule::delayanti, neuro::YangRule::fdanti, neuro::YangRule::delaygo,
      neuro::YangRule::fdgo},
     {neuro::YangRule::contextdelaydm1, neuro::YangRule::contextdelaydm2,
      neuro::YangRule::contextdm1, neuro::YangRule::contextdm2},
     {neuro::YangRule::dmsgo, neuro::YangRule::dmcgo, neuro::YangRule::dmsnogo,
      neuro::YangRule::dmcnogo}}};

struct RuleSum {
    // Share of right answers to the rule's trials with the rule inputs named.
    double own = 0, first = 0, second = 0, both = 0, sum = 0;  // both: first + second
    linalg::Matrix states;  // [4, N]: rule, first, second, third at the end of stimulus 1, mean
                            // over conditions, noiseless
    double cosine = 0;      // between rule - first and second - third

    // What the sum gains over the best of its parts.
    double gain() const { return sum - std::max({first, second, both}); }
};
RuleSum add_rules(neuro::TaskNet& net, const RuleSquare& square, Index trials);

// ---- all of it ----

struct YangAnalysis {
    Index trials = 512, lesion_trials = 256;  // a rule
    Index most_clusters = 29;
    Index shuffles = 5;
};

struct YangAnatomy {
    std::unique_ptr<neuro::TaskNet> net;
    RuleScores scores{}, best{};
    linalg::Matrix variance;  // [N, 20]
    ActiveUnits active;
    neuro::ClusterChoice clusters;    // of the active units, in the order of the rule they do most
    double shuffled_silhouette = 0;   // best one of data in which every rule's column is permuted
    linalg::Matrix cluster_variance;  // [K, 20]: mean of the normalised variances
    linalg::Matrix lesions;           // [K, 20]: share right without the cluster minus with it
    double lesion_correlation = 0;    // of cluster_variance with the loss, -lesions
    std::array<RuleSum, kRuleSquares.size()> sums;

    // Rules of which at least this share of trials is right.
    Index rules_above(double share) const;
    double mean_score() const;
    // Active units, cluster after cluster.
    std::vector<Index> order() const;
};

// Takes the net. One thread.
YangAnatomy dissect_yang(std::unique_ptr<neuro::TaskNet> net, const YangAnalysis& analysis = {});

}  // namespace soma::systems
