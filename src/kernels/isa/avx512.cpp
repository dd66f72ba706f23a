// The kernels compiled for AVX-512 F, BW, DQ, VL.
// Everything but the table getter is in an anonymous namespace: an ISA unit must leave no symbol
// that the linker could share with portable code (kernels.md 15.2; tools/check_isa_symbols.sh).

#include <immintrin.h>
#include <cstddef>
#include <cstdint>

#include "kernels/isa/isa.h"

namespace soma::kernels::avx512 {
namespace {
constexpr const char* kIsa = "avx512";
#include "kernels/vec/avx512.h"

// Register tiles (kernels.md 4.3): 32 registers = accumulators + B vectors + one broadcast, or
// accumulators + one B vector + broadcasts when vectors outnumber rows.
// f32: 24x16, 12x32, 8x48, 6x64, 5x80, 4x96, 3x128, 2x192 and 1x256. Masks have registers of their
// own.
constexpr int kTileRows[] = {0, 24, 12, 8, 6, 5, 4, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1};
constexpr int kTailRows[] = {0, 24, 12, 8, 6, 5, 4, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1};
constexpr int kStripVectors = 4, kWholeStrip = 5;
constexpr bool kOddStrip = false;
constexpr int kFewRows = 16;
constexpr int kFewRowsStrip[] = {4, 16, 12, 8, 6, 5, 4, 3, 3, 4, 4, 4, 4, 3, 3, 3, 3};

#include "kernels/kernels.inl"
}  // namespace

const KernelTable& kernel_table() { return kTable; }

}  // namespace soma::kernels::avx512
