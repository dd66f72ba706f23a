// Random kernels: contract in table/random.h; the numbers are those of soma/core/rng.h.
//
// A vector of W lanes holds W consecutive counter blocks, W / 4 groups of 16 units (with W = 1 one
// block, a quarter of a group). Word w of block 4 g + l is unit 16 g + 4 w + l, so the four result
// vectors are scattered in runs of four lanes:
//
//     lanes         0 1 2 3 | 4 5 6 7 | ...       counter blocks 4 g .. 4 g + 3 | the next group
//     words w0      a a a a | a' ...              group:  a a a a b b b b c c c c d d d d
//     words w1      b b b b | b' ...
//
// Groups are numbered over all rows, so a vector may hold groups of different rows. One that lies
// within a row needs no scatter: exchanging runs between its four results makes them contiguous.

constexpr int kRandomLanes = VecU::kWidth;
constexpr int kRandomRun = kRandomLanes < 4 ? kRandomLanes : 4;  // lanes of one group in a vector

struct Words {
    VecU::Reg w[4];
};

// The ten keys of the rounds.
struct RoundKeys {
    std::uint32_t k[10][2];
};
inline RoundKeys round_keys(const RandomRows& rows) {
    RoundKeys keys{};
    std::uint32_t k0 = rows.key[0], k1 = rows.key[1];
    for (auto& k : keys.k) {
        k[0] = k0;
        k[1] = k1;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return keys;
}

// Ten rounds of Philox4x32 on N vectors of counters {block, step, trial, visit}. A round is a chain
// of about 8 cycles; two vectors keep both multipliers busy.
template <int N>
inline void philox(const RoundKeys& keys, Words (&x)[N]) {
    const VecU::Reg m0 = VecU::broadcast(0xD2511F53), m1 = VecU::broadcast(0xCD9E8D57);
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
        const VecU::Reg k0 = VecU::broadcast(keys.k[round][0]);
        const VecU::Reg k1 = VecU::broadcast(keys.k[round][1]);
#pragma GCC unroll 2
        for (int i = 0; i < N; ++i) {
            VecU::Reg(&c)[4] = x[i].w;
            VecU::Reg high0, low0, high1, low1;
            VecU::multiply(c[0], m0, high0, low0);
            VecU::multiply(c[2], m1, high1, low1);
            c[0] = VecU::bxor(high1, c[1], k0);
            c[1] = low1;
            c[2] = VecU::bxor(high0, c[3], k1);
            c[3] = low0;
        }
    }
}

inline Words counters(VecU::Reg block, VecU::Reg trial, const RandomRows& at) {
    return {{block, VecU::broadcast(at.step), trial, VecU::broadcast(at.visit)}};
}

// Where the lanes of the current vector come from and go to.
struct Cursor {
    Index row = 0, unit = 0;  // first unit of the group within the row
    int lane = 0;             // first lane within the group: 0, or 0..3 when W = 1
};

inline void advance(Cursor& at, const RandomRows& rows) {
    at.lane = (at.lane + kRandomRun) % 4;
    if (at.lane != 0) return;
    at.unit += 16;
    if (at.unit < rows.units) return;
    at.unit = 0;
    ++at.row;
}

// Stores up to `count` lanes of one run; whole runs are one 16-byte move.
template <class T>
inline void store_run(T* to, const std::uint32_t* from, Index count) {
    if (count >= kRandomRun) {
        __builtin_memcpy(to, from, kRandomRun * sizeof(T));
        return;
    }
    __builtin_memcpy(to, from, static_cast<std::size_t>(count < 0 ? 0 : count) * sizeof(T));
}

// Stores the results of one vector to the runs that start at `at`, and moves `at` past them.
template <class T>
inline void scatter(Cursor& at, int runs, const RandomRows& rows, const Words& x, T* y, Index ld) {
    std::uint32_t value[4][kRandomLanes];
    for (int w = 0; w < 4; ++w) VecU::store(value[w], x.w[w]);
    for (int run = 0; run < runs; ++run) {
        for (int w = 0; w < 4; ++w) {
            const Index unit = at.unit + 4 * w + at.lane;
            store_run(y + at.row * ld + unit, value[w] + run * kRandomRun, rows.units - unit);
        }
        advance(at, rows);
    }
}

// The counters of the vector that starts at `at`, lane by lane: groups of several rows.
inline void mixed_counters(Cursor at, int runs, const RandomRows& rows, std::uint32_t* block,
                           std::uint32_t* trial) {
    for (int run = 0; run < runs; ++run) {
        const auto group = (rows.first_unit + static_cast<std::uint32_t>(at.unit)) / 16;
        for (int l = 0; l < kRandomRun; ++l) {
            const auto lane = static_cast<std::uint32_t>(at.lane + l);
            block[run * kRandomRun + l] = 4 * group + lane;
            trial[run * kRandomRun + l] = rows.trials[at.row];
        }
        advance(at, rows);
    }
}

// The next N vectors of counters lie within one row: they take consecutive blocks, and the results
// are whole vectors of that row. Moves `at` past them.
template <int N, class T, class F>
inline void fill_within_row(Cursor& at, const RandomRows& rows, const RoundKeys& keys, T* y,
                            F transform) {
    const auto first = (rows.first_unit + static_cast<std::uint32_t>(at.unit)) / 16 * 4;
    const VecU::Reg trial = VecU::broadcast(rows.trials[at.row]);
    Words x[N];
#pragma GCC unroll 2
    for (int i = 0; i < N; ++i) {
        const VecU::Reg start =
            VecU::broadcast(first + static_cast<std::uint32_t>(i * kRandomLanes));
        x[i] = counters(VecU::add(start, VecU::ramp()), trial, rows);
    }
    philox(keys, x);
#pragma GCC unroll 2
    for (int i = 0; i < N; ++i) {
        x[i] = transform(x[i]);
        VecU::interleave_runs(x[i].w);
#pragma GCC unroll 4
        for (int w = 0; w < 4; ++w) {
            __builtin_memcpy(y + at.unit, &x[i].w[w], sizeof x[i].w[w]);
            at.unit += kRandomLanes;
        }
    }
    if (at.unit == rows.units) at = {at.row + 1, 0, 0};
}

// The next vector of counters holds groups of several rows, `runs` of them. Moves `at` past them.
template <class T, class F>
inline void fill_across_rows(Cursor& at, int runs, const RandomRows& rows, const RoundKeys& keys,
                             T* y, Index ld, F transform) {
    std::uint32_t block[kRandomLanes] = {}, trial[kRandomLanes] = {};
    mixed_counters(at, runs, rows, block, trial);
    Words x[1] = {counters(VecU::load(block), VecU::load(trial), rows)};
    philox(keys, x);
    scatter(at, runs, rows, transform(x[0]), y, ld);
}

// For every vector of counters: the bits of transform(words) are stored as elements of y.
template <class T, class F>
[[gnu::flatten]] inline void random_rows(const RandomRows& rows, T* y, Index ld, F transform) {
    constexpr int kRuns = kRandomLanes / kRandomRun, kUnits = 4 * kRandomLanes;
    const RoundKeys keys = round_keys(rows);
    Cursor at;
    for (Index left = rows.rows * ((rows.units + 15) / 16) * (4 / kRandomRun); left > 0;) {
        const Index room = kRandomRun == 4 ? rows.units - at.unit : 0;
        T* row = y + at.row * ld;
        if (room >= 2 * kUnits) {
            fill_within_row<2>(at, rows, keys, row, transform);
            left -= 2 * kRuns;
        } else if (room >= kUnits) {
            fill_within_row<1>(at, rows, keys, row, transform);
            left -= kRuns;
        } else {
            const int runs = left < kRuns ? static_cast<int>(left) : kRuns;
            fill_across_rows(at, runs, rows, keys, y, ld, transform);
            left -= runs;
        }
    }
}

using LF = Lanes<VecF>;

// word >> 8, exact in f32.
inline LF high24(VecU::Reg word) { return {VecU::to_float(VecU::shr<8>(word))}; }

inline VecU::Reg word_bits(LF x) { return __builtin_bit_cast(VecU::Reg, x.r); }

inline void random_words(const RandomRows& rows, std::uint32_t* y, Index ld) noexcept {
    random_rows(rows, y, ld, [](const Words& x) { return x; });
}

inline void random_uniform(const RandomRows& rows, float* y, Index ld) noexcept {
    random_rows(rows, y, ld, [](Words x) {
        for (auto& word : x.w) word = word_bits(high24(word) * lit<LF>(0x1p-24));
        return x;
    });
}

inline void random_mask(const RandomRows& rows, std::uint32_t threshold, float on, float* y,
                        Index ld) noexcept {
    const LF limit = LF::all(static_cast<float>(threshold));
    random_rows(rows, y, ld, [=](Words x) {
        for (auto& word : x.w) {
            word = word_bits(select(high24(word) < limit, LF::all(on), lit<LF>(0)));
        }
        return x;
    });
}

// Box-Muller on the words (a, b), in place: the angle is k / 2^22 quarter turns, split exactly.
inline void box_muller(VecU::Reg& a, VecU::Reg& b) {
    const LF u = (high24(a) + lit<LF>(1)) * lit<LF>(0x1p-24);
    const LF radius = sqrt(lit<LF>(-2) * log_normal(u));
    const LF k = high24(b), magic = LF::all(MathF32::kMagic);
    const LF turns = fma(k, lit<LF>(0x1p-22), magic);
    const LF rest = fnma(turns - magic, lit<LF>(0x1p22), k);
    const Angle<LF> angle{rest * lit<LF>(1.5707963267948966 * 0x1p-22), bits(turns)};
    a = word_bits(radius * cos_of(angle));
    b = word_bits(radius * sin_of(angle));
}

inline void random_normal(const RandomRows& rows, float* y, Index ld) noexcept {
    random_rows(rows, y, ld, [](Words x) {
        box_muller(x.w[0], x.w[1]);
        box_muller(x.w[2], x.w[3]);
        return x;
    });
}

constexpr RandomTable random_table() {
    return {.words = random_words,
            .uniform = random_uniform,
            .mask = random_mask,
            .normal = random_normal};
}
