// The one micro-kernel: every tile of GEMM and convolution (kernels.md 4.1).
//
//     ukr<V, MR, NV, KIND>(tile):  MR rows x NV vectors of C, held in MR * NV registers
//
//        b: NV vectors, loaded           acc[i][j] starts at +0; for all segments s in order and
//        ...................             k = 0 .. klen - 1 in order:
//     a  +----+----+----+----+             acc[i][j] = fma(a[i a_row + k a_k], b[k b_k + j], acc)
//     .  | 00 | 01 | 02 | 03 |           then, once per tile and element:
//     .  | 10 | 11 | 12 | 13 | MR          beta == 0:  r = alpha acc
//     .  | 20 | 21 | 22 | 23 |             else        r = fma(alpha, acc, beta C)
//        +----+----+----+----+             r = r + bias[j]       when bias is given
//      broadcast                           r = 0 > r ? 0 : r     when relu is set (NaN passes)
//
// The segments of one call are one canonical slice: the sum of klen is at most kGemmSlice, and the
// caller cuts the reduction at slice borders, passing beta = 1 and the epilogue with the last one.
// Kinds tail: the last vector has tile.tail valid lanes; only these are read or written.
// Kinds pack: B is also written to tile.panel, vector after vector, for the row blocks that follow;
// the stores hide behind the FMAs.
// No alignment needed; reads and writes nothing but the described elements; no branch on data.
//
// Store variants are run-time branches after the k loop, uniform over the tile and taken once: as
// template parameters they would multiply the k loops and the text by 8.

template <class T>
struct Tile {
    const T* a;
    Index a_row, a_k;
    const T* b;
    Index b_k;
    const GemmSegment* segments;
    Index segment_count;
    T* c;
    Index ldc;
    int tail;  // lanes of the last vector of a TAIL tile
    T alpha, beta;
    const T* bias;  // of this tile's first column, or nullptr
    bool relu;
    bool far_c = false;  // the lines of C are fetched while the tile is computed
    T* panel = nullptr;  // kinds pack: room for all k rows of NV vectors

    // A run of tiles in one call: from one to the next the pointers move by these.
    Index count = 1;
    Index a_next = 0, b_next = 0, c_next = 0, bias_next = 0;
};

enum TileKind { kWhole, kTail, kPack, kPackTail };

template <class V, int NV, bool TAIL>
inline __attribute__((always_inline)) typename V::Reg load_vector(const typename V::Scalar* p,
                                                                  int j, typename V::Mask mask) {
    if (TAIL && j == NV - 1) return V::load_masked(p + j * V::kWidth, mask);
    return V::load(p + j * V::kWidth);
}

// One step of k: acc[i][j] += a[i] b[j]. Each vector of B is used as soon as it is loaded, which is
// 2 % faster than loading all first. Wide tiles of few rows hold the rows' broadcasts instead of B.
template <class V, int MR, int NV, bool TAIL, bool PACK>
inline __attribute__((always_inline)) void multiply_add(const typename V::Scalar* a, Index a_row,
                                                        const typename V::Scalar* b,
                                                        typename V::Mask mask,
                                                        typename V::Scalar* panel,
                                                        typename V::Reg (&acc)[MR][NV]) {
    using Reg = typename V::Reg;
    if constexpr (MR < NV) {
        Reg x[MR];
#pragma GCC unroll 32
        for (int i = 0; i < MR; ++i) x[i] = V::broadcast(a[i * a_row]);
#pragma GCC unroll 32
        for (int j = 0; j < NV; ++j) {
            const Reg row = load_vector<V, NV, TAIL>(b, j, mask);
            if (PACK) V::store(panel + j * V::kWidth, row);
#pragma GCC unroll 32
            for (int i = 0; i < MR; ++i) acc[i][j] = V::fma(x[i], row, acc[i][j]);
        }
        return;
    }
    Reg row[NV];
    const Reg first = V::broadcast(a[0]);
#pragma GCC unroll 32
    for (int j = 0; j < NV; ++j) {
        row[j] = load_vector<V, NV, TAIL>(b, j, mask);
        if (PACK) V::store(panel + j * V::kWidth, row[j]);
        acc[0][j] = V::fma(first, row[j], acc[0][j]);
    }
#pragma GCC unroll 32
    for (int i = 1; i < MR; ++i) {
        const Reg x = V::broadcast(a[i * a_row]);
#pragma GCC unroll 32
        for (int j = 0; j < NV; ++j) acc[i][j] = V::fma(x, row[j], acc[i][j]);
    }
}

// C = r of the accumulators. A product by 1 is left out: same bits, less to do after a short k
// loop.
template <class V, int MR, int NV, bool TAIL>
inline __attribute__((always_inline)) void store_tile(const Tile<typename V::Scalar>& t,
                                                      typename V::Scalar* c0,
                                                      const typename V::Scalar* bias,
                                                      typename V::Mask mask,
                                                      typename V::Reg (&acc)[MR][NV]) {
    using T = typename V::Scalar;
    using Reg = typename V::Reg;
    const Reg alpha = V::broadcast(t.alpha), beta = V::broadcast(t.beta);
    if (t.beta == 0 && t.alpha != 1) {
#pragma GCC unroll 32
        for (int i = 0; i < MR; ++i)
#pragma GCC unroll 32
            for (int j = 0; j < NV; ++j) acc[i][j] = V::mul(alpha, acc[i][j]);
    } else if (t.beta != 0) {
        const bool sum = t.alpha == 1 && t.beta == 1;
#pragma GCC unroll 32
        for (int i = 0; i < MR; ++i)
#pragma GCC unroll 32
            for (int j = 0; j < NV; ++j) {
                const Reg c = load_vector<V, NV, TAIL>(c0 + i * t.ldc, j, mask);
                acc[i][j] = sum ? V::add(acc[i][j], c) : V::fma(alpha, acc[i][j], V::mul(beta, c));
            }
    }
    if (bias != nullptr) {
#pragma GCC unroll 32
        for (int j = 0; j < NV; ++j) {
            const Reg x = load_vector<V, NV, TAIL>(bias, j, mask);
#pragma GCC unroll 32
            for (int i = 0; i < MR; ++i) acc[i][j] = V::add(acc[i][j], x);
        }
    }
    if (t.relu) {
#pragma GCC unroll 32
        for (int i = 0; i < MR; ++i)
#pragma GCC unroll 32
            for (int j = 0; j < NV; ++j) acc[i][j] = V::max(V::zero(), acc[i][j]);
    }
#pragma GCC unroll 32
    for (int i = 0; i < MR; ++i)
#pragma GCC unroll 32
        for (int j = 0; j < NV; ++j) {
            T* c = c0 + i * t.ldc + j * V::kWidth;
            if (TAIL && j == NV - 1) {
                V::store_masked(c, mask, acc[i][j]);
            } else {
                V::store(c, acc[i][j]);
            }
        }
}

template <class V, int MR, int NV, TileKind KIND>
void ukr(const Tile<typename V::Scalar>& t) noexcept {
    using T = typename V::Scalar;
    using Reg = typename V::Reg;
    constexpr bool TAIL = KIND == kTail || KIND == kPackTail;
    constexpr bool PACK = KIND == kPack || KIND == kPackTail;
    const typename V::Mask mask = V::first(TAIL ? t.tail : 0);
    const Index a_row = t.a_row, a_k = t.a_k, b_k = t.b_k;
    const T *a0 = t.a, *b0 = t.b, *bias = t.bias;
    T* c0 = t.c;

    for (Index n = t.count; n > 0; --n) {
        Reg acc[MR][NV];
#pragma GCC unroll 32
        for (int i = 0; i < MR; ++i)
#pragma GCC unroll 32
            for (int j = 0; j < NV; ++j) acc[i][j] = V::zero();
        if (t.far_c) {
#pragma GCC unroll 32
            for (int i = 0; i < MR; ++i)
#pragma GCC unroll 32
                for (int j = 0; j < NV; ++j) __builtin_prefetch(c0 + i * t.ldc + j * V::kWidth, 1);
        }

        T* __restrict panel = t.panel;
        for (Index s = 0; s < t.segment_count; ++s) {
            const T* __restrict a = a0 + t.segments[s].a;
            const T* __restrict b = b0 + t.segments[s].b;
            for (Index k = t.segments[s].klen; k > 0; --k) {
                multiply_add<V, MR, NV, TAIL, PACK>(a, a_row, b, mask, panel, acc);
                if (PACK) panel += NV * V::kWidth;
                a += a_k;
                b += b_k;
            }
        }
        store_tile<V, MR, NV, TAIL>(t, c0, bias, mask, acc);
        a0 += t.a_next;
        b0 += t.b_next;
        c0 += t.c_next;
        bias += bias != nullptr ? t.bias_next : 0;
    }
}

// ---- the tiles of this ISA: kTileRows[NV], kTailRows[NV] = most rows with NV vectors ----

constexpr int kMaxVectors = sizeof(kTileRows) / sizeof(kTileRows[0]) - 1;
constexpr int kMaxRows = 24;

// Row counts that exist: 1..12, then 14, 16, 24. Others are split in two.
constexpr bool has_tile(int rows, int vectors, bool tail) {
    const bool instantiated = rows <= 12 || rows == 14 || rows == 16 || rows == 24;
    return instantiated && rows <= (tail ? kTailRows : kTileRows)[vectors];
}

template <class V>
struct TileSet {
    using Kernel = void (*)(const Tile<typename V::Scalar>&) noexcept;
    Kernel kernel[2][kMaxVectors + 1][kMaxRows + 1];  // [tail][vectors][rows]
    Kernel packing[2][kMaxVectors + 1];               // the highest tiles, kinds pack
};

template <class V, int NV, int MR>
constexpr void add_tiles(TileSet<V>& set) {
    constexpr bool strip = NV <= kWholeStrip;  // cut_strips makes such strips of many columns
    if constexpr (has_tile(MR, NV, false)) set.kernel[0][NV][MR] = &ukr<V, MR, NV, kWhole>;
    if constexpr (has_tile(MR, NV, true)) set.kernel[1][NV][MR] = &ukr<V, MR, NV, kTail>;
    if constexpr (strip && MR == kTileRows[NV]) set.packing[0][NV] = &ukr<V, MR, NV, kPack>;
    if constexpr (strip && MR == kTailRows[NV]) set.packing[1][NV] = &ukr<V, MR, NV, kPackTail>;
    if constexpr (MR > 1) {
        add_tiles<V, NV, MR - 1>(set);
    } else if constexpr (NV > 1) {
        add_tiles<V, NV - 1, kTileRows[NV - 1]>(set);
    }
}

template <class V>
constexpr TileSet<V> make_tiles() {
    TileSet<V> set{};
    add_tiles<V, kMaxVectors, kTileRows[kMaxVectors]>(set);
    return set;
}

template <class V>
constexpr TileSet<V> kTiles = make_tiles<V>();

// Runs one tile of 1 <= rows <= kTileRows[vectors] rows. t.tail: valid lanes of the last vector,
// kWidth when it is full.
template <class V>
void run_tile(const Tile<typename V::Scalar>& t, Index rows, Index vectors) noexcept {
    const auto kernel = kTiles<V>.kernel[t.tail != V::kWidth][vectors][rows];
    if (kernel != nullptr) {
        kernel(t);
        return;
    }
    const Index half = rows / 2;
    Tile<typename V::Scalar> lower = t;
    lower.a += half * t.a_row;
    lower.c += half * t.ldc;
    run_tile<V>(t, half, vectors);
    run_tile<V>(lower, rows - half, vectors);
}

// As run_tile for the highest tile, from B in place, which it packs to t.panel.
template <class V>
void run_packing_tile(const Tile<typename V::Scalar>& t, Index vectors) noexcept {
    const bool tail = t.tail != V::kWidth;
    kTiles<V>.packing[tail][vectors](t);
    const Index done = (tail ? kTailRows : kTileRows)[vectors], rows = kTileRows[vectors];
    if (done == rows) return;
    Tile<typename V::Scalar> rest = t;
    rest.a += done * t.a_row;
    rest.c += done * t.ldc;
    rest.b = t.panel;
    rest.b_k = vectors * V::kWidth;
    run_tile<V>(rest, rows - done, vectors);
}

// ---- cutting (kernels.md 4.4) ----

// [0, total) in `parts` parts whose sizes differ by at most one, larger ones first.
struct BalancedCut {
    Index parts, size, larger;  // the first `larger` parts have size + 1
    Index operator[](Index i) const { return size + (i < larger ? 1 : 0); }
};

constexpr BalancedCut cut_into(Index total, Index parts) {
    return {parts, total / parts, total % parts};
}

constexpr BalancedCut cut_by(Index total, Index most) {
    if (total <= most) return {1, total, 0};  // without dividing: tiny products feel it
    return cut_into(total, (total + most - 1) / most);
}

// Strips of nv >= 1 vectors, for tiles at least 3 rows high: 4s and as many 3s as needed on avx512
// and neon, 2s and at most one 3 on avx2; never a lone vector beside wide strips.
constexpr BalancedCut cut_strips(Index nv) {
    if (nv <= kWholeStrip) return {1, nv, 0};
    return kOddStrip ? cut_into(nv, nv / kStripVectors) : cut_by(nv, kStripVectors);
}

// Strips of a block of m rows whose B is read in place: few rows take wider or narrower strips, to
// have enough chains, or to read B once.
constexpr BalancedCut cut_strips_direct(Index nv, Index m) {
    return m <= kFewRows && kFewRowsStrip[m] != kStripVectors ? cut_by(nv, kFewRowsStrip[m])
                                                              : cut_strips(nv);
}
