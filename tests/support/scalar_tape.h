#pragma once
// Oracle: reverse-mode differentiation of single doubles, sharing no code with soma's tape.
//
// An op-case row writes its op once more as plain loops over Scalars; the value and the gradients
// of that text are what the engine's op must give.

#include <cmath>
#include <functional>
#include <vector>

namespace soma::test {

class Scalar {
public:
    Scalar(double value = 0) : value_(value), index_(-1) {}  // a constant

    static Scalar variable(double value) { return push(value, {}, {}); }
    double value() const { return value_; }
    double gradient() const { return index_ < 0 ? 0 : nodes()[index_].gradient; }

    static void clear() { nodes().clear(); }
    // Gradients of sum_i seed_i y_i with respect to every variable.
    static void backward(const std::vector<Scalar>& y, const std::vector<double>& seed) {
        for (std::size_t i = 0; i < y.size(); ++i) {
            if (y[i].index_ >= 0) nodes()[y[i].index_].gradient += seed[i];
        }
        for (std::size_t i = nodes().size(); i-- > 0;) {
            const Node& n = nodes()[i];
            for (int k = 0; k < 2; ++k) {
                if (n.parent[k] >= 0) nodes()[n.parent[k]].gradient += n.gradient * n.slope[k];
            }
        }
    }

    // A function of one scalar with the given value and derivative.
    static Scalar unary(const Scalar& a, double value, double slope) {
        return push(value, {a.index_, -1}, {slope, 0});
    }

    friend Scalar operator+(const Scalar& a, const Scalar& b) {
        return push(a.value_ + b.value_, {a.index_, b.index_}, {1, 1});
    }
    friend Scalar operator-(const Scalar& a, const Scalar& b) {
        return push(a.value_ - b.value_, {a.index_, b.index_}, {1, -1});
    }
    friend Scalar operator*(const Scalar& a, const Scalar& b) {
        return push(a.value_ * b.value_, {a.index_, b.index_}, {b.value_, a.value_});
    }
    friend Scalar operator/(const Scalar& a, const Scalar& b) {
        const double q = a.value_ / b.value_;
        return push(q, {a.index_, b.index_}, {1 / b.value_, -q / b.value_});
    }
    friend Scalar operator-(const Scalar& a) { return unary(a, -a.value_, -1); }
    Scalar& operator+=(const Scalar& b) { return *this = *this + b; }
    friend bool operator<(const Scalar& a, const Scalar& b) { return a.value_ < b.value_; }
    friend bool operator>(const Scalar& a, const Scalar& b) { return a.value_ > b.value_; }

private:
    struct Node {
        long parent[2];
        double slope[2];
        double gradient;
    };
    struct Pair {
        long a = -1, b = -1;
    };
    struct Slopes {
        double a = 0, b = 0;
    };
    static std::vector<Node>& nodes() {
        thread_local std::vector<Node> list;
        return list;
    }
    static Scalar push(double value, Pair parents, Slopes slopes) {
        nodes().push_back({{parents.a, parents.b}, {slopes.a, slopes.b}, 0});
        Scalar s(value);
        s.index_ = static_cast<long>(nodes().size()) - 1;
        return s;
    }

    double value_;
    long index_;
};

inline Scalar exp(const Scalar& a) {
    return Scalar::unary(a, std::exp(a.value()), std::exp(a.value()));
}
inline Scalar log(const Scalar& a) { return Scalar::unary(a, std::log(a.value()), 1 / a.value()); }
inline Scalar sqrt(const Scalar& a) {
    const double r = std::sqrt(a.value());
    return Scalar::unary(a, r, 0.5 / r);
}
inline Scalar tanh(const Scalar& a) {
    const double t = std::tanh(a.value());
    return Scalar::unary(a, t, 1 - t * t);
}
inline Scalar erf(const Scalar& a) {
    return Scalar::unary(a, std::erf(a.value()),
                         2 / std::sqrt(M_PI) * std::exp(-a.value() * a.value()));
}
inline Scalar sin(const Scalar& a) {
    return Scalar::unary(a, std::sin(a.value()), std::cos(a.value()));
}
inline Scalar cos(const Scalar& a) {
    return Scalar::unary(a, std::cos(a.value()), -std::sin(a.value()));
}
inline Scalar max(const Scalar& a, const Scalar& b) { return a > b ? a : b; }

}  // namespace soma::test
