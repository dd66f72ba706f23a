// Pooling kernels: one window at a time, vectors along C.
//
//   x row    [c c c c|c c c c|...]   taps of a window are rows of C, combined lane by lane:
//   window     ^kw=0   ^kw=1         no sum or maximum ever crosses lanes
//
// Contract: soma/kernels/table/pool.h; order of summation and NaN rules: soma/kernels/pool.h.

// The taps of window (oh, ow) that lie inside the image: [kh0, kh1) x [kw0, kw1); and where the
// window's corner is, in pixels of the image (possibly before its start).
struct PoolTaps {
    Index kh0, kh1, kw0, kw1, corner;

    PoolTaps(const PoolWindow& p, Index oh, Index ow) {
        const Index ih = oh * p.stride_h - p.pad_top, iw = ow * p.stride_w - p.pad_left;
        kh0 = ih < 0 ? -ih : 0;
        kw0 = iw < 0 ? -iw : 0;
        kh1 = ih + p.kh > p.h ? p.h - ih : p.kh;
        kw1 = iw + p.kw > p.w ? p.w - iw : p.kw;
        corner = ih * p.w + iw;
    }
    Index count(const PoolWindow& p) const {
        return p.count_padding ? p.kh * p.kw : (kh1 - kh0) * (kw1 - kw0);
    }
};

// ---- maximum ----

// The running maximum takes a larger value, or the first NaN; a NaN stays.
template <class V>
inline void pool_max_block(const PoolWindow& p, const PoolTaps& taps, const typename V::Scalar* x,
                           int n, typename V::Scalar* y, std::uint8_t* argmax) {
    using T = typename V::Scalar;
    typename V::Reg best = load_lanes<V>(x + (taps.corner + taps.kh0 * p.w + taps.kw0) * p.c, n);
    typename V::Reg where = V::broadcast(static_cast<T>(taps.kh0 * p.kw + taps.kw0));
    for (Index kh = taps.kh0; kh < taps.kh1; ++kh) {
        for (Index kw = taps.kw0; kw < taps.kw1; ++kw) {
            const auto v = load_lanes<V>(x + (taps.corner + kh * p.w + kw) * p.c, n);
            const auto stays = V::is_nan(best);
            const auto wins = V::either(V::gt(v, best), V::is_nan(v));
            const auto tap = V::broadcast(static_cast<T>(kh * p.kw + kw));
            where = V::select(stays, where, V::select(wins, tap, where));
            best = V::select(stays, best, V::select(wins, v, best));
        }
    }
    store_lanes<V>(y, n, best);
    if (argmax == nullptr) return;
    T lanes[V::kWidth];
    V::store(lanes, where);
    for (int i = 0; i < n; ++i) {
        argmax[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(lanes[i]));
    }
}

template <class V>
void pool_max_rows(const PoolWindow& p, Index begin, Index end, const typename V::Scalar* x,
                   typename V::Scalar* y, std::uint8_t* argmax) noexcept {
    for (Index oh = begin; oh < end; ++oh) {
        for (Index ow = 0; ow < p.ow; ++ow) {
            const PoolTaps taps(p, oh, ow);
            const Index out = (oh * p.ow + ow) * p.c;
            for_each_channel_block<V>(p.c, [&](Index c, int n) {
                pool_max_block<V>(p, taps, x + c, n, y + out + c,
                                  argmax == nullptr ? nullptr : argmax + out + c);
            });
        }
    }
}

// ---- average ----

template <class V>
inline typename V::Reg pool_sum(const PoolWindow& p, const PoolTaps& taps,
                                const typename V::Scalar* x, int n) {
    constexpr Index kSlice = 256;
    auto total = V::zero(), slice = V::zero();
    Index in_slice = 0;
    for (Index kh = taps.kh0; kh < taps.kh1; ++kh) {
        for (Index kw = taps.kw0; kw < taps.kw1; ++kw) {
            slice = V::add(slice, load_lanes<V>(x + (taps.corner + kh * p.w + kw) * p.c, n));
            if (++in_slice == kSlice) {
                total = V::add(total, slice);
                slice = V::zero();
                in_slice = 0;
            }
        }
    }
    return V::add(total, slice);
}

template <class V>
void pool_avg_rows(const PoolWindow& p, Index begin, Index end, const typename V::Scalar* x,
                   typename V::Scalar* y) noexcept {
    using T = typename V::Scalar;
    for (Index oh = begin; oh < end; ++oh) {
        for (Index ow = 0; ow < p.ow; ++ow) {
            const PoolTaps taps(p, oh, ow);
            const auto count = V::broadcast(static_cast<T>(taps.count(p)));
            const Index out = (oh * p.ow + ow) * p.c;
            for_each_channel_block<V>(p.c, [&](Index c, int n) {
                store_lanes<V>(y + out + c, n, V::div(pool_sum<V>(p, taps, x + c, n), count));
            });
        }
    }
}

template <class V>
void pool_avg_backward(const PoolWindow& p, int power, const typename V::Scalar* dy,
                       typename V::Scalar* dx) noexcept {
    using T = typename V::Scalar;
    for (Index oh = 0; oh < p.oh; ++oh) {
        for (Index ow = 0; ow < p.ow; ++ow, dy += p.c) {
            const PoolTaps taps(p, oh, ow);
            const Index count = power == 1 ? taps.count(p) : taps.count(p) * taps.count(p);
            const auto divisor = V::broadcast(static_cast<T>(count));
            for_each_channel_block<V>(p.c, [&](Index c, int n) {
                const auto share = V::div(load_lanes<V>(dy + c, n), divisor);
                for (Index kh = taps.kh0; kh < taps.kh1; ++kh) {
                    for (Index kw = taps.kw0; kw < taps.kw1; ++kw) {
                        T* at = dx + (taps.corner + kh * p.w + kw) * p.c + c;
                        store_lanes<V>(at, n, V::add(load_lanes<V>(at, n), share));
                    }
                }
            });
        }
    }
}

template <class V>
constexpr PoolTable<typename V::Scalar> pool_table() {
    return {pool_max_rows<V>, pool_avg_rows<V>, pool_avg_backward<V>};
}
