#pragma once
// The ladder on AVX2 with FMA: 16 registers of 8 floats.

#include <immintrin.h>
#include <cstddef>
#include <cstdint>

#include "bench/ladder/ladder.h"

#define SOMA_LADDER_ISA avx2

namespace soma::ladder::avx2 {
namespace {

#include "kernels/vec/avx2.h"

using V = VecF;
using Reg = V::Reg;
constexpr int W = V::kWidth;

// Tiles, rows x vectors: 12 accumulators + 2 vectors of B + 1 broadcast of A = 15 registers, and a
// tall one, 12 + 1 + 1 = 14.
constexpr int kMR = 6, kNV = 2;
constexpr int kTallMR = 12, kTallNV = 1;

}  // namespace
}  // namespace soma::ladder::avx2
