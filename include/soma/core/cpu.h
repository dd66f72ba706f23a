#pragma once
// What the machine is: instruction sets, cache sizes, cores. Read once, at the first call.

#include <string>
#include <vector>

#include "soma/core/types.h"

namespace soma {

struct CpuInfo {
    std::string model;           // marketing name, or the architecture when unknown
    bool avx2_fma = false;       // AVX2 and FMA, enabled by the operating system
    bool avx512 = false;         // F, BW, DQ, VL, enabled by the operating system
    bool neon = false;           // AArch64 Advanced SIMD
    Index l1d_bytes = 32 << 10;  // per core; the defaults stand where the system does not say
    Index l2_bytes = 256 << 10;
    Index l3_bytes = 0;         // shared; 0 when absent
    int cores = 1;              // logical processors of the machine
    std::vector<int> affinity;  // those this process may run on
};

const CpuInfo& cpu();

// The variables a library may read (architecture.md 4.11): returns "" when unset.
std::string environment(const char* name);

// Name of this host, and the number of bytes this process has held at most.
std::string host_name();
Index peak_resident_bytes();

}  // namespace soma
