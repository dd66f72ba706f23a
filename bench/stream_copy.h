#pragma once
// A copy whose stores bypass the caches, where the compiler's baseline has one: the fastest way to
// move an array that will not be read soon. Bound of the memory tables (bench_memory_bound).

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>

#include "soma/core/parallel.h"

namespace soma::bench {

// y = x; both 16-byte aligned, n a multiple of 4.
inline void stream_copy(Index n, const float* x, float* y) {
    parallel_for(n, 1 << 15, [=](Index begin, Index end) {
#if defined(__SSE2__)
        for (Index i = begin; i < end; i += 4) _mm_stream_ps(y + i, _mm_load_ps(x + i));
        _mm_sfence();
#else
        std::copy(x + begin, x + end, y + begin);
#endif
    });
}

}  // namespace soma::bench
