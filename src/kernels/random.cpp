// Random fills: rectangles of (trial, unit) over threads. A number is a function of its indices
// alone, so a thread starts anywhere without a state to skip ahead; f64 arrays are filled in f32
// and widened.

#include "soma/kernels/random.h"

#include <algorithm>
#include <cmath>

#include "soma/core/arena.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/elementwise.h"

namespace soma::kernels {
namespace {

constexpr Index kGrain = 1 << 14;  // numbers worth a thread: about 20 us

// A rectangle of numbers: `rows` trials, columns first_unit ...
struct Block {
    RandomRows at;
    Index first_row, first_col;
};

// Splits [rows, cols] over threads, by rows where there are several and else by groups of columns;
// f(block) fills one rectangle.
template <class F>
void for_blocks(PhiloxKey key, RandomIndex at, std::span<const std::uint32_t> trials, Index cols,
                F&& f) {
    const Index rows = static_cast<Index>(trials.size());
    RandomRows all{{key[0], key[1]}, at.step, at.visit, trials.data(), rows, 0, cols};
    if (cols == 0) return;
    if (rows == 1) {
        parallel_for(cols, kGrain, [&](Index begin, Index end) {
            RandomRows part = all;
            part.first_unit = static_cast<std::uint32_t>(begin);
            part.units = end - begin;
            f(Block{part, 0, begin});
        });
        return;
    }
    parallel_for(rows, std::max<Index>(1, kGrain / cols), [&](Index begin, Index end) {
        RandomRows part = all;
        part.trials += begin;
        part.rows = end - begin;
        f(Block{part, begin, 0});
    });
}

// fill(block, float* y, ld) into T's rows; f64 goes through an f32 buffer, row by row, widened.
template <class T, class Fill>
void fill_rows(PhiloxKey key, RandomIndex at, std::span<const std::uint32_t> trials, Index cols,
               T* y, Index ld, Fill&& fill) {
    for_blocks(key, at, trials, cols, [&](const Block& block) {
        T* to = y + block.first_row * ld + block.first_col;
        if constexpr (sizeof(T) == 4) {
            fill(block.at, to, ld);
        } else {
            ScratchScope scratch;
            const Index width = block.at.units;
            float* narrow = scratch.array<float>(block.at.rows * width);
            fill(block.at, narrow, width);
            for (Index r = 0; r < block.at.rows; ++r) {
                std::copy_n(narrow + r * width, width, to + r * ld);
            }
        }
    });
}

// y = fma(factor, y, offset) on the rows.
template <class T>
void affine_rows(Index rows, Index cols, T factor, T offset, T* y, Index ld) {
    if (factor == T{1} && offset == T{0}) return;
    const auto& entries = table<T>().elementwise;
    for (Index r = 0; r < rows; ++r) entries.affine(cols, factor, offset, y + r * ld, y + r * ld);
}

}  // namespace

void random_words(PhiloxKey key, RandomIndex at, Index n, std::uint32_t* y) {
    for_blocks(key, at, {&at.trial, 1}, n, [&](const Block& block) {
        active().random.words(block.at, y + block.first_col, block.at.units);
    });
}

template <class T>
void random_uniform_rows(PhiloxKey key, RandomIndex at, std::span<const std::uint32_t> trials,
                         Index cols, T low, T high, T* y, Index ld) {
    fill_rows(key, at, trials, cols, y, ld, [](const RandomRows& rows, float* to, Index stride) {
        active().random.uniform(rows, to, stride);
    });
    affine_rows(static_cast<Index>(trials.size()), cols, high - low, low, y, ld);
}

template <class T>
void random_mask_rows(PhiloxKey key, RandomIndex at, std::span<const std::uint32_t> trials,
                      Index cols, double p, T value, T* y, Index ld) {
    const auto threshold = static_cast<std::uint32_t>(std::lround(p * 0x1p24));
    fill_rows(key, at, trials, cols, y, ld, [=](const RandomRows& rows, float* to, Index stride) {
        active().random.mask(rows, threshold, 1.0f, to, stride);
    });
    affine_rows(static_cast<Index>(trials.size()), cols, value, T{0}, y, ld);
}

template <class T>
void random_normal_rows(PhiloxKey key, RandomIndex at, std::span<const std::uint32_t> trials,
                        Index cols, T mean, T sd, T* y, Index ld) {
    fill_rows(key, at, trials, cols, y, ld, [](const RandomRows& rows, float* to, Index stride) {
        active().random.normal(rows, to, stride);
    });
    affine_rows(static_cast<Index>(trials.size()), cols, sd, mean, y, ld);
}

template <class T>
void random_uniform(PhiloxKey key, RandomIndex at, Index n, T low, T high, T* y) {
    random_uniform_rows(key, at, {&at.trial, 1}, n, low, high, y, n);
}

template <class T>
void random_mask(PhiloxKey key, RandomIndex at, Index n, double p, T value, T* y) {
    random_mask_rows(key, at, {&at.trial, 1}, n, p, value, y, n);
}

template <class T>
void random_normal(PhiloxKey key, RandomIndex at, Index n, T mean, T sd, T* y) {
    random_normal_rows(key, at, {&at.trial, 1}, n, mean, sd, y, n);
}

template void random_uniform(PhiloxKey, RandomIndex, Index, float, float, float*);
template void random_mask(PhiloxKey, RandomIndex, Index, double, float, float*);
template void random_normal(PhiloxKey, RandomIndex, Index, float, float, float*);
template void random_uniform_rows(PhiloxKey, RandomIndex, std::span<const std::uint32_t>, Index,
                                  float, float, float*, Index);
template void random_mask_rows(PhiloxKey, RandomIndex, std::span<const std::uint32_t>, Index,
                               double, float, float*, Index);
template void random_normal_rows(PhiloxKey, RandomIndex, std::span<const std::uint32_t>, Index,
                                 float, float, float*, Index);
template void random_uniform(PhiloxKey, RandomIndex, Index, double, double, double*);
template void random_mask(PhiloxKey, RandomIndex, Index, double, double, double*);
template void random_normal(PhiloxKey, RandomIndex, Index, double, double, double*);
template void random_uniform_rows(PhiloxKey, RandomIndex, std::span<const std::uint32_t>, Index,
                                  double, double, double*, Index);
template void random_mask_rows(PhiloxKey, RandomIndex, std::span<const std::uint32_t>, Index,
                               double, double, double*, Index);
template void random_normal_rows(PhiloxKey, RandomIndex, std::span<const std::uint32_t>, Index,
                                 double, double, double*, Index);

}  // namespace soma::kernels
