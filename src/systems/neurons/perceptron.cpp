// PC: Rosenblatt, "The perceptron" (1958), and Novikoff's convergence theorem (1962).
//
// Rule: on a mistake, w <- w + t x with target t = +-1; the bias is the weight of a constant
// input 1. Novikoff: if some unit vector separates the data with margin gamma and |x| <= R, the
// number of mistakes is at most (R / gamma)^2, whatever the order.
//
// The photoperceptron: a 20x20 retina, 1,000 fixed random A-units (10 excitatory and 5 inhibitory
// taps each, firing when excitation - inhibition >= 2) and one trained R-unit, taught to tell marks
// in the left half from marks in the right half.
//
// Deviations: the card generator (size of the mark) is ours; the press reports of 1958 give no
// code.

#include <algorithm>
#include <cmath>

#include "soma/core/rng.h"
#include "soma/train/report.h"
#include "systems/claim_run.h"
#include "systems/systems.h"

namespace soma::systems {
namespace {

struct Options {
    int separable_sets = 200, set_points = 40, set_dimension = 5;
    double smallest_margin = 0.02;  // points closer to the plane are drawn again
    int retina = 20, a_units = 1000, excitatory = 10, inhibitory = 5, a_threshold = 2;
    int mark = 6;  // side of the square mark
    int training_cards = 50, test_cards = 500, card_seeds = 20;
};

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}

struct Example {
    Vector x;  // with the constant 1 in the last place
    int target = 1;
};

struct Fit {
    bool converged = false;
    int mistakes = 0;
    Vector weights;
};

// Cycles through the examples in order until a pass has no mistake, or max_mistakes were made.
// An answer of exactly 0 counts as a mistake.
Fit fit_perceptron(const std::vector<Example>& examples, int max_mistakes) {
    Fit fit{.weights = Vector(examples.front().x.size(), 0.0)};
    while (!fit.converged && fit.mistakes < max_mistakes) {
        fit.converged = true;
        for (const Example& e : examples) {
            if (e.target * dot(fit.weights, e.x) > 0) continue;
            fit.converged = false;
            ++fit.mistakes;
            for (std::size_t i = 0; i < e.x.size(); ++i) fit.weights[i] += e.target * e.x[i];
        }
    }
    return fit;
}

struct FunctionCount {
    int separable = 0, most_mistakes = 0;
};

// Tries all 2^(2^n) Boolean functions of n inputs of +-1. Every threshold function of n <= 4 inputs
// has integer weights with |w|^2 <= 32 and margin 1 (checked by the counts themselves), so by
// Novikoff 5 * 32 = 160 mistakes without convergence prove that a function is none.
FunctionCount count_boolean_functions(int n) {
    constexpr int kMistakeBound = 160;
    const int rows = 1 << n;
    std::vector<Example> examples(static_cast<std::size_t>(rows));
    for (int row = 0; row < rows; ++row) {
        Vector& x = examples[static_cast<std::size_t>(row)].x;
        for (int i = 0; i < n; ++i) x.push_back(row >> i & 1 ? 1 : -1);
        x.push_back(1);
    }
    FunctionCount count;
    for (int function = 0; function < 1 << rows; ++function) {
        for (int row = 0; row < rows; ++row) {
            examples[static_cast<std::size_t>(row)].target = function >> row & 1 ? 1 : -1;
        }
        const Fit fit = fit_perceptron(examples, kMistakeBound + 1);
        if (!fit.converged) continue;
        ++count.separable;
        count.most_mistakes = std::max(count.most_mistakes, fit.mistakes);
    }
    return count;
}

// mistakes / (R / gamma)^2 on one random separable set; gamma is the margin of the plane that made
// it.
double novikoff_ratio(const Options& o, std::uint64_t seed) {
    RandomSequence random(make_key(seed, Purpose::data_generation));
    Vector plane;
    for (int i = 0; i < o.set_dimension; ++i) plane.push_back(random.uniform(-1, 1));
    const double length = std::sqrt(dot(plane, plane));
    for (double& w : plane) w /= length;
    std::vector<Example> examples;
    double margin = 1e300, radius = 0;
    while (static_cast<int>(examples.size()) < o.set_points) {
        Example e;
        for (int i = 0; i + 1 < o.set_dimension; ++i) e.x.push_back(random.uniform(-1, 1));
        e.x.push_back(1);
        const double side = dot(plane, e.x);
        if (std::abs(side) < o.smallest_margin) continue;
        e.target = side > 0 ? 1 : -1;
        margin = std::min(margin, std::abs(side));
        radius = std::max(radius, std::sqrt(dot(e.x, e.x)));
        examples.push_back(std::move(e));
    }
    const double bound = radius * radius / (margin * margin);
    const Fit fit = fit_perceptron(examples, static_cast<int>(bound) + 1);
    return fit.converged ? fit.mistakes / bound : 2;  // 2: the theorem was violated
}

// Retina, A-units and the trained R-unit.
class Photoperceptron {
public:
    Photoperceptron(const Options& o, std::uint64_t seed)
        : o_(o), w_(static_cast<std::size_t>(o.a_units) + 1, 0.0) {
        RandomSequence random(make_key(seed, Purpose::feedback_matrices));
        for (int a = 0; a < o.a_units; ++a) {
            for (int t = 0; t < o.excitatory + o.inhibitory; ++t) {
                taps_.push_back(static_cast<int>(
                    random.below(static_cast<std::uint32_t>(o.retina * o.retina))));
            }
        }
    }

    // A-unit activities, with the bias in the last place.
    Vector respond(const std::vector<int>& retina) const {
        Vector x;
        const int taps = o_.excitatory + o_.inhibitory;
        for (int a = 0; a < o_.a_units; ++a) {
            int drive = 0;
            for (int t = 0; t < taps; ++t) {
                const int on =
                    retina[static_cast<std::size_t>(taps_[static_cast<std::size_t>(a * taps + t)])];
                drive += t < o_.excitatory ? on : -on;
            }
            x.push_back(drive >= o_.a_threshold);
        }
        x.push_back(1);
        return x;
    }
    int answer(const Vector& x) const { return dot(w_, x) > 0 ? 1 : -1; }
    void learn(const Vector& x, int target) {
        if (target * dot(w_, x) > 0) return;
        for (std::size_t i = 0; i < x.size(); ++i) w_[i] += target * x[i];
    }

private:
    Options o_;
    std::vector<int> taps_;
    Vector w_;
};

struct Card {
    std::vector<int> retina;
    int target = 1;  // +1: the mark is in the right half
};

Card draw_card(const Options& o, RandomSequence& random) {
    const int half = o.retina / 2;
    Card card{std::vector<int>(static_cast<std::size_t>(o.retina * o.retina), 0),
              random.coin(0.5f) ? 1 : -1};
    const auto row =
        static_cast<int>(random.below(static_cast<std::uint32_t>(o.retina - o.mark + 1)));
    auto col = static_cast<int>(random.below(static_cast<std::uint32_t>(half - o.mark + 1)));
    if (card.target > 0) col += half;
    for (int r = row; r < row + o.mark; ++r) {
        for (int c = col; c < col + o.mark; ++c)
            card.retina[static_cast<std::size_t>(r * o.retina + c)] = 1;
    }
    return card;
}

// Share of right answers on new cards, in %, after each of 0..training_cards cards.
std::vector<double> learn_left_right(const Options& o, std::uint64_t seed) {
    Photoperceptron net(o, seed);
    RandomSequence cards(make_key(seed, Purpose::data_generation));
    RandomSequence tests(make_key(seed, Purpose::trial_parameters));
    std::vector<Vector> test_x;
    std::vector<int> test_target;
    for (int i = 0; i < o.test_cards; ++i) {
        const Card card = draw_card(o, tests);
        test_x.push_back(net.respond(card.retina));
        test_target.push_back(card.target);
    }
    std::vector<double> curve;
    for (int shown = 0;; ++shown) {
        int right = 0;
        for (std::size_t i = 0; i < test_x.size(); ++i)
            right += net.answer(test_x[i]) == test_target[i];
        curve.push_back(100.0 * right / o.test_cards);
        if (shown == o.training_cards) return curve;
        const Card card = draw_card(o, cards);
        net.learn(net.respond(card.retina), card.target);
    }
}

Claim make(const std::string& id, const std::string& text, const char* kind, const char* source,
           Gate gate) {
    Claim c = stated(id, text, kind, source, gate);
    c.set = "generated";
    c.dtype = "f64";
    return c;
}

void draw(const ReproduceContext& context, const std::vector<std::vector<double>>& curves) {
    if (context.folder == nullptr || curves.empty()) return;
    train::Series mean{"mean over seeds", {}, {}}, worst{"worst seed", {}, {}};
    for (std::size_t i = 0; i < curves.front().size(); ++i) {
        double sum = 0, low = 100;
        for (const auto& curve : curves) {
            sum += curve[i];
            low = std::min(low, curve[i]);
        }
        for (train::Series* s : {&mean, &worst}) s->x.push_back(static_cast<double>(i));
        mean.y.push_back(sum / static_cast<double>(curves.size()));
        worst.y.push_back(low);
    }
    context.folder->add(train::LinePlot{
        .text = {"left-right", "The photoperceptron learns left from right",
                 "Share of right answers on 500 new cards after each training card."},
        .x_label = "training cards",
        .y_label = "right answers (%)",
        .series = {mean, worst}});
}

void claim_boolean_functions(ClaimRun& run, int n, int separable, int most_mistakes) {
    const std::string inputs = std::to_string(n);
    Claim count =
        make("separable-" + inputs, "Boolean functions of " + inputs + " inputs it learns",
             "theorem", "number of threshold functions", Gate::equal(separable));
    count.paper_value = separable;
    count.paper_tag = "A";
    run.claims({count, make("mistakes-" + inputs, "most mistakes made on any of them", "theorem",
                            "Novikoff 1962", Gate::at_most(most_mistakes))},
               [&](std::vector<Claim>& list) {
                   const FunctionCount found = count_boolean_functions(n);
                   for (Claim& c : list) {
                       c.values = {static_cast<double>(c.id == count.id ? found.separable
                                                                        : found.most_mistakes)};
                   }
               });
}

}  // namespace

Reproduction reproduce_perceptron(const ReproduceContext& context) {
    const Options o;
    ClaimRun run(context, "perceptron", o.card_seeds);
    run.headline("20x20 retina, 1,000 A-units, one R-unit (Rosenblatt 1958)");
    run.deviation("cards: 6x6 squares at random places; the press reports give no generator");
    claim_boolean_functions(run, 2, 14, 3);
    claim_boolean_functions(run, 3, 104, 14);
    claim_boolean_functions(run, 4, 1882, 32);
    run.claim(make("novikoff", "largest mistakes / (R/gamma)^2 on random separable sets", "theorem",
                   "Novikoff 1962", Gate::at_most(1)),
              [&](Claim& c) {
                  double worst = 0;
                  for (int i = 0; i < o.separable_sets; ++i) {
                      worst = std::max(worst, novikoff_ratio(o, static_cast<std::uint64_t>(i)));
                  }
                  c.values = {worst};
              });
    Claim cards = make("left-right", "right answers after 50 cards", "accuracy",
                       "New York Times, 8 July 1958", Gate::at_least(95));
    cards.paper_unit = "%";
    std::vector<std::vector<double>> curves;
    run.claim(cards, [&](Claim& c) {
        c.seeds = run.seeds();
        for (const std::uint64_t seed : run.seeds()) {
            if (context.stopped()) return;
            curves.push_back(learn_left_right(o, seed));
            c.values.push_back(curves.back().back());
            context.progress("left/right cards", static_cast<double>(curves.size()),
                             static_cast<double>(run.seeds().size()));
        }
    });
    draw(context, curves);
    return run.finish();
}

}  // namespace soma::systems
