#include "neuro/tasks/yang_stimuli.h"

#include <algorithm>
#include <cmath>

#include "soma/kernels/vmath.h"

namespace soma::neuro::yang {
namespace {

constexpr double kPi = M_PI;
constexpr std::uint32_t kLocations = 20, kStrengths = 5, kCategoryLocations = 10;

double on_circle(double x) noexcept {
    const double wrapped = x - 2 * kPi * std::floor(x / (2 * kPi));
    return wrapped < 2 * kPi ? wrapped : 0;
}

double uniform(RandomSequence& random, double low, double high) noexcept {
    return low + (high - low) * double{random.uniform()};
}

double coin(RandomSequence& random) noexcept { return random.below(2) == 0 ? -1 : 1; }

// Strengths of the two stimuli in one ring.
struct Pair {
    double first = 0, second = 0;
};

Pair around(double mean, double coherence) noexcept { return {mean + coherence, mean - coherence}; }

// ---- fd, react, delay ----

Stimuli go(const RuleInfo& rule, double location, int ring) noexcept {
    Stimuli s;
    s.location[0] = location;
    s.strength[0][ring] = 1;
    s.answer = rule.anti ? on_circle(location + kPi) : location;
    return s;
}

// ---- dm, delaydm ----

// The answer to strengths in both rings; a coin where they do not decide.
Stimuli decision(const RuleInfo& rule, double first, double second, const Pair (&ring)[2],
                 RandomSequence& random) noexcept {
    Stimuli s;
    s.location[0] = first;
    s.location[1] = second;
    double difference = 0;
    for (int r = 0; r < 2; ++r) {
        s.strength[0][r] = ring[r].first;
        s.strength[1][r] = ring[r].second;
        const double d = ring[r].first - ring[r].second;
        if (rule.evidence == Evidence::both_rings) difference += d / 2;
        if (rule.evidence != Evidence::both_rings && r == rule.ring) difference = d;
    }
    constexpr double kTie = 1e-9;  // strengths are of order 1
    const double toss = coin(random);
    s.coherence = std::abs(difference) < kTie ? 0 : difference / 2;
    s.answer = (s.coherence == 0 ? toss : s.coherence) > 0 ? first : second;
    return s;
}

// Divides strengths between the rings, which keeps their sums.
void split(const Pair& pair, RandomSequence& random, Pair (&ring)[2]) noexcept {
    const double first = pair.first * uniform(random, 0.2, 0.8) * coin(random) / 2;
    const double second = pair.second * uniform(random, 0.2, 0.8) * coin(random) / 2;
    ring[0] = {pair.first + first, pair.second + second};
    ring[1] = {pair.first - first, pair.second - second};
}

Pair draw_pair(const Coherences& coherences, RandomSequence& random) noexcept {
    const auto n = static_cast<std::uint32_t>(coherences.training.size());
    const double mean = uniform(random, 0.8, 1.2);
    const double c = coherences.training[random.below(n)];
    return around(mean, c * coin(random));
}

// A trial whose decisive coherence is given, everything else drawn.
Stimuli decision_at(const RuleInfo& rule, const Pair& decisive, double first, double second,
                    const Coherences& coherences, RandomSequence& random) noexcept {
    Pair ring[2];
    if (rule.evidence == Evidence::both_rings) {
        split(decisive, random, ring);
    } else {
        ring[rule.ring] = decisive;
        if (rule.evidence == Evidence::attended_ring) {
            ring[1 - rule.ring] = draw_pair(coherences, random);
        }
    }
    return decision(rule, first, second, ring, random);
}

Stimuli draw_decision(const RuleInfo& rule, const Coherences& coherences,
                      RandomSequence& random) noexcept {
    const double apart = uniform(random, 0.5 * kPi, 1.5 * kPi) * coin(random);
    const double first = uniform(random, 0, 2 * kPi), second = on_circle(first + apart);
    const Pair pair = draw_pair(coherences, random);
    return decision_at(rule, pair, first, second, coherences, random);
}

// Strength 1 of cell k of 5, the other stimulus has 2 minus that.
Pair grid_pair(const RuleInfo& rule, std::uint32_t k) noexcept {
    const bool wide = rule.family == Family::delaydm && rule.evidence == Evidence::one_ring;
    const double share = static_cast<double>(k) / kStrengths;
    const double first = wide ? 0.5 + share : 0.8 + 0.4 * share;
    return {first, 2 - first};
}

Stimuli grid_decision(const RuleInfo& rule, std::uint32_t cell, RandomSequence& random) noexcept {
    Pair ring[2];
    if (rule.evidence == Evidence::one_ring) {
        ring[rule.ring] = grid_pair(rule, cell % kStrengths);
        cell /= kStrengths;
    } else {
        ring[1] = grid_pair(rule, cell % kStrengths);
        ring[0] = grid_pair(rule, cell / kStrengths % kStrengths);
        cell /= kStrengths * kStrengths;
    }
    const double first = 2 * kPi * cell / kLocations;
    return decision(rule, first, on_circle(first + kPi), ring, random);
}

Stimuli psychometric_decision(const RuleInfo& rule, std::uint32_t cell,
                              const Coherences& coherences, RandomSequence& random) noexcept {
    const double first = uniform(random, 0, 2 * kPi);
    return decision_at(rule, around(1, coherences.psychometric[cell]), first,
                       on_circle(first + kPi), coherences, random);
}

// ---- dms, dmc ----

Stimuli comparison(const RuleInfo& rule, double first, double second, bool match,
                   const int (&rings)[2]) noexcept {
    Stimuli s;
    s.location[0] = first;
    s.location[1] = second;
    s.strength[0][rings[0]] = 1;
    s.strength[1][rings[1]] = 1;
    s.match = match ? 1 : 0;
    if (match == rule.answer_match) s.answer = second;
    return s;
}

Stimuli draw_dms(const RuleInfo& rule, const int (&rings)[2], RandomSequence& random) noexcept {
    const bool match = random.below(2) == 1;
    const double apart = uniform(random, kPi / 9, 17 * kPi / 9) * coin(random);
    const double first = uniform(random, 0, 2 * kPi);
    return comparison(rule, first, match ? first : on_circle(first + apart), match, rings);
}

Stimuli draw_dmc(const RuleInfo& rule, const int (&rings)[2], RandomSequence& random) noexcept {
    const auto location = [&] { return (0.1 + 0.2 * random.below(kCategoryLocations)) * kPi; };
    const double first = location(), second = location();
    return comparison(rule, first, second, (first < kPi) == (second < kPi), rings);
}

// 20 locations, ring of stimulus 1, of stimulus 2 (fastest); always with an answer to give.
Stimuli grid_comparison(const RuleInfo& rule, std::uint32_t cell) noexcept {
    const int rings[2] = {static_cast<int>(cell / 2 % 2), static_cast<int>(cell % 2)};
    const std::uint32_t k = cell / 4;
    double first = 2 * kPi * k / kLocations;
    if (rule.family == Family::dmc) {
        const std::uint32_t half = kLocations / 2;
        first = (k < half ? 0.1 : 1.1) * kPi + 0.8 * kPi * (k % half) / half;
    }
    const double second = rule.answer_match ? first : on_circle(first + kPi);
    return comparison(rule, first, second, rule.answer_match, rings);
}

bool is_go(const RuleInfo& rule) noexcept {
    return rule.family == Family::fd || rule.family == Family::react ||
           rule.family == Family::delay;
}
bool is_decision(const RuleInfo& rule) noexcept {
    return rule.family == Family::dm || rule.family == Family::delaydm;
}

// Distance on the circle of unit i's preference from x.
double distance(int i, double x) noexcept {
    const double d = std::abs(x - 2 * kPi * i / kRing);
    return std::min(d, 2 * kPi - d);
}

}  // namespace

Coherences::Coherences(std::span<const double> magnitudes, double easy) {
    for (const double c : magnitudes) training.push_back(easy * c);
    if (training.empty()) return;
    psychometric = training;
    psychometric.push_back(*std::min_element(training.begin(), training.end()) / 2);
    const std::size_t positive = psychometric.size();
    for (std::size_t i = 0; i < positive; ++i) psychometric.push_back(-psychometric[i]);
    psychometric.push_back(0);
    std::sort(psychometric.begin(), psychometric.end());
}

Index cells_of(const RuleInfo& rule, Mode mode, const Coherences& coherences) noexcept {
    if (mode == Mode::drawn) return 1;
    if (is_go(rule)) return kLocations * 2;
    if (!is_decision(rule)) return kLocations * 4;
    if (mode == Mode::psychometric) return static_cast<Index>(coherences.psychometric.size());
    return kLocations *
           (rule.evidence == Evidence::one_ring ? kStrengths : kStrengths * kStrengths);
}

Stimuli draw_stimuli(const RuleInfo& rule, const int (&rings)[2], const Coherences& coherences,
                     RandomSequence& random) noexcept {
    if (is_go(rule)) return go(rule, uniform(random, 0, 2 * kPi), rings[0]);
    if (is_decision(rule)) return draw_decision(rule, coherences, random);
    if (rule.family == Family::dms) return draw_dms(rule, rings, random);
    return draw_dmc(rule, rings, random);
}

Stimuli cell_stimuli(const RuleInfo& rule, Mode mode, std::uint32_t cell,
                     const Coherences& coherences, RandomSequence& random) noexcept {
    if (is_go(rule)) {
        const std::uint32_t k = cell / 2;
        return go(rule, 2 * kPi * k / kLocations, cell % 2 == 0 ? 0 : 1);
    }
    if (!is_decision(rule)) return grid_comparison(rule, cell);
    if (mode == Mode::grid) return grid_decision(rule, cell, random);
    return psychometric_decision(rule, cell, coherences, random);
}

void bump(double location, float (&b)[kRing]) noexcept {
    for (int i = 0; i < kRing; ++i) {
        const double d = distance(i, location) / (kPi / 8);
        b[i] = static_cast<float>(0.8 * vmath::exp(-d * d / 2));
    }
}

double squared_distance(double x, double y) noexcept {
    float a[kRing], b[kRing];
    bump(x, a);
    bump(y, b);
    double sum = 0;
    for (int i = 0; i < kRing; ++i) {
        const double d = double{a[i]} - double{b[i]};
        sum += d * d;
    }
    return sum;
}

double squared_norm(double x) noexcept {
    float b[kRing];
    bump(x, b);
    double sum = 0;
    for (const float v : b) sum += double{v} * double{v};
    return sum;
}

}  // namespace soma::neuro::yang
