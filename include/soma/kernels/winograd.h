#pragma once
// Winograd's minimal filtering for 3x3 convolutions: fewer multiplications, a weaker error bound.
// Never chosen by conv2d; the caller asks for it by calling these functions.
//
//     F(2x2, 3x3): 16 products for 4 outputs, 2.25 times fewer than conv2d
//     F(4x4, 3x3): 36 products for 16 outputs, 4 times fewer
//
//     y tile = A^T [ sum over c of (G w[c, o] G^T) . (B^T x[tile, c] B) ] A        . element-wise
//
// The sum over c is e^2 matrix products over all tiles, e = 4 or 6 (table/winograd.h has the
// transforms' contract, winograd.inl their matrices). Blocks of tiles are transformed, multiplied
// and transformed back before the next block begins.
//
// Condition: 3x3 kernel, stride 1, dilation 1, one group; any image, padding and pad value. It pays
// from C, OC of about 64 on and when a call has a few hundred output pixels for each weight matrix:
// the transformed weights are 1.8 or 4 times as large as the weights.
//
// Error: norm-wise only. Small outputs of a tile take the errors of its large ones:
//     |y - y*| <= gamma_d L  sum over c of  max |x[patch, c]|  max |w[:, :, c, o]|
//     d = D + min(C, 256) + ceil(C / 256) - 1,   D = 10, L = 64  for F(2x2)
//                                                D = 22, L = 620 for F(4x4)
// D counts the roundings of the three transforms, those of their constants included; L is the
// square of max over rows of |A^T| ((|G| 1) . (|B^T| 1)). conv2d has L = 9, d about 256 (conv.h).
// Measured against f64 on uniform data, C = 64 and 512: the largest error is 0.4 to 1.7 times that
// of conv2d for F(2x2), 2 to 7 times for F(4x4). A largest error is one draw from a tail: simulated
// on normal data with C = 256, F(4x4) reached 10 times; its rms error is 3 to 5 times that of
// conv2d. NaN and Inf spread over their tile.
//
// Determinism: a fixed sequence of operations for each tile; products are CHAIN over c (gemm.h).
// The same bits for any thread count, ISA and batch split, and for kept or passing weights; the
// bits differ from those of conv2d.
//
// Scratch: the transformed weights (backward-data: and a flipped copy of the weights), and for each
// thread V and M of a block of at most 60 tiles: 60 (C + OC) e^2 elements. Grows with C and OC: for
// 512 and 512 channels in f32, F(4x4) takes 38 MB and 9 MB a thread.

#include "soma/core/arena.h"
#include "soma/kernels/conv.h"

namespace soma::kernels {

enum class WinogradTile : std::uint8_t { f2x2 = 2, f4x4 = 4 };  // the side of a tile of outputs
enum class WinogradPass : std::uint8_t { forward, backward_data };

// Throws Error(usage) starting with `op` unless the geometry meets the condition above.
void check_winograd(const char* op, const ConvGeometry& g);

// Weights [3, 3, C, OC], transformed for one pass: kept by a caller whose weights stay the same
// over several calls. Holds a copy; later changes of w are not seen.
template <class T>
class WinogradWeights {
public:
    WinogradWeights() = default;
    WinogradWeights(WinogradTile tile, WinogradPass pass, Index c, Index oc, const T* w);

    WinogradTile tile() const { return tile_; }
    WinogradPass pass() const { return pass_; }
    Index c() const { return c_; }
    Index oc() const { return oc_; }

private:
    template <class U>
    friend void conv2d_winograd(const ConvGeometry& g, const U* x, const WinogradWeights<U>& w,
                                const ConvEpilogue<U>& epilogue, U* y);
    template <class U>
    friend void conv2d_winograd_backward_data(const ConvGeometry& g, const U* dy,
                                              const WinogradWeights<U>& w, bool accumulate, U* dx);

    void check(const char* op, const ConvGeometry& g, WinogradPass pass) const;

    AlignedBlock panels_;
    const void* table_ = nullptr;  // the kernels whose panels these are
    WinogradTile tile_ = WinogradTile::f4x4;
    WinogradPass pass_ = WinogradPass::forward;
    Index c_ = 0, oc_ = 0;
};

// As conv2d; w [3, 3, C, OC] is transformed in this call.
template <class T>
void conv2d_winograd(const ConvGeometry& g, WinogradTile tile, const T* x, const T* w,
                     const ConvEpilogue<T>& epilogue, T* y);
// With kept weights; Error(usage) when they are of other sizes or another pass, or the kernel table
// was switched since.
template <class T>
void conv2d_winograd(const ConvGeometry& g, const T* x, const WinogradWeights<T>& w,
                     const ConvEpilogue<T>& epilogue, T* y);

// As conv2d_backward_data: the forward pass on dy with flipped weights.
template <class T>
void conv2d_winograd_backward_data(const ConvGeometry& g, WinogradTile tile, const T* dy,
                                   const T* w, bool accumulate, T* dx);
template <class T>
void conv2d_winograd_backward_data(const ConvGeometry& g, const T* dy, const WinogradWeights<T>& w,
                                   bool accumulate, T* dx);

}  // namespace soma::kernels
