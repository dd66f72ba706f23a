#pragma once
// The ladder on AArch64 Advanced SIMD: 32 registers of 4 floats.

#include <arm_neon.h>
#include <cstddef>
#include <cstdint>

#include "bench/ladder/ladder.h"

#define SOMA_LADDER_ISA neon

namespace soma::ladder::neon {
namespace {

#include "kernels/vec/neon.h"

using V = VecF;
using Reg = V::Reg;
constexpr int W = V::kWidth;

// Tiles, rows x vectors: 20 accumulators + 4 vectors of B + 1 broadcast of A = 25 registers, and a
// tall one, 14 + 1 + 1 = 16.
constexpr int kMR = 5, kNV = 4;
constexpr int kTallMR = 14, kTallNV = 1;

}  // namespace
}  // namespace soma::ladder::neon
