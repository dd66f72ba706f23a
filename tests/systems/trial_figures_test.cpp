// A trial as CSV and figures: the numbers are those of the trial.

#include "soma/systems/trial_figures.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "soma/data/csv.h"
#include "soma/neuro/tasks/batch.h"
#include "soma/neuro/tasks/registry.h"
#include "soma/train/report.h"
#include "support/temp_folder.h"

namespace soma::systems {
namespace {

namespace fs = std::filesystem;

std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::vector<std::string>> fields_of(const std::string& text) {
    std::vector<std::vector<std::string>> lines;
    std::vector<std::string> fields;
    data::CsvReader reader(std::as_bytes(std::span(text)), "trial");
    while (reader.next(fields)) lines.push_back(fields);
    return lines;
}

// Hides gnuplot while it lives: the scripts are what is tested.
class EmptyPath {
public:
    EmptyPath() : saved_(getenv("PATH")) { setenv("PATH", "/nonexistent", 1); }
    ~EmptyPath() { setenv("PATH", saved_.c_str(), 1); }

private:
    std::string saved_;
};

TEST(TrialFigures, CsvHoldsTheTrialExactly) {
    const auto task = neuro::find_task("mante").make();
    const neuro::TrialSource source(3);
    neuro::TaskBatch batch(*task, 1);
    batch.fill(source, 7);

    const auto lines = fields_of(trial_csv(*task, source, 7));

    ASSERT_EQ(lines.size(), 69u);
    EXPECT_EQ(lines[0], (std::vector<std::string>{"step", "ms", "epoch", "u_0", "u_1", "u_2", "u_3",
                                                  "y_0", "mask_0"}));
    EXPECT_EQ(lines[1 + 30][0], "30");
    EXPECT_EQ(lines[1 + 30][1], "600");
    EXPECT_EQ(lines[1 + 30][2], "stimulus");
    EXPECT_EQ(lines[1 + 67][2], "decision");
    for (std::size_t t = 0; t < 68; ++t) {
        for (std::size_t c = 0; c < 4; ++c) {
            const float u = batch.u().data<float>()[4 * t + c];
            EXPECT_EQ(std::stof(lines[1 + t][3 + c]), u);
        }
        EXPECT_EQ(std::stof(lines[1 + t][7]), batch.y().data<float>()[t]);
    }
}

TEST(TrialFigures, AFewChannelsAreCurvesAndManyAreColours) {
    const test::TempFolder parent;
    const EmptyPath no_gnuplot;
    auto folder = train::RunFolder::create(parent.path(), "trials");

    add_trial(folder, *neuro::find_task("rdm").make(), neuro::TrialSource(1), 2);
    add_trial(folder, *neuro::find_task("dm1").make(), neuro::TrialSource(1), 0);

    EXPECT_TRUE(fs::exists(folder.file("rdm-trial-2.csv")));
    EXPECT_TRUE(fs::exists(folder.file("dm1-trial-0.csv")));
    const std::string curves = content(folder.figures() + "/rdm-trial-2-inputs.gp");
    const std::string colours = content(folder.figures() + "/dm1-trial-0-inputs.gp");
    EXPECT_NE(curves.find("lines"), std::string::npos);
    EXPECT_NE(colours.find("image"), std::string::npos);
    EXPECT_TRUE(fs::exists(folder.figures() + "/rdm-trial-2-targets.gp"));
    EXPECT_TRUE(fs::exists(folder.figures() + "/dm1-trial-0-targets.gp"));
}

}  // namespace
}  // namespace soma::systems
