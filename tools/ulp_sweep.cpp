// ulp_sweep: every f32 function of vector math over all 2^32 inputs, against the C library in long
// double. Prints the largest error in ULP with its input, and a hash of all results that must be
// equal on every ISA (run with SOMA_ISA=generic|avx2|avx512|neon).
//
//     ulp_sweep [function ...] [--step N]      N = 1 (default) tests every input
//
// Minutes a function; run before releases (kernels.md 17.5). Inputs beyond the range of sin and cos
// enter the hash but not the error.

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

    void run(Index n, const float* x, float* y) const {
        const auto& entries = kernels::table<float>().elementwise;
        if (is_unary) {
            entries.unary(unary, n, x, y);
        } else {
            entries.activation(activation, 0, n, x, y);
        }
    }
    kernels::ref::Wide exact(float x) const {
        return is_unary ? kernels::ref::unary(unary, x)
                        : kernels::ref::activation(activation, 0, x);
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

// One block of inputs: bit patterns first, first + step, ...
constexpr Index kBlock = 1 << 16;
struct BlockResult {
    Worst worst;
    std::uint64_t hash = 0;
};

BlockResult sweep_block(const Function& f, std::uint64_t first, std::uint64_t step) {
    std::vector<float> x, y(kBlock);
    for (std::uint64_t i = 0; i < kBlock && first + i * step < (1ull << 32); ++i) {
        x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(first + i * step)));
    }
    y.resize(x.size());
    f.run(static_cast<Index>(x.size()), x.data(), y.data());
    BlockResult result;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (std::isnan(y[i])) y[i] = std::bit_cast<float>(0x7fc00000u);  // payloads are free
        if (!f.counts(x[i])) continue;
        const double ulp = kernels::ref::ulp_error(y[i], f.exact(x[i]));
        if (ulp > result.worst.ulp) result.worst = {ulp, x[i]};
    }
    result.hash = hash64(std::as_bytes(std::span(y)));
    return result;
}

void sweep(const Function& f, std::uint64_t step) {
    const std::uint64_t stride = step * kBlock;
    const Index blocks = static_cast<Index>(((1ull << 32) + stride - 1) / stride);
    std::vector<std::uint64_t> hashes(static_cast<std::size_t>(blocks));
    Worst worst;
    std::mutex mutex;
    parallel_for(blocks, 1, [&](Index begin, Index end) {
        for (Index b = begin; b < end; ++b) {
            const BlockResult r = sweep_block(f, static_cast<std::uint64_t>(b) * stride, step);
            hashes[static_cast<std::size_t>(b)] = r.hash;
            const std::lock_guard<std::mutex> lock(mutex);
            if (r.worst.ulp > worst.ulp) worst = r.worst;
        }
    });
    std::printf("%-10s %-8s %.3f ULP at %.9g, hash %s\n", f.name, kernels::active().isa, worst.ulp,
                static_cast<double>(worst.input),
                to_hex(hash64(std::as_bytes(std::span(hashes)))).c_str());
    std::fflush(stdout);
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
    for (const soma::Function& f : soma::kFunctions) {
        if (names.empty() || std::find(names.begin(), names.end(), f.name) != names.end()) {
            soma::sweep(f, step);
        }
    }
    return 0;
}
