#include "soma/neuro/resampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "soma/core/error.h"
#include "soma/core/rng.h"

namespace soma::neuro {
namespace {

enum class Draw : std::uint32_t { permutation, bootstrap };

RandomSequence sequence(std::uint64_t seed, Index repeat, Index stream, Draw draw) {
    const auto tag = 2 * static_cast<std::uint32_t>(stream) + static_cast<std::uint32_t>(draw);
    return RandomSequence(
        make_key(seed, Purpose::resampling, static_cast<std::uint64_t>(repeat), tag));
}

}  // namespace

void check_bootstrap(const char* operation, const Bootstrap& b) {
    SOMA_CHECK(b.repeats >= 0 && 0 < b.level && b.level < 1, operation, ": bootstrap of ",
               b.repeats, " repeats at level ", b.level, "; need repeats >= 0 and 0 < level < 1");
}

// Fisher-Yates, from the back.
std::vector<Index> random_permutation(Index n, std::uint64_t seed, Index repeat, Index stream) {
    RandomSequence random = sequence(seed, repeat, stream, Draw::permutation);
    std::vector<Index> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), Index{0});
    for (std::size_t i = order.size(); i > 1; --i) {
        std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
    }
    return order;
}

std::vector<Index> bootstrap_sample(Index n, std::uint64_t seed, Index repeat, Index stream) {
    RandomSequence random = sequence(seed, repeat, stream, Draw::bootstrap);
    std::vector<Index> sample(static_cast<std::size_t>(n));
    for (Index& i : sample) i = random.below(static_cast<std::uint32_t>(n));
    return sample;
}

double quantile(std::vector<double> values, double probability) {
    SOMA_CHECK(!values.empty() && 0 <= probability && probability <= 1, "quantile: ", probability,
               " of ", values.size(), " values; need 0 <= probability <= 1 and a value");
    std::sort(values.begin(), values.end());
    const double position = probability * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (position - std::floor(position)) * (values[above] - values[below]);
}

Interval percentile_interval(const std::vector<double>& draws, double level) {
    if (draws.empty()) {
        const double none = std::numeric_limits<double>::quiet_NaN();
        return {none, none};
    }
    return {quantile(draws, (1 - level) / 2), quantile(draws, (1 + level) / 2)};
}

double permutation_p(double observed, std::span<const double> null) {
    const auto reached =
        std::count_if(null.begin(), null.end(), [&](double value) { return value >= observed; });
    return static_cast<double>(1 + reached) / static_cast<double>(1 + null.size());
}

}  // namespace soma::neuro
