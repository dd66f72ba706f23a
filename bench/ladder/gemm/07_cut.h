#pragma once
// Balanced cuts: [0, total) in as few parts as possible, none above `most`, sizes equal within one.

#include "isa.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

struct Cut {
    Index total, parts;
    Index operator[](Index i) const { return total * i / parts; }  // part i is [cut[i], cut[i + 1])
    Index size(Index i) const { return (*this)[i + 1] - (*this)[i]; }
};

inline Cut cut(Index total, Index most) { return {total, (total + most - 1) / most}; }

// A matrix of N columns as strips of 1 .. kNV vectors; the last vector may be cut short.
struct Strips : Cut {
    Index N;
    int tail(Index s) const { return s < parts - 1 ? W : int(N - (total - 1) * W); }
};

inline Strips strips_of(Index N) { return {cut((N + W - 1) / W, kNV), N}; }

}  // namespace
}  // namespace soma::ladder::SOMA_LADDER_ISA
