#pragma once
// Rival libraries, found at run time and never linked (kernels.md 18.7): a missing one is a blank
// column. RTLD_LOCAL | RTLD_DEEPBIND keeps its symbols and its dependencies to itself.

#include <dlfcn.h>

namespace soma::bench {

// cblas_sgemm of OpenBLAS on one thread.
class OpenBlas {
public:
    using Sgemm = void (*)(int order, int op_a, int op_b, int m, int n, int k, float alpha,
                           const float* a, int lda, const float* b, int ldb, float beta, float* c,
                           int ldc);
    static constexpr int kRowMajor = 101, kNoTrans = 111, kTrans = 112;

    OpenBlas() {
        void* library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
        if (library == nullptr) return;
        const auto set_threads =
            reinterpret_cast<void (*)(int)>(dlsym(library, "openblas_set_num_threads"));
        const auto config =
            reinterpret_cast<const char* (*)()>(dlsym(library, "openblas_get_config"));
        sgemm = reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm"));
        if (set_threads != nullptr) set_threads(1);
        if (config != nullptr) name = config();
    }

    Sgemm sgemm = nullptr;  // nullptr: not installed
    const char* name = "not found";
};

}  // namespace soma::bench
