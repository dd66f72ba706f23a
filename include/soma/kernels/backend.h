#pragma once
// GEMM backends: what gemm() runs on. SOMA_GEMM = native | openblas | reference chooses at the
// first use; unset means native, or openblas on a CPU without FMA where it was built in.
//
//     native     the kernels of this library: fixed orders of summation, same bits everywhere
//     openblas   cblas_sgemm and cblas_dgemm on one thread, called per block of C: a second opinion
//                and a rival; its bits depend on the library and the CPU
//     reference  plain loops in a wider type (kernels/ref/gemm.h): the specification
//
// Strict training modes refuse anything but native: the promises of kernels.md 6 are its alone.

#include <limits>
#include <span>
#include <string>

#include "soma/core/types.h"

namespace soma::kernels {

template <class T>
struct Gemm;

struct GemmBackend {
    const char* name;
    // C = alpha op(A) op(B) + beta C for m, n >= 1; the epilogue is applied by the caller. nullptr:
    // native. Called on parts of C by several threads, so nothing can fail here.
    void (*f32)(const Gemm<float>& g);
    void (*f64)(const Gemm<double>& g);
    // The largest size and leading dimension the library's integers hold; gemm() refuses larger
    // ones before it writes.
    Index largest = std::numeric_limits<Index>::max();
    // Makes it ready to be the active one: settings of a library are process-wide, so they change
    // only when it is chosen. Error(internal) when it cannot be used. nullptr: nothing to do.
    void (*prepare)() = nullptr;
};

// Those built into this program.
std::span<const GemmBackend* const> gemm_backends();
const GemmBackend& active_gemm_backend();
// The active one's name.
std::string gemm_backend();
// Switches all threads: for tests and benchmarks, not while kernels run. Error(usage) names the
// possible ones.
void use_gemm_backend(const std::string& name);

}  // namespace soma::kernels
