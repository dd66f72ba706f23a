#pragma once
// What the routines of libsoma_blas.so share: flags, error reports, the border to C.
//
// BLAS is column-major. A column-major X [r, c] with leading dimension ld is a row-major [c, r]
// with the same ld, so every routine is a row-major product of transposes: C^T = op(B)^T op(A)^T.
//
//     Fortran call ---> flags, sizes checked in netlib's order ---> soma::kernels
//     CBLAS, column-major: the same call
//     CBLAS, row-major: the column-major call of the transposed product, whose positions it reports
//
// Positions of illegal arguments count from 1 in the Fortran call. A CBLAS call has the layout in
// front, so its positions are one higher; cblas_xerbla swaps those of a row-major call back.

#include <optional>

#include "soma/kernels/gemm.h"

// Default handlers, in blas_handlers.cpp; a program's own take their place.
extern "C" {
extern int CBLAS_CallFromC;  // an error is reported on behalf of a CBLAS routine
extern int RowMajorStrg;     // ... that was called row-major
void xerbla_(const char* name, const int* position, std::size_t name_length);
void cblas_xerbla(int position, const char* routine, const char* form, ...);
}

namespace soma::capi {

inline constexpr int kRowMajor = 101, kColumnMajor = 102;  // CBLAS_LAYOUT

// The flag of a Fortran call, upper or lower case; C is T for real numbers.
inline std::optional<kernels::Op> op_of(const char* flag) {
    switch (*flag) {
        case 'N':
        case 'n':
            return kernels::Op::N;
        case 'T':
        case 't':
        case 'C':
        case 'c':
            return kernels::Op::T;
        default:
            return std::nullopt;
    }
}

// CBLAS_TRANSPOSE: 111 no, 112 transposed, 113 conjugate.
inline std::optional<kernels::Op> op_of(int flag) {
    if (flag == 111) return kernels::Op::N;
    if (flag == 112 || flag == 113) return kernels::Op::T;
    return std::nullopt;
}

inline bool is_layout(int layout) { return layout == kRowMajor || layout == kColumnMajor; }

// `name` is that of the Fortran routine, blank-padded to at least 6 characters.
void report(const char* name, int position);
void report_cblas(const char* name, int layout, int position);
// Flags of CBLAS itself: the position is that of the CBLAS call.
void report_cblas_flag(const char* name, int layout, int position, const char* form, int flag);

// Before the first product: native kernels, and what a fork needs.
void prepare();
// BLAS cannot return an error, and a result that was not computed must not look like one.
[[noreturn]] void stop(const char* name, const char* what) noexcept;

// Runs f; no exception leaves.
template <class F>
void guarded(const char* name, F&& f) noexcept {
    try {
        [[maybe_unused]] static const bool prepared = (prepare(), true);
        f();
    } catch (const std::exception& error) {
        stop(name, error.what());
    }
}

}  // namespace soma::capi
