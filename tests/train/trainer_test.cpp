// Trainer and checkpoints: the same bits for any number of ranks and across an interruption.

#include "soma/train/trainer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "soma/autograd/ops/loss.h"
#include "soma/data/file.h"
#include "soma/dist/thread_ranks.h"
#include "soma/nn/linear.h"
#include "soma/optim/adam.h"
#include "soma/train/report.h"

namespace soma::train {
namespace {

namespace fs = std::filesystem;

// 52 points of three classes in the plane; the last batch of eight has four rows of padding.
std::shared_ptr<const data::Dataset> points() {
    constexpr Index n = 52;
    RandomSequence random(make_key(7, Purpose::data_generation));
    Tensor x({n, 2}, DType::f32);
    std::vector<std::int32_t> labels;
    for (std::size_t i = 0; i < n; ++i) {
        labels.push_back(static_cast<std::int32_t>(i % 3));
        x.data<float>()[2 * i] = static_cast<float>(i % 3) + random.uniform(-0.6f, 0.6f);
        x.data<float>()[2 * i + 1] = random.uniform(-1, 1);
    }
    return std::make_shared<data::TensorDataset>(x, labels, 3);
}

class SmallNet final : public Model {
public:
    explicit SmallNet(std::uint64_t seed, bool breaks = false, bool skips_hidden = false)
        : hidden_(store_, "hidden", 2, 8, {.activation = Activation::tanh}),
          output_(store_, "output", 8, 3),
          breaks_(breaks),
          skips_hidden_(skips_hidden) {
        store_.freeze(seed);
    }
    nn::ParameterStore& parameters() override { return store_; }
    Output forward(Tape& tape, const data::Batch& batch, const nn::Context&) override {
        Tensor x = batch.x.clone();
        if (breaks_) x.fill(std::numeric_limits<double>::quiet_NaN());
        const Var hidden = skips_hidden_
                               ? tape.constant(Tensor::zeros({x.shape()[0], 8}, DType::f32))
                               : hidden_(tape.constant(x));
        const Var scores = output_(hidden);
        return {softmax_cross_entropy(scores, batch.labels, {.weights = batch.weight}), scores};
    }

private:
    nn::ParameterStore store_;
    nn::Linear hidden_, output_;
    bool breaks_, skips_hidden_;
};

struct Setup {
    std::uint64_t seed = 3;
    bool breaks = false, skips_hidden = false;
    Index epochs = 3;
};

TrainResult train(const Setup& setup, TrainOptions options, dist::Comm& comm) {
    options.seed = setup.seed;
    SmallNet net(setup.seed, setup.breaks, setup.skips_hidden);
    optim::Adam optimizer(net.parameters(), {});
    const data::Loader loader(points(), {.batch = 8, .shards = 4, .seed = setup.seed});
    const data::Loader test(points(), {.batch = 16, .shuffle = false});
    return run_training({.system = "test",
                         .recipe = "adam",
                         .model = &net,
                         .optimizer = &optimizer,
                         .train = &loader,
                         .test = &test,
                         .epochs = setup.epochs,
                         .learning_rate = [](Index) { return 0.05; },
                         .data = "points"},
                        options, comm);
}

TrainResult train_alone(const Setup& setup, const TrainOptions& options) {
    const auto alone = dist::make_self_comm();
    return train(setup, options, *alone);
}

class TrainerTest : public testing::Test {
protected:
    void SetUp() override {
        parent_ = fs::temp_directory_path() /
                  (std::string("soma-trainer-") +
                   testing::UnitTest::GetInstance()->current_test_info()->name());
        fs::remove_all(parent_);
    }
    void TearDown() override { fs::remove_all(parent_); }
    fs::path parent_;
};

TEST_F(TrainerTest, LearnsAndReportsEveryEpoch) {
    const TrainResult result = train_alone({.epochs = 20}, {});
    ASSERT_EQ(result.history.size(), 20u);
    EXPECT_LT(result.history.back().train_loss, result.history.front().train_loss / 2);
    EXPECT_EQ(result.test_samples, 52);
    EXPECT_EQ(result.steps, 20 * 7);
}

TEST_F(TrainerTest, AnyNumberOfRanksGivesTheSameBits) {
    const TrainResult one = train_alone({}, {});
    for (const int ranks : {2, 4}) {
        std::atomic<int> equal{0};
        dist::run_thread_ranks(ranks, [&](dist::Comm& comm) {
            const TrainResult r = train({}, {}, comm);
            equal += r.weights == one.weights && r.test_wrong == one.test_wrong &&
                     r.train_loss == one.train_loss && r.test_loss == one.test_loss;
        });
        EXPECT_EQ(equal, ranks);
    }
}

TEST_F(TrainerTest, WhoAdvancesTheSumsAndHowTheyAreCutDoNotShowInTheBits) {
    const std::uint64_t expected = train_alone({}, {}).weights;
    using dist::ProgressMode;
    for (const auto mode : {ProgressMode::thread, ProgressMode::poll, ProgressMode::none}) {
        std::atomic<int> equal{0};
        dist::run_thread_ranks(4, [&](dist::Comm& comm) {
            TrainOptions options;
            options.exchange.progress = mode;
            options.exchange.buckets = {.bytes = 4096, .first_bytes = 4096};
            equal += train({}, options, comm).weights == expected;
        });
        EXPECT_EQ(equal, 4) << dist::name_of(mode);
    }
}

TEST_F(TrainerTest, FastModeTakesAnyRanksThatDivideTheBatch) {
    TrainOptions options;
    options.deterministic = false;
    options.exchange.algorithm = dist::Algorithm::ring;
    dist::run_thread_ranks(4, [&](dist::Comm& comm) {
        EXPECT_LT(train({.epochs = 10}, options, comm).train_error, 20);
    });
    try {
        dist::run_thread_ranks(2, [&](dist::Comm& comm) { train({}, options, comm); });
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find("one shard a rank, of 2; --shards is 4"),
                  std::string::npos);
    }
}

TEST_F(TrainerTest, AParameterThatOnlySomeRanksReachIsNamed) {
    try {
        dist::run_thread_ranks(
            2, [&](dist::Comm& comm) { train({.skips_hidden = comm.rank() == 1}, {}, comm); });
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::fingerprint);
        EXPECT_NE(std::string(e.what()).find("[] on rank 0"), std::string::npos) << e.what();
        EXPECT_NE(std::string(e.what()).find("[hidden.bias, hidden.weight] on rank 1"),
                  std::string::npos)
            << e.what();
    }
}

TEST_F(TrainerTest, ResumingGivesTheBitsOfTheUninterruptedRun) {
    const TrainResult straight = train_alone({}, {});
    RunFolder folder = RunFolder::create(parent_.string(), "run");
    TrainOptions first;
    first.steps = 11;  // in the middle of the second epoch
    first.folder = &folder;
    train_alone({}, first);
    TrainOptions second;
    second.resume = folder.path();
    second.folder = &folder;
    EXPECT_EQ(train_alone({}, second).weights, straight.weights);
}

TEST_F(TrainerTest, AStopSavesAndEndsAllRanksAfterTheSameUpdate) {
    RunFolder folder = RunFolder::create(parent_.string(), "run");
    std::atomic<int> stopped_at_four{0};
    dist::run_thread_ranks(2, [&](dist::Comm& comm) {
        TrainOptions options;
        int polls = 0;  // two shards an update and rank: rank 1 asks during its fourth update
        options.stop_requested = [&] { return comm.rank() == 1 && ++polls > 6; };
        options.folder = comm.rank() == 0 ? &folder : nullptr;
        const TrainResult r = train({}, options, comm);
        stopped_at_four += r.interrupted && r.steps == 4;
    });
    EXPECT_EQ(stopped_at_four, 2);
    EXPECT_EQ(read_checkpoint_info(newest_valid_checkpoint(folder.checkpoints())).step, 4);
}

TEST_F(TrainerTest, ResumingAnotherExperimentIsAnErrorNamingTheField) {
    RunFolder folder = RunFolder::create(parent_.string(), "run");
    TrainOptions options;
    options.folder = &folder;
    train_alone({.epochs = 1}, options);
    TrainOptions resumed;
    resumed.resume = folder.path();
    try {
        train_alone({.seed = 4}, resumed);
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::usage);
        EXPECT_NE(std::string(e.what()).find("seed is 3, this run has 4"), std::string::npos)
            << e.what();
    }
}

TEST_F(TrainerTest, ANonFiniteLossStopsTheRun) {
    try {
        train_alone({.breaks = true}, {});
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::non_finite);
    }
}

TEST_F(TrainerTest, RanksWithOtherSeedsAreFoundAtTheStart) {
    std::atomic<int> found{0};
    dist::run_thread_ranks(2, [&](dist::Comm& comm) {
        try {
            train({.seed = static_cast<std::uint64_t>(comm.rank())}, {}, comm);
        } catch (const Error& e) {
            found += e.code() == ErrorCode::fingerprint;
        }
    });
    EXPECT_EQ(found, 2);
}

TEST_F(TrainerTest, ADamagedCheckpointIsPassedOverForTheOneBefore) {
    RunFolder folder = RunFolder::create(parent_.string(), "run");
    TrainOptions options;
    options.folder = &folder;
    train_alone({}, options);
    const std::string newest = newest_valid_checkpoint(folder.checkpoints());
    data::Bytes bytes = data::read_file(newest);
    bytes[bytes.size() - 5] ^= std::byte{1};  // inside the last tensor
    std::ofstream(newest, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    std::string warning;
    const std::string older = newest_valid_checkpoint(folder.checkpoints(), &warning);
    EXPECT_FALSE(older.empty());
    EXPECT_LT(older, newest);
    EXPECT_NE(warning.find(newest), std::string::npos);
}

TEST_F(TrainerTest, ACheckpointThatCannotBeWrittenEndsTheRunAndTheOneBeforeCanBeResumed) {
    const TrainResult straight = train_alone({}, {});
    RunFolder folder = RunFolder::create(parent_.string(), "run");
    TrainOptions options;
    options.folder = &folder;
    options.checkpoint_every = 10;
    const std::string blocked = folder.checkpoints() + "/" + checkpoint_name(20);
    fs::create_directories(blocked + "/in the way");
    try {
        train_alone({}, options);
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::checkpoint);
        EXPECT_NE(std::string(e.what()).find(blocked), std::string::npos) << e.what();
    }
    fs::remove_all(blocked);
    EXPECT_EQ(read_checkpoint_info(newest_valid_checkpoint(folder.checkpoints())).step, 10);
    options.resume = folder.path();
    EXPECT_EQ(train_alone({}, options).weights, straight.weights);
}

TEST_F(TrainerTest, OnlyTheNewestCheckpointsStay) {
    RunFolder folder = RunFolder::create(parent_.string(), "run");
    TrainOptions options;
    options.folder = &folder;
    options.keep = 2;
    options.checkpoint_every = 3;
    std::ofstream(folder.checkpoints() + "/step-00000001.safetensors.a1B2c3") << "half written";
    train_alone({}, options);
    const auto files = fs::directory_iterator(folder.checkpoints());
    EXPECT_EQ(std::distance(fs::begin(files), fs::end(files)), 2);
}

TEST_F(TrainerTest, ACheckpointOfAnotherNetNamesTheTensor) {
    RunFolder folder = RunFolder::create(parent_.string(), "run");
    TrainOptions options;
    options.folder = &folder;
    const std::string path = train_alone({.epochs = 1}, options).checkpoint;
    nn::ParameterStore other;
    const nn::Linear hidden(other, "hidden", 2, 9);
    other.freeze(1);
    try {
        load_parameters(path, other);
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::data);
        EXPECT_NE(std::string(e.what()).find("hidden.weight"), std::string::npos) << e.what();
    }
}

}  // namespace
}  // namespace soma::train
