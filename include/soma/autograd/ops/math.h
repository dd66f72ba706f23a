#pragma once
// Elementwise and reducing ops on the tape.
//
// Formulas stand beside the functions; dy is the gradient of the output. All work in f32 and f64;
// arguments of one op share their dtype, else Error(usage). Where two operands differ in shape
// NumPy's broadcasting rule applies and the backward sums over the repeated axes (TREE or LANES16,
// kernels/reduce.h). Every op also carries curvature (Tape::curvature) where the squared local
// derivative makes sense: +, -, scale, add_scalar, sum, mean and the activations.
//
// Functions of one variable are elementwise unless they name an axis; a negative axis counts from
// the end. Names of std:: functions are kept, argument-dependent lookup tells them apart.

#include "soma/autograd/tape.h"
#include "soma/kernels/activation.h"

namespace soma {

// ---- two operands, broadcast ----
Var add(Var a, Var b);      // a + b
Var sub(Var a, Var b);      // a - b
Var mul(Var a, Var b);      // a b
Var div(Var a, Var b);      // a / b
Var maximum(Var a, Var b);  // a > b ? a : b; the gradient goes to the one taken
Var minimum(Var a, Var b);  // a < b ? a : b
// mask != 0 ? a : b, three equal shapes; no gradient to the mask.
Var where(Var mask, Var a, Var b);

inline Var operator+(Var a, Var b) { return add(a, b); }
inline Var operator-(Var a, Var b) { return sub(a, b); }
inline Var operator*(Var a, Var b) { return mul(a, b); }
inline Var operator/(Var a, Var b) { return div(a, b); }

// ---- one operand ----
Var scale(Var x, double c);       // c x
Var add_scalar(Var x, double c);  // x + c
Var neg(Var x);                   // -x
Var square(Var x);                // x^2
Var abs(Var x);                   // |x|; derivative 0 at 0
Var sqrt(Var x);                  // derivative 1 / (2 sqrt x)
Var exp(Var x);
Var log(Var x);
Var sin(Var x);
Var cos(Var x);
// x^p with constant p, as exp(p log|x|) in f64 with the sign of an integer power; exact for p = 1
// and 2. NaN for negative x and fractional p.
Var pow(Var x, double p);
// Into [low, high]; derivative 1 inside and at the borders, 0 outside. low <= high.
Var clip(Var x, double low, double high);

inline Var operator-(Var x) { return neg(x); }
inline Var operator*(double c, Var x) { return scale(x, c); }
inline Var operator*(Var x, double c) { return scale(x, c); }
inline Var operator+(Var x, double c) { return add_scalar(x, c); }
inline Var operator-(Var x, double c) { return add_scalar(x, -c); }

// ---- activations (kernels/activation.h; derivative from the output except gelu, silu, softplus)
// slope belongs to leaky_relu: x < 0 ? slope x : x, slope > 0.
Var activation(Var x, Activation kind, double slope = 0.01);
Var relu(Var x);
Var leaky_relu(Var x, double slope = 0.01);
Var tanh(Var x);
Var scaled_tanh(Var x);  // 1.7159 tanh(2 x / 3), LeCun 1989
Var sigmoid(Var x);
Var gelu(Var x);       // x Phi(x)
Var gelu_tanh(Var x);  // x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
Var silu(Var x);       // x sigmoid(x)
Var softplus(Var x);   // log(1 + e^x)

// ---- reductions ----
Var sum(Var x);             // all elements, shape []; LONG, f64 accumulators
Var mean(Var x);            // sum / count; count >= 1
Var sum(Var x, int axis);   // the axis disappears
Var mean(Var x, int axis);  // its size >= 1
// Largest element along the axis; the gradient goes to the first maximum. Size >= 1.
Var max(Var x, int axis);

}  // namespace soma
