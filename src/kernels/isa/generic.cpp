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

// Register tiles (kernels.md 4.3): 4x4 scalars.
constexpr int kTileRows[] = {0, 4, 4, 4, 4};
constexpr int kTailRows[] = {0, 0, 0, 0, 0};  // a vector of one element has no tail
constexpr int kStripVectors = 4, kWholeStrip = 4;
constexpr bool kOddStrip = false;
constexpr int kFewRows = 0;
constexpr int kFewRowsStrip[] = {4};

#include "kernels/kernels.inl"
}  // namespace

const KernelTable& kernel_table() { return kTable; }

}  // namespace soma::kernels::generic
