#include "bench/ladder/climb.h"

#include <algorithm>
#include <memory>

#include "bench/operands.h"
#include "soma/core/error.h"

namespace soma::ladder {
namespace {

using bench::MeasureOptions;
using bench::Operand;
using bench::Outcome;

constexpr Index kSweepPasses = 32;  // over the panel, for each call
constexpr Index kSweepDepth = 192;  // of the panel at most: the small product's K

// Arrays that several rungs share.
struct Operands {
    explicit Operands(const Counts& n)
        : a(n.a, 1, -1, 1), b(n.b, 2, -1, 1), bias(n.bias, 3, -1, 1), c(n.c) {}
    Arrays arrays() const { return {a.data(), b.data(), bias.data(), c.data()}; }

    Operand<float> a, b, bias, c;
};

Counts most(const Counts& x, const Counts& y) {
    return {std::max(x.a, y.a), std::max(x.b, y.b), std::max(x.bias, y.bias), std::max(x.c, y.c)};
}

Shape shape_for(const Rung& r, Shape s) {
    if (auto* g = std::get_if<GemmShape>(&s); g != nullptr && r.by_rows)
        g->m = std::min(g->m, kFewRows);
    return s;
}

}  // namespace

std::vector<Outcome> contest(const std::vector<Step>& steps, const MeasureOptions& options) {
    std::vector<bench::Contender> contenders;
    for (const Step& step : steps) {
        contenders.push_back({step.name, [run = step.run](Index repeats) {
                                  for (Index i = 0; i < repeats; ++i) run();
                              }});
    }
    const Outcome all =
        bench::hold_contest<float>("ladder", "", 0, 0, std::move(contenders), options);
    std::vector<Outcome> out;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        out.push_back({.group = all.group,
                       .name = steps[i].name,
                       .flop = steps[i].flop,
                       .timings = {all.timings[i]},
                       .peak = all.peak});
    }
    return out;
}

std::vector<Outcome> climb(const std::vector<Rung>& rungs, const Shape& shape,
                           const MeasureOptions& options) {
    Counts n{};
    for (const Rung& r : rungs) {
        SOMA_CHECK(takes(r, shape), "ladder: ", r.file, " takes ", r.rule, ", not ",
                   describe(shape));
        n = most(n, counts(r, shape));
    }
    const Operands operands(n);
    std::vector<Step> steps;
    for (const Rung& r : rungs) {
        const Shape s = shape_for(r, shape);
        steps.push_back({r.file, flop_of(s), [r, s, &operands] { call(r, s, operands.arrays()); }});
    }
    return contest(steps, options);
}

std::vector<Outcome> sweep(const Ladder& ladder, const MeasureOptions& options) {
    const Index floats = caches().l1_bytes / 2 / Index{sizeof(float)};
    const Operand<float> a(floats, 1, -1, 1), b(floats, 2, -1, 1), c(64 * Index{ladder.width});
    std::vector<Step> steps;
    for (Index i = 0; i < ladder.sweep.count; ++i) {
        const SweepTile& tile = ladder.sweep.tiles[i];
        const Index columns = tile.vectors * Index{ladder.width};
        const Index depth = std::min(kSweepDepth, floats / (columns + tile.rows));
        const double flop = 2.0 * static_cast<double>(tile.rows * columns * depth * kSweepPasses);
        const std::string name = concat(tile.rows, " x ", tile.vectors);
        steps.push_back({name, flop, [&tile, depth, &a, &b, &c] {
                             tile.in_place(kSweepPasses, depth, a.data(), depth, b.data(),
                                           c.data());
                         }});
        steps.push_back({name, flop, [&tile, depth, &a, &b, &c] {
                             tile.packed(kSweepPasses, depth, a.data(), 0, b.data(), c.data());
                         }});
    }
    return contest(steps, options);
}

double measured_error(const Rung& r, const Shape& s) {
    const Operands operands(counts(r, s));
    call(r, s, operands.arrays());
    return worst_error(exact(r, s, operands.arrays()), operands.c.data());
}

}  // namespace soma::ladder
