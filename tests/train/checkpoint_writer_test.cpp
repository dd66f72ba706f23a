// Checkpoints written beside the training: what is written, and where an error goes.

#include "soma/train/checkpoint_writer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "soma/core/error.h"
#include "soma/data/file.h"
#include "soma/nn/linear.h"
#include "soma/optim/adam.h"
#include "support/temp_folder.h"

namespace soma::train {
namespace {

namespace fs = std::filesystem;

class CheckpointWriterTest : public testing::Test {
protected:
    CheckpointWriterTest() : layer_(store_, "layer", 300, 200) {
        store_.freeze(1);
        optimizer_ = std::make_unique<optim::Adam>(store_, optim::AdamOptions{});
    }
    static CheckpointInfo at_step(Index step) {
        return {.system = "test", .recipe = "adam", .step = step, .data = "none", .config = "{}"};
    }
    void update() {
        store_.gradients().fill(0.5);
        optimizer_->step(0.1);
    }
    std::string path(Index step) const { return folder_.file(checkpoint_name(step)); }

    test::TempFolder folder_;
    nn::ParameterStore store_;
    nn::Linear layer_;
    std::unique_ptr<optim::Adam> optimizer_;
};

TEST_F(CheckpointWriterTest, WritesTheStateOfTheMomentItWasAsked) {
    update();
    save_checkpoint(folder_.file("expected"), at_step(1), store_, *optimizer_);
    CheckpointWriter writer(folder_.path(), 3, store_, *optimizer_);
    writer.save(at_step(1));
    for (int i = 0; i < 20; ++i) update();  // while it is being written
    const auto written = writer.wait();
    ASSERT_TRUE(written.has_value());
    EXPECT_EQ(written->path, path(1));
    EXPECT_EQ(written->step, 1);
    EXPECT_EQ(data::read_file(path(1)), data::read_file(folder_.file("expected")));
    EXPECT_FALSE(writer.wait().has_value());
}

TEST_F(CheckpointWriterTest, SavesAfterEachOtherAndKeepsTheNewest) {
    {
        CheckpointWriter writer(folder_.path(), 2, store_, *optimizer_);
        for (Index step = 1; step <= 5; ++step) {
            update();
            writer.save(at_step(step));
        }
    }  // waits for the last one
    EXPECT_FALSE(fs::exists(path(3)));
    save_checkpoint(folder_.file("expected"), at_step(5), store_, *optimizer_);
    EXPECT_EQ(data::read_file(path(5)), data::read_file(folder_.file("expected")));
    EXPECT_EQ(read_checkpoint_info(path(4)).step, 4);
}

TEST_F(CheckpointWriterTest, AnErrorReachesTheNextSaveAndLeavesWhatWasThere) {
    fs::create_directory(path(2));  // nothing can be renamed onto it
    std::ofstream(path(2) + "/file") << "in the way";
    CheckpointWriter writer(folder_.path(), 1, store_, *optimizer_);
    writer.save(at_step(1));
    writer.save(at_step(2));
    try {
        writer.save(at_step(3));
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::checkpoint);
        EXPECT_NE(std::string(e.what()).find(path(2)), std::string::npos) << e.what();
    }
    EXPECT_EQ(read_checkpoint_info(path(1)).step, 1);
    EXPECT_FALSE(fs::exists(path(3)));
    writer.save(at_step(3));  // told once; the writer goes on
    EXPECT_EQ(writer.wait()->step, 3);
}

TEST_F(CheckpointWriterTest, AnErrorOfTheLastWriteReachesWait) {
    CheckpointWriter writer(folder_.file("absent"), 1, store_, *optimizer_);
    writer.save(at_step(1));
    EXPECT_THROW(writer.wait(), Error);
}

}  // namespace
}  // namespace soma::train
