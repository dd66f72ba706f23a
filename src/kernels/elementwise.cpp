// Elementwise drivers: every function is its kernel-table entry over ranges of elements, one range
// a thread. Elements are independent, so any split gives the same bits.

#include "soma/kernels/elementwise.h"

#include <algorithm>
#include <cmath>

#include "soma/core/arena.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/reduce.h"

namespace soma::kernels {
namespace {

constexpr Index kGrain = 1 << 15;  // elements worth a thread: about 20 us of memory traffic

template <class T>
const ElementwiseTable<T>& entries() {
    return table<T>().elementwise;
}

}  // namespace

template <class T>
void add(T* y, const T* a, const T* b, Index n) {
    entries<T>().binary(Binary::add, n, a, 1, b, 1, y);
}

// ---- one loop ----

template <class T>
void unary(Unary f, Index n, const T* x, T* y) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        entries<T>().unary(f, end - begin, x + begin, y + begin);
    });
}

template <class T>
void unary_backward(Unary f, Index n, const T* x, const T* y, const T* dy, bool accumulate, T* dx) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        entries<T>().unary_backward(f, end - begin, x + begin, y + begin, dy + begin, accumulate,
                                    dx + begin);
    });
}

template <class T>
void activation(Activation f, T slope, Index n, const T* x, T* y) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        entries<T>().activation(f, slope, end - begin, x + begin, y + begin);
    });
}

template <class T>
void activation_backward(Activation f, T slope, Index n, const T* saved, const T* dy,
                         bool accumulate, T* dx) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        entries<T>().activation_backward(f, slope, end - begin, saved + begin, dy + begin,
                                         accumulate, dx + begin);
    });
}

template <class T>
void activation_curvature(Activation f, T slope, Index n, const T* saved, const T* hy,
                          bool accumulate, T* hx) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        entries<T>().activation_curvature(f, slope, end - begin, saved + begin, hy + begin,
                                          accumulate, hx + begin);
    });
}

template <class T>
void fill(Index n, T value, T* y) {
    parallel_for(n, kGrain,
                 [&](Index begin, Index end) { entries<T>().fill(end - begin, value, y + begin); });
}

template <class T>
void scale(Index n, T a, const T* x, T* y) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        entries<T>().scale(end - begin, a, x + begin, y + begin);
    });
}

template <class T>
void shift(Index n, T b, const T* x, T* y) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        entries<T>().shift(end - begin, b, x + begin, y + begin);
    });
}

template <class T>
void axpy(Index n, T a, const T* x, T* y) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        entries<T>().axpy(end - begin, a, x + begin, y + begin);
    });
}

template <class T>
void axpby(Index n, T a, const T* x, T b, T* y) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        entries<T>().axpby(end - begin, a, x + begin, b, y + begin);
    });
}

template <class T>
void fma(Index n, const T* a, const T* b, const T* c, T* y) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        entries<T>().fma(end - begin, a + begin, b + begin, c + begin, y + begin);
    });
}

template <class T>
void clip(Index n, T low, T high, const T* x, T* y) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        entries<T>().clip(end - begin, low, high, x + begin, y + begin);
    });
}

template <class T>
void clip_backward(Index n, T low, T high, const T* x, const T* dy, bool accumulate, T* dx) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        entries<T>().clip_backward(end - begin, low, high, x + begin, dy + begin, accumulate,
                                   dx + begin);
    });
}

template <class T>
void where(Index n, const T* mask, const T* a, const T* b, T* y) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        entries<T>().where(end - begin, mask + begin, a + begin, b + begin, y + begin);
    });
}

template <class T>
void where_backward(int side, Index n, const T* mask, const T* dy, bool accumulate, T* d) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        entries<T>().where_backward(side, end - begin, mask + begin, dy + begin, accumulate,
                                    d + begin);
    });
}

// |x|^p = exp(p log|x|) in f64: for f32 results the f64 rounding is invisible but for rare ties.
// Powers 0, 1 and 2 are exact or correctly rounded.
template <class T>
void pow(Index n, double p, const T* x, T* y) {
    if (p == 0) return fill(n, T{1}, y);
    if (p == 1) return scale(n, T{1}, x, y);
    if (p == 2) return unary(Unary::square, n, x, y);
    constexpr Index kBlock = 256;
    const bool integer = p == std::floor(p);
    const bool odd = integer && std::floor(p / 2) * 2 != p;
    double wide[kBlock];
    for (Index begin = 0; begin < n; begin += kBlock) {
        const Index count = std::min(kBlock, n - begin);
        for (Index i = 0; i < count; ++i) wide[i] = std::abs(static_cast<double>(x[begin + i]));
        const auto& f64 = table<double>().elementwise;
        f64.unary(Unary::log, count, wide, wide);
        f64.scale(count, p, wide, wide);
        f64.unary(Unary::exp, count, wide, wide);
        for (Index i = 0; i < count; ++i) {
            const T base = x[begin + i];
            const T power = static_cast<T>(wide[i]);
            const T real = integer || !(base < 0) ? power : T(NAN);
            y[begin + i] = odd ? std::copysign(real, base) : real;
        }
    }
}

template void unary(Unary, Index, const float*, float*);
template void unary_backward(Unary, Index, const float*, const float*, const float*, bool, float*);
template void activation(Activation, float, Index, const float*, float*);
template void activation_backward(Activation, float, Index, const float*, const float*, bool,
                                  float*);
template void activation_curvature(Activation, float, Index, const float*, const float*, bool,
                                   float*);
template void add(float*, const float*, const float*, Index);
template void fill(Index, float, float*);
template void scale(Index, float, const float*, float*);
template void shift(Index, float, const float*, float*);
template void axpy(Index, float, const float*, float*);
template void axpby(Index, float, const float*, float, float*);
template void fma(Index, const float*, const float*, const float*, float*);
template void clip(Index, float, float, const float*, float*);
template void clip_backward(Index, float, float, const float*, const float*, bool, float*);
template void where(Index, const float*, const float*, const float*, float*);
template void where_backward(int, Index, const float*, const float*, bool, float*);
template void pow(Index, double, const float*, float*);
template void unary(Unary, Index, const double*, double*);
template void unary_backward(Unary, Index, const double*, const double*, const double*, bool,
                             double*);
template void activation(Activation, double, Index, const double*, double*);
template void activation_backward(Activation, double, Index, const double*, const double*, bool,
                                  double*);
template void activation_curvature(Activation, double, Index, const double*, const double*, bool,
                                   double*);
template void add(double*, const double*, const double*, Index);
template void fill(Index, double, double*);
template void scale(Index, double, const double*, double*);
template void shift(Index, double, const double*, double*);
template void axpy(Index, double, const double*, double*);
template void axpby(Index, double, const double*, double, double*);
template void fma(Index, const double*, const double*, const double*, double*);
template void clip(Index, double, double, const double*, double*);
template void clip_backward(Index, double, double, const double*, const double*, bool, double*);
template void where(Index, const double*, const double*, const double*, double*);
template void where_backward(int, Index, const double*, const double*, bool, double*);
template void pow(Index, double, const double*, double*);

}  // namespace soma::kernels
