// Batched gradient descent on q. The gradient of q at a row is G (J - 1) = pullback(G) - G.
//
// Steps are Barzilai & Borwein's (1988) with the non-monotone acceptance of Grippo, Lampariello &
// Lucidi (1986): q must fall below the largest of the last kMemory accepted values. Rows that are
// done leave the batch: the last active row takes their place. A row's path does not depend on the
// other rows, since each row of a GEMM is summed alone.

#include <algorithm>
#include <array>
#include <cmath>

#include "soma/core/error.h"
#include "soma/kernels/reduce.h"
#include "soma/neuro/fixed_points.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;

constexpr int kMemory = 8;
constexpr double kShrink = 1.0 / 3;   // of a step that was refused
constexpr double kStationary = 1e-6;  // |(J - 1)^T G| / |G|: a minimum of q that is not a root
constexpr double kMaxStep = 1e6;

// The active rows [0, count): the state of row i belongs to seed id[i].
class Descent {
public:
    Descent(const Dynamics& d, Values u, const Matrix& seeds, double tolerance)
        : d_(d),
          u_(u),
          tolerance_(tolerance),
          n_(seeds.cols),
          count_(seeds.rows),
          x_(seeds),
          gradient_(seeds.rows, n_),
          trial_(seeds.rows, n_),
          residual_(seeds.rows, n_),
          trial_gradient_(seeds.rows, n_),
          rows_(static_cast<std::size_t>(seeds.rows)),
          result_{seeds, std::vector<double>(static_cast<std::size_t>(seeds.rows)), 0} {}

    DescentResult run(Index iterations);

private:
    struct Row {
        Index id = 0;
        double q = 0;
        double step = 0;
        double trial_q = 0;
        std::array<double, kMemory> recent{};  // accepted q, a ring
        Index accepted = 0;
    };

    void evaluate(const Matrix& x, Matrix& gradient);
    void start();
    void propose();
    void judge(Index i);
    bool done(Index i) const;
    void retire();

    const Dynamics& d_;
    Values u_;
    double tolerance_;
    Index n_, count_;
    Matrix x_, gradient_, trial_, residual_, trial_gradient_;
    std::vector<Row> rows_;
    DescentResult result_;
};

Values head(const Matrix& m, Index rows) {
    return {m.values.data(), static_cast<std::size_t>(rows * m.cols)};
}

MutableValues head(Matrix& m, Index rows) {
    return {m.values.data(), static_cast<std::size_t>(rows * m.cols)};
}

double dot(Index n, const double* a, const double* b) {
    double sum;
    kernels::row_dots<double>(1, n, a, n, b, n, &sum, false);
    return sum;
}

// Residual, q (into trial_q) and gradient of the active rows of x.
void Descent::evaluate(const Matrix& x, Matrix& gradient) {
    const Index total = count_ * n_;
    d_.step(head(x, count_), u_, head(residual_, count_));
    double* g = residual_.values.data();
    for (Index i = 0; i < total; ++i) g[i] -= x.values[static_cast<std::size_t>(i)];
    for (Index i = 0; i < count_; ++i) {
        rows_[static_cast<std::size_t>(i)].trial_q = 0.5 * dot(n_, g + i * n_, g + i * n_);
    }
    d_.pullback(head(x, count_), u_, head(residual_, count_), head(gradient, count_));
    for (Index i = 0; i < total; ++i) gradient.values[static_cast<std::size_t>(i)] -= g[i];
}

void Descent::start() {
    evaluate(x_, gradient_);
    for (Index i = 0; i < count_; ++i) {
        Row& row = rows_[static_cast<std::size_t>(i)];
        row.id = i;
        row.q = row.trial_q;
        row.recent.fill(row.q);
        row.step = 0.5;
        result_.q[static_cast<std::size_t>(i)] = row.q;
        if (!std::isfinite(row.q)) {
            fail(ErrorCode::non_finite, "fixed points: seed ", i, " gives q = ", row.q,
                 " at step 0 of the descent; need finite seeds and F");
        }
    }
}

void Descent::propose() {
    for (Index i = 0; i < count_; ++i) {
        const double step = rows_[static_cast<std::size_t>(i)].step;
        const double *x = x_.row(i), *g = gradient_.row(i);
        double* t = trial_.row(i);
        for (Index j = 0; j < n_; ++j) t[j] = x[j] - step * g[j];
    }
}

// Accepts the trial of row i with the next step s.s / s.y, or shortens its step.
void Descent::judge(Index i) {
    Row& row = rows_[static_cast<std::size_t>(i)];
    const double bound = *std::max_element(row.recent.begin(), row.recent.end());
    if (!(row.trial_q < bound)) {
        row.step *= kShrink;
        return;
    }
    double *g = gradient_.row(i), *next = trial_gradient_.row(i);
    const double old_norm = dot(n_, g, g), cross = dot(n_, g, next);
    const double curvature = (old_norm - cross) / row.step;  // s.y / step^2
    row.step = curvature > 0 ? std::min(old_norm / curvature, kMaxStep) : 2 * row.step;
    std::copy_n(trial_.row(i), n_, x_.row(i));
    std::copy_n(next, n_, g);
    row.q = row.trial_q;
    row.recent[static_cast<std::size_t>(++row.accepted % kMemory)] = row.q;
    double& best = result_.q[static_cast<std::size_t>(row.id)];
    if (row.q < best) {
        best = row.q;
        std::copy_n(x_.row(i), n_, result_.x.row(row.id));
    }
}

bool Descent::done(Index i) const {
    const Row& row = rows_[static_cast<std::size_t>(i)];
    const double gradient = std::sqrt(dot(n_, gradient_.row(i), gradient_.row(i)));
    return row.q < tolerance_ || gradient < kStationary * std::sqrt(2 * row.q) || row.step < 1e-12;
}

void Descent::retire() {
    for (Index i = count_; i-- > 0;) {
        if (!done(i)) continue;
        --count_;
        std::copy_n(x_.row(count_), n_, x_.row(i));
        std::copy_n(gradient_.row(count_), n_, gradient_.row(i));
        rows_[static_cast<std::size_t>(i)] = rows_[static_cast<std::size_t>(count_)];
    }
}

DescentResult Descent::run(Index iterations) {
    start();
    retire();
    while (count_ > 0 && result_.iterations < iterations) {
        propose();
        evaluate(trial_, trial_gradient_);
        for (Index i = 0; i < count_; ++i) judge(i);
        retire();
        ++result_.iterations;
    }
    return std::move(result_);
}

}  // namespace

std::vector<double> kinetic_energy(const Dynamics& d, const Matrix& x, Values u, Matrix* g) {
    Matrix residual(x.rows, x.cols);
    d.step(x.values, u, residual.values);
    for (std::size_t i = 0; i < x.values.size(); ++i) residual.values[i] -= x.values[i];
    std::vector<double> q(static_cast<std::size_t>(x.rows));
    for (Index i = 0; i < x.rows; ++i) {
        q[static_cast<std::size_t>(i)] = 0.5 * dot(x.cols, residual.row(i), residual.row(i));
    }
    if (g) *g = std::move(residual);
    return q;
}

DescentResult descend(const Dynamics& d, Values u, const Matrix& seeds, double tolerance,
                      Index iterations) {
    SOMA_CHECK(seeds.rows >= 1 && seeds.cols == d.size(), "fixed points: seeds are [", seeds.rows,
               ", ", seeds.cols, "]; need at least one row of ", d.size());
    return Descent(d, u, seeds, tolerance).run(iterations);
}

}  // namespace soma::neuro
