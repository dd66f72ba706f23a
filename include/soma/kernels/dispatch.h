#pragma once
// Dispatch: which kernel table this process uses.
//
// At the first use the best table that the CPU supports is taken, or the one SOMA_ISA names. All
// tables give the same bits (kernels.md 6), so the choice is one of speed.

#include <atomic>
#include <span>
#include <string>

#include "soma/kernels/kernel_table.h"

namespace soma::kernels {

// The tables this CPU can run, slowest first.
std::span<const KernelTable* const> available();
// Switches all threads to a table by name: for tests and benchmarks, not while kernels are running.
// Error(usage) naming the possible ones.
void use(const std::string& isa);

namespace detail {
extern std::atomic<const KernelTable*> current;
const KernelTable& choose();
}  // namespace detail

inline const KernelTable& active() {
    const KernelTable* t = detail::current.load(std::memory_order_acquire);
    return t != nullptr ? *t : detail::choose();
}

// The kernels for element type T = float or double.
template <class T>
const TypedKernels<T>& table() {
    if constexpr (sizeof(T) == 4) {
        return active().f32;
    } else {
        return active().f64;
    }
}

}  // namespace soma::kernels
