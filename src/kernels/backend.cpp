// The list of GEMM backends and the choice among them.

#include "soma/kernels/backend.h"

#include <atomic>
#include <vector>

#include "kernels/backend_openblas.h"
#include "kernels/ref/gemm.h"
#include "soma/core/cpu.h"
#include "soma/core/error.h"

namespace soma::kernels {
namespace {

constexpr GemmBackend kNative{"native", nullptr, nullptr};
constexpr GemmBackend kReference{"reference", &ref::gemm<float>, &ref::gemm<double>};

std::atomic<const GemmBackend*> current{nullptr};

void activate(const GemmBackend& backend) {
    if (backend.prepare != nullptr) backend.prepare();
    current.store(&backend, std::memory_order_release);
}

// Without FMA the native kernels emulate it in software: 0.02 GF.
const GemmBackend& best() {
    const bool has_fma = cpu().avx2_fma || cpu().neon;
    const GemmBackend* blas = openblas_backend();
    return has_fma || blas == nullptr ? kNative : *blas;
}

const GemmBackend& choose() {
    const std::string wish = environment("SOMA_GEMM");
    if (wish.empty()) {
        activate(best());
    } else {
        use_gemm_backend(wish);
    }
    return *current.load(std::memory_order_acquire);
}

}  // namespace

std::span<const GemmBackend* const> gemm_backends() {
    static const std::vector<const GemmBackend*> list = [] {
        std::vector<const GemmBackend*> all{&kNative, &kReference};
        if (const GemmBackend* blas = openblas_backend()) all.push_back(blas);
        return all;
    }();
    return list;
}

const GemmBackend& active_gemm_backend() {
    const GemmBackend* backend = current.load(std::memory_order_acquire);
    return backend != nullptr ? *backend : choose();
}

std::string gemm_backend() { return active_gemm_backend().name; }

void use_gemm_backend(const std::string& name) {
    std::string names;
    for (const GemmBackend* backend : gemm_backends()) {
        if (name == backend->name) {
            activate(*backend);
            return;
        }
        names += (names.empty() ? "" : ", ") + std::string(backend->name);
    }
    fail(ErrorCode::usage, "SOMA_GEMM: there is no backend '", name, "' in this build; it has ",
         names);
}

}  // namespace soma::kernels
