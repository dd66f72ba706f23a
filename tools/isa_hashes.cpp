// isa_hashes [--lines]: the promise of kernels.md 6 as one table.
//
// Every family of kernels computes its cases on every instruction set of this machine with 1 and 2
// threads; products also by every path that can take them. A row of the table has one hash; "="
// stands for the same bits, and any difference is named and ends the program with 1.
//
//     --lines     prints `family hash` for the table that SOMA_ISA or the CPU chooses, to compare
//                 machines (make neon-test runs it on the host and under an emulated aarch64)
//
// Sizes are small, because the generic kernels may have to emulate FMA.

#include <array>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "kernels/gemm_job.h"
#include "soma/core/cpu.h"
#include "soma/core/error.h"
#include "soma/core/hash.h"
#include "soma/core/parallel.h"
#include "soma/core/rng.h"
#include "soma/kernels/conv.h"
#include "soma/kernels/ctrnn.h"
#include "soma/kernels/elementwise.h"
#include "soma/kernels/gated.h"
#include "soma/kernels/lrn.h"
#include "soma/kernels/norm.h"
#include "soma/kernels/optim.h"
#include "soma/kernels/pool.h"
#include "soma/kernels/random.h"
#include "soma/kernels/reduce.h"
#include "soma/kernels/softmax.h"
#include "soma/kernels/winograd.h"

namespace {

using namespace soma;
using namespace soma::kernels;

template <class T>
std::vector<T> numbers(Index n, std::uint64_t seed, float low = -1, float high = 1) {
    RandomSequence random(make_key(seed, Purpose::data_generation));
    std::vector<T> list(static_cast<std::size_t>(n));
    for (T& x : list) x = static_cast<T>(random.uniform(low, high));
    return list;
}

// Chains the bits of results.
class Bits {
public:
    template <class T>
    void add(const std::vector<T>& x) {
        hash_ = hash64(std::as_bytes(std::span(x)), hash_);
    }
    std::uint64_t value() const { return hash_; }

private:
    std::uint64_t hash_ = 0;
};

// ---- products -----------------------------------------------------------------------------------

enum class Packing { planned, direct, strips, packed };
constexpr Packing kPackings[] = {Packing::planned, Packing::direct, Packing::strips,
                                 Packing::packed};

template <class T>
void run(const Gemm<T>& g, Packing packing) {
    const bool in_place = packing == Packing::direct && g.op_b == Op::N;
    if (packing == Packing::planned || (packing == Packing::direct && !in_place)) return gemm(g);
    const GemmJob<T> job{g};
    if (in_place) return run_direct(job, {.path = GemmPath::direct, .mc = 24});
    if (packing == Packing::strips) return run_strips(job, {.path = GemmPath::strips, .kc = 256});
    run_packed<T>(job, {.path = GemmPath::packed, .kc = 256, .nc = 80, .mc = 24}, nullptr);
}

template <class T>
void add_products(Bits& bits, Packing packing, Order order) {
    const std::vector<std::array<Index, 3>> chains = {
        {5, 7, 9},    {33, 65, 257}, {64, 48, 520}, {1, 300, 300}, {8, 130, 270},
        {3, 40, 300}, {40, 1, 300},  {70, 81, 70},  {26, 200, 90}, {4, 2000, 300}};
    const std::vector<std::array<Index, 3>> trees = {{30, 37, 1000}, {9, 70, 2100}, {50, 20, 257}};
    for (const auto& [m, n, k] : order == Order::chain ? chains : trees) {
        for (const Op op_a : {Op::N, Op::T}) {
            for (const Op op_b : {Op::N, Op::T}) {
                const std::vector<T> a = numbers<T>(m * k, 1), b = numbers<T>(k * n, 2);
                std::vector<T> c = numbers<T>(m * n, 3);
                run(Gemm<T>{.op_a = op_a,
                            .op_b = op_b,
                            .m = m,
                            .n = n,
                            .k = k,
                            .alpha = T(0.7),
                            .a = a.data(),
                            .lda = op_a == Op::N ? k : m,
                            .b = b.data(),
                            .ldb = op_b == Op::N ? n : k,
                            .beta = m % 2 == 0 ? T(0) : T(-0.3),
                            .c = c.data(),
                            .ldc = n,
                            .order = order},
                    packing);
                bits.add(c);
            }
        }
    }
}

// ---- convolution --------------------------------------------------------------------------------

std::vector<ConvGeometry> convolutions() {
    const ConvGeometry padded{.n = 2,
                              .h = 9,
                              .w = 11,
                              .c = 6,
                              .kh = 3,
                              .kw = 3,
                              .oc = 20,
                              .pad_top = 1,
                              .pad_bottom = 1,
                              .pad_left = 1,
                              .pad_right = 1,
                              .pad_value = -1};
    ConvGeometry strided = padded, dilated = padded, grouped = padded, depthwise = padded;
    ConvGeometry first = padded, wide = padded;
    strided.stride_h = strided.stride_w = 2;
    dilated.dilation_h = dilated.dilation_w = 2;
    grouped.groups = 2;
    depthwise.groups = depthwise.oc = depthwise.c;
    first.c = 1;
    wide.c = 40;
    wide.oc = 130;
    return {padded, strided, dilated, grouped, depthwise, first, wide};
}

template <class T>
void add_convolutions(Bits& bits) {
    for (const ConvGeometry& g : convolutions()) {
        const std::vector<T> x = numbers<T>(g.x_count(), 4), w = numbers<T>(g.weight_count(), 5);
        const std::vector<T> dy = numbers<T>(g.y_count(), 6), bias = numbers<T>(g.oc, 7);
        std::vector<T> y(dy.size()), dx(x.size()), dw(w.size());
        conv2d(g, x.data(), w.data(), {.bias = bias.data(), .activation = Activation::tanh},
               y.data());
        conv2d_backward_data(g, dy.data(), w.data(), false, dx.data());
        conv2d_backward_weights(g, x.data(), dy.data(), false, dw.data());
        bits.add(y);
        bits.add(dx);
        bits.add(dw);
    }
}

template <class T>
void add_winograd(Bits& bits) {
    const ConvGeometry g = convolutions().front();
    const std::vector<T> x = numbers<T>(g.x_count(), 8), w = numbers<T>(g.weight_count(), 9);
    const std::vector<T> dy = numbers<T>(g.y_count(), 10);
    for (const WinogradTile tile : {WinogradTile::f2x2, WinogradTile::f4x4}) {
        std::vector<T> y(dy.size()), dx(x.size());
        conv2d_winograd(g, tile, x.data(), w.data(), {}, y.data());
        conv2d_winograd_backward_data(g, tile, dy.data(), w.data(), false, dx.data());
        bits.add(y);
        bits.add(dx);
    }
}

// ---- everything else ----------------------------------------------------------------------------

template <class T>
void add_functions(Bits& bits) {
    constexpr Index kCount = 3001;
    const std::vector<T> x = numbers<T>(kCount, 11, -12, 12);
    const std::vector<T> positive = numbers<T>(kCount, 12, 0, 90), dy = numbers<T>(kCount, 13);
    std::vector<T> y(x.size()), dx(x.size());
    for (const Unary f :
         {Unary::sqrt, Unary::exp, Unary::log, Unary::sin, Unary::cos, Unary::erf}) {
        const bool needs_positive = f == Unary::sqrt || f == Unary::log;
        unary(f, kCount, (needs_positive ? positive : x).data(), y.data());
        bits.add(y);
    }
    for (int f = 1; f <= static_cast<int>(Activation::softplus); ++f) {
        const auto kind = static_cast<Activation>(f);
        activation(kind, T(0.1), kCount, x.data(), y.data());
        activation_backward(kind, T(0.1), kCount, x.data(), dy.data(), false, dx.data());
        bits.add(y);
        bits.add(dx);
    }
}

template <class T>
void add_rows(Bits& bits) {
    constexpr Index kRows = 37, kCols = 75;
    const std::vector<T> x = numbers<T>(kRows * kCols, 14, -3, 3),
                         dy = numbers<T>(kRows * kCols, 15);
    const std::vector<T> gamma = numbers<T>(kCols, 16);
    std::vector<T> y(x.size()), dx(x.size()), mean(kRows), rstd(kRows), sums(kCols);
    softmax(kRows, kCols, x.data(), y.data());
    softmax_backward(kRows, kCols, y.data(), dy.data(), false, dx.data());
    bits.add(y);
    bits.add(dx);
    layer_norm(kRows, kCols, x.data(), gamma.data(), gamma.data(), T(1e-5), y.data(), mean.data(),
               rstd.data());
    layer_norm_dx(kRows, kCols, x.data(), gamma.data(), mean.data(), rstd.data(), dy.data(), false,
                  dx.data());
    layer_norm_dgamma(kRows, kCols, x.data(), mean.data(), rstd.data(), dy.data(), false,
                      sums.data());
    bits.add(y);
    bits.add(dx);
    bits.add(sums);
    column_sums_tree(kRows, kCols, x.data(), kCols, T(1), sums.data(), false);
    bits.add(sums);
    row_sums(kRows, kCols, x.data(), kCols, T(1), mean.data(), false);
    bits.add(mean);
    lrn({.rows = kRows, .cols = kCols}, x.data(), y.data());
    lrn_backward({.rows = kRows, .cols = kCols}, x.data(), dy.data(), false, dx.data());
    bits.add(y);
    bits.add(dx);
    const PoolGeometry pool{.n = 1, .h = 5, .w = 15, .c = kRows, .kh = 3, .kw = 3};
    std::vector<T> pooled(static_cast<std::size_t>(pool.y_count()));
    max_pool2d(pool, x.data(), pooled.data(), nullptr);
    bits.add(pooled);
    avg_pool2d(pool, true, x.data(), pooled.data());
    bits.add(pooled);
}

template <class T>
void add_random(Bits& bits) {
    const PhiloxKey key = make_key(17, Purpose::data_generation);
    std::vector<std::uint32_t> words(1003);
    std::vector<T> x(1003);
    random_words(key, {.step = 3}, 1003, words.data());
    bits.add(words);
    random_uniform(key, {.step = 4}, 1003, T(-1), T(2), x.data());
    bits.add(x);
    random_mask(key, {.step = 5}, 1003, 0.3, T(1), x.data());
    bits.add(x);
    random_normal(key, {.step = 6}, 1003, T(0), T(1), x.data());
    bits.add(x);
}

template <class T>
void add_updates(Bits& bits) {
    constexpr Index kCount = 1001;
    const std::vector<T> gradient = numbers<T>(kCount, 18);
    std::vector<T> w = numbers<T>(kCount, 19), m(kCount), v(kCount);
    update_momentum({.rate = T(0.1), .decay = T(1e-3), .mu = T(0.9)}, kCount, gradient.data(),
                    w.data(), m.data());
    update_adam({.rate = T(0.1),
                 .beta1 = T(0.9),
                 .one_minus_beta1 = T(0.1),
                 .beta2 = T(0.999),
                 .one_minus_beta2 = T(0.001),
                 .root = T(30),
                 .eps = T(1e-8)},
                kCount, gradient.data(), w.data(), m.data(), v.data());
    bits.add(w);
    bits.add(m);
    bits.add(v);
}

// ---- recurrent nets -----------------------------------------------------------------------------

constexpr Index kSteps = 4, kTrials = 9, kUnits = 21, kInputs = 3;
constexpr Index kState = kTrials * kUnits, kStates = kSteps * kState;

template <class T>
void add_leaky(Bits& bits, Convention convention, Nonlinearity f) {
    const std::vector<T> w = numbers<T>(kUnits * kUnits, 20, -0.3f, 0.3f);
    const std::vector<T> w_in = numbers<T>(kInputs * kUnits, 21);
    const std::vector<T> u = numbers<T>(kSteps * kTrials * kInputs, 22);
    const std::vector<T> start = numbers<T>(kState, 23), dr = numbers<T>(kStates, 24);
    const std::vector<std::uint32_t> trials(kTrials, 5);
    std::vector<T> r0(kState), r(kStates), drive(kStates), delta(kStates), dstart(kState);
    CtrnnSequence<T> s{.convention = convention, .f = f, .alpha = 0.3};
    s.noise = {.sigma = 0.1, .trials = trials.data()};
    s.steps = kSteps;
    s.batch = kTrials;
    s.units = kUnits;
    s.inputs = kInputs;
    s.w_rec = w.data();
    s.w_in = w_in.data();
    s.u = u.data();
    T* const rate_drive = convention == Convention::rate ? drive.data() : nullptr;
    ctrnn_forward<T>(s, start.data(), r0.data(), r.data(), rate_drive, nullptr, nullptr);
    ctrnn_backward<T>(s, r0.data(), r.data(), rate_drive, dr.data(), delta.data(), dstart.data());
    for (const auto& x : {r, delta, dstart}) bits.add(x);
}

template <class T>
void add_gated(Bits& bits, GatedCell cell) {
    const Index width = gates_of(cell) * kUnits;
    const bool is_lstm = cell == GatedCell::lstm;
    const std::vector<T> w = numbers<T>(kUnits * width, 25, -0.3f, 0.3f);
    const std::vector<T> w_in = numbers<T>(kInputs * width, 26), bias = numbers<T>(width, 27);
    const std::vector<T> peephole = numbers<T>(3 * kUnits, 28);
    const std::vector<T> u = numbers<T>(kSteps * kTrials * kInputs, 29);
    const std::vector<T> start = numbers<T>(kState, 30), dh = numbers<T>(kStates, 31);
    std::vector<T> h(kStates), inner(kStates), gates(kSteps * kTrials * width);
    std::vector<T> delta(kSteps * kTrials * deltas_of(cell) * kUnits), dh0(kState), dc0(kState);
    GatedSequence<T> s{.cell = cell, .steps = kSteps, .batch = kTrials, .units = kUnits};
    s.inputs = kInputs;
    s.u = u.data();
    s.w_in = w_in.data();
    s.w_rec = w.data();
    s.bias = bias.data();
    s.peephole = is_lstm ? peephole.data() : nullptr;
    s.h0 = start.data();
    s.c0 = is_lstm ? start.data() : nullptr;
    gated_forward<T>(s, h.data(), inner.data(), gates.data(), nullptr, nullptr);
    gated_backward<T>(s, h.data(), inner.data(), gates.data(), dh.data(), nullptr, delta.data(),
                      dh0.data(), dc0.data());
    for (const auto& x : {h, delta, dh0, dc0}) bits.add(x);
}

template <class T>
void add_recurrent(Bits& bits) {
    for (const Convention c : {Convention::current, Convention::rate, Convention::rectified_leak}) {
        for (const Nonlinearity f :
             {Nonlinearity::tanh, Nonlinearity::softplus, Nonlinearity::relu2}) {
            add_leaky<T>(bits, c, f);
        }
    }
    for (const GatedCell cell : {GatedCell::lstm, GatedCell::gru_reset_after,
                                 GatedCell::gru_reset_before, GatedCell::ugrnn}) {
        add_gated<T>(bits, cell);
    }
}

// ---- the table ----------------------------------------------------------------------------------

struct Family {
    std::string name;
    std::function<void(Bits&)> run;
};

template <class T>
void add_families(std::vector<Family>& list, const std::string& type) {
    const char* const names[] = {"as planned", "in place", "strips", "blocks"};
    for (const Packing packing : kPackings) {
        list.push_back({"gemm " + type + ", " + names[static_cast<int>(packing)],
                        [=](Bits& b) { add_products<T>(b, packing, Order::chain); }});
    }
    list.push_back({"gemm " + type + ", tree",
                    [](Bits& b) { add_products<T>(b, Packing::planned, Order::tree); }});
    list.push_back({"convolution " + type, add_convolutions<T>});
    list.push_back({"winograd " + type, add_winograd<T>});
    list.push_back({"functions " + type, add_functions<T>});
    list.push_back({"softmax, norms, pooling " + type, add_rows<T>});
    list.push_back({"random " + type, add_random<T>});
    list.push_back({"optimizers " + type, add_updates<T>});
    list.push_back({"recurrent nets " + type, add_recurrent<T>});
}

std::uint64_t hash_of(const Family& family) {
    Bits bits;
    family.run(bits);
    return bits.value();
}

// Prints a row; false when a hash differs. Products by any packing share one hash.
bool print_row(const Family& family, std::uint64_t& gemm_hash) {
    std::uint64_t expected = 0;
    bool same = true, first = true;
    const bool forced =
        family.name.rfind("gemm", 0) == 0 && family.name.find("tree") == std::string::npos;
    if (forced && family.name.find("planned") == std::string::npos) {
        expected = gemm_hash;
        first = false;
    }
    std::string marks;
    for (const KernelTable* table : available()) {
        use(table->isa);
        for (const int threads : {1, 2}) {
            set_num_threads(threads);
            const std::uint64_t hash = hash_of(family);
            if (first) expected = hash;
            first = false;
            const bool equal = hash == expected;
            char mark[32];
            std::snprintf(mark, sizeof mark, " %9s", equal ? "=" : "DIFFERS");
            marks += mark;
            same = same && equal;
        }
    }
    if (forced) gemm_hash = expected;
    std::printf("%-28s %016llx %s\n", family.name.c_str(),
                static_cast<unsigned long long>(expected), marks.c_str());
    return same;
}

bool print_table(const std::vector<Family>& families) {
    std::printf("%-28s %-16s ", "family", "hash");
    for (const KernelTable* table : available())
        for (const int threads : {1, 2}) std::printf(" %7s/%d", table->isa, threads);
    std::printf("\n");
    bool same = true;
    std::uint64_t gemm_hash = 0;
    for (const Family& family : families) same = print_row(family, gemm_hash) && same;
    std::printf(same ? "all bits are equal\n" : "bits differ\n");
    return same;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const bool lines = argc == 2 && std::strcmp(argv[1], "--lines") == 0;
        if (argc > 1 && !lines) {
            std::fprintf(stderr, "usage: isa_hashes [--lines]\n");
            return 2;
        }
        std::vector<Family> families;
        add_families<float>(families, "f32");
        add_families<double>(families, "f64");
        if (!lines) return print_table(families) ? 0 : 1;
        set_num_threads(1);
        for (const Family& family : families)
            std::printf("%016llx %s\n", static_cast<unsigned long long>(hash_of(family)),
                        family.name.c_str());
        return 0;
    } catch (const Error& e) {
        std::fprintf(stderr, "isa_hashes: %s\n", e.what());
        return 2;
    }
}
