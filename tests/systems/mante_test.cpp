// What dissect_mante says of nets whose answer is known: the recipe's nets are judged by
// Reproduce.Mante2013OfOneSeed.

#include "systems/brain/mante_anatomy.h"

#include <gtest/gtest.h>

#include <cmath>

#include "soma/linalg/linalg.h"

namespace soma::systems {
namespace {

const neuro::ManteOptions kTask{.decision = 200,
                                .amplitude = 1,
                                .coherences = {0.25, 0.5, 1},
                                .psychometric = {0, 0.1, 0.25, 0.5, 1}};
constexpr ManteAnalysis kQuick{
    .score_trials = 400, .choices_per_cell = 6, .tdr_trials_per_cell = 2};

std::unique_ptr<neuro::TaskNet> small_net(double gain, double sigma) {
    const auto task = neuro::make_mante(kTask);
    return std::make_unique<neuro::TaskNet>(
        *task, neuro::TaskNetOptions{.units = 32,
                                     .layer = {.sigma = sigma,
                                               .bias = false,
                                               .recurrent = nn::Init::normal(gain / std::sqrt(32)),
                                               .input = nn::Init::normal(1)},
                                     .seed = 3});
}

// The f64 map and the f32 engine take the same steps: 77 of them, each with a rounding error of a
// few 2^-24 in a net that forgets (gain .1), so errors stay near 1e-6.
TEST(ManteAnatomy, NoiselessStatesAreThoseOfTheEngine) {
    const auto net = small_net(0.1, 0);
    const auto task = neuro::make_mante(kTask);
    neuro::TaskBatch batch(*task, 4);
    batch.fill(neuro::TrialSource(3, neuro::Stream::analysis), 0);
    Tape tape(Tape::Mode::no_grad);
    const Tensor rates = net->run(tape, batch, neuro::NoiseStream::none).rates.tensor();

    const linalg::Matrix states = noiseless_states(*net->dynamics(), net->start(), batch, 2);

    ASSERT_EQ(states.rows, 77);
    const auto value = rates.data<float>();
    for (Index t = 0; t < states.rows; ++t) {
        for (Index i = 0; i < 32; ++i) {
            const auto at = static_cast<std::size_t>((t * 4 + 2) * 32 + i);
            ASSERT_NEAR(std::tanh(states(t, i)), static_cast<double>(value[at]), 1e-5) << t;
        }
    }
}

// The control: small random weights forget within five steps, so the choice in the decision, 100 ms
// after the evidence, depends on it little and there is no line.
TEST(ManteAnatomy, AnUntrainedNetHasNoLineAndHardlyUsesTheEvidence) {
    if (!linalg::available()) GTEST_SKIP() << "built without LAPACK";

    const ManteAnatomy a = dissect_mante(small_net(0.1, 0.2), kTask, kQuick);

    EXPECT_LT(a.score, 0.75);
    for (const ContextAnatomy& c : a.contexts) {
        EXPECT_EQ(c.one_mode_share, 0);
        EXPECT_LT(std::abs(c.choices.weights[0]), 1);  // the best observer has 6.3
        EXPECT_EQ(c.relevant.coherence.size(), 9u);
        EXPECT_EQ(c.input[2] + c.input[3], 1);
    }
}

}  // namespace
}  // namespace soma::systems
