#pragma once
// Kernel table, probes: loops that only measure the machine (peak.h).

#include "soma/core/types.h"

namespace soma::kernels {

// Latency 4 or 5 on two ports needs 10 chains; 12 still fit the registers of AVX2.
inline constexpr int kProbeChains = 12;

template <class T>
struct ProbeTable {
    // `rounds` times kProbeChains independent FMAs on registers; returns a value that depends on
    // all. Flop: rounds * kProbeChains * width * 2.
    T (*fma)(Index rounds) noexcept;
    // Reads n elements (a multiple of kProbeChains vectors) `passes` times, in as many chains of
    // additions.
    T (*read)(Index n, const T* x, Index passes) noexcept;
};

}  // namespace soma::kernels
