/* soma in C: products of matrices and two-dimensional convolutions in f32.
 *
 * C99. Every function returns a status, lets no C++ exception out and may be called from any
 * thread. The message of the last failure is kept per thread. Sizes, strides and counts are in
 * elements unless they say bytes.
 *
 * Results are those of soma's kernels: the same bits for any number of threads and instruction set.
 *
 * Memory. Nothing is allocated: a function takes its scratch from `workspace`, of which the
 * _workspace function tells the bytes for the number of threads at that time. Its address is a
 * multiple of SOMA_ALIGNMENT; it may be NULL when 0 bytes are needed. Calls that run at the same
 * time need one each. (The first parallel call starts the threads of OpenMP, which allocates once.)
 *
 * Pointers to empty arrays may be NULL. An output must not overlap an input or the workspace. When
 * a function fails with anything but SOMA_EINTERNAL, nothing was written.
 */
#ifndef SOMA_SOMA_C_H
#define SOMA_SOMA_C_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- versions ---- */

/* Raised when a program built with an older soma_c.h would no longer work. */
#define SOMA_ABI_VERSION 1u

uint32_t soma_abi_version(void); /* of the library that was loaded */
const char* soma_version(void);  /* "0.1.0" */

/* ---- status ---- */

typedef int32_t soma_status;
enum {
    SOMA_OK = 0,
    SOMA_EINVAL = 1,  /* NULL, misaligned or overlapping memory, an unknown flag */
    SOMA_ESHAPE = 2,  /* a size, stride or padding that is negative, too large or does not fit */
    SOMA_EDTYPE = 3,  /* a type the function does not take */
    SOMA_ENOMEM = 4,  /* out of memory */
    SOMA_EARENA = 5,  /* the workspace is too small */
    SOMA_EIO = 6,     /* a file cannot be read or written */
    SOMA_EFORMAT = 7, /* a file is malformed */
    SOMA_EUNSUPPORTED = 8, /* right, but not implemented */
    SOMA_ENONFINITE = 9,   /* NaN or infinity where none may be */
    SOMA_EINTERNAL = 10    /* a broken invariant of soma itself */
};

const char* soma_status_name(soma_status status); /* "SOMA_ESHAPE"; "unknown status" */
/* Message of the thread's last call that failed, "" before one; valid until its next failure. */
const char* soma_last_error(void);

/* ---- threads ---- */

/* Threads a call may use, of the whole process; 1: the caller's alone. Not while calls run. The
 * default is OpenMP's (OMP_NUM_THREADS, else the cores). After a fork the child must use 1. */
soma_status soma_set_num_threads(int32_t threads);
int32_t soma_num_threads(void);

/* ---- matrices ---- */

#define SOMA_ALIGNMENT 64 /* bytes, of a workspace */

typedef int32_t soma_op;
enum { SOMA_NO_TRANS = 0, SOMA_TRANS = 1 };

/* C = alpha op(A) op(B) + beta C, row-major: op(A) [m, k], op(B) [k, n], C [m, n]; ld*: elements
 * between rows as stored, at least the row length. beta == 0: C is not read; alpha == 0: A and B
 * are not read and may be NULL. */
soma_status soma_sgemm_workspace(soma_op op_a, soma_op op_b, int64_t m, int64_t n, int64_t k,
                                 int64_t lda, int64_t ldb, int64_t ldc, size_t* bytes);
soma_status soma_sgemm(soma_op op_a, soma_op op_b, int64_t m, int64_t n, int64_t k, float alpha,
                       const float* a, int64_t lda, const float* b, int64_t ldb, float beta,
                       float* c, int64_t ldc, void* workspace, size_t workspace_bytes);

/* ---- convolution ---- */

/* Cross-correlation of NHWC images:  x [n, h, w, c],  w [kh, kw, c / groups, oc],  y [n, oh, ow,
 * oc],
 *
 *     y[n, oh, ow, o] = sum over (kh, kw, c) of x[n, oh stride_h + kh dilation_h - pad_top, ...]
 *                                               w[kh, kw, c, o]
 *     oh = floor((h + pad_top + pad_bottom - dilation_h (kh - 1) - 1) / stride_h) + 1, ow alike
 *
 * Outside the image x is pad_value, which takes part in y and dw. n may be 0.
 *
 * Strides of a tensor are those of its four axes. All 0: contiguous. Supported are the strides of a
 * contiguous tensor (any on an axis of size 1); others end with SOMA_EUNSUPPORTED. */
typedef struct soma_conv2d {
    int64_t n, h, w, c;
    int64_t kh, kw, oc;
    int64_t stride_h, stride_w;     /* at least 1 */
    int64_t dilation_h, dilation_w; /* at least 1 */
    int64_t pad_top, pad_bottom, pad_left, pad_right;
    int64_t groups; /* divides c and oc; at least 1 */
    float pad_value;
    int64_t x_strides[4], w_strides[4], y_strides[4]; /* of dx, dw, dy as well */
} soma_conv2d;

typedef int32_t soma_conv2d_op;
enum { SOMA_CONV2D_FORWARD = 0, SOMA_CONV2D_BACKWARD_DATA = 1, SOMA_CONV2D_BACKWARD_WEIGHTS = 2 };

soma_status soma_conv2d_output_size(const soma_conv2d* conv, int64_t* oh, int64_t* ow);
soma_status soma_conv2d_workspace(const soma_conv2d* conv, soma_conv2d_op op, size_t* bytes);

/* y = conv(x, w) + bias; bias [oc] or NULL. */
soma_status soma_conv2d_forward(const soma_conv2d* conv, const float* x, const float* w,
                                const float* bias, float* y, void* workspace,
                                size_t workspace_bytes);
/* dx = the gradient with respect to x; accumulate != 0: dx += it. */
soma_status soma_conv2d_backward_data(const soma_conv2d* conv, const float* dy, const float* w,
                                      int32_t accumulate, float* dx, void* workspace,
                                      size_t workspace_bytes);
/* dw = the gradient with respect to w; accumulate != 0: dw += it. */
soma_status soma_conv2d_backward_weights(const soma_conv2d* conv, const float* x, const float* dy,
                                         int32_t accumulate, float* dw, void* workspace,
                                         size_t workspace_bytes);

#ifdef __cplusplus
}
#endif

#endif
