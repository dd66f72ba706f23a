// ulp_sweep: every f32 function of vector math over all 2^32 inputs, against the C library in long
// double. Prints the largest error in ULP with its input, and the hash of all results. The errors
// are those of the best ISA; the others must give the same bits, or the exit status is 1.
//
//     ulp_sweep [function ...] [--step N]      N = 1 (default) tests every input
//
// Minutes a function; run before releases (kernels.md 17.5). Inputs beyond the range of sin and cos
// enter the hash but not the error. The C library in double knows the error to well within kDoubt;
// long double decides only where that estimate could be the largest.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <mutex>
#include <string>
#include <vector>

#include "kernels/ref/elementwise.h"
#include "soma/core/hash.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"

namespace soma {
namespace {

using kernels::Unary;

struct Function {
    const char* name;
    bool is_unary;
    Unary unary;
    Activation activation;

    void run(const kernels::KernelTable& isa, Index n, const float* x, float* y) const {
        const auto& entries = isa.f32.elementwise;
        if (is_unary) {
            entries.unary(unary, n, x, y);
        } else {
            entries.activation(activation, 0, n, x, y);
        }
    }
    template <class R>
    R exact(float x) const {
        return is_unary ? kernels::ref::unary<R>(unary, x)
                        : kernels::ref::activation<R>(activation, 0, x);
    }
    bool counts(float x) const {
        const bool periodic = is_unary && (unary == Unary::sin || unary == Unary::cos);
        return !periodic || std::abs(x) <= 0x1p20f;
    }
};

constexpr Function kFunctions[] = {
    {"exp", true, Unary::exp, {}},
    {"log", true, Unary::log, {}},
    {"sin", true, Unary::sin, {}},
    {"cos", true, Unary::cos, {}},
    {"erf", true, Unary::erf, {}},
    {"tanh", false, {}, Activation::tanh},
    {"sigmoid", false, {}, Activation::sigmoid},
    {"gelu", false, {}, Activation::gelu},
    {"gelu_tanh", false, {}, Activation::gelu_tanh},
    {"silu", false, {}, Activation::silu},
    {"softplus", false, {}, Activation::softplus},
};

struct Worst {
    double ulp = 0;
    float input = 0;
};

// |y - estimate| in ULP of an f32; infinite where long double has to decide about a limit.
double estimated_ulp(float y, double estimate) {
    const float rounded = static_cast<float>(estimate);
    if (std::isnan(rounded) && std::isnan(y)) return 0;
    if (rounded == y && std::abs(estimate) >= 0x1p129) return 0;
    if (!std::isfinite(rounded) || !std::isfinite(y)) return HUGE_VAL;
    const std::uint32_t exponent = std::bit_cast<std::uint32_t>(rounded) >> 23 & 255;
    const std::uint64_t unit_exponent = std::max(exponent, 1u) + (1023 - 150);
    const double unit = std::bit_cast<double>(unit_exponent << 52);
    return std::abs(static_cast<double>(y) - estimate) / unit;
}

// One block of inputs: bit patterns first, first + step, ...
constexpr Index kBlock = 1 << 16;
constexpr double kDoubt = 1e-3;
struct BlockResult {
    Worst worst{};
    std::uint64_t hash = 0;
    bool same_bits = true;  // on every ISA
};

std::uint64_t hash_on(const kernels::KernelTable& isa, const Function& f,
                      const std::vector<float>& x, std::vector<float>& y) {
    f.run(isa, static_cast<Index>(x.size()), x.data(), y.data());
    for (float& value : y) {
        if (std::isnan(value)) value = std::bit_cast<float>(0x7fc00000u);  // payloads are free
    }
    return hash64(std::as_bytes(std::span(y)));
}

// `worst` is what an input has to exceed.
BlockResult sweep_block(const Function& f, std::uint64_t first, std::uint64_t step, Worst worst) {
    std::vector<float> x;
    for (std::uint64_t i = 0; i < kBlock && first + i * step < (1ull << 32); ++i) {
        x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(first + i * step)));
    }
    std::vector<float> y(x.size()), other(x.size());
    BlockResult result{.worst = worst};
    result.hash = hash_on(kernels::active(), f, x, y);
    for (const kernels::KernelTable* isa : kernels::available()) {
        if (hash_on(*isa, f, x, other) != result.hash) result.same_bits = false;
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!f.counts(x[i])) continue;
        const double estimate = estimated_ulp(y[i], f.exact<double>(x[i]));
        if (estimate + kDoubt <= result.worst.ulp) continue;
        const double ulp = kernels::ref::ulp_error(y[i], f.exact<kernels::ref::Wide>(x[i]));
        if (ulp > result.worst.ulp) result.worst = {ulp, x[i]};
    }
    return result;
}

// Whether every ISA gave the same bits.
bool sweep(const Function& f, std::uint64_t step) {
    const std::uint64_t stride = step * kBlock;
    const Index blocks = static_cast<Index>(((1ull << 32) + stride - 1) / stride);
    std::vector<std::uint64_t> hashes(static_cast<std::size_t>(blocks));
    Worst worst;
    bool same_bits = true;
    std::mutex mutex;
    parallel_for(blocks, 1, [&](Index begin, Index end) {
        Worst known;
        for (Index b = begin; b < end; ++b) {
            {
                const std::lock_guard<std::mutex> lock(mutex);
                known = worst;
            }
            const BlockResult r =
                sweep_block(f, static_cast<std::uint64_t>(b) * stride, step, known);
            hashes[static_cast<std::size_t>(b)] = r.hash;
            const std::lock_guard<std::mutex> lock(mutex);
            if (r.worst.ulp > worst.ulp) worst = r.worst;
            same_bits = same_bits && r.same_bits;
        }
    });
    std::printf("%-10s %.3f ULP at %.9g, hash %s, %s\n", f.name, worst.ulp,
                static_cast<double>(worst.input),
                to_hex(hash64(std::as_bytes(std::span(hashes)))).c_str(),
                same_bits ? "the same on every ISA" : "OTHER BITS ON ANOTHER ISA");
    std::fflush(stdout);
    return same_bits;
}

}  // namespace
}  // namespace soma

int main(int argc, char** argv) {
    std::vector<std::string> names;
    std::uint64_t step = 1;
    for (int i = 1; i < argc; ++i) {
        if (std::string(argv[i]) == "--step" && i + 1 < argc) {
            step = std::max<std::uint64_t>(1, std::stoull(argv[++i]));
        } else {
            names.push_back(argv[i]);
        }
    }
    bool same_bits = true;
    for (const soma::Function& f : soma::kFunctions) {
        if (names.empty() || std::find(names.begin(), names.end(), f.name) != names.end()) {
            same_bits = soma::sweep(f, step) && same_bits;
        }
    }
    return same_bits ? 0 : 1;
}
