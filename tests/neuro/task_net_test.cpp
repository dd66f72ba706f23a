#include "soma/neuro/task_net.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "soma/core/parallel.h"
#include "soma/neuro/tasks/dms.h"
#include "soma/neuro/tasks/flipflop.h"
#include "soma/neuro/tasks/rdm.h"
#include "soma/neuro/tasks/yang.h"

namespace soma::neuro {
namespace {

TaskNetOptions small_net(std::uint64_t seed = 1) {
    return {.units = 16, .layer = {.sigma = 0.05}, .seed = seed};
}

std::vector<float> floats(const Tensor& x) {
    return {x.data<float>().begin(), x.data<float>().end()};
}

// The two losses of neuro.md 3.6, as they are printed there.
double loss_by_definition(const TaskBatch& batch, const Tensor& z) {
    const auto zs = floats(z), ys = floats(batch.y()), ms = floats(batch.mask());
    const Index trials = batch.size(), outputs = batch.task().outputs();
    double total = 0;
    for (Index b = 0; b < trials; ++b) {
        double square = 0, weight = 0;
        for (Index t = 0; t < batch.steps(); ++t) {
            for (Index o = 0; o < outputs; ++o) {
                const auto i = static_cast<std::size_t>((t * trials + b) * outputs + o);
                const double e = static_cast<double>(ms[i]) * (zs[i] - ys[i]);
                square += e * e;
                weight += ms[i];
            }
        }
        const bool by_trial = batch.task().loss() == TaskLoss::per_trial;
        total += square / (by_trial ? weight : static_cast<double>(batch.steps() * outputs));
    }
    return total / static_cast<double>(trials);
}

TEST(TaskNet, LossIsThatOfTheTask) {
    std::vector<std::unique_ptr<Task>> tasks;
    tasks.push_back(make_rdm());
    tasks.push_back(make_yang());
    for (const auto& task : tasks) {
        TaskNet net(*task, small_net());
        TaskBatch batch(*task, 5);
        batch.fill(TrialSource(3), 0);
        Tape tape;
        const Var z = net.run(tape, batch, NoiseStream::training).outputs;

        const double expected = loss_by_definition(batch, z.tensor());

        EXPECT_NEAR(TaskNet::loss(z, batch).item(), expected, 1e-6 * expected);
    }
}

// Noise replay: a trial's rates are a function of (seed, trial, visit).
TEST(TaskNet, ATrialRunsAgainAloneWithTheNoiseItHad) {
    const auto task = make_rdm();
    TaskNet net(*task, small_net());
    TaskBatch all(*task, 6), one(*task, 1);
    all.fill(TrialSource(3), 40);
    one.fill(TrialSource(3), 43);
    const auto rates = [&](const TaskBatch& batch, std::uint32_t visit) {
        Tape tape(Tape::Mode::no_grad);
        return floats(net.run(tape, batch, NoiseStream::training, visit).rates.tensor());
    };

    const std::vector<float> in_batch = rates(all, 2), alone = rates(one, 2);

    const Index units = 16;
    for (Index t = 0; t < one.steps(); ++t) {
        for (Index i = 0; i < units; ++i) {
            ASSERT_EQ(alone[static_cast<std::size_t>(t * units + i)],
                      in_batch[static_cast<std::size_t>((t * 6 + 3) * units + i)]);
        }
    }
    EXPECT_NE(alone, rates(one, 3));
}

TEST(TaskNet, NetsTrainedSideBySideAreTheNetsTrainedAlone) {
    const auto task = make_dms();  // trials of different lengths
    const auto weights = [&](int threads) {
        std::vector<std::uint64_t> hashes(4);
        set_num_threads(threads);
        parallel_for(4, 1, [&](Index begin, Index end) {
            for (Index i = begin; i < end; ++i) {
                TaskNet net(*task, small_net(static_cast<std::uint64_t>(i)));
                train_task(net, *task,
                           {.updates = 2, .batch = 20, .eval_every = 2, .eval_trials = 20});
                hashes[static_cast<std::size_t>(i)] = net.store().hash();
            }
        });
        set_num_threads(1);
        return hashes;
    };

    const std::vector<std::uint64_t> alone = weights(1);

    EXPECT_EQ(weights(2), alone);
    EXPECT_NE(alone[0], alone[1]);
}

TEST(TaskNet, LearnsAFlipFlopAndKeepsTheBestWeights) {
    const auto task = make_flipflop({.bits = 1, .steps = 24, .dt = 20, .tau = 40});
    TaskNet net(*task, small_net());
    const double before = evaluate_task(net, *task, 64).loss;

    const TaskResult result = train_task(net, *task,
                                         {.updates = 300,
                                          .batch = 32,
                                          .rate = 0.02,
                                          .clip_norm = 1,
                                          .eval_every = 50,
                                          .eval_trials = 64});

    EXPECT_GT(result.score, 0.99);
    EXPECT_LT(result.loss, before / 10);
    EXPECT_EQ(evaluate_task(net, *task, 64).loss, result.loss);
}

TEST(TaskNet, TrainingEndsWhenItsGoalIsReached) {
    const auto task = make_rdm();
    TaskNet net(*task, small_net());
    std::vector<Index> asked;

    const TaskResult result = train_task(net, *task,
                                         {.updates = 9,
                                          .eval_every = 2,
                                          .eval_trials = 8,
                                          .reached = [&](TaskNet& now, Index updates) {
                                              EXPECT_EQ(&now, &net);
                                              asked.push_back(updates);
                                              return updates == 4;
                                          }});

    EXPECT_EQ(asked, (std::vector<Index>{2, 4}));
    EXPECT_EQ(result.updates, 4);
    EXPECT_FALSE(result.interrupted);
}

TEST(TaskNet, FixedTrialsAreDrawnWithoutReplacement) {
    const auto task = make_rdm();
    TaskNet net(*task, small_net());

    EXPECT_THROW(train_task(net, *task, {.batch = 32, .fixed_trials = 31}), Error);
    EXPECT_NO_THROW(train_task(net, *task, {.updates = 2, .batch = 32, .fixed_trials = 32}));
}

TEST(TaskNet, DynamicsAreTheNoiselessNet) {
    for (const Convention convention :
         {Convention::current, Convention::rate, Convention::rectified_leak}) {
        for (const char* weights : {"full", "low rank", "Dale"}) {
            SCOPED_TRACE(weights);
            const auto task = make_rdm();
            TaskNetOptions options = small_net();
            options.layer.convention = convention;
            if (weights == std::string("low rank")) options.layer.rank = 2;
            if (weights == std::string("Dale")) {
                options.layer.signs = nn::dale_signs(16, 12);
                options.layer.mask = nn::no_self_connections(16);
            }
            TaskNet net(*task, options);
            const linalg::Matrix states = sample_states(net, *task, 2);
            TaskBatch batch(*task, 2);
            batch.fill(TrialSource(options.seed, Stream::analysis), 0);
            Tape tape(Tape::Mode::no_grad);

            const auto rates = floats(net.run(tape, batch, NoiseStream::none).rates.tensor());

            const Index steps = batch.steps();
            ASSERT_EQ(states.rows, 2 * steps);
            for (Index b = 0; b < 2; ++b) {
                for (Index t = 0; t < steps; ++t) {
                    for (Index i = 0; i < 16; ++i) {
                        const double x = states(b * steps + t, i);
                        const double r = keeps_current(convention) ? std::tanh(x) : x;
                        // f32 against f64: a few u a step, and the states contract.
                        ASSERT_NEAR(rates[static_cast<std::size_t>((t * 2 + b) * 16 + i)], r, 1e-5);
                    }
                }
            }
        }
    }
}

TEST(TaskNet, AnExplodingLossNamesNetUpdateAndTrial) {
    const auto task = make_flipflop({.bits = 1, .steps = 400, .dt = 20, .tau = 20});
    TaskNetOptions options = small_net(7);
    options.layer.f = Nonlinearity::relu;
    options.layer.recurrent = nn::Init::normal(100);
    TaskNet net(*task, options);
    try {
        train_task(net, *task, {.updates = 2});
        FAIL() << "the rates overflow";
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find("seed 7: the loss of update 0"), std::string::npos)
            << e.what();
    }
}

}  // namespace
}  // namespace soma::neuro
