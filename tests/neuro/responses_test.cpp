#include "soma/neuro/responses.h"

#include <gtest/gtest.h>

#include <cmath>

#include "soma/core/error.h"

namespace soma::neuro {
namespace {

TEST(Responses, TakeASequenceOfTheEngine) {
    // r[t][b][i] = 100 t + 10 b + i, T = 2, B = 3, N = 2.
    const Tensor r = Tensor::from({2, 3, 2}, {0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121});
    const Responses x = responses_of_sequence(r);
    EXPECT_EQ(x.trials, 3);
    EXPECT_EQ(x.steps, 2);
    EXPECT_EQ(x(2, 1, 0), 120);
    EXPECT_EQ(x(1, 0, 1), 11);
    EXPECT_EQ(trial_mean(x).values, (std::vector<double>{10, 11, 110, 111}));
    EXPECT_THROW(responses_of_sequence(Tensor::zeros({2, 3})), Error);
}

TEST(Responses, NamesTheFirstValueThatIsNotFinite) {
    Responses x(2, 3, 4);
    x(1, 2, 3) = std::nan("");
    try {
        check_responses("test", x);
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::non_finite);
        EXPECT_NE(std::string(e.what()).find("unit 3 in trial 1 at step 2"), std::string::npos);
    }
}

// Column (0, 2, 4): mean 2, deviation 2. A constant column has none, whatever its mean rounds to.
TEST(Responses, StandardiseLeavesConstantColumnsAtZero) {
    const Standardised z = standardise(linalg::Matrix(3, 2, {0, 0.1, 2, 0.1, 4, 0.1}));
    EXPECT_EQ(z.values.values, (std::vector<double>{-1, 0, 0, 0, 1, 0}));
    EXPECT_EQ(z.scale, (std::vector<double>{2, 1}));
}

}  // namespace
}  // namespace soma::neuro
