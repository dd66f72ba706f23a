// Scalar entries: calls of the vector kernels with one element. A second scalar implementation
// would have to be kept equal to them bit by bit.

#include "soma/kernels/vmath.h"

#include "soma/kernels/dispatch.h"

namespace soma::vmath {
namespace {

using kernels::Unary;

template <class T>
T unary(Unary f, T x) {
    T y;
    kernels::table<T>().elementwise.unary(f, 1, &x, &y);
    return y;
}

template <class T>
T activation(Activation f, T x) {
    T y;
    kernels::table<T>().elementwise.activation(f, T{0}, 1, &x, &y);
    return y;
}

}  // namespace

float exp(float x) { return unary(Unary::exp, x); }
float log(float x) { return unary(Unary::log, x); }
float sin(float x) { return unary(Unary::sin, x); }
float cos(float x) { return unary(Unary::cos, x); }
float erf(float x) { return unary(Unary::erf, x); }
float tanh(float x) { return activation(Activation::tanh, x); }
float sigmoid(float x) { return activation(Activation::sigmoid, x); }
float softplus(float x) { return activation(Activation::softplus, x); }

double exp(double x) { return unary(Unary::exp, x); }
double log(double x) { return unary(Unary::log, x); }
double sin(double x) { return unary(Unary::sin, x); }
double cos(double x) { return unary(Unary::cos, x); }
double erf(double x) { return unary(Unary::erf, x); }
double tanh(double x) { return activation(Activation::tanh, x); }
double sigmoid(double x) { return activation(Activation::sigmoid, x); }
double softplus(double x) { return activation(Activation::softplus, x); }

double pow(double x, double p) { return exp(p * log(x)); }

}  // namespace soma::vmath
