#pragma once
// Runs a check with every kernel table of this machine, and with 1 and 3 threads.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "soma/core/parallel.h"
#include "soma/core/rng.h"
#include "soma/kernels/dispatch.h"

namespace soma::test {

template <class F>
void on_every_isa(F&& check) {
    const std::string isa = kernels::active().isa;
    const int threads = num_threads();
    for (const kernels::KernelTable* table : kernels::available()) {
        for (const int team : {1, 3}) {
            SCOPED_TRACE(std::string(table->isa) + ", threads: " + std::to_string(team));
            kernels::use(table->isa);
            set_num_threads(team);
            check();
        }
    }
    kernels::use(isa);
    set_num_threads(threads);
}

// n numbers, uniform in [low, high) and exact in f32.
template <class T>
std::vector<T> uniform(Index n, std::uint32_t tag, float low = -1, float high = 1) {
    RandomSequence random(make_key(1, Purpose::analysis_seeds, 0, tag));
    std::vector<T> x(static_cast<std::size_t>(n));
    for (T& v : x) v = random.uniform(low, high);
    return x;
}

}  // namespace soma::test
