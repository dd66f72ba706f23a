#pragma once
// The op-case table: one row per op (and per interesting shape), from which op_cases_test.cpp
// derives
//   - the f64 forward and all gradients against the scalar-tape oracle,
//   - the f64 gradients against central differences,
//   - the f32 forward and gradients against f64, within a bound derived from `depth`,
//   - the same f32 bits on every ISA of this machine and for 1 and 2 threads,
//   - the shape error: `bad` must throw Error(usage) whose message begins with the op's name.
// A family's rows stand in tests/autograd/cases_<family>.cpp; all_op_cases() joins them.

#include <functional>
#include <string>
#include <vector>

#include "soma/autograd/tape.h"
#include "support/scalar_tape.h"

namespace soma::test {

using Scalars = std::vector<Scalar>;  // one input, row-major

struct OpCase {
    std::string name;  // "<op>" or "<op>/<variant>"; the part before '/' is the op's OpInfo name
    std::vector<Shape> inputs;
    std::function<Var(Tape&, std::span<const Var>)> op;
    // The op once more, element by element; returns the output row-major. nullptr: the row relies
    // on central differences and on its family's own tests (say why beside it).
    std::function<Scalars(const std::vector<Scalars>&)> oracle = nullptr;
    // Calls the op with impossible shapes. nullptr: the op has none.
    std::function<void(Tape&)> bad = nullptr;
    double low = -2, high = 2;  // inputs are uniform in [low, high)
    // Additions in the longest chain of one output or gradient element, for the f32 bound
    // 4 (depth + 8) u max|.|; the 8 stands for the ULPs of a transcendental.
    Index depth = 8;
};

std::vector<OpCase> math_cases();
std::vector<OpCase> shape_cases();
std::vector<OpCase> linear_cases();
std::vector<OpCase> conv_cases();
std::vector<OpCase> pool_cases();
std::vector<OpCase> norm_cases();
std::vector<OpCase> lrn_cases();
std::vector<OpCase> loss_cases();
std::vector<OpCase> embedding_cases();
std::vector<OpCase> dropout_cases();
std::vector<OpCase> ctrnn_cases();
std::vector<OpCase> gated_cases();
std::vector<OpCase> all_op_cases();

}  // namespace soma::test
