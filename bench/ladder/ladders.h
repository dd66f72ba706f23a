#pragma once
// The ladders that this machine can climb, and how to call a rung: for the program and the tests,
// not for rungs (this header shares code, see ladder.h).

#include <span>
#include <string>
#include <variant>
#include <vector>

#include "bench/ladder/ladder.h"
#include "soma/kernels/conv.h"

namespace soma::ladder {

// One for each instruction set of kernels::available(), slowest first.
std::vector<Ladder> available();

inline std::span<const Rung> rungs(const Ladder& l) {
    return {l.rungs, static_cast<std::size_t>(l.count)};
}

// % of peak that the counts allow, whichever resource is used up first (README.md, "The law"):
// 2 arithmetic ports, 2 load ports, 1 store a cycle, 4 cycles of latency, 48 bytes a cycle from L2.
double predict(const Turn& t, int width);

struct GemmShape {
    Index m, n, k;
};
using Shape = std::variant<GemmShape, Conv>;

// h and w follow from oh, ow.
Conv make_conv(Index n, Index oh, Index ow, Index c, Index kernel, Index oc, Index stride = 1);
kernels::ConvGeometry geometry(const Conv& s);  // in the product's terms

std::string describe(const Shape& s);  // "192 x 192 x 192", "1 x 28 x 28 x 128 -> 256, 3 x 3"
double flop_of(const Shape& s);        // 2 x multiply-adds, of the direct way

// Whether the shape is one of the rung's kind and within its rule.
bool takes(const Rung& r, const Shape& s);

//             a                b          c
//   gemm      A                B          C
//   conv      x                weights    y
//   weights   x                dy         dw
// bias: N floats, read by rungs that have one.
struct Arrays {
    const float *a, *b, *bias;
    float* c;
};
struct Counts {
    Index a, b, bias, c;  // floats
};
Counts counts(const Rung& r, const Shape& s);

// takes(r, s) must hold.
void call(const Rung& r, const Shape& s, const Arrays& arrays);

// What the rung should compute, by the definition (src/kernels/ref) in double: the result, and
// |A||B| + |bias|, the yardstick of rounding errors.
struct Exact {
    std::vector<double> value, size;
};
Exact exact(const Rung& r, const Shape& s, const Arrays& arrays);

// max over all elements of |c - value| / (2^-24 size): rounding errors of a sum, in half units in
// the last place. NaN anywhere gives infinity.
double worst_error(const Exact& exact, const float* c);

}  // namespace soma::ladder
