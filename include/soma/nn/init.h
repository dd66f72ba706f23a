#pragma once
// Initialisers as data: what a parameter starts as, decided when the store is frozen.
//
// Fan-in F of a weight is the number of inputs to one output unit, fan-out the reverse.

#include <limits>
#include <string>

#include "soma/core/rng.h"
#include "soma/tensor/tensor.h"

namespace soma::nn {

struct Init {
    enum class Kind {
        constant,    // a, in elements [first, last); 0 elsewhere
        uniform,     // U(low = -a, high = a)
        normal,      // N(0, a^2), Box-Muller (kernels/random.h)
        orthogonal,  // a times a random matrix with orthonormal rows or columns, whichever are
                     // fewer
        identity,    // a on the diagonal, 0 elsewhere
    };
    Kind kind = Kind::constant;
    double a = 0;
    Index first = 0, last = std::numeric_limits<Index>::max();  // of a constant

    static Init zeros() { return {Kind::constant, 0}; }
    static Init constant(double value) { return {Kind::constant, value}; }
    // One block of a bias: the forget gates of a recurrent layer.
    static Init constant_in(double value, Index first, Index last) {
        return {Kind::constant, value, first, last};
    }
    static Init uniform(double bound) { return {Kind::uniform, bound}; }
    static Init normal(double sd) { return {Kind::normal, sd}; }
    static Init orthogonal(double gain = 1) { return {Kind::orthogonal, gain}; }
    static Init identity(double gain = 1) { return {Kind::identity, gain}; }
    // U(+-2.4 / F): LeCun et al. 1989.
    static Init lecun1989(Index fan_in);
    // U(+-2.4 / sqrt F).
    static Init lecun_sqrt(Index fan_in);
    // U(+-sqrt(6 / (fan_in + fan_out))): Glorot & Bengio 2010.
    static Init glorot_uniform(Index fan_in, Index fan_out);
    // N(0, 2 / F) and U(+-sqrt(6 / F)): He et al. 2015, for ReLU.
    static Init he_normal(Index fan_in);
    static Init he_uniform(Index fan_in);
};

// Fills `values` with the numbers of (init, key). The same bits for any thread count and ISA.
void initialise(const Init& init, PhiloxKey key, Tensor& values);

}  // namespace soma::nn
