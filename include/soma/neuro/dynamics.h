#pragma once
// Dynamics: what every analysis of a recurrent system takes (neuro.md 6.1), in f64.
//
//     map   x_t = F(x_{t-1}, u)      J = dF/dx [n, n], J[i, j] = dF_i / dx_j
//     flow  dx/dt = v(x, u)          (VectorField)
//
// Letters: n states, I inputs, B states of a batch. States are rows: x [B, n]; one input u [I] is
// held for the whole batch. A map that is an Euler step of a flow has v = (F - x) / dt; dt and tau
// are in seconds (or both in any other unit), alpha = dt / tau.
//
// The public members check sizes and call the private virtual ones, which may rely on them. All
// are const and may run at the same time from several threads.

#include <functional>
#include <limits>
#include <span>
#include <string>

#include "soma/core/types.h"

namespace soma::neuro {

using Values = std::span<const double>;
using MutableValues = std::span<double>;

// Duration of a step and time constant, in the same unit.
struct TimeScale {
    double dt = 1;
    double tau = 1;
};

class Dynamics {
public:
    virtual ~Dynamics() = default;

    const std::string& name() const { return name_; }  // in reports and errors
    Index size() const { return size_; }               // n
    Index inputs() const { return inputs_; }           // I
    double dt() const { return time_.dt; }
    double alpha() const { return time_.dt / time_.tau; }

    // out = F(x, u), row by row; x and out [B, n], u [I]. out must not overlap x.
    void step(Values x, Values u, MutableValues out) const;
    // out = v J(x, u), row by row, each with the J of its own state; x, v and out [B, n]. out must
    // not overlap the others. This is what the gradient of a function of F costs.
    void pullback(Values x, Values u, Values v, MutableValues out) const;
    // J at one state; x [n], j [n, n].
    void jacobian(Values x, Values u, MutableValues j) const;
    // dF_i / du_k at one state; x [n], b [n, I].
    void input_jacobian(Values x, Values u, MutableValues b) const;

    // L with |J(a) - J(b)|_inf <= L |a - b|_inf for all a, b within `radius` of x (inf-norm);
    // radius may be infinite. Infinity where no bound is known.
    virtual double jacobian_lipschitz(Values x, Values u, double radius) const;
    // Whether F - x points inwards on every large sphere, so that the index sum is +1.
    virtual bool is_dissipative() const { return false; }

protected:
    // Error(usage) unless size >= 1, inputs >= 0 and 0 < dt, tau < infinity.
    Dynamics(std::string name, Index size, Index inputs, TimeScale time);

private:
    virtual void do_step(Index batch, const double* x, const double* u, double* out) const = 0;
    // As long as it is not overridden: one Jacobian a row.
    virtual void do_pullback(Index batch, const double* x, const double* u, const double* v,
                             double* out) const;
    virtual void do_jacobian(const double* x, const double* u, double* j) const = 0;
    virtual void do_input_jacobian(const double* x, const double* u, double* b) const = 0;

    Index check_batch(const char* operation, Values x, Values u) const;

    std::string name_;
    Index size_, inputs_;
    TimeScale time_;
};

// y = f(x, u) for one state: a map or a velocity [n], a Jacobian [n, n] or [n, I].
using StateFunction = std::function<void(Values x, Values u, MutableValues y)>;

// A map given by functions of one state: small analytic systems.
class FunctionDynamics : public Dynamics {
public:
    struct Functions {
        StateFunction step;
        StateFunction jacobian;
        StateFunction input_jacobian = {};  // may be absent when inputs == 0
    };
    FunctionDynamics(std::string name, Index size, Index inputs, Functions functions,
                     TimeScale time = {});

private:
    void do_step(Index batch, const double* x, const double* u, double* out) const override;
    void do_jacobian(const double* x, const double* u, double* j) const override;
    void do_input_jacobian(const double* x, const double* u, double* b) const override;

    Functions functions_;
};

// A system in continuous time.
struct VectorField {
    Index size = 0;    // n
    Index inputs = 0;  // I
    StateFunction velocity;
    StateFunction jacobian;             // dv/dx [n, n]
    StateFunction input_jacobian = {};  // dv/du [n, I]; may be absent when inputs == 0
};

// The flow of which d is an Euler step: v = (F - x) / dt. Borrows d.
VectorField flow_of(const Dynamics& d);

// x(t + h) by the classical Runge-Kutta method of order 4 and, unless j is empty, its exact
// derivative with respect to x. x and out [n] may be the same; j [n, n]. Local error O(h^5).
// Cost: 4 velocities; with j also 4 Jacobians and 3 products of n x n matrices.
void runge_kutta4(const VectorField& field, Values x, Values u, double h, MutableValues out,
                  MutableValues j = {});

// The map x(t) -> x(t + dt) of a flow by one step of runge_kutta4, with its exact derivatives.
class RungeKutta4Map : public Dynamics {
public:
    RungeKutta4Map(std::string name, VectorField field, TimeScale time);

private:
    void do_step(Index batch, const double* x, const double* u, double* out) const override;
    void do_jacobian(const double* x, const double* u, double* j) const override;
    void do_input_jacobian(const double* x, const double* u, double* b) const override;

    VectorField field_;
};

}  // namespace soma::neuro
