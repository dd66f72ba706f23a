/* The whole of soma_c.h from C99, with every allocation of the process counted: after the threads
 * are up, a thousand products and convolutions make none.
 */
#include "soma/soma_c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- allocations, of this program and of every library it loads ---- */

static long allocations;

extern void* __libc_malloc(size_t bytes);
extern void* __libc_calloc(size_t count, size_t bytes);
extern void* __libc_realloc(void* p, size_t bytes);
extern void* __libc_memalign(size_t alignment, size_t bytes);

void* malloc(size_t bytes) {
    ++allocations;
    return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
    ++allocations;
    return __libc_calloc(count, bytes);
}
void* realloc(void* p, size_t bytes) {
    ++allocations;
    return __libc_realloc(p, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
    ++allocations;
    return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** p, size_t alignment, size_t bytes) {
    ++allocations;
    *p = __libc_memalign(alignment, bytes);
    return *p == NULL;
}

/* ---- checks ---- */

static int failures;

static void check(int condition, const char* what) {
    if (condition) return;
    ++failures;
    fprintf(stderr, "%s: %s\n", what, soma_last_error());
}
#define CHECK(condition) check(condition, #condition)

enum { kImages = 2, kSide = 20, kChannels = 8, kOutputs = 70, kSize = 160 };

static float x[kImages * kSide * kSide * kChannels], dx[kImages * kSide * kSide * kChannels];
static float w[9 * kChannels * kOutputs], dw[9 * kChannels * kOutputs], bias[kOutputs];
static float y[kImages * kSide * kSide * kOutputs];
static float a[kSize * kSize], b[kSize * kSize], c[kSize * kSize];

static void fill(float* p, size_t bytes, unsigned state) {
    for (size_t i = 0; i < bytes / sizeof *p; ++i) {
        state = state * 1664525u + 1013904223u;
        p[i] = (float)(state >> 8) / (1 << 24) - 0.5f;
    }
}

/* A block of at least `bytes`, aligned by hand: C99 has no aligned_alloc. */
static void* workspace_of(size_t bytes, void** block) {
    *block = malloc(bytes + SOMA_ALIGNMENT);
    const size_t past = (size_t)((uintptr_t)*block % SOMA_ALIGNMENT);
    return (char*)*block + (SOMA_ALIGNMENT - past);
}

static soma_conv2d convolution(void) {
    soma_conv2d d;
    memset(&d, 0, sizeof d);
    d.n = kImages, d.h = kSide, d.w = kSide, d.c = kChannels;
    d.kh = d.kw = 3, d.oc = kOutputs;
    d.stride_h = d.stride_w = d.dilation_h = d.dilation_w = d.groups = 1;
    d.pad_top = d.pad_bottom = d.pad_left = d.pad_right = 1;
    return d;
}

static void run_all(const soma_conv2d* d, void* space, size_t bytes) {
    CHECK(soma_sgemm(SOMA_TRANS, SOMA_NO_TRANS, kSize, kSize, kSize, 1, a, kSize, b, kSize, 0, c,
                     kSize, space, bytes) == SOMA_OK);
    CHECK(soma_conv2d_forward(d, x, w, bias, y, space, bytes) == SOMA_OK);
    CHECK(soma_conv2d_backward_data(d, y, w, 0, dx, space, bytes) == SOMA_OK);
    CHECK(soma_conv2d_backward_weights(d, x, y, 1, dw, space, bytes) == SOMA_OK);
}

/* Runs everything `times` times; the workspace is the largest that any call needs. */
static void count_allocations(int threads, int times) {
    const soma_conv2d d = convolution();
    size_t bytes = 0, most = 0;
    CHECK(soma_set_num_threads(threads) == SOMA_OK);
    CHECK(soma_sgemm_workspace(SOMA_TRANS, SOMA_NO_TRANS, kSize, kSize, kSize, kSize, kSize, kSize,
                               &most) == SOMA_OK);
    for (soma_conv2d_op op = SOMA_CONV2D_FORWARD; op <= SOMA_CONV2D_BACKWARD_WEIGHTS; ++op) {
        CHECK(soma_conv2d_workspace(&d, op, &bytes) == SOMA_OK);
        if (bytes > most) most = bytes;
    }
    void* block = NULL;
    void* space = workspace_of(most, &block);
    run_all(&d, space, most); /* OpenMP starts its threads */
    const long before = allocations;
    for (int i = 0; i < times; ++i) run_all(&d, space, most);
    if (allocations != before) {
        ++failures;
        fprintf(stderr, "%d threads: %ld allocations\n", threads, allocations - before);
    }
    free(block);
}

int main(void) {
    int64_t oh = 0, ow = 0;
    soma_conv2d d = convolution();
    CHECK(soma_abi_version() == SOMA_ABI_VERSION);
    CHECK(strlen(soma_version()) > 0);
    CHECK(strcmp(soma_status_name(SOMA_ESHAPE), "SOMA_ESHAPE") == 0);
    CHECK(soma_num_threads() >= 1);
    CHECK(soma_conv2d_output_size(&d, &oh, &ow) == SOMA_OK && oh == kSide && ow == kSide);
    d.h = -1;
    CHECK(soma_conv2d_output_size(&d, &oh, &ow) == SOMA_ESHAPE);
    CHECK(strstr(soma_last_error(), "h is -1") != NULL);

    fill(x, sizeof x, 1);
    fill(w, sizeof w, 2);
    fill(a, sizeof a, 3);
    fill(b, sizeof b, 4);
    count_allocations(1, 125);
    count_allocations(2, 125);
    CHECK(allocations > 0); /* the counter counts: the workspaces at least */
    return failures == 0 ? 0 : 1;
}
