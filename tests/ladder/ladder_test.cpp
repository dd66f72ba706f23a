// The ladder: every rung of every instruction set computes what it says, within the bound of
// rounding (kernels.md 17.2), touches nothing outside its arrays, and fits on a page.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "bench/ladder/ladders.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"
#include "support/gemm_problem.h"
#include "support/guarded.h"
#include "support/kernel_settings.h"

namespace soma::ladder {
namespace {

using namespace soma::test;

// Sizes around tiles, strips, masks, slices of 256 and blocks of KC; each rung takes those that its
// rule allows, and every rule allows some.
std::vector<Shape> shapes() {
    return {GemmShape{1, 1, 1},
            GemmShape{5, 17, 3},
            GemmShape{7, 65, 33},
            GemmShape{13, 64, 40},
            GemmShape{29, 128, 65},
            GemmShape{1, 192, 300},
            GemmShape{12, 100, 513},
            GemmShape{31, 256, 257},
            GemmShape{6, 700, 530},
            GemmShape{14, 64, 1030},
            GemmShape{67, 31, 129},
            GemmShape{100, 3, 20},
            make_conv(1, 1, 1, 1, 1, 1),
            make_conv(2, 5, 7, 3, 3, 17),
            make_conv(1, 4, 4, 16, 3, 16),
            make_conv(2, 8, 12, 32, 3, 64),
            make_conv(1, 7, 6, 5, 5, 65, 2),
            make_conv(3, 28, 28, 2, 1, 20),
            make_conv(2, 4, 56, 48, 3, 80)};
}

// gamma_d / u of the sums of a rung, d the longest chain of roundings of a term: K whatever the
// order; rung 13 and the product have slices of 256. One more for a bias. The reference's own
// roundings are those of 2 K operations in double.
double error_bound(const Rung& r, const Shape& s) {
    Index k = 0;
    if (const auto* g = std::get_if<GemmShape>(&s)) k = g->k;
    if (const auto* c = std::get_if<Conv>(&s))
        k = r.conv != nullptr ? c->kh * c->kw * c->c : c->n * c->oh * c->ow;
    const std::string file = r.file;
    const bool sliced = file == "gemm/13_canonical_order" || file == "gemm/99_product";
    const Index d = (sliced ? std::min<Index>(k, 256) + (k + 255) / 256 - 1 : k) +
                    (r.gemm_bias != nullptr ? 1 : 0);
    constexpr double u = std::numeric_limits<float>::epsilon() / 2;
    return (gamma<float>(static_cast<double>(d)) + gamma<double>(2.0 * static_cast<double>(k))) / u;
}

bool is_winograd(const Rung& r) { return r.fixed_kernel == 3; }

struct Operands {
    Operands(const Rung& r, const Shape& s, Values values)
        : n(counts(r, s)),
          a(random_list<float>(n.a, 1, values)),
          b(random_list<float>(n.b, 2, values)),
          bias(random_list<float>(n.bias, 3, values)) {}

    Arrays arrays(List<float>& out) const { return {a.data(), b.data(), bias.data(), out.data()}; }
    List<float> run(const Rung& r, const Shape& s) const {
        List<float> out(static_cast<std::size_t>(n.c), std::numeric_limits<float>::quiet_NaN());
        call(r, s, arrays(out));
        return out;
    }

    Counts n;
    List<float> a, b, bias;
};

// Operands of a shape and what should come of them, made once for all rungs and ISAs.
struct Case {
    Operands operands;
    Exact expected;
};
const Case& case_for(const Rung& r, const Shape& s, Values values) {
    static std::map<std::string, Case> known;
    const std::string key = concat(describe(s), r.a_transposed, r.gemm_bias != nullptr,
                                   r.conv_weights != nullptr, values == Values::integers);
    const auto at = known.find(key);
    if (at != known.end()) return at->second;
    Operands operands(r, s, values);
    List<float> unused;
    Exact e = exact(r, s, operands.arrays(unused));
    return known.emplace(key, Case{std::move(operands), std::move(e)}).first->second;
}

// Calls f(ladder, rung) for every rung of every ISA, the product running on that ISA.
template <class F>
void for_each_rung(F&& f) {
    for (const Ladder& ladder : available()) {
        kernels::use(ladder.isa);
        for (const Rung& r : rungs(ladder)) f(ladder, r);
        f(ladder, ladder.tall);
    }
}

class LadderTest : public testing::Test {
    KernelSettings settings_;
};

TEST_F(LadderTest, EveryRungStaysWithinTheBoundOfRounding) {
    for_each_rung([](const Ladder& ladder, const Rung& r) {
        if (is_winograd(r)) return;
        Index taken = 0;
        for (const Shape& s : shapes()) {
            if (!takes(r, s)) continue;
            ++taken;
            const auto& [operands, expected] = case_for(r, s, Values::reals);
            const List<float> out = operands.run(r, s);

            EXPECT_LE(worst_error(expected, out.data()), error_bound(r, s))
                << ladder.isa << " " << r.file << ", " << describe(s);
        }
        EXPECT_GE(taken, 3) << ladder.isa << " " << r.file;
    });
}

TEST_F(LadderTest, IntegersAreExact) {
    for_each_rung([](const Ladder& ladder, const Rung& r) {
        if (is_winograd(r)) return;
        for (const Shape& s : shapes()) {  // |sums| <= 64 * 1030 + 8 < 2^24
            if (!takes(r, s)) continue;
            const auto& [operands, expected] = case_for(r, s, Values::integers);
            const List<float> out = operands.run(r, s);

            EXPECT_EQ(worst_error(expected, out.data()), 0)
                << ladder.isa << " " << r.file << ", " << describe(s);
        }
    });
}

// For |x| and |w| <= 1, an element of Winograd's transforms and back passes at most
//     8 roundings of x (2 chains of 4), 8 of w (2 chains of 3 and of rounded constants), C of the
//     product, 10 back (2 chains of 5)
// and each of them is enlarged at most L = (max over rows r of the sum over i of |AT[r, i]| |BT[i]|
// |G[i]|)^2 C, |BT[i]| and |G[i]| sums over a row: 10 1/4, 10 1/2, 10 1/2, 6 7/24, 6 7/24, 10 1
// against the last row 0 1 1 8 8 1 of AT: 5 + 5 + 14 + 14 + 10 = 48.
TEST_F(LadderTest, WinogradStaysWithinItsBound) {
    for_each_rung([](const Ladder& ladder, const Rung& r) {
        if (!is_winograd(r)) return;
        Index taken = 0;
        for (const Shape& s : shapes()) {
            if (!takes(r, s)) continue;
            ++taken;
            const auto& [operands, expected] = case_for(r, s, Values::reals);
            const List<float> out = operands.run(r, s);
            double worst = 0;
            for (std::size_t i = 0; i < out.size(); ++i) {
                const double error = std::abs(out[i] - expected.value[i]);
                if (!(error <= worst)) worst = error;  // NaN is kept
            }
            const auto channels = static_cast<double>(std::get<Conv>(s).c);

            EXPECT_LE(worst, gamma<float>(channels + 26) * 48 * 48 * channels)
                << ladder.isa << ", " << describe(s);
        }
        EXPECT_GE(taken, 2) << ladder.isa;
    });
}

TEST_F(LadderTest, NothingOutsideTheArraysIsTouched) {
    for_each_rung([](const Ladder& ladder, const Rung& r) {
        for (const Shape& s : shapes()) {
            if (!takes(r, s)) continue;
            const Operands& operands = case_for(r, s, Values::reals).operands;
            const List<float> unguarded = operands.run(r, s);
            for (const Edge edge : {Edge::begin, Edge::end}) {
                Guarded<float> a(operands.a, edge), b(operands.b, edge), bias(operands.bias, edge),
                    c(operands.n.c, edge);

                call(r, s, {a.data(), b.data(), bias.data(), c.data()});

                EXPECT_TRUE(same_bits(c.copy(), unguarded))
                    << ladder.isa << " " << r.file << ", " << describe(s);
            }
        }
    });
}

// Rung 13 and the product: for every ISA and any number of threads, the bits of the definition.
TEST_F(LadderTest, CanonicalOrderHasTheBitsOfTheDefinition) {
    for_each_rung([](const Ladder& ladder, const Rung& r) {
        const std::string file = r.file;
        if (file != "gemm/13_canonical_order" && file != "gemm/99_product") return;
        for (const GemmShape& g :
             {GemmShape{31, 100, 257}, GemmShape{6, 700, 530}, GemmShape{70, 130, 1030}}) {
            const Problem<float> problem({.m = g.m, .n = g.n, .k = g.k});
            const List<float> expected = by_definition(problem);
            for (const int threads : {1, 2, 3, 4, 7}) {
                set_num_threads(threads);
                List<float> out(expected.size());

                call(r, g, {problem.a.data(), problem.b.data(), nullptr, out.data()});

                EXPECT_TRUE(same_bits(out, expected))
                    << ladder.isa << " " << file << " on " << threads << " threads";
            }
        }
    });
}

TEST_F(LadderTest, EveryThreadCountComputesEveryCell) {
    for_each_rung([](const Ladder& ladder, const Rung& r) {
        if (std::string(r.file) != "gemm/12_threads") return;
        for (const Shape& s : {Shape(GemmShape{1, 1, 7}), Shape(GemmShape{40, 30, 9}),
                               Shape(GemmShape{5, 700, 20})}) {
            const auto& [operands, expected] = case_for(r, s, Values::integers);
            for (const int threads : {1, 2, 3, 4, 7}) {
                set_num_threads(threads);
                const List<float> out = operands.run(r, s);

                EXPECT_EQ(worst_error(expected, out.data()), 0)
                    << ladder.isa << " on " << threads << " threads, " << describe(s);
            }
        }
    });
}

// The tiles of the sweep, in place and packed: `passes` times the product of a panel.
TEST_F(LadderTest, TilesOfTheSweepSumTheirPasses) {
    constexpr Index kPasses = 3, kDepth = 10;
    for (const Ladder& ladder : available()) {
        for (Index t = 0; t < ladder.sweep.count; ++t) {
            const SweepTile& tile = ladder.sweep.tiles[t];
            const Index n = tile.vectors * ladder.width;
            const Problem<float> problem({.m = tile.rows, .n = n, .k = kDepth}, 1,
                                         Values::integers);
            List<float> expected(static_cast<std::size_t>(tile.rows * n)), transposed = problem.a;
            kernels::ref::gemm(problem.call(expected.data()));
            for (float& x : expected) x *= kPasses;
            for (Index i = 0; i < tile.rows; ++i)
                for (Index k = 0; k < kDepth; ++k)
                    transposed[static_cast<std::size_t>(k * tile.rows + i)] =
                        problem.a[static_cast<std::size_t>(i * kDepth + k)];
            List<float> in_place(expected.size()), packed(expected.size());

            tile.in_place(kPasses, kDepth, problem.a.data(), kDepth, problem.b.data(),
                          in_place.data());
            tile.packed(kPasses, kDepth, transposed.data(), 0, problem.b.data(), packed.data());

            EXPECT_EQ(in_place, expected) << ladder.isa << " " << tile.rows << "x" << tile.vectors;
            EXPECT_EQ(packed, expected) << ladder.isa << " " << tile.rows << "x" << tile.vectors;
        }
    }
}

// The laws of the prediction, on a core of 16 lanes: 2 FMAs a cycle, 2 loads, 1 store, 4 cycles of
// latency, 48 bytes a cycle from L2.
TEST(LadderPrediction, IsWhatRunsOutFirst) {
    constexpr Turn kPorts{.lanes = 16, .fmas = 24, .arithmetic = 24, .loads = 10, .chains = 24};
    constexpr Turn kLoads{.lanes = 16, .fmas = 8, .arithmetic = 8, .loads = 16, .chains = 8};
    constexpr Turn kLatency{.lanes = 16, .fmas = 4, .arithmetic = 4, .loads = 1, .chains = 4};
    constexpr Turn kScalar{.lanes = 1, .fmas = 1, .arithmetic = 2, .loads = 2, .chains = 1};
    constexpr Turn kFar{
        .lanes = 16, .fmas = 8, .arithmetic = 8, .loads = 9, .chains = 8, .far_bytes = 384};

    EXPECT_DOUBLE_EQ(predict(kPorts, 16), 100);
    EXPECT_DOUBLE_EQ(predict(kLoads, 16), 50);
    EXPECT_DOUBLE_EQ(predict(kLatency, 16), 50);
    EXPECT_DOUBLE_EQ(predict(kScalar, 16), 100.0 / 128);
    EXPECT_DOUBLE_EQ(predict(kFar, 16), 50);
}

TEST(LadderFiles, NoRungIsLongerThanAPage) {
    const std::filesystem::path folder = SOMA_LADDER_FOLDER;
    Index files = 0;
    for (const char* part : {"gemm", "conv"}) {
        for (const auto& entry : std::filesystem::directory_iterator(folder / part)) {
            std::ifstream in(entry.path());
            Index lines = 0;
            for (std::string line; std::getline(in, line);) ++lines;
            ++files;

            EXPECT_LE(lines, 80) << entry.path();
        }
    }
    EXPECT_GE(files, 20);
}

TEST(LadderFiles, EveryRungNamesItsFiles) {
    const std::filesystem::path folder = SOMA_LADDER_FOLDER;
    for (const Ladder& ladder : available()) {
        for (const Rung& r : rungs(ladder)) {
            EXPECT_TRUE(exists(folder / concat(r.file, ".cpp"))) << r.file;
            for (const char* header : r.headers)
                if (header != nullptr) {
                    EXPECT_TRUE(exists(folder / header)) << header;
                }
        }
    }
}

}  // namespace
}  // namespace soma::ladder
