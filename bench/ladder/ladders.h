#pragma once
// The ladders that this machine can climb: for the program and the tests, not for rungs.

#include <span>
#include <string>
#include <vector>

#include "bench/ladder/ladder.h"

namespace soma::ladder {

// One for each instruction set of kernels::available(), slowest first.
std::vector<Ladder> available();

// Why an instruction set of this build has no ladder here: "avx512: needs AVX-512 F, BW, DQ, VL".
// Empty when every one has.
std::vector<std::string> missing();

inline std::span<const Rung> rungs(const Ladder& l) {
    return {l.rungs, static_cast<std::size_t>(l.count)};
}

// h and w follow from oh, ow.
Conv make_conv(Index n, Index oh, Index ow, Index c, Index kernel, Index oc, Index stride = 1);

// 2 x multiply-adds, of the direct way.
double flop_of(const Conv& s);

}  // namespace soma::ladder
