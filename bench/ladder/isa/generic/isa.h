#pragma once
// The ladder on plain C++: vectors of one float. For machines without the others, and as a
// fourth witness for the bits of rung 13; where the CPU has no FMA it is emulated, and very slow.

#include <cstddef>
#include <cstdint>

#include "bench/ladder/ladder.h"

#define SOMA_LADDER_ISA generic

namespace soma::ladder::generic {
namespace {

#include "kernels/vec/generic.h"

using V = VecF;
using Reg = V::Reg;
constexpr int W = V::kWidth;

// Tiles, rows x vectors.
constexpr int kMR = 4, kNV = 4;
constexpr int kTallMR = 8, kTallNV = 1;

}  // namespace
}  // namespace soma::ladder::generic
