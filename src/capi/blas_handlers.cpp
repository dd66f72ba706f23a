// Error handlers and the border of libsoma_blas.so.
//
// Reports take netlib's way, so that every handler a program may bring is called as it expects:
//
//     sgemm_                --> xerbla_("SGEMM ", position)
//     cblas_sgemm, flags    --> cblas_xerbla(position, "cblas_sgemm", "Illegal ...", flag)
//     cblas_sgemm, the rest --> xerbla_("SGEMM ", position), whose default, since CBLAS_CallFromC
//     is
//                               set, calls cblas_xerbla(position + 1, "cblas_sgemm", "")
//
// Both handlers are weak and called through the dynamic symbol table: one in the program, or in a
// library before this one, wins. The defaults stop the program, like netlib's; unlike netlib's STOP
// the exit code says so.
//
// The two globals are set only around a report: calls that are right share nothing between threads.
//
// Source: Reference-LAPACK, BLAS/SRC/xerbla.f and CBLAS/src/{xerbla,cblas_xerbla}.c.

#include <pthread.h>

#include <cctype>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "capi/blas_call.h"
#include "soma/core/parallel.h"
#include "soma/kernels/backend.h"

namespace {

constexpr int kFailure = 255;

// Positions that a row-major call of a routine swaps: those of its sizes and leading dimensions.
// The routines that are not in this library call its cblas_xerbla when it comes before theirs.
struct Swap {
    const char* part;  // of the routine's name; the first row that fits counts
    int pairs[3][2];
};
constexpr Swap kSwaps[] = {{"gemm_batch_strided", {{4, 5}, {9, 12}, {10, 13}}},
                           {"gemm", {{4, 5}, {9, 11}}},
                           {"symm", {{4, 5}}},
                           {"hemm", {{4, 5}}},
                           {"trmm", {{6, 7}}},
                           {"trsm", {{6, 7}}},
                           {"gemv", {{3, 4}}},
                           {"gbmv", {{3, 4}, {5, 6}}},
                           {"her2k", {}},
                           {"her2", {{6, 8}}},
                           {"hpr2", {{6, 8}}},
                           {"ger", {{2, 3}, {6, 8}}}};

int row_major_position(const char* routine, int position) {
    for (const Swap& swap : kSwaps) {
        if (std::strstr(routine, swap.part) == nullptr) continue;
        for (const auto& [a, b] : swap.pairs) {
            if (position == a) return b;
            if (position == b) return a;
        }
        break;
    }
    return position;
}

// The name without its padding. C programs that report errors of their own leave the length out, so
// it is only an upper bound.
std::string trimmed(const char* name, std::size_t length) {
    constexpr std::size_t kLongest = 32;
    std::string text;
    for (std::size_t i = 0; i < std::min(length, kLongest); ++i) {
        const auto c = static_cast<unsigned char>(name[i]);
        if (std::isalnum(c) == 0 && c != '_') break;
        text += name[i];
    }
    return text;
}

std::string cblas_name(const std::string& fortran) {
    std::string name = "cblas_";
    for (const char c : fortran) name += static_cast<char>(std::tolower(c));
    return name;
}

}  // namespace

extern "C" {

int CBLAS_CallFromC = 0;
int RowMajorStrg = 0;

__attribute__((weak)) void xerbla_(const char* name, const int* position, std::size_t name_length) {
    const std::string routine = trimmed(name, name_length);
    if (CBLAS_CallFromC != 0) {
        cblas_xerbla(*position + 1, cblas_name(routine).c_str(), "");
        return;
    }
    std::fprintf(stderr, " ** On entry to %-6s parameter number %2d had an illegal value\n",
                 routine.c_str(), *position);
    std::exit(kFailure);
}

__attribute__((weak)) void cblas_xerbla(int position, const char* routine, const char* form, ...) {
    if (RowMajorStrg != 0) position = row_major_position(routine, position);
    if (position != 0) {
        std::fprintf(stderr, "Parameter %d to routine %s was incorrect\n", position, routine);
    }
    std::va_list values;
    va_start(values, form);
    std::vfprintf(stderr, form, values);
    va_end(values);
    std::exit(kFailure);
}

}  // extern "C"

namespace soma::capi {
namespace {

// Says to the handlers who calls, as long as it lives.
class OnBehalfOfCblas {
public:
    explicit OnBehalfOfCblas(int layout) {
        CBLAS_CallFromC = 1;
        RowMajorStrg = layout == kRowMajor ? 1 : 0;
    }
    ~OnBehalfOfCblas() { CBLAS_CallFromC = RowMajorStrg = 0; }
    OnBehalfOfCblas(const OnBehalfOfCblas&) = delete;
    OnBehalfOfCblas& operator=(const OnBehalfOfCblas&) = delete;
};

}  // namespace

void report(const char* name, int position) { xerbla_(name, &position, std::strlen(name)); }

void report_cblas(const char* name, int layout, int position) {
    const OnBehalfOfCblas caller(layout);
    report(name, position);
}

void report_cblas_flag(const char* name, int layout, int position, const char* form, int flag) {
    const OnBehalfOfCblas caller(layout);
    const std::string routine = cblas_name(trimmed(name, std::strlen(name)));
    cblas_xerbla(position, routine.c_str(), form, flag);
}

// Another backend would be a BLAS, whose cblas_sgemm is found here: it would call itself.
// A forked child has none of its parent's threads, but GNU OpenMP would wait for them.
void prepare() {
    kernels::use_gemm_backend("native");
    pthread_atfork(nullptr, nullptr, [] { set_num_threads(1); });
}

void stop(const char* name, const char* what) noexcept {
    std::fprintf(stderr, "soma_blas: %s: %s\n", name, what);
    std::abort();
}

}  // namespace soma::capi
