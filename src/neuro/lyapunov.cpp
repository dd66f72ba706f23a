#include "soma/neuro/lyapunov.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "soma/core/error.h"
#include "soma/core/rng.h"
#include "soma/kernels/random.h"
#include "soma/linalg/linalg.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;
using Vector = std::vector<double>;

// The state and the orthonormal frame that travels with it.
class Frame {
public:
    Frame(const Dynamics& d, Values x, Values u, const LyapunovOptions& options)
        : d_(d),
          u_(u),
          x_(x.begin(), x.end()),
          next_(x_.size()),
          j_(d.size(), d.size()),
          q_(d.size(), options.exponents) {
        const PhiloxKey key = make_key(options.seed, Purpose::analysis_seeds);
        kernels::random_normal<double>(key, {}, d.size() * options.exponents, 0, 1,
                                       q_.values.data());
        q_ = linalg::qr(q_).q;
    }

    // `steps` steps and a QR; adds ln R_kk to growth.
    void advance(Index steps, Vector& growth) {
        for (Index s = 0; s < steps; ++s) {
            d_.jacobian(x_, u_, j_.values);
            q_ = linalg::product(j_, q_);
            d_.step(x_, u_, next_);
            x_.swap(next_);
            ++step_;
            check();
        }
        linalg::Qr factors = linalg::qr(q_);
        for (std::size_t k = 0; k < growth.size(); ++k) {
            const auto at = static_cast<Index>(k);
            growth[k] += std::log(factors.r(at, at));
        }
        q_ = std::move(factors.q);
    }

    const Vector& x() const { return x_; }

private:
    void check() const {
        for (std::size_t i = 0; i < x_.size(); ++i) {
            if (std::isfinite(x_[i])) continue;
            fail(ErrorCode::non_finite, "lyapunov: ", d_.name(), ": state ", i, " is ", x_[i],
                 " at step ", step_, "; need a bounded trajectory");
        }
    }

    const Dynamics& d_;
    Values u_;
    Vector x_, next_;
    Matrix j_, q_;
    Index step_ = 0;
};

void check_options(const Dynamics& d, const LyapunovOptions& o) {
    SOMA_CHECK(1 <= o.exponents && o.exponents <= d.size(), "lyapunov: ", o.exponents,
               " exponents of ", d.size(), " states; need 1 to n");
    SOMA_CHECK(o.transient >= 0 && o.qr_interval >= 1 && o.blocks >= 2 &&
                   o.steps >= o.blocks * o.qr_interval,
               "lyapunov: transient ", o.transient, ", ", o.steps, " steps, QR every ",
               o.qr_interval, ", ", o.blocks, " blocks; need at least 2 blocks of one QR each");
}

}  // namespace

double kaplan_yorke(const Vector& exponents, Index n) {
    double sum = 0;
    for (std::size_t j = 0; j < exponents.size(); ++j) {
        if (sum + exponents[j] < 0) return static_cast<double>(j) + sum / std::abs(exponents[j]);
        sum += exponents[j];
    }
    return static_cast<Index>(exponents.size()) == n ? static_cast<double>(n)
                                                     : std::numeric_limits<double>::quiet_NaN();
}

LyapunovResult lyapunov(const Dynamics& d, Values x, Values u, const LyapunovOptions& options) {
    check_options(d, options);
    SOMA_CHECK(
        static_cast<Index>(x.size()) == d.size() && static_cast<Index>(u.size()) == d.inputs(),
        "lyapunov: x has ", x.size(), " values, u ", u.size(), "; need ", d.size(), " and ",
        d.inputs());
    Frame frame(d, x, u, options);
    const auto k = static_cast<std::size_t>(options.exponents);
    Vector ignored(k);
    for (Index left = options.transient; left > 0; left -= options.qr_interval) {
        frame.advance(std::min(left, options.qr_interval), ignored);
    }
    const Index per_block = options.steps / options.blocks / options.qr_interval;
    const double time = static_cast<double>(per_block * options.qr_interval) * d.dt();
    LyapunovResult result{Vector(k), Vector(k), 0, {}};
    std::vector<Vector> blocks(static_cast<std::size_t>(options.blocks), Vector(k));
    for (Vector& block : blocks) {
        for (Index i = 0; i < per_block; ++i) frame.advance(options.qr_interval, block);
        for (std::size_t i = 0; i < k; ++i) {
            block[i] /= time;
            result.exponents[i] += block[i] / static_cast<double>(options.blocks);
        }
    }
    for (std::size_t i = 0; i < k; ++i) {
        double variance = 0;
        for (const Vector& block : blocks) {
            variance += std::pow(block[i] - result.exponents[i], 2);
        }
        result.standard_error[i] =
            std::sqrt(variance / static_cast<double>(options.blocks * (options.blocks - 1)));
    }
    result.dimension = kaplan_yorke(result.exponents, d.size());
    result.x = frame.x();
    return result;
}

}  // namespace soma::neuro
