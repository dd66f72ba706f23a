#include "soma/dist/schedule.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "soma/core/error.h"

namespace soma::dist {
namespace {

void check(const char* who, int ranks, int rank, Index n) {
    SOMA_CHECK(ranks >= 1 && rank >= 0 && rank < ranks && n >= 0, who, ": rank ", rank, " of ",
               ranks, ", ", n, " elements; need 0 <= rank < ranks, elements >= 0");
}

// Chunks [begin, end) as elements of an array of n.
Range elements(Range chunks, Index n) {
    return {std::min(chunks.begin * kChunk, n), std::min(chunks.end * kChunk, n)};
}

Range half_of(Range whole, bool upper) {
    const Index middle = whole.begin + (whole.size() + 1) / 2;
    return upper ? Range{middle, whole.end} : Range{whole.begin, middle};
}

}  // namespace

std::string_view name_of(Algorithm algorithm) {
    switch (algorithm) {
        case Algorithm::tree:
            return "tree";
        case Algorithm::ring:
            return "ring";
        case Algorithm::library:
            return "mpi";
    }
    return "?";
}

Algorithm algorithm_named(std::string_view name) {
    for (const auto algorithm : {Algorithm::tree, Algorithm::ring, Algorithm::library}) {
        if (name_of(algorithm) == name) return algorithm;
    }
    fail(ErrorCode::usage, "all-reduce: '", name, "'; need tree, ring or mpi");
}

Schedule doubling_schedule(int ranks, int rank, Index n) {
    check("doubling", ranks, rank, n);
    const int base = static_cast<int>(std::bit_floor(static_cast<unsigned>(ranks)));
    const Range all{0, n};
    if (rank >= base) {
        const int partner = rank - base;
        return {{.to = partner, .give = all}, {.from = partner, .take = all}};
    }
    const bool has_partner = rank + base < ranks;
    Schedule steps;
    if (has_partner) {
        steps.push_back({.from = rank + base, .take = all, .folds = true, .lower = true});
    }
    for (int step = 1; step < base; step *= 2) {
        const int peer = rank ^ step;
        steps.push_back({.to = peer,
                         .from = peer,
                         .give = all,
                         .take = all,
                         .folds = true,
                         .lower = (rank & step) == 0});
    }
    if (has_partner) steps.push_back({.to = rank + base, .give = all});
    return steps;
}

Schedule halving_schedule(int ranks, int rank, Index n) {
    check("halving", ranks, rank, n);
    SOMA_CHECK(std::has_single_bit(static_cast<unsigned>(ranks)), "strict all-reduce: ", ranks,
               " ranks; need a power of two");
    Schedule steps;
    std::vector<Range> owned{{0, ceil_div(n, kChunk)}};  // after each round, in chunks
    for (int step = 1; step < ranks; step *= 2) {
        const bool upper = (rank & step) != 0;
        const Range give = half_of(owned.back(), !upper), keep = half_of(owned.back(), upper);
        steps.push_back({.to = rank ^ step,
                         .from = rank ^ step,
                         .give = elements(give, n),
                         .take = elements(keep, n),
                         .folds = true,
                         .lower = !upper});
        owned.push_back(keep);
    }
    for (std::size_t i = steps.size(); i-- > 0;) {
        const Step& reduce = steps[i];
        steps.push_back({.to = reduce.to,
                         .from = reduce.from,
                         .give = elements(owned[i + 1], n),
                         .take = reduce.give});
    }
    return steps;
}

Schedule ring_schedule(int ranks, int rank, Index n) {
    check("ring", ranks, rank, n);
    const Index chunks = ceil_div(n, kChunk);
    const auto slice = [&](int i) {  // of rank i, which may be out of range by one round
        const Index at = (i + 2 * ranks) % ranks;
        return elements({chunks * at / ranks, chunks * (at + 1) / ranks}, n);
    };
    const int next = (rank + 1) % ranks, previous = (rank + ranks - 1) % ranks;
    Schedule steps;
    for (int round = 0; round < ranks - 1; ++round) {
        steps.push_back({.to = next,
                         .from = previous,
                         .give = slice(rank - round),
                         .take = slice(rank - round - 1),
                         .folds = true});
    }
    for (int round = 0; round < ranks - 1; ++round) {
        steps.push_back({.to = next,
                         .from = previous,
                         .give = slice(rank - round + 1),
                         .take = slice(rank - round)});
    }
    return steps;
}

Index doubling_bytes(int ranks) {
    constexpr double kRatio = 24 << 10, kMost = 128 << 10;
    const double rounds = std::log2(std::max(ranks, 2)), p = std::max(ranks, 2);
    const double more =
        rounds - 2 * (p - 1) / p;  // volumes of n that doubling sends beyond halving
    return static_cast<Index>(std::min(kMost, more > 0 ? rounds * kRatio / more : kMost));
}

Schedule make_schedule(Algorithm algorithm, int ranks, int rank, Index n, Index size,
                       Index doubling) {
    SOMA_CHECK(algorithm != Algorithm::library, "a library's all-reduce has no schedule");
    if (n * size < doubling) return doubling_schedule(ranks, rank, n);
    if (algorithm == Algorithm::ring) return ring_schedule(ranks, rank, n);
    return halving_schedule(ranks, rank, n);
}

Schedule make_schedule(Algorithm algorithm, int ranks, int rank, Index n, Index size) {
    return make_schedule(algorithm, ranks, rank, n, size, doubling_bytes(ranks));
}

}  // namespace soma::dist
