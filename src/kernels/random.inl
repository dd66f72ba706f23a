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
// Groups are numbered over all rows, so a vector may hold groups of different rows.

constexpr int kRandomLanes = VecU::kWidth;
constexpr int kRandomRun = kRandomLanes < 4 ? kRandomLanes : 4;  // lanes of one group in a vector

struct Words {
    VecU::Reg w[4];
};

// Ten rounds of Philox4x32 on W counters {block, step, trial, visit}.
inline Words philox(VecU::Reg block, VecU::Reg trial, const RandomRows& at) {
    VecU::Reg c0 = block, c1 = VecU::broadcast(at.step), c2 = trial, c3 = VecU::broadcast(at.visit);
    const VecU::Reg m0 = VecU::broadcast(0xD2511F53), m1 = VecU::broadcast(0xCD9E8D57);
    std::uint32_t k0 = at.key[0], k1 = at.key[1];
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
        const VecU::Reg high0 = VecU::mulhi(m0, c0), low0 = VecU::mullo(m0, c0);
        const VecU::Reg high1 = VecU::mulhi(m1, c2), low1 = VecU::mullo(m1, c2);
        c0 = VecU::bxor(VecU::bxor(high1, c1), VecU::broadcast(k0));
        c1 = low1;
        c2 = VecU::bxor(VecU::bxor(high0, c3), VecU::broadcast(k1));
        c3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
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

// Copies up to `count` elements of one run; whole runs are one 16-byte move.
template <class T>
inline void copy_run(T* to, const T* from, Index count) {
    if (count >= kRandomRun) {
        __builtin_memcpy(to, from, kRandomRun * sizeof(T));
        return;
    }
    for (Index i = 0; i < count; ++i) to[i] = from[i];
}

// Stores the results of one vector: value[w][lane], to the runs that start at `at`.
template <class T>
inline void scatter(Cursor at, int runs, const RandomRows& rows, const T (*value)[kRandomLanes],
                    T* y, Index ld) {
    for (int run = 0; run < runs; ++run) {
        for (int w = 0; w < 4; ++w) {
            const Index unit = at.unit + 4 * w + at.lane;
            copy_run(y + at.row * ld + unit, value[w] + run * kRandomRun, rows.units - unit);
        }
        advance(at, rows);
    }
}

// For every vector of counters: transform(words, value) fills value[4][W], which is stored.
template <class T, class F>
[[gnu::flatten]] inline void random_rows(const RandomRows& rows, T* y, Index ld, F transform) {
    constexpr int kRuns = kRandomLanes / kRandomRun;
    const Index groups = rows.rows * ((rows.units + 15) / 16);
    Cursor at;
    for (Index left = groups * (4 / kRandomRun); left > 0; left -= kRuns) {
        std::uint32_t block[kRandomLanes] = {}, trial[kRandomLanes] = {};
        const int runs = left < kRuns ? static_cast<int>(left) : kRuns;
        const Cursor first = at;
        for (int run = 0; run < runs; ++run) {
            const auto group = (rows.first_unit + static_cast<std::uint32_t>(at.unit)) / 16;
            for (int l = 0; l < kRandomRun; ++l) {
                const auto lane = static_cast<std::uint32_t>(at.lane + l);
                block[run * kRandomRun + l] = 4 * group + lane;
                trial[run * kRandomRun + l] = rows.trials[at.row];
            }
            advance(at, rows);
        }
        T value[4][kRandomLanes];
        transform(philox(VecU::load(block), VecU::load(trial), rows), value);
        scatter(first, runs, rows, value, y, ld);
    }
}

using LF = Lanes<VecF>;

// word >> 8, exact in f32.
inline LF high24(VecU::Reg word) { return {VecU::to_float(VecU::shr<8>(word))}; }

inline void random_words(const RandomRows& rows, std::uint32_t* y, Index ld) noexcept {
    random_rows(rows, y, ld, [](const Words& x, std::uint32_t(*value)[kRandomLanes]) {
        for (int w = 0; w < 4; ++w) VecU::store(value[w], x.w[w]);
    });
}

inline void random_uniform(const RandomRows& rows, float* y, Index ld) noexcept {
    random_rows(rows, y, ld, [](const Words& x, float(*value)[kRandomLanes]) {
        for (int w = 0; w < 4; ++w) (high24(x.w[w]) * lit<LF>(0x1p-24)).store(value[w]);
    });
}

inline void random_mask(const RandomRows& rows, std::uint32_t threshold, float on, float* y,
                        Index ld) noexcept {
    const LF limit = LF::all(static_cast<float>(threshold));
    random_rows(rows, y, ld, [=](const Words& x, float(*value)[kRandomLanes]) {
        for (int w = 0; w < 4; ++w) {
            select(high24(x.w[w]) < limit, LF::all(on), lit<LF>(0)).store(value[w]);
        }
    });
}

// Box-Muller on the words (a, b): the angle is k / 2^22 quarter turns, split exactly.
inline void box_muller(VecU::Reg a, VecU::Reg b, float* first, float* second) {
    const LF u = (high24(a) + lit<LF>(1)) * lit<LF>(0x1p-24);
    const LF radius = sqrt(lit<LF>(-2) * log(u));
    const LF k = high24(b), magic = LF::all(MathF32::kMagic);
    const LF turns = fma(k, lit<LF>(0x1p-22), magic);
    const LF rest = fnma(turns - magic, lit<LF>(0x1p22), k);
    const Angle<LF> angle{rest * lit<LF>(1.5707963267948966 * 0x1p-22), bits(turns)};
    (radius * cos_of(angle)).store(first);
    (radius * sin_of(angle)).store(second);
}

inline void random_normal(const RandomRows& rows, float* y, Index ld) noexcept {
    random_rows(rows, y, ld, [](const Words& x, float(*value)[kRandomLanes]) {
        box_muller(x.w[0], x.w[1], value[0], value[1]);
        box_muller(x.w[2], x.w[3], value[2], value[3]);
    });
}

constexpr RandomTable random_table() {
    return {.words = random_words,
            .uniform = random_uniform,
            .mask = random_mask,
            .normal = random_normal};
}
