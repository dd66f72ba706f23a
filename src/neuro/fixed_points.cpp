// The pipeline of stages, clustering and linearisation.

#include "soma/neuro/fixed_points.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "soma/core/error.h"
#include "soma/linalg/linalg.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;

// A state with the seeds that led to it.
struct Candidate {
    std::vector<double> x;
    double q = 0;
    std::vector<Index> found_by;
};

// Median over the candidates of the rms of a state: a few points far out do not move it.
double typical_size(const std::vector<Candidate>& candidates) {
    if (candidates.empty()) return 0;
    std::vector<double> sizes;
    for (const Candidate& c : candidates) {
        double sum = 0;
        for (const double v : c.x) sum += v * v;
        sizes.push_back(std::sqrt(sum / static_cast<double>(c.x.size())));
    }
    const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
    std::nth_element(sizes.begin(), middle, sizes.end());
    return *middle;
}

bool within(const std::vector<double>& a, const std::vector<double>& b, double radius) {
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (!(std::abs(a[i] - b[i]) < radius)) return false;
    }
    return true;
}

// Merges candidates closer than radius times their size (inf-norm) to one of smaller q, which stays
// and takes over their seeds. floor: absolute radius below which points are one in any case.
std::vector<Candidate> cluster(std::vector<Candidate> candidates, double radius, double floor) {
    const double distance = std::max(radius * typical_size(candidates), floor);
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.q < b.q; });
    std::vector<Candidate> kept;
    for (Candidate& c : candidates) {
        const auto same = std::find_if(kept.begin(), kept.end(), [&](const Candidate& k) {
            return within(k.x, c.x, distance);
        });
        if (same == kept.end()) {
            kept.push_back(std::move(c));
        } else {
            same->found_by.insert(same->found_by.end(), c.found_by.begin(), c.found_by.end());
        }
    }
    for (Candidate& k : kept) {
        std::sort(k.found_by.begin(), k.found_by.end());
        k.found_by.erase(std::unique(k.found_by.begin(), k.found_by.end()), k.found_by.end());
    }
    return kept;
}

std::vector<Candidate> candidates_of(const DescentResult& descent) {
    std::vector<Candidate> candidates;
    for (Index i = 0; i < descent.x.rows; ++i) {
        const double* row = descent.x.row(i);
        candidates.push_back(
            {{row, row + descent.x.cols}, descent.q[static_cast<std::size_t>(i)], {i}});
    }
    return candidates;
}

void check_options(const FixedPointOptions& o) {
    SOMA_CHECK(o.descent_iterations >= 0 && o.newton_iterations >= 0 && o.newton_patience >= 0 &&
                   o.cluster_radius > 0 && 0 < o.fixed_q && o.fixed_q <= o.slow_q,
               "fixed points: ", o.descent_iterations, " descent and ", o.newton_iterations,
               " Newton iterations, newton_patience ", o.newton_patience, ", cluster_radius ",
               o.cluster_radius, ", fixed_q ", o.fixed_q, ", slow_q ", o.slow_q,
               "; need none negative, a radius > 0 and 0 < fixed <= slow");
}

void check_seeds(const Matrix& seeds) {
    for (Index i = 0; i < seeds.rows; ++i) {
        for (Index j = 0; j < seeds.cols; ++j) {
            if (std::isfinite(seeds(i, j))) continue;
            fail(ErrorCode::non_finite, "fixed points: seed ", i, " holds ", seeds(i, j),
                 " at unit ", j, ", step 0; need finite seeds");
        }
    }
}

constexpr Index kChordSteps = 12;
constexpr double kChordFall = 4;  // of q in a chord step

class Finder {
public:
    Finder(const Dynamics& d, Values u, const FixedPointOptions& options)
        : d_(d), u_(u), options_(options) {}

    FixedPointReport run(const Matrix& seeds);

private:
    void solve(std::size_t i);
    void add_end(NewtonResult r, std::size_t i);
    void absorb(std::size_t end);
    void collect(double floor);
    FixedPoint finish(Candidate c) const;

    const Dynamics& d_;
    Values u_;
    const FixedPointOptions& options_;
    double distance_ = 0;            // radius of clusters of starts
    std::vector<Candidate> starts_;  // by their lowest seed
    std::vector<bool> done_;         // of starts_
    std::vector<Candidate> ends_;
    FixedPointReport report_;
};

// Both Newtons. Where plain steps all fell as a damped step must, damped would repeat them.
void Finder::solve(std::size_t i) {
    done_[i] = true;
    ++report_.newton_starts;
    NewtonResult plain = newton(d_, starts_[i].x, u_, NewtonKind::plain, options_);
    const bool both = !plain.monotone;
    add_end(std::move(plain), i);
    if (both) add_end(newton(d_, starts_[i].x, u_, NewtonKind::damped, options_), i);
}

void Finder::add_end(NewtonResult r, std::size_t i) {
    report_.singular_steps += r.singular_steps;
    if (!(r.q < options_.slow_q)) return;
    const std::vector<Index>& seeds = starts_[i].found_by;
    const auto same = std::find_if(ends_.begin(), ends_.end(), [&](const Candidate& k) {
        return k.q <= r.q && within(k.x, r.x, distance_);
    });
    if (same != ends_.end()) {
        same->found_by.insert(same->found_by.end(), seeds.begin(), seeds.end());
        return;
    }
    ends_.push_back({std::move(r.x), r.q, seeds});
    if (r.converged) absorb(ends_.size() - 1);
}

// Chord steps x - (J - 1)^-1 G(x), with the matrix of the new root, for all starts at once. A start
// whose q falls by kChordFall at every step and that comes within the cluster radius of the root is
// in the root's Newton basin: it needs no factorisations of its own.
void Finder::absorb(std::size_t end) {
    const Index n = d_.size();
    Matrix a(n, n);
    d_.jacobian(ends_[end].x, u_, a.values);
    for (Index i = 0; i < n; ++i) a(i, i) -= 1;
    if (!(linalg::lu(a).condition() < options_.singular_condition)) return;
    const Matrix inverse = linalg::inverse(a);
    std::vector<std::size_t> ids;
    Matrix x(0, n);
    std::vector<double> q;
    for (std::size_t i = 0; i < starts_.size(); ++i) {
        if (done_[i]) continue;
        ids.push_back(i);
        q.push_back(starts_[i].q * kChordFall *
                    2);  // the first test compares the start with itself
        x.append_row(starts_[i].x);
    }
    for (Index step = 0; step < kChordSteps && x.rows > 0; ++step) {
        Matrix g;
        const std::vector<double> next = kinetic_energy(d_, x, u_, &g);
        const Matrix move = linalg::product(g, inverse, kernels::Op::N, kernels::Op::T);
        Index kept = 0;
        for (Index r = 0; r < x.rows; ++r) {
            const auto from = static_cast<std::size_t>(r), to = static_cast<std::size_t>(kept);
            const std::vector<double> at(x.row(r), x.row(r) + n);
            if (within(at, ends_[end].x, distance_) && next[from] < options_.slow_q) {
                Candidate& start = starts_[ids[from]];
                done_[ids[from]] = true;
                ends_[end].found_by.insert(ends_[end].found_by.end(), start.found_by.begin(),
                                           start.found_by.end());
                continue;
            }
            if (!(next[from] * kChordFall < q[from])) continue;
            q[to] = next[from];
            ids[to] = ids[from];
            for (Index j = 0; j < n; ++j) x(kept, j) = at[static_cast<std::size_t>(j)] - move(r, j);
            ++kept;
        }
        x.rows = kept;
        x.values.resize(static_cast<std::size_t>(kept * n));
        q.resize(static_cast<std::size_t>(kept));
        ids.resize(static_cast<std::size_t>(kept));
    }
}

FixedPoint Finder::finish(Candidate c) const {
    FixedPoint point;
    point.q = kinetic_energy(d_, Matrix(1, d_.size(), c.x), u_)[0];
    point.speed = std::sqrt(2 * point.q) / d_.alpha();
    point.label = point.q < options_.fixed_q ? PointLabel::fixed : PointLabel::slow;
    if (options_.spectra) point.spectrum = linearise(d_, c.x, u_);
    point.first_seed = c.found_by.front();
    point.x = std::move(c.x);
    point.found_by = std::move(c.found_by);
    return point;
}

void Finder::collect(double floor) {
    std::vector<bool> led(static_cast<std::size_t>(report_.seeds));
    for (Candidate& c : cluster(std::move(ends_), options_.cluster_radius, floor)) {
        for (const Index seed : c.found_by) led[static_cast<std::size_t>(seed)] = true;
        report_.points.push_back(finish(std::move(c)));
    }
    report_.lost = std::count(led.begin(), led.end(), false) - report_.untried;
    std::stable_sort(
        report_.points.begin(), report_.points.end(), [](const FixedPoint& a, const FixedPoint& b) {
            return a.label != b.label ? a.label < b.label : a.first_seed < b.first_seed;
        });
}

FixedPointReport Finder::run(const Matrix& seeds) {
    DescentResult descent =
        descend(d_, u_, seeds, options_.descent_tolerance, options_.descent_iterations);
    report_.seeds = seeds.rows;
    report_.descent_iterations = descent.iterations;
    starts_ = candidates_of(descent);
    // Where most points are at the origin their size is rounding; the seeds' size still says what
    // is close.
    descent.x = seeds;
    const double floor = 1e-6 * options_.cluster_radius * typical_size(candidates_of(descent));
    distance_ = std::max(options_.cluster_radius * typical_size(starts_), floor);
    starts_ = cluster(std::move(starts_), options_.cluster_radius, floor);
    // In the order of the seeds, so that the starts tried so far are a fair sample.
    std::sort(starts_.begin(), starts_.end(), [](const Candidate& a, const Candidate& b) {
        return a.found_by.front() < b.found_by.front();
    });
    done_.assign(starts_.size(), false);
    Index barren = 0;  // starts in a row without a new point
    for (std::size_t i = 0; i < starts_.size(); ++i) {
        if (done_[i]) continue;
        if (options_.newton_patience > 0 && barren >= options_.newton_patience) {
            report_.untried += static_cast<Index>(starts_[i].found_by.size());
            continue;
        }
        const std::size_t known = ends_.size();
        solve(i);
        barren = ends_.size() > known ? 0 : barren + 1;
    }
    collect(floor);
    return std::move(report_);
}

}  // namespace

std::vector<Index> FixedPointReport::index_histogram() const {
    std::vector<Index> counts;
    for (const FixedPoint& p : points) {
        if (p.label != PointLabel::fixed || !p.spectrum) continue;
        const auto index = static_cast<std::size_t>(p.spectrum->unstable);
        if (index >= counts.size()) counts.resize(index + 1);
        ++counts[index];
    }
    return counts;
}

Index FixedPointReport::with_unstable(std::size_t modes) const {
    const std::vector<Index> counts = index_histogram();
    return modes < counts.size() ? counts[modes] : 0;
}

Spectrum linearise(const Dynamics& d, Values x, Values u) {
    const Index n = d.size();
    Matrix j(n, n);
    d.jacobian(x, u, j.values);
    linalg::Eigen modes = linalg::eig(j);
    Spectrum s;
    s.stable = true;
    for (const linalg::Complex& value : modes.values) {
        const double modulus = std::abs(value);
        s.time_constants.push_back(modulus > 0 ? -d.dt() / std::log(modulus) : 0);
        if (modulus > 1) ++s.unstable;
        if (!(modulus < 1)) s.stable = false;
    }
    s.values = std::move(modes.values);
    s.right = std::move(modes.right);
    s.left = std::move(modes.left);
    return s;
}

FixedPointReport find_fixed_points(const Dynamics& d, Values u, const Matrix& seeds,
                                   const FixedPointOptions& options) {
    check_options(options);
    check_seeds(seeds);
    return Finder(d, u, options).run(seeds);
}

std::vector<double> distance_to_states(const std::vector<FixedPoint>& points,
                                       const Matrix& states) {
    SOMA_CHECK(states.rows >= 2, "distance to states: ", states.rows, " states; need at least 2");
    std::vector<double> mean(static_cast<std::size_t>(states.cols));
    for (Index i = 0; i < states.rows; ++i) {
        for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += states.row(i)[j];
    }
    for (double& v : mean) v /= static_cast<double>(states.rows);
    const auto square_distance = [&](const double* a, const double* b) {
        double sum = 0;
        for (std::size_t j = 0; j < mean.size(); ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
        return sum;
    };
    double spread = 0;
    for (Index i = 0; i < states.rows; ++i) spread += square_distance(states.row(i), mean.data());
    spread = std::sqrt(spread / static_cast<double>(states.rows));
    SOMA_CHECK(spread > 0, "distance to states: all states are equal; need a spread");
    std::vector<double> distances;
    for (const FixedPoint& p : points) {
        SOMA_CHECK(static_cast<Index>(p.x.size()) == states.cols,
                   "distance to states: a point has ", p.x.size(), " values, states have ",
                   states.cols, "; need equal sizes");
        double least = std::numeric_limits<double>::infinity();
        for (Index i = 0; i < states.rows; ++i) {
            least = std::min(least, square_distance(p.x.data(), states.row(i)));
        }
        distances.push_back(std::sqrt(least) / spread);
    }
    return distances;
}

}  // namespace soma::neuro
