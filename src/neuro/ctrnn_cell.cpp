#include "soma/neuro/ctrnn_cell.h"

#include <algorithm>
#include <cmath>

#include "soma/core/arena.h"
#include "soma/core/error.h"
#include "soma/kernels/gemm.h"
#include "soma/kernels/random.h"
#include "soma/neuro/ctrnn_dynamics.h"

namespace soma::neuro {

CtrnnCell::CtrnnCell(Index units, Index inputs, const CtrnnCellOptions& options)
    : units_(units), inputs_(inputs), options_(options) {
    SOMA_CHECK(units >= 1 && inputs >= 0, "CtrnnCell: units is ", units, ", inputs is ", inputs,
               "; need at least 1 and 0");
    SOMA_CHECK(options.alpha > 0 && options.alpha <= 1, "CtrnnCell: alpha = dt / tau is ",
               options.alpha, "; need 0 < alpha <= 1");
    SOMA_CHECK(options.sigma >= 0, "CtrnnCell: sigma is ", options.sigma, "; need at least 0");
}

CtrnnCell::Factors CtrnnCell::factors(double slope) const {
    const double alpha = options_.alpha, leak = 1 - alpha;
    switch (options_.convention) {
        case Convention::current:
        case Convention::current_sde:
            return {alpha, leak, slope};
        case Convention::rate:
            return {alpha * slope, leak, 1};
        case Convention::rectified_leak:
            return {alpha * slope, leak * slope, 1};
    }
    return {};
}

double CtrnnCell::noise_scale() const {
    switch (options_.convention) {
        case Convention::current:
            return options_.sigma;
        case Convention::current_sde:
        case Convention::rectified_leak:
            return options_.sigma * std::sqrt(2 * options_.alpha);
        case Convention::rate:
            return options_.sigma * std::sqrt(2 / options_.alpha);
    }
    return 0;
}

const double* CtrnnCell::rates(const At& at, double* buffer) const {
    if (!keeps_current(options_.convention)) return at.x.data();
    apply(options_.f, units_, at.x.data(), buffer);
    return buffer;
}

void CtrnnCell::step(Values theta, Index t, Values x, Values u, MutableValues y,
                     MutableValues slope) const {
    const Index n = units_;
    ScratchScope scratch;
    double* buffer = scratch.array<double>(n);
    double* p = scratch.array<double>(n);
    const double* q = rates({theta, x, u, slope}, buffer);
    std::copy_n(theta.data() + bias_at(), n, p);
    const auto add_row = [&](double factor, const double* row) {
        for (Index i = 0; i < n; ++i) p[i] += factor * row[i];
    };
    for (Index k = 0; k < inputs_; ++k) {
        add_row(u[static_cast<std::size_t>(k)], theta.data() + w_in_at() + k * n);
    }
    for (Index j = 0; j < n; ++j) add_row(q[j], theta.data() + j * n);

    const double alpha = options_.alpha, leak = 1 - alpha;
    const Convention convention = options_.convention;
    double* h = y.data();  // the sum that carries the noise
    for (Index i = 0; i < n; ++i) {
        const double before = convention == Convention::rate ? 0 : leak * x[i];
        h[i] = convention == Convention::rate ? p[i] : before + alpha * p[i];
    }
    if (options_.sigma > 0) {
        double* xi = scratch.array<double>(n);
        kernels::random_normal<double>(options_.key,
                                       {.step = static_cast<std::uint32_t>(t),
                                        .trial = options_.trial,
                                        .visit = options_.visit},
                                       n, 0, noise_scale(), xi);
        for (Index i = 0; i < n; ++i) h[i] += xi[i];
    }
    if (keeps_current(convention)) {
        apply_derivative(options_.f, n, q, slope.data());
        return;
    }
    apply(options_.f, n, h, h);
    apply_derivative(options_.f, n, h, slope.data());
    if (convention == Convention::rate) {
        for (Index i = 0; i < n; ++i) y[i] = leak * x[i] + alpha * h[i];
    }
}

void CtrnnCell::pullback(const At& at, Values d, MutableValues dx, MutableValues gradient) const {
    const Index n = units_;
    ScratchScope scratch;
    double* e = scratch.array<double>(n);  // dL/dp
    const double* q = rates(at, scratch.array<double>(n));
    for (Index i = 0; i < n; ++i) e[i] = factors(at.slope[i]).s * d[i];
    for (Index j = 0; j < n; ++j) {
        const double* w = at.theta.data() + j * n;
        double* dw = gradient.data() + j * n;
        double back = 0;
        for (Index i = 0; i < n; ++i) {
            back += w[i] * e[i];
            dw[i] += q[j] * e[i];
        }
        const Factors f = factors(at.slope[j]);
        dx[j] = f.l * d[j] + f.c * back;
    }
    for (Index k = 0; k < inputs_; ++k) {
        double* dw = gradient.data() + w_in_at() + k * n;
        for (Index i = 0; i < n; ++i) dw[i] += at.u[k] * e[i];
    }
    for (Index i = 0; i < n; ++i) gradient[bias_at() + i] += e[i];
}

void CtrnnCell::pushforward(const At& at, Values v, Values w, MutableValues y) const {
    const Index n = units_;
    ScratchScope scratch;
    double* dp = scratch.array<double>(n);
    const double* q = rates(at, scratch.array<double>(n));
    std::copy_n(w.data() + bias_at(), n, dp);
    for (Index k = 0; k < inputs_; ++k) {
        const double* dw = w.data() + w_in_at() + k * n;
        for (Index i = 0; i < n; ++i) dp[i] += at.u[k] * dw[i];
    }
    for (Index j = 0; j < n; ++j) {
        const double dq = factors(at.slope[j]).c * v[j];
        const double *row = at.theta.data() + j * n, *dw = w.data() + j * n;
        for (Index i = 0; i < n; ++i) dp[i] += dq * row[i] + q[j] * dw[i];
    }
    for (Index i = 0; i < n; ++i) {
        const Factors f = factors(at.slope[i]);
        y[i] = f.l * v[i] + f.s * dp[i];
    }
}

void CtrnnCell::push_all(const At& at, Values s, MutableValues y) const {
    const Index n = units_, columns = parameters() + n;
    ScratchScope scratch;
    double* jacobian = scratch.array<double>(n * n);
    const double* q = rates(at, scratch.array<double>(n));
    for (Index i = 0; i < n; ++i) {
        const Factors to = factors(at.slope[i]);
        for (Index j = 0; j < n; ++j) {
            jacobian[i * n + j] = to.s * at.theta[j * n + i] * factors(at.slope[j]).c;
        }
        jacobian[i * n + i] += to.l;
    }
    kernels::gemm<double>({.m = n,
                           .n = columns,
                           .k = n,
                           .a = jacobian,
                           .lda = n,
                           .b = s.data(),
                           .ldb = columns,
                           .c = y.data(),
                           .ldc = columns});
    for (Index i = 0; i < n; ++i) {
        double* row = y.data() + i * columns;
        const double slope = factors(at.slope[i]).s;
        for (Index j = 0; j < n; ++j) row[j * n + i] += slope * q[j];
        for (Index k = 0; k < inputs_; ++k) row[w_in_at() + k * n + i] += slope * at.u[k];
        row[bias_at() + i] += slope;
    }
}

}  // namespace soma::neuro
