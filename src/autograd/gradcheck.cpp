#include "soma/autograd/gradcheck.h"

#include <algorithm>
#include <cmath>

#include "soma/core/rng.h"

namespace soma {
namespace {

// L = <c, f(x)> and, on request, its gradients; owns the co-vector.
class Functional {
public:
    Functional(const TapeFunction& f, std::vector<Tensor>& inputs, std::uint64_t seed)
        : f_(f), inputs_(inputs), seed_(seed) {}

    double value() {
        tape_.reset();
        return dot(forward());
    }

    std::vector<Tensor> gradients() {
        tape_.reset();
        const Var y = forward();
        tape_.backward(y, covector_);
        std::vector<Tensor> result;
        for (const Var v : vars_) result.push_back(v.gradient());
        return result;
    }

private:
    Var forward() {
        vars_.clear();
        for (const Tensor& t : inputs_) vars_.push_back(tape_.input(t));
        const Var y = f_(tape_, vars_);
        if (covector_.empty()) {
            covector_ = Tensor(y.shape(), DType::f64);
            RandomSequence random(make_key(seed_, Purpose::analysis_seeds));
            for (double& c : covector_.data<double>()) c = random.uniform(-1, 1);
        }
        return y;
    }

    double dot(Var y) const {
        double sum = 0;
        const auto value = y.value<double>();
        const auto c = covector_.data<double>();
        for (std::size_t i = 0; i < value.size(); ++i) sum += value[i] * c[i];
        return sum;
    }

    const TapeFunction& f_;
    std::vector<Tensor>& inputs_;
    std::uint64_t seed_;
    Tape tape_;
    std::vector<Var> vars_;
    Tensor covector_;
};

}  // namespace

GradcheckResult gradcheck(const TapeFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options) {
    std::vector<Tensor> x;
    for (const Tensor& t : inputs) x.push_back(t.to(DType::f64).clone());
    Functional functional(f, x, options.seed);
    const double middle = functional.value();
    const std::vector<Tensor> gradients = functional.gradients();

    GradcheckResult result;
    for (std::size_t i = 0; i < x.size(); ++i) {
        for (std::size_t e = 0; e < static_cast<std::size_t>(x[i].count()); ++e) {
            double& element = x[i].data<double>()[e];
            const double original = element, h = options.eps * std::max(1.0, std::abs(original));
            element = original + h;
            const double above = functional.value();
            element = original - h;
            const double below = functional.value();
            element = original;

            const double analytic = gradients[i].data<double>()[e];
            const double numeric = (above - below) / (2 * h);
            const double tolerance = options.atol + options.rtol * std::abs(analytic);
            const double error = std::abs(analytic - numeric) / tolerance;
            const double jump = std::abs((above - middle) - (middle - below)) / h;
            if (!(error <= 1) && jump > tolerance) {
                ++result.skipped;
                continue;
            }
            ++result.checked;
            result.worst = std::max(result.worst, error);
            if (error <= 1 || !result.ok) continue;
            result.ok = false;
            result.message = concat("input ", i, ", element ", e, " of ", x[i].shape(),
                                    ": backward gives ", analytic, ", differences give ", numeric);
        }
    }
    return result;
}

}  // namespace soma
