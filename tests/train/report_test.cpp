// A run folder is unique, complete, and its page needs nothing but itself.
#include "soma/train/report.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "soma/core/error.h"
#include "support/temp_folder.h"

namespace soma::train {
namespace {

namespace fs = std::filesystem;

std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

LinePlot curve(const std::string& name) {
    return {.text = {name, "Loss <1>", "Training & test"},
            .x_label = "epoch",
            .y_label = "loss (nats)",
            .series = {{"train", {1, 2}, {1, 0.5}}}};
}

// Hides every program from the process while it lives.
class EmptyPath {
public:
    EmptyPath() : saved_(getenv("PATH")) { setenv("PATH", "/nonexistent", 1); }
    ~EmptyPath() { setenv("PATH", saved_.c_str(), 1); }

private:
    std::string saved_;
};

TEST(RunFolder, TwoRunsOfTheSameSecondGetDifferentFolders) {
    const test::TempFolder parent;

    const RunFolder a = RunFolder::create(parent.path(), "xor");
    const RunFolder b = RunFolder::create(parent.path(), "xor");

    EXPECT_NE(a.path(), b.path());
    EXPECT_TRUE(fs::is_directory(a.checkpoints()));
    EXPECT_TRUE(fs::is_directory(b.figures()));
}

TEST(RunFolder, OpenContinuesTheLogOfAnEarlierRun) {
    const test::TempFolder parent;
    const std::string path = RunFolder::create(parent.path(), "xor").path();

    const RunFolder again = RunFolder::open(path + "/");

    EXPECT_EQ(again.path(), path);
    EXPECT_TRUE(contains(content(again.file("log.jsonl")), "\"reopen\""));
}

TEST(RunFolder, OpenRefusesOtherFolders) {
    const test::TempFolder parent;

    EXPECT_THROW(RunFolder::open(parent.path()), Error);
}

TEST(RunFolder, ParentThatIsAFileIsAWriteErrorThatNamesIt) {
    const test::TempFolder parent;
    std::ofstream(parent.file("runs")) << "not a folder";
    try {
        RunFolder::create(parent.file("runs"), "xor");
        FAIL() << "made a folder below a file";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::checkpoint);
        EXPECT_TRUE(contains(e.what(), parent.file("runs")));
    }
}

TEST(RunFolder, DiscardsItselfOnlyWhenNothingHappenedInIt) {
    const test::TempFolder parent;
    RunFolder unused = RunFolder::create(parent.path(), "xor");
    unused.set_config({{"seed", Index{1}}});
    RunFolder used = RunFolder::create(parent.path(), "xor");
    used.log().write("step", {{"step", Index{1}}});
    unused.discard_if_unused();
    used.discard_if_unused();
    EXPECT_FALSE(std::filesystem::exists(unused.path()));
    EXPECT_TRUE(std::filesystem::exists(used.file("log.jsonl")));
}

TEST(RunFolder, FigureNamesCannotLeaveTheFolder) {
    const test::TempFolder parent;
    RunFolder folder = RunFolder::create(parent.path(), "xor");

    EXPECT_THROW(folder.add(curve("../loss")), Error);
    EXPECT_THROW(folder.add(curve("")), Error);
}

TEST(RunFolder, WithoutGnuplotScriptAndDataStayAndThePageSaysSo) {
    const test::TempFolder parent;
    RunFolder folder = RunFolder::create(parent.path(), "xor");
    {
        const EmptyPath no_programs;
        const RenderedFigure& figure = folder.add(curve("loss"));
        EXPECT_FALSE(figure.rendered);
        EXPECT_EQ(figure.problem, "gnuplot is not installed");
    }

    folder.write_page("xor");

    EXPECT_TRUE(fs::exists(folder.figures() + "/loss.gp"));
    EXPECT_TRUE(fs::exists(folder.figures() + "/loss.dat"));
    EXPECT_TRUE(contains(content(folder.page()), "figures/loss.gp draws it"));
}

TEST(RunFolder, EveryKindOfFigureIsDrawn) {
    const test::TempFolder parent;
    RunFolder folder = RunFolder::create(parent.path(), "all");
    if (folder.add(curve("probe")).problem == "gnuplot is not installed") {
        GTEST_SKIP() << "no gnuplot";
    }

    LinePlot logs = curve("logs");
    logs.log_x = logs.log_y = logs.points = true;
    logs.series[0].error = {0.1, 0.1};
    EXPECT_EQ(folder.add(logs).problem, "");
    EXPECT_EQ(folder
                  .add(BarChart{.text = {"bars", "it's", ""},
                                .y_label = "%",
                                .labels = {"a\"b", "c"},
                                .series = {{"x", {1, 2}}, {"y", {3, 4}, {1, 1}}},
                                .references = {{"paper", 2}}})
                  .problem,
              "");
    EXPECT_EQ(folder.add(confusion_matrix({"confusion", "", ""}, 2, {0, 1}, {0, 0})).problem, "");
    ImageGrid grid{.text = {"grid", "t", ""}, .images = {}};
    grid.images.push_back({.height = 2, .width = 2, .pixels = {0, 1, 1, 0}, .caption = "4 -> 9"});
    grid.images.push_back({.height = 2, .width = 1, .channels = 3, .pixels = {0, 1, 1, 0, 0, 1}});
    EXPECT_EQ(folder.add(grid).problem, "");
    EXPECT_EQ(
        folder.add(TimingDiagram{.text = {"timing", "", ""}, .signals = {{"a", {0, 1}}}}).problem,
        "");
}

TEST(RunFolder, PageIsSelfContainedAndEscaped) {
    const test::TempFolder parent;
    RunFolder folder = RunFolder::create(parent.path(), "xor");
    folder.set_config({{"seed", 1}, {"set", "<usps>"}});
    folder.note("1 < 2");
    folder.add(Table{.title = "Claims", .header = {"claim"}, .rows = {{"a & b"}, {"pass"}}});
    folder.add(curve("loss"));

    folder.write_page("xor");

    const std::string page = content(folder.page());
    EXPECT_TRUE(contains(page, "1 &lt; 2"));
    EXPECT_TRUE(contains(page, "a &amp; b"));
    EXPECT_TRUE(contains(page, "<td class=\"pass\">pass"));
    EXPECT_TRUE(contains(page, "&lt;usps&gt;"));
    EXPECT_FALSE(contains(page, "<script"));
    EXPECT_FALSE(contains(page, "src=\"http"));
    EXPECT_FALSE(contains(page, "href="));
}

TEST(RunFolder, FigureAddedTwiceStandsOnceOnThePage) {
    const test::TempFolder parent;
    RunFolder folder = RunFolder::create(parent.path(), "xor");

    folder.add(curve("loss"));
    folder.add(curve("loss"));
    folder.write_page("xor");

    const std::string page = content(folder.page());
    const auto first = page.find("<figure>");
    EXPECT_NE(first, std::string::npos);
    EXPECT_EQ(page.find("<figure>", first + 1), std::string::npos);
}

}  // namespace
}  // namespace soma::train
