// Initialisers. The orthogonal one is Householder's QR of a normal matrix (Golub & Van Loan,
// section 5.2; Stewart 1980 for the distribution), in f64 with plain loops in a fixed order.

#include "soma/nn/init.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "soma/kernels/random.h"

namespace soma::nn {
namespace {

void require_fan(const char* name, Index fan) {
    SOMA_CHECK(fan >= 1, "Init::", name, ": fan is ", fan, "; need at least 1");
}

// Row-major matrix of `rows` x `cols`, rows >= cols.
struct Matrix {
    Index rows, cols;
    std::vector<double> a;
    double* row(Index i) { return a.data() + i * cols; }
};

// a -= beta v (v^T a) on rows [first, rows) and columns [column, cols); v starts at row `first`.
void reflect(Matrix& m, const std::vector<double>& v, double beta, Index first, Index column) {
    std::vector<double> w(static_cast<std::size_t>(m.cols), 0.0);
    for (Index i = first; i < m.rows; ++i) {
        const double vi = v[static_cast<std::size_t>(i)];
        const double* a = m.row(i);
        for (Index j = column; j < m.cols; ++j) w[static_cast<std::size_t>(j)] += vi * a[j];
    }
    for (Index i = first; i < m.rows; ++i) {
        const double factor = beta * v[static_cast<std::size_t>(i)];
        double* a = m.row(i);
        for (Index j = column; j < m.cols; ++j) a[j] -= factor * w[static_cast<std::size_t>(j)];
    }
}

// Replaces m by the factor Q of m = Q R with a positive diagonal of R, which makes Q uniformly
// distributed over the matrices with orthonormal columns when m is normal.
void orthonormalise(Matrix& m) {
    struct Reflector {
        std::vector<double> v;
        double beta;
        double sign;  // of R's diagonal element
    };
    std::vector<Reflector> reflectors;
    for (Index k = 0; k < m.cols; ++k) {
        Reflector r{std::vector<double>(static_cast<std::size_t>(m.rows), 0.0), 0, 1};
        double square = 0;
        for (Index i = k; i < m.rows; ++i) {
            const double x = m.row(i)[k];
            r.v[static_cast<std::size_t>(i)] = x;
            square += x * x;
        }
        const double x0 = m.row(k)[k];
        const double norm = std::sqrt(square);
        r.sign = x0 > 0 ? -1 : 1;
        r.v[static_cast<std::size_t>(k)] = x0 - r.sign * norm;
        const double vv = 2 * (square - r.sign * norm * x0);
        r.beta = vv > 0 ? 2 / vv : 0;
        reflect(m, r.v, r.beta, k, k);
        reflectors.push_back(std::move(r));
    }
    m.a.assign(m.a.size(), 0.0);
    for (Index k = 0; k < m.cols; ++k) m.row(k)[k] = reflectors[static_cast<std::size_t>(k)].sign;
    for (Index k = m.cols; k-- > 0;) {
        const Reflector& r = reflectors[static_cast<std::size_t>(k)];
        reflect(m, r.v, r.beta, k, k);
    }
}

void fill_block(const Init& init, Tensor& values) {
    with_dtype(values.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const auto y = values.data<T>();
        for (Index i = 0; i < values.count(); ++i) {
            const bool inside = i >= init.first && i < init.last;
            y[static_cast<std::size_t>(i)] = inside ? static_cast<T>(init.a) : T{0};
        }
    });
}

// gain times a matrix with orthonormal vectors along its shorter side, drawn with the longer one as
// rows.
void fill_orthogonal(double gain, PhiloxKey key, Tensor& values) {
    const Index rows = values.shape().rows(), cols = values.shape().cols();
    const bool flipped = rows < cols;
    Matrix m{std::max(rows, cols), std::min(rows, cols),
             std::vector<double>(static_cast<std::size_t>(values.count()))};
    kernels::random_normal<double>(key, {}, values.count(), 0, 1, m.a.data());
    orthonormalise(m);
    with_dtype(values.dtype(), [&](auto zero) {
        using T = decltype(zero);
        T* y = values.data<T>().data();
        for (Index i = 0; i < m.rows; ++i) {
            for (Index j = 0; j < m.cols; ++j) {
                y[flipped ? j * cols + i : i * cols + j] = static_cast<T>(gain * m.row(i)[j]);
            }
        }
    });
}

void fill_identity(double gain, Tensor& values) {
    const Index cols = values.shape().cols(), n = std::min(values.shape().rows(), cols);
    values.fill(0);
    with_dtype(values.dtype(), [&](auto zero) {
        using T = decltype(zero);
        T* y = values.data<T>().data();
        for (Index i = 0; i < n; ++i) y[i * cols + i] = static_cast<T>(gain);
    });
}

}  // namespace

Init Init::lecun1989(Index fan_in) {
    require_fan("lecun1989", fan_in);
    return uniform(2.4 / static_cast<double>(fan_in));
}

Init Init::lecun_sqrt(Index fan_in) {
    require_fan("lecun_sqrt", fan_in);
    return uniform(2.4 / std::sqrt(static_cast<double>(fan_in)));
}

Init Init::glorot_uniform(Index fan_in, Index fan_out) {
    require_fan("glorot_uniform", fan_in);
    require_fan("glorot_uniform", fan_out);
    return uniform(std::sqrt(6 / static_cast<double>(fan_in + fan_out)));
}

Init Init::he_normal(Index fan_in) {
    require_fan("he_normal", fan_in);
    return normal(std::sqrt(2 / static_cast<double>(fan_in)));
}

Init Init::he_uniform(Index fan_in) {
    require_fan("he_uniform", fan_in);
    return uniform(std::sqrt(6 / static_cast<double>(fan_in)));
}

void initialise(const Init& init, PhiloxKey key, Tensor& values) {
    switch (init.kind) {
        case Init::Kind::constant:
            fill_block(init, values);
            return;
        case Init::Kind::orthogonal:
            fill_orthogonal(init.a, key, values);
            return;
        case Init::Kind::identity:
            fill_identity(init.a, values);
            return;
        case Init::Kind::uniform:
        case Init::Kind::normal:
            break;
    }
    with_dtype(values.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T a = static_cast<T>(init.a);
        T* y = values.data<T>().data();
        if (init.kind == Init::Kind::uniform) {
            kernels::random_uniform<T>(key, {}, values.count(), -a, a, y);
        } else {
            kernels::random_normal<T>(key, {}, values.count(), 0, a, y);
        }
    });
}

}  // namespace soma::nn
