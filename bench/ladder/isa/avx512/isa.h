#pragma once
// The ladder on AVX-512: 32 registers of 16 floats.

#include <immintrin.h>
#include <cstddef>
#include <cstdint>

#include "bench/ladder/ladder.h"

#define SOMA_LADDER_ISA avx512

namespace soma::ladder::avx512 {
namespace {

#include "kernels/vec/avx512.h"

using V = VecF;
using Reg = V::Reg;
constexpr int W = V::kWidth;

// Tiles, rows x vectors: 24 accumulators + 4 vectors of B + 1 broadcast of A = 29 registers, and
// the popular one, 28 + 2 + 1 = 31.
constexpr int kMR = 6, kNV = 4;
constexpr int kTallMR = 14, kTallNV = 2;

}  // namespace
}  // namespace soma::ladder::avx512
