#include "soma/neuro/epairs.h"

#include <cmath>

#include "needs_lapack.h"
#include "soma/core/error.h"
#include "systems.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;
using test::normals;

class EpairsTest : public NeedsLapack {};

constexpr Index kUnits = 60;

// A Gaussian cloud of three dimensions, two of them strongly correlated.
Matrix gaussian(std::uint64_t seed) {
    Matrix x(kUnits, 3, normals(kUnits * 3, 1, seed));
    for (Index i = 0; i < kUnits; ++i) x(i, 1) = 4 * x(i, 0) + 0.3 * x(i, 1) + 7;
    return x;
}

// The p of Gaussian data of any covariance is uniform on 1/(1+K) ... 1. Of 200 clouds the number
// below 0.1 is binomial: 20 +- 4.2; their mean is 0.5 +- 0.0204. Bounds: 4 standard errors.
TEST_F(EpairsTest, GivesGaussianCloudsUniformP) {
    const EpairsNull null = epairs_null(kUnits, 3, {.clouds = 99, .seed = 1});
    int small = 0;
    double mean = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const double p = epairs(gaussian(seed), null).p;
        small += p <= 0.1 ? 1 : 0;
        mean += p / 200;
    }
    EXPECT_NEAR(small, 20, 17);
    EXPECT_NEAR(mean, 0.5, 0.0817);
}

// Half of the units along (1, 1, 0), half along (1, -1, 0), with jitter: whitening cannot make two
// lines a Gaussian, every unit has neighbours in nearly its own direction.
TEST_F(EpairsTest, FindsPlantedClusters) {
    Matrix x(kUnits, 3, normals(kUnits * 3, 0.02, 3));
    const std::vector<double> along = normals(kUnits, 1, 4);
    for (Index i = 0; i < kUnits; ++i) {
        const double a = along[static_cast<std::size_t>(i)];
        x(i, 0) += a;
        x(i, 1) += i % 2 == 0 ? a : -a;
    }
    for (Index i = 0; i < kUnits; ++i) x(i, 2) *= 0.1;
    const EpairsNull null = epairs_null(kUnits, 3, {.clouds = 99, .seed = 1});
    const Epairs planted = epairs(x, null);
    EXPECT_EQ(planted.p, 0.01);  // 1 / (1 + clouds): no cloud is as far from the null
    EXPECT_GT(planted.distance, 0.2);
}

// Directions do not change when the cloud is moved, turned or sheared.
TEST_F(EpairsTest, IsInvariantUnderAffineMaps) {
    const EpairsNull null = epairs_null(kUnits, 2, {.clouds = 5, .seed = 2});
    Matrix x(kUnits, 2, normals(kUnits * 2, 1, 8)), y = x;
    for (Index i = 0; i < kUnits; ++i) {
        y(i, 0) = 3 * x(i, 0) - x(i, 1) + 1;
        y(i, 1) = 0.5 * x(i, 0) + 2 * x(i, 1) - 4;
    }
    const Epairs a = epairs(x, null), b = epairs(y, null);
    for (std::size_t i = 0; i < a.angles.size(); ++i) {
        // acos near 1 turns a rounding error e of the cosine into sqrt(2 e).
        EXPECT_NEAR(a.angles[i], b.angles[i], 1e-6);
    }
}

TEST_F(EpairsTest, RefusesANullOfAnotherSize) {
    const EpairsNull null = epairs_null(kUnits, 3, {.clouds = 2});
    EXPECT_THROW(epairs(Matrix(kUnits, 2), null), Error);
    EXPECT_THROW(epairs_null(3, 3), Error);
}

}  // namespace
}  // namespace soma::neuro
