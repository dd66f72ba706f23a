// The kernels compiled for AArch64 Advanced SIMD.
// Everything but the table getter is in an anonymous namespace: an ISA unit must leave no symbol
// that the linker could share with portable code (kernels.md 15.2; tools/check_isa_symbols.sh).

#include <arm_neon.h>
#include <cstddef>
#include <cstdint>

#include "kernels/isa/isa.h"

namespace soma::kernels::neon {
namespace {
constexpr const char* kIsa = "neon";
#include "kernels/vec/neon.h"

// Register tiles (kernels.md 4.3): 32 registers = accumulators + B vectors + one broadcast. Tiles
// that GCC 12 spills (6x16, 8x12, 12x8 in f32) are left out.
constexpr int kTileRows[] = {0, 14, 10, 7, 5, 1, 1, 1, 1};
constexpr int kTailRows[] = {0, 14, 10, 7, 5, 1, 1, 1, 1};
constexpr int kStripVectors = 4, kWholeStrip = 4;
constexpr bool kOddStrip = false;
constexpr int kFewRows = 1;
constexpr int kFewRowsStrip[] = {4, 8};

#include "kernels/kernels.inl"
}  // namespace

const KernelTable& kernel_table() { return kTable; }

}  // namespace soma::kernels::neon
