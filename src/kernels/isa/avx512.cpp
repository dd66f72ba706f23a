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

#include "kernels/kernels.inl"
}  // namespace

const KernelTable& kernel_table() { return kTable; }

}  // namespace soma::kernels::avx512
