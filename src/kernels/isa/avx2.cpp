// The kernels compiled for AVX2 and FMA.
// Everything but the table getter is in an anonymous namespace: an ISA unit must leave no symbol
// that the linker could share with portable code (kernels.md 15.2; tools/check_isa_symbols.sh).

#include <immintrin.h>
#include <cstddef>
#include <cstdint>

#include "kernels/isa/isa.h"

namespace soma::kernels::avx2 {
namespace {
constexpr const char* kIsa = "avx2";
#include "kernels/vec/avx2.h"

// Register tiles (kernels.md 4.3): 16 registers = accumulators + B vectors + one broadcast.
// f32: 12x8, 6x16, 4x24 and 1x64.
constexpr int kTileRows[] = {0, 12, 6, 4, 2, 1, 1, 1, 1};
constexpr int kTailRows[] = {0, 12, 5, 3, 1, 1, 1, 1, 1};  // the mask takes a register
constexpr int kStripVectors = 2, kWholeStrip = 3;
constexpr bool kOddStrip = true;
constexpr int kFewRows = 4;
constexpr int kFewRowsStrip[] = {2, 8, 4, 3, 3};

#include "kernels/kernels.inl"
}  // namespace

const KernelTable& kernel_table() { return kTable; }

}  // namespace soma::kernels::avx2
