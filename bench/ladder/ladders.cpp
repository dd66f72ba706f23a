#include "bench/ladder/ladders.h"

#include "soma/core/arena.h"
#include "soma/core/cpu.h"

namespace soma::ladder {

namespace generic {
Ladder ladder();
}
namespace avx2 {
Ladder ladder();
}
namespace avx512 {
Ladder ladder();
}
namespace neon {
Ladder ladder();
}

std::vector<Ladder> available() {
    std::vector<Ladder> list{generic::ladder()};
#if defined(__x86_64__)
    if (cpu().avx2_fma) list.push_back(avx2::ladder());
    if (cpu().avx512) list.push_back(avx512::ladder());
#elif defined(__aarch64__)
    list.push_back(neon::ladder());
#endif
    return list;
}

std::vector<std::string> missing() {
    std::vector<std::string> list;
#if defined(__x86_64__)
    if (!cpu().avx2_fma) list.push_back("avx2: needs AVX2 and FMA");
    if (!cpu().avx512) list.push_back("avx512: needs AVX-512 F, BW, DQ, VL");
#endif
    return list;
}

Conv make_conv(Index n, Index oh, Index ow, Index c, Index kernel, Index oc, Index stride) {
    return {.n = n,
            .h = (oh - 1) * stride + kernel,
            .w = (ow - 1) * stride + kernel,
            .c = c,
            .kh = kernel,
            .kw = kernel,
            .oc = oc,
            .oh = oh,
            .ow = ow,
            .stride = stride};
}

double flop_of(const Conv& s) {
    return 2.0 * static_cast<double>(s.n * s.oh * s.ow * s.oc) *
           static_cast<double>(s.kh * s.kw * s.c);
}

float* scratch(int slot, Index count) noexcept {
    struct Buffer {
        AlignedBlock block;
        Index floats = 0;
    };
    static thread_local Buffer buffers[2];
    Buffer& b = buffers[slot];
    if (b.floats < count) {
        b.block = allocate_aligned(static_cast<std::size_t>(count) * sizeof(float));
        b.floats = count;
    }
    return reinterpret_cast<float*>(b.block.get());
}

Caches caches() noexcept { return {cpu().l1d_bytes, cpu().l2_bytes}; }

}  // namespace soma::ladder
