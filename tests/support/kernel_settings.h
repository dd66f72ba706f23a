#pragma once
// Process-wide switches of the kernels, put back at the end of a test.

#include <string>

#include "soma/core/parallel.h"
#include "soma/kernels/backend.h"
#include "soma/kernels/dispatch.h"

namespace soma::test {

// Restores table, backend and thread count when it goes out of scope.
class KernelSettings {
public:
    KernelSettings() = default;
    ~KernelSettings() {
        kernels::use(isa_);
        kernels::use_gemm_backend(backend_);
        set_num_threads(threads_);
    }
    KernelSettings(const KernelSettings&) = delete;
    KernelSettings& operator=(const KernelSettings&) = delete;

private:
    std::string isa_ = kernels::active().isa;
    std::string backend_ = kernels::gemm_backend();
    int threads_ = num_threads();
};

}  // namespace soma::test
