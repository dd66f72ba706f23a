#pragma once
// The only external symbols of the ISA units: their tables.

#include "soma/kernels/kernel_table.h"

namespace soma::kernels {

namespace generic {
const KernelTable& kernel_table();
}
namespace avx2 {
const KernelTable& kernel_table();
}
namespace avx512 {
const KernelTable& kernel_table();
}
namespace neon {
const KernelTable& kernel_table();
}

}  // namespace soma::kernels
