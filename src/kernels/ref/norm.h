#pragma once
// Normalisation as plain loops in long double: the specification and the oracle of norm.h.
//
// One function serves every kind of norm: group_of(i) says which statistics element i shares.
// n elements, `channels` of them a row, groups numbered 0..groups-1.

#include <cmath>
#include <vector>

#include "soma/core/types.h"

namespace soma::kernels::ref {

using Real = long double;

struct Norm {
    std::vector<Real> mean, rstd;     // of each group
    std::vector<Real> y, dx;          // [n]
    std::vector<Real> dgamma, dbeta;  // [channels]
};

template <class T, class GroupOf>
Norm norm(Index n, Index channels, Index groups, GroupOf&& group_of, bool centred, double eps,
          const T* x, const T* gamma, const T* beta, const T* dy) {
    const auto g = static_cast<std::size_t>(groups), c = static_cast<std::size_t>(channels);
    const auto sum_groups = [&](auto&& term) {  // mean over each group of term(i)
        std::vector<Real> sum(g), count(g);
        for (Index i = 0; i < n; ++i) sum[group_of(i)] += term(i), count[group_of(i)] += 1;
        for (std::size_t k = 0; k < g; ++k) sum[k] /= count[k];
        return sum;
    };
    const auto gain = [&](Index i) { return gamma == nullptr ? Real{1} : gamma[i % channels]; };
    Norm out;
    out.mean = centred ? sum_groups([&](Index i) { return static_cast<Real>(x[i]); })
                       : std::vector<Real>(g);
    const auto centred_x = [&](Index i) { return x[i] - out.mean[group_of(i)]; };
    out.rstd = sum_groups([&](Index i) { return centred_x(i) * centred_x(i); });
    for (Real& v : out.rstd) v = 1 / std::sqrt(v + eps);
    const auto xh = [&](Index i) { return centred_x(i) * out.rstd[group_of(i)]; };

    const auto m1 = sum_groups([&](Index i) { return gain(i) * dy[i]; });
    const auto m2 = sum_groups([&](Index i) { return gain(i) * dy[i] * xh(i); });
    out.dgamma.resize(c);
    out.dbeta.resize(c);
    for (Index i = 0; i < n; ++i) {
        const std::size_t k = group_of(i);
        out.y.push_back(gain(i) * xh(i) + (beta == nullptr ? Real{0} : beta[i % channels]));
        out.dx.push_back(out.rstd[k] *
                         (gain(i) * dy[i] - (centred ? m1[k] : Real{0}) - xh(i) * m2[k]));
        out.dgamma[i % channels] += dy[i] * xh(i);
        out.dbeta[i % channels] += dy[i];
    }
    return out;
}

}  // namespace soma::kernels::ref
