// The kernels compiled for plain C++: the correctness reference and last resort.
// Everything but the table getter is in an anonymous namespace: an ISA unit must leave no symbol
// that the linker could share with portable code (kernels.md 15.2; tools/check_isa_symbols.sh).

#include <cstddef>
#include <cstdint>

#include "kernels/isa/isa.h"

namespace soma::kernels::generic {
namespace {
constexpr const char* kIsa = "generic";
#include "kernels/vec/generic.h"

#include "kernels/kernels.inl"
}  // namespace

const KernelTable& kernel_table() { return kTable; }

}  // namespace soma::kernels::generic
