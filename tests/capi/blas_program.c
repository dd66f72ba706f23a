/* A C program that knows nothing of soma: it calls BLAS and tells what came out.
 *
 *   hash       hash of the results of every routine, on data that depends on nothing
 *   fork       a forked child computes what its parent has computed with threads
 *   fortran, cblas, flag    a wrong call, to see the default handlers
 */
#define _POSIX_C_SOURCE 200809L /* fork */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void sgemm_(const char*, const char*, const int*, const int*, const int*, const float*,
            const float*, const int*, const float*, const int*, const float*, float*, const int*);
void dgemm_(const char*, const char*, const int*, const int*, const int*, const double*,
            const double*, const int*, const double*, const int*, const double*, double*,
            const int*);
void sgemv_(const char*, const int*, const int*, const float*, const float*, const int*,
            const float*, const int*, const float*, float*, const int*);
void cblas_sgemm(int, int, int, int, int, int, float, const float*, int, const float*, int, float,
                 float*, int);
void cblas_dgemv(int, int, int, int, double, const double*, int, const double*, int, double,
                 double*, int);

enum { kSize = 300, kCount = kSize * kSize, kRowMajor = 101, kNoTrans = 111, kTrans = 112 };

static float as[kCount], bs[kCount], cs[kCount];
static double ad[kCount], bd[kCount], cd[kCount];

static void fill(void) {
    uint32_t state = 1;
    for (int i = 0; i < kCount; ++i) {
        state = state * 1664525u + 1013904223u;
        ad[i] = as[i] = (float)(state >> 8) / (1 << 24) - 0.5f;
        state = state * 1664525u + 1013904223u;
        bd[i] = bs[i] = (float)(state >> 8) / (1 << 24) - 0.5f;
        cd[i] = cs[i] = 0;
    }
}

static uint64_t hash_of(const void* data, size_t bytes, uint64_t hash) {
    const unsigned char* p = data;
    for (size_t i = 0; i < bytes; ++i) hash = (hash ^ p[i]) * 1099511628211u;
    return hash;
}

/* C = 0.7 A^T B + 0.3 C, and the like, one after the other. */
static uint64_t results(void) {
    const int n = kSize, one = 1;
    const float alpha = 0.7f, beta = 0.3f;
    const double alpha_d = 0.7, beta_d = 0.3;
    fill();
    sgemm_("T", "N", &n, &n, &n, &alpha, as, &n, bs, &n, &beta, cs, &n);
    cblas_sgemm(kRowMajor, kNoTrans, kTrans, 50, 60, 290, alpha, as, n, bs, n, beta, cs, n);
    sgemv_("N", &n, &n, &alpha, as, &n, bs, &n, &beta, cs, &one);
    dgemm_("N", "T", &n, &n, &n, &alpha_d, ad, &n, bd, &n, &beta_d, cd, &n);
    cblas_dgemv(kRowMajor, kTrans, n, n, alpha_d, ad, n, bd, -1, beta_d, cd, 2);
    return hash_of(cd, sizeof cd, hash_of(cs, sizeof cs, 14695981039346656037u));
}

static int computes_after_fork(void) {
    const uint64_t expected = results();
    const pid_t child = fork();
    if (child == 0) {
        alarm(20); /* a child that waits for threads it does not have */
        _exit(results() == expected ? 0 : 1);
    }
    int status = 1;
    waitpid(child, &status, 0);
    return status == 0 ? 0 : 1;
}

int main(int argc, char** argv) {
    const char* what = argc > 1 ? argv[1] : "";
    const int minus = -1, n = 4;
    const float x = 1;
    if (strcmp(what, "hash") == 0) {
        printf("%016llx\n", (unsigned long long)results());
        return 0;
    }
    if (strcmp(what, "fork") == 0) return computes_after_fork();
    if (strcmp(what, "fortran") == 0) {
        sgemm_("N", "N", &n, &n, &minus, &x, as, &n, bs, &n, &x, cs, &n);
    } else if (strcmp(what, "cblas") == 0) {
        cblas_sgemm(kRowMajor, kNoTrans, kNoTrans, n, n, n, x, as, 1, bs, n, x, cs, n);
    } else if (strcmp(what, "flag") == 0) {
        cblas_sgemm(kRowMajor, 7, kNoTrans, n, n, n, x, as, n, bs, n, x, cs, n);
    }
    return 0; /* a wrong call must not come here with the default handlers */
}
