#include "bench/ladder/ladders.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/ref/conv.h"
#include "kernels/ref/gemm.h"
#include "soma/core/arena.h"
#include "soma/core/cpu.h"
#include "soma/core/error.h"

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

namespace {

const Conv& conv_of(const Shape& s) { return std::get<Conv>(s); }
const GemmShape& gemm_of(const Shape& s) { return std::get<GemmShape>(s); }
bool is_gemm(const Rung& r) { return r.gemm != nullptr || r.gemm_bias != nullptr; }

kernels::Gemm<float> product(const Rung& r, const GemmShape& s, const Arrays& at) {
    const bool t = r.a_transposed;
    return {.op_a = t ? kernels::Op::T : kernels::Op::N,
            .m = s.m,
            .n = s.n,
            .k = s.k,
            .a = at.a,
            .lda = t ? s.m : s.k,
            .b = at.b,
            .ldb = s.n,
            .c = at.c,
            .ldc = s.n};
}

// The sums of products alone, in double.
std::vector<double> sums(const Rung& r, const Shape& s, const Arrays& at) {
    std::vector<double> out(static_cast<std::size_t>(counts(r, s).c));
    if (is_gemm(r)) {
        const kernels::Gemm<float> g = product(r, gemm_of(s), at);
        for (Index i = 0; i < g.m; ++i)
            for (Index j = 0; j < g.n; ++j)
                out[static_cast<std::size_t>(i * g.n + j)] = kernels::ref::product(g, i, j);
    } else if (r.conv != nullptr) {
        kernels::ref::conv2d<float>(geometry(conv_of(s)), at.a, at.b, out.data());
    } else {
        kernels::ref::conv2d_backward_weights<float>(geometry(conv_of(s)), at.a, at.b, out.data());
    }
    return out;
}

std::vector<float> magnitudes(const float* x, Index n) {
    std::vector<float> out(x, x + n);
    for (float& v : out) v = std::abs(v);
    return out;
}

}  // namespace

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

double predict(const Turn& t, int width) {
    const double cycles = std::max(
        {t.arithmetic / 2, t.loads / 2, t.stores, 4 * t.fmas / t.chains, t.far_bytes / 48});
    return 100 * (t.fmas * t.lanes / width / 2) / (cycles + t.idle);
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

kernels::ConvGeometry geometry(const Conv& s) {
    return {.n = s.n,
            .h = s.h,
            .w = s.w,
            .c = s.c,
            .kh = s.kh,
            .kw = s.kw,
            .oc = s.oc,
            .stride_h = s.stride,
            .stride_w = s.stride};
}

std::string describe(const Shape& s) {
    if (const auto* g = std::get_if<GemmShape>(&s)) return concat(g->m, " x ", g->n, " x ", g->k);
    const Conv& c = conv_of(s);
    return concat(c.n, " x ", c.oh, " x ", c.ow, " x ", c.c, " -> ", c.oc, ", ", c.kh, " x ", c.kw,
                  c.stride == 1 ? std::string() : concat(", stride ", c.stride));
}

double flop_of(const Shape& s) {
    if (const auto* g = std::get_if<GemmShape>(&s))
        return 2.0 * static_cast<double>(g->m * g->n) * static_cast<double>(g->k);
    const Conv& c = conv_of(s);
    return 2.0 * static_cast<double>(c.n * c.oh * c.ow * c.oc) *
           static_cast<double>(c.kh * c.kw * c.c);
}

bool takes(const Rung& r, const Shape& s) {
    if (const auto* g = std::get_if<GemmShape>(&s)) return is_gemm(r) && g->n % r.n_multiple == 0;
    const Conv& c = conv_of(s);
    return !is_gemm(r) && c.oc % r.n_multiple == 0 && c.c % r.c_multiple == 0 &&
           c.oh % r.pixel_multiple == 0 && c.ow % r.pixel_multiple == 0 &&
           (r.fixed_kernel == 0 ||
            (c.kh == r.fixed_kernel && c.kw == r.fixed_kernel && c.stride == 1));
}

Counts counts(const Rung& r, const Shape& s) {
    if (const auto* g = std::get_if<GemmShape>(&s))
        return {.a = g->m * g->k, .b = g->k * g->n, .bias = g->n, .c = g->m * g->n};
    const Conv& c = conv_of(s);
    const Index x = c.n * c.h * c.w * c.c, y = c.n * c.oh * c.ow * c.oc,
                weights = c.kh * c.kw * c.c * c.oc;
    return r.conv != nullptr ? Counts{.a = x, .b = weights, .bias = c.oc, .c = y}
                             : Counts{.a = x, .b = y, .bias = c.oc, .c = weights};
}

void call(const Rung& r, const Shape& s, const Arrays& at) {
    if (r.gemm != nullptr) {
        const GemmShape& g = gemm_of(s);
        r.gemm(g.m, g.n, g.k, at.a, at.b, at.c);
    } else if (r.gemm_bias != nullptr) {
        const GemmShape& g = gemm_of(s);
        r.gemm_bias(g.m, g.n, g.k, at.a, at.b, at.bias, at.c);
    } else if (r.conv != nullptr) {
        r.conv(conv_of(s), at.a, at.b, at.c);
    } else {
        r.conv_weights(conv_of(s), at.a, at.b, at.c);
    }
}

Exact exact(const Rung& r, const Shape& s, const Arrays& at) {
    const Counts n = counts(r, s);
    const std::vector<float> a = magnitudes(at.a, n.a), b = magnitudes(at.b, n.b);
    Exact e{sums(r, s, at), sums(r, s, {a.data(), b.data(), nullptr, nullptr})};
    if (r.gemm_bias == nullptr) return e;
    for (std::size_t i = 0; i < e.value.size(); ++i) {
        const double bias = at.bias[static_cast<Index>(i) % n.bias];
        e.value[i] = std::max(0.0, e.value[i] + bias);
        e.size[i] += std::abs(bias);
    }
    return e;
}

double worst_error(const Exact& e, const float* c) {
    constexpr double u = std::numeric_limits<float>::epsilon() / 2;
    double worst = 0;
    for (std::size_t i = 0; i < e.value.size(); ++i) {
        const double error = std::abs(c[i] - e.value[i]);
        if (std::isnan(error)) return std::numeric_limits<double>::infinity();
        if (error > 0) worst = std::max(worst, error / (u * e.size[i]));
    }
    return worst;
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
