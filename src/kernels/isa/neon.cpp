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

#include "kernels/kernels.inl"
}  // namespace

const KernelTable& kernel_table() { return kTable; }

}  // namespace soma::kernels::neon
