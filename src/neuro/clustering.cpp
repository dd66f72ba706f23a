#include "soma/neuro/clustering.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "soma/core/error.h"
#include "soma/core/rng.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;

constexpr double kFar = std::numeric_limits<double>::infinity();

double squared_distance(const double* a, const double* b, Index n) {
    double sum = 0;
    for (Index j = 0; j < n; ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
}

std::span<const double> row_of(const Matrix& x, Index i) {
    return {x.row(i), static_cast<std::size_t>(x.cols)};
}

// The row at which the running sum of `weights` passes a uniform share of their total. Rows of
// weight 0 are never taken.
Index draw_by_weight(const std::vector<double>& weights, double share) {
    double total = 0;
    for (const double w : weights) total += w;
    Index last = -1;
    double sum = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (weights[i] == 0) continue;
        last = static_cast<Index>(i);
        sum += weights[i];
        if (sum > share * total) break;
    }
    return last;
}

// k-means++: every new centre is a row, drawn in proportion to its squared distance to the nearest
// centre so far.
Matrix first_centres(const Matrix& x, Index clusters, RandomSequence random) {
    Matrix centres(0, x.cols);
    centres.append_row(row_of(x, random.below(static_cast<std::uint32_t>(x.rows))));
    std::vector<double> nearest(static_cast<std::size_t>(x.rows), kFar);
    while (centres.rows < clusters) {
        const double* newest = centres.row(centres.rows - 1);
        for (Index i = 0; i < x.rows; ++i) {
            double& d = nearest[static_cast<std::size_t>(i)];
            d = std::min(d, squared_distance(x.row(i), newest, x.cols));
        }
        const Index next = draw_by_weight(nearest, double{random.uniform()});
        SOMA_CHECK(next >= 0, "k_means: ", clusters, " clusters of rows of which only ",
                   centres.rows, " are different; need as many different rows");
        centres.append_row(row_of(x, next));
    }
    return centres;
}

// Gives every row to its nearest centre; true when a label changed.
bool label_rows(const Matrix& x, Clusters& c, std::vector<double>& distance) {
    bool changed = false;
    c.within = 0;
    for (Index i = 0; i < x.rows; ++i) {
        const auto at = static_cast<std::size_t>(i);
        Index best = 0;
        distance[at] = kFar;
        for (Index k = 0; k < c.centres.rows; ++k) {
            const double d = squared_distance(x.row(i), c.centres.row(k), x.cols);
            if (d >= distance[at]) continue;
            distance[at] = d;
            best = k;
        }
        changed = changed || c.labels[at] != best;
        c.labels[at] = best;
        c.within += distance[at];
    }
    return changed;
}

// Moves every centre to the mean of its rows. An empty cluster takes the row that lies farthest
// from its centre.
void move_centres(const Matrix& x, Clusters& c, std::vector<double>& distance) {
    std::vector<double> count(static_cast<std::size_t>(c.centres.rows), 0);
    for (const Index label : c.labels) ++count[static_cast<std::size_t>(label)];
    for (std::size_t k = 0; k < count.size(); ++k) {
        if (count[k] > 0) continue;
        const auto far = std::max_element(distance.begin(), distance.end()) - distance.begin();
        Index& label = c.labels[static_cast<std::size_t>(far)];
        --count[static_cast<std::size_t>(label)];
        label = static_cast<Index>(k);
        count[k] = 1;
        distance[static_cast<std::size_t>(far)] = 0;
    }
    std::fill(c.centres.values.begin(), c.centres.values.end(), 0.0);
    for (Index i = 0; i < x.rows; ++i) {
        const Index k = c.labels[static_cast<std::size_t>(i)];
        const double share = 1 / count[static_cast<std::size_t>(k)];
        for (Index j = 0; j < x.cols; ++j) c.centres(k, j) += share * x(i, j);
    }
}

Clusters lloyd(const Matrix& x, Matrix centres, Index iterations) {
    Clusters c{std::vector<Index>(static_cast<std::size_t>(x.rows), -1), std::move(centres), 0};
    std::vector<double> distance(c.labels.size());
    for (Index k = 0; k < iterations && label_rows(x, c, distance); ++k) {
        move_centres(x, c, distance);
    }
    return c;
}

// Sizes of the clusters.
std::vector<double> sizes_of(std::span<const Index> labels) {
    std::vector<double> sizes;
    for (const Index label : labels) {
        SOMA_CHECK(label >= 0, "silhouette: a label is ", label, "; need at least 0");
        const auto k = static_cast<std::size_t>(label);
        if (k >= sizes.size()) sizes.resize(k + 1, 0);
        ++sizes[k];
    }
    return sizes;
}

}  // namespace

Clusters k_means(const Matrix& x, Index clusters, const KMeansOptions& options) {
    SOMA_CHECK(
        1 <= clusters && clusters <= x.rows && options.starts >= 1 && options.iterations >= 1,
        "k_means: ", clusters, " clusters of ", x.rows, " rows, ", options.starts, " starts of ",
        options.iterations, " iterations; need 1 <= clusters <= rows, a start and an iteration");
    Clusters best;
    for (Index start = 0; start < options.starts; ++start) {
        const RandomSequence random(make_key(options.seed, Purpose::analysis_seeds,
                                             static_cast<std::uint64_t>(start),
                                             static_cast<std::uint32_t>(clusters)));
        Clusters c = lloyd(x, first_centres(x, clusters, random), options.iterations);
        if (start == 0 || c.within < best.within) best = std::move(c);
    }
    return best;
}

double silhouette(const Matrix& x, std::span<const Index> labels) {
    SOMA_CHECK(std::ssize(labels) == x.rows, "silhouette: ", labels.size(), " labels for ", x.rows,
               " rows; need as many");
    const std::vector<double> sizes = sizes_of(labels);
    SOMA_CHECK(sizes.size() >= 2 && std::count(sizes.begin(), sizes.end(), 0) == 0,
               "silhouette: ", sizes.size(), " clusters, ",
               std::count(sizes.begin(), sizes.end(), 0), " of them empty; need two or more, none");
    double sum = 0;
    for (Index i = 0; i < x.rows; ++i) {
        std::vector<double> to(sizes.size(), 0);  // sums of distances to the rows of each cluster
        for (Index j = 0; j < x.rows; ++j) {
            to[static_cast<std::size_t>(labels[static_cast<std::size_t>(j)])] +=
                std::sqrt(squared_distance(x.row(i), x.row(j), x.cols));
        }
        const auto own = static_cast<std::size_t>(labels[static_cast<std::size_t>(i)]);
        if (sizes[own] == 1) continue;
        const double a = to[own] / (sizes[own] - 1);
        double b = kFar;
        for (std::size_t k = 0; k < sizes.size(); ++k) {
            if (k != own) b = std::min(b, to[k] / sizes[k]);
        }
        if (std::max(a, b) > 0) sum += (b - a) / std::max(a, b);
    }
    return sum / static_cast<double>(x.rows);
}

ClusterChoice choose_clusters(const Matrix& x, Index least, Index most,
                              const KMeansOptions& options) {
    SOMA_CHECK(2 <= least && least <= most, "choose_clusters: from ", least, " to ", most,
               " clusters; need 2 <= least <= most");
    ClusterChoice choice;
    choice.least = least;
    for (Index k = least; k <= most; ++k) {
        Clusters c = k_means(x, k, options);
        choice.silhouettes.push_back(silhouette(x, c.labels));
        if (k == least || choice.silhouettes.back() > choice.silhouette()) {
            choice.best = std::move(c);
        }
    }
    return choice;
}

}  // namespace soma::neuro
