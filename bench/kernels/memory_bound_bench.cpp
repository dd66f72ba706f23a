// bench_memory_bound: vector math in L1, and kernels that stream arrays through memory.
//
//     bench_memory_bound [math|memory|random] [--threads N] [--elements N] [--rounds N]
//
// Vector math: elements a cycle on 4,096 aligned elements; the clock is measured by a chain of
// dependent integer additions, one a cycle. Random fills: ns a number, the same size.
//
// Memory: 2^24 elements by default, in arrays of their own. Each row counts the bytes that its
// formula must move (reads + writes; a row of a softmax that stays in cache counts once) and is
// divided by the bandwidth of a copy, 8 bytes an element, timed in the same rounds by the same
// clock. Two copies are shown: plain stores, which is what the kernels do (the cache line is read
// before it is written, so a copy really moves 12 bytes), and streaming stores, which avoid that
// read. Kernels that update in place read the line anyway and may pass 100 % of the plain copy.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string>

#include "bench/measure.h"
#include "bench/stream_copy.h"
#include "soma/core/arena.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/elementwise.h"
#include "soma/kernels/lrn.h"
#include "soma/kernels/norm.h"
#include "soma/kernels/optim.h"
#include "soma/kernels/pool.h"
#include "soma/kernels/random.h"
#include "soma/kernels/reduce.h"
#include "soma/kernels/softmax.h"

namespace soma::bench {
namespace {

using namespace soma::kernels;

struct Options {
    std::string part;  // empty: all
    int threads = 1, rounds = 15;
    Index elements = Index{1} << 24;
};

// 64-byte aligned floats between 0 and 1, touched by the threads that will use them.
class Floats {
public:
    explicit Floats(Index n) : block_(allocate_aligned(static_cast<std::size_t>(n) * 4)) {
        random_uniform(PhiloxKey{7, 7}, {}, n, 0.0f, 1.0f, data());
    }
    float* data() const { return reinterpret_cast<float*>(block_.get()); }

private:
    AlignedBlock block_;
};

// A contender and what one call handles.
struct Row {
    std::string name;
    double bytes;  // an element
    std::function<void()> call;
};

std::vector<Contender> contenders(const std::vector<Row>& rows) {
    std::vector<Contender> list;
    for (const Row& row : rows) {
        list.push_back({row.name, [call = row.call](Index repeats) {
                            for (Index i = 0; i < repeats; ++i) call();
                        }});
    }
    return list;
}

// `cycles` dependent additions, none of which a compiler or a register renamer can merge.
void count_cycles(Index cycles) {
    volatile Index one = 1;
    const Index step = one;
    Index x = 0;
    for (Index i = 0; i < cycles / 8; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < 8; ++j) {
            x += step;
            asm volatile("" : "+r"(x));
        }
    }
}

// ---- vector math ----

void show_math(const Options& options) {
    constexpr Index kSmall = 4096, kCycles = 1 << 16;
    const Floats x(kSmall), y(kSmall);
    std::vector<Row> rows{{"clock", 0, [] { count_cycles(kCycles); }}};
    const auto unary_row = [&](const char* name, Unary f) {
        rows.push_back({name, 0, [=, &x, &y] { unary(f, kSmall, x.data(), y.data()); }});
    };
    const auto activation_row = [&](const char* name, Activation f) {
        rows.push_back({name, 0, [=, &x, &y] { activation(f, 0.0f, kSmall, x.data(), y.data()); }});
    };
    unary_row("exp", Unary::exp);
    unary_row("log", Unary::log);
    unary_row("sin", Unary::sin);
    unary_row("cos", Unary::cos);
    unary_row("erf", Unary::erf);
    activation_row("tanh", Activation::tanh);
    activation_row("sigmoid", Activation::sigmoid);
    activation_row("gelu", Activation::gelu);
    activation_row("gelu_tanh", Activation::gelu_tanh);
    activation_row("silu", Activation::silu);
    activation_row("softplus", Activation::softplus);
    Contest contest(contenders(rows), {.rounds = options.rounds, .block_seconds = 0.004});
    contest.run();
    const double hertz = kCycles / contest.time(0).median;
    std::printf("vector math, f32, %lld elements in L1, %s, %.2f GHz\n",
                static_cast<long long>(kSmall), active().isa, hertz * 1e-9);
    std::printf("| function | elements a cycle | ns an element |\n|---|---|---|\n");
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const double element = contest.time(i).median / kSmall;
        std::printf("| %s | %.2f | %.3f |\n", rows[i].name.c_str(), 1 / (element * hertz),
                    element * 1e9);
    }
}

// ---- random fills ----

void show_random(const Options& options) {
    constexpr Index kSmall = 4096;
    const Floats y(kSmall);
    float* out = y.data();
    const PhiloxKey key{1, 2};
    const std::vector<Row> rows{
        {"uniform", 4, [=] { random_uniform(key, {}, kSmall, 0.0f, 1.0f, out); }},
        {"mask", 4, [=] { random_mask(key, {}, kSmall, 0.5, 1.0f, out); }},
        {"normal", 4, [=] { random_normal(key, {}, kSmall, 0.0f, 1.0f, out); }}};
    Contest contest(contenders(rows), {.rounds = options.rounds, .block_seconds = 0.004});
    contest.run();
    std::printf("random fills, f32, %lld elements in L1, %s\n", static_cast<long long>(kSmall),
                active().isa);
    std::printf("| fill | ns a number |\n|---|---|\n");
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::printf("| %s | %.3f |\n", rows[i].name.c_str(), contest.time(i).median / kSmall * 1e9);
    }
}

// ---- memory ----

constexpr Index kCols = 1024, kChannels = 256;

// The arrays that the rows of the table share.
struct Streams {
    explicit Streams(Index elements)
        : n(elements),
          x(n),
          y(n),
          z(n),
          w(n),
          gamma(kCols),
          beta(kCols),
          mean(n / kCols),
          rstd(n / kCols),
          channel_mean(n / kChannels),
          channel_rstd(n / kChannels),
          argmax(static_cast<std::size_t>(n) / 4) {}

    Index n;
    Floats x, y, z, w, gamma, beta, mean, rstd, channel_mean, channel_rstd;
    std::vector<std::uint8_t> argmax;
};

void add_row_kernels(const Streams& s, std::vector<Row>& rows) {
    const Index n = s.n, r = n / kCols;
    float *x = s.x.data(), *y = s.y.data(), *z = s.z.data();
    float *gamma = s.gamma.data(), *beta = s.beta.data(), *mean = s.mean.data(),
          *rstd = s.rstd.data();
    rows.push_back({"softmax [., 1024]", 8, [=] { softmax(r, kCols, x, y); }});
    rows.push_back({"softmax backward", 12, [=] { softmax_backward(r, kCols, x, y, false, z); }});
    rows.push_back({"layer norm [., 1024]", 8,
                    [=] { layer_norm(r, kCols, x, gamma, beta, 1e-5f, y, mean, rstd); }});
    rows.push_back(
        {"layer norm dx", 12, [=] { layer_norm_dx(r, kCols, x, gamma, mean, rstd, y, false, z); }});
    rows.push_back({"row sums", 4, [=] { row_sums(r, kCols, x, kCols, 1.0f, mean, false); }});
}

void add_column_kernels(const Streams& s, std::vector<Row>& rows) {
    const Index n = s.n, r = n / kChannels;
    float *x = s.x.data(), *y = s.y.data(), *z = s.z.data();
    float *gamma = s.gamma.data(), *beta = s.beta.data();
    float *mean = s.channel_mean.data(), *rstd = s.channel_rstd.data();
    rows.push_back({"column sums [., 256]", 4,
                    [=] { column_sums_tree(r, kChannels, x, kChannels, 1.0f, rstd, false); }});
    rows.push_back({"batch norm, 3 passes", 16, [=] {
                        column_sums_tree(r, kChannels, x, kChannels, 1.0f, mean, false);
                        centred_squares(r, kChannels, x, mean, rstd);
                        normalise_columns(r, kChannels, x, mean, rstd, gamma, beta, y);
                    }});
    rows.push_back({"batch norm dx", 12, [=] {
                        normalise_columns_dx(r, kChannels, x, mean, rstd, gamma, beta, gamma, y,
                                             false, z);
                    }});
    const GroupShape groups{r / 4096 > 0 ? r / 4096 : 1, r < 4096 ? r : 4096, kChannels, 32};
    rows.push_back({"group norm, 3 passes", 16,
                    [=] { group_norm(groups, x, gamma, beta, 1e-5f, y, mean, rstd); }});
    const LrnShape window{.rows = r, .cols = kChannels};
    rows.push_back({"lrn [., 256]", 8, [=] { lrn(window, x, y); }});
    rows.push_back({"lrn dx", 12, [=] { lrn_backward(window, x, y, false, z); }});
    rows.push_back(
        {"column max [., 256]", 4, [=] { column_max(r, kChannels, x, kChannels, mean, nullptr); }});
}

void add_pools(Streams& s, std::vector<Row>& rows) {
    const Index side = 64, channels = 64;
    const PoolGeometry g{.n = s.n / (side * side * channels),
                         .h = side,
                         .w = side,
                         .c = channels,
                         .kh = 2,
                         .kw = 2,
                         .stride_h = 2,
                         .stride_w = 2};
    float *x = s.x.data(), *y = s.y.data();
    std::uint8_t* argmax = s.argmax.data();
    rows.push_back({"max pool 2x2", 5.25, [=] { max_pool2d(g, x, y, argmax); }});
    rows.push_back(
        {"max pool 2x2 backward", 9.25, [=] { max_pool2d_backward(g, y, argmax, false, x); }});
    rows.push_back({"average pool 2x2", 5, [=] { avg_pool2d(g, false, x, y); }});
    rows.push_back(
        {"average pool backward", 9, [=] { avg_pool2d_backward(g, false, 1, y, false, x); }});
}

void add_flat_kernels(const Streams& s, std::vector<Row>& rows) {
    const Index n = s.n;
    float *x = s.x.data(), *y = s.y.data(), *z = s.z.data(), *w = s.w.data();
    const auto activate = [&rows, n, x, y](const char* name, Activation f) {
        rows.push_back({name, 8, [=] { activation(f, 0.0f, n, x, y); }});
    };
    activate("gelu", Activation::gelu);
    activate("gelu_tanh", Activation::gelu_tanh);
    activate("tanh", Activation::tanh);
    rows.push_back({"gelu backward", 12,
                    [=] { activation_backward(Activation::gelu, 0.0f, n, x, y, false, z); }});
    rows.push_back({"sum of squares", 4, [=] { sum_squares_long(n, x); }});
    rows.push_back({"sgd", 12, [=] { update_sgd(SgdStep<float>{1e-3f}, n, x, w); }});
    rows.push_back({"momentum", 20, [=] {
                        update_momentum(MomentumStep<float>{.rate = 1e-3f, .mu = 0.9f}, n, x, w, z);
                    }});
    const AdamStep<float> adam{.rate = 1e-3f,
                               .beta1 = 0.9f,
                               .one_minus_beta1 = 0.1f,
                               .beta2 = 0.999f,
                               .one_minus_beta2 = 1e-3f,
                               .root = 1,
                               .eps = 1e-8f};
    rows.push_back({"adam", 28, [=] { update_adam(adam, n, x, w, y, z); }});
    const PhiloxKey key{1, 2};
    rows.push_back({"uniform", 4, [=] { random_uniform(key, {}, n, 0.0f, 1.0f, x); }});
    rows.push_back({"dropout mask", 4, [=] { random_mask(key, {}, n, 0.5, 1.0f, y); }});
    rows.push_back({"normal", 4, [=] { random_normal(key, {}, n, 0.0f, 1.0f, z); }});
}

void show_memory(const Options& options) {
    Streams s(options.elements);
    const Index n = s.n;
    float *x = s.x.data(), *y = s.y.data();
    std::vector<Row> rows{{"copy", 8, [=] { scale(n, 1.0f, x, y); }},
                          {"copy, streaming stores", 8, [=] { stream_copy(n, x, y); }}};
    add_row_kernels(s, rows);
    add_column_kernels(s, rows);
    add_pools(s, rows);
    add_flat_kernels(s, rows);
    Contest contest(contenders(rows), {.rounds = options.rounds,
                                       .block_seconds = 0,
                                       .warm_seconds = 0,
                                       .gap_seconds = 0,
                                       .threads = options.threads});
    contest.run();
    std::printf("memory, f32, %lld elements, %d thread%s, %s\n", static_cast<long long>(n),
                options.threads, options.threads == 1 ? "" : "s", active().isa);
    std::printf(
        "| kernel | bytes | GB/s | %% of copy | %% of streaming copy | +- %% |\n"
        "|---|---|---|---|---|---|\n");
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const double bytes = rows[i].bytes * static_cast<double>(n);
        const double share = rows[i].bytes / 8 * 100;
        std::printf("| %s | %g | %.1f | %.0f | %.0f | %.1f |\n", rows[i].name.c_str(),
                    rows[i].bytes, bytes / contest.time(i).median * 1e-9,
                    contest.speedup(i, 0).median * share, contest.speedup(i, 1).median * share,
                    contest.speedup(i, 0).uncertainty() * 100);
    }
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const bool has_value = i + 1 < argc;
        if (word == "--threads" && has_value) {
            options.threads = std::atoi(argv[++i]);
        } else if (word == "--rounds" && has_value) {
            options.rounds = std::atoi(argv[++i]);
        } else if (word == "--elements" && has_value) {
            options.elements = std::atoll(argv[++i]);
        } else {
            options.part = word;
        }
    }
    const std::string& part = options.part;
    SOMA_CHECK(part.empty() || part == "math" || part == "memory" || part == "random",
               "bench_memory_bound: part is '", part, "'; need math, memory or random");
    SOMA_CHECK(
        options.rounds >= 1 && options.elements >= (1 << 20) && options.elements % (1 << 20) == 0,
        "bench_memory_bound: rounds is ", options.rounds, ", elements ", options.elements,
        "; need rounds >= 1 and a multiple of 2^20 elements");
    return options;
}

int run(int argc, char** argv) {
    const Options options = parse(argc, argv);
    set_num_threads(1);
    if (options.part.empty() || options.part == "math") show_math(options);
    if (options.part.empty() || options.part == "random") show_random(options);
    set_num_threads(options.threads);
    if (options.part.empty() || options.part == "memory") show_memory(options);
    return 0;
}

}  // namespace
}  // namespace soma::bench

int main(int argc, char** argv) {
    try {
        return soma::bench::run(argc, argv);
    } catch (const soma::Error& e) {
        std::fprintf(stderr, "%s\n", e.what());
        return 64;
    }
}
