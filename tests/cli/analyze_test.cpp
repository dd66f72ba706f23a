// soma train, eval and analyze on recurrent nets, as their users meet them.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "soma/linalg/linalg.h"
#include "support/program.h"

namespace {

using nlohmann::json;
using soma::test::contains;
using soma::test::Result;

class Analyze : public soma::test::ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        if (!soma::linalg::available()) GTEST_SKIP() << "built without LAPACK";
    }

    // The run folder of a net that was hardly trained.
    std::string train(const std::string& system, std::vector<std::string> more = {}) {
        std::vector<std::string> arguments = {"train", system, "--steps=2", "--quiet", "--json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Result r = run(arguments);
        EXPECT_EQ(r.code, 0) << r.err;
        return json::parse(r.out)["folder"];
    }
};

TEST_F(Analyze, FixedPointsHaveCertificatesSpectraAndFiles) {
    const std::string net = train("flipflop2013");
    const Result r = run({"analyze", "fixed-points", net, "--seeds=32", "--json"});
    ASSERT_EQ(r.code, 0) << r.err;
    const json object = json::parse(r.out), &result = object["result"];
    EXPECT_EQ(object["net"]["convention"], "current");
    EXPECT_EQ(object["net"]["units"], 64);
    EXPECT_EQ(object["input"], json({0.0, 0.0, 0.0}));
    ASSERT_GE(result["points"].size(), 1u);  // of a bounded net there is always one
    EXPECT_LT(result["points"][0]["q"], 1e-24);
    EXPECT_TRUE(result["points"][0]["certified"]);
    EXPECT_EQ(result["points"][0]["outputs"].size(), 3u);
    const std::string folder = object["folder"];
    const Result npz = run({"inspect", folder + "/fixed_points.npz", "--json"});
    const json arrays = json::parse(npz.out)["arrays"];
    const json points = result["points"].size();
    EXPECT_EQ(arrays[0]["name"], "x");
    EXPECT_EQ(arrays[0]["shape"], json({points, 64}));
    EXPECT_EQ(arrays[5]["name"], "right_real");
    EXPECT_EQ(arrays[5]["shape"], json({points, 64, 10}));
    EXPECT_TRUE(std::filesystem::exists(folder_.file(folder) + "/result.csv"));
}

// The same search twice, and one under another input.
TEST_F(Analyze, FixedPointsDependOnTheirArgumentsAlone) {
    const std::string net = train("flipflop2013");
    const auto result = [&](const char* input) {
        const Result r =
            run({"analyze", "fixed-points", net, "--seeds=16", "--json", "--input", input});
        return json::parse(r.out)["result"];
    };
    EXPECT_EQ(result("0,0,0"), result("0,0,0"));
    EXPECT_NE(result("0,0,0")["points"], result("1,0,-1")["points"]);
}

TEST_F(Analyze, LyapunovExponentsComeInOrder) {
    const std::string net = train("flipflop2013");
    const Result r = run(
        {"analyze", "lyapunov", net, "--steps=200", "--exponents=5", "--json", "--trajectories=2"});
    ASSERT_EQ(r.code, 0) << r.err;
    const json result = json::parse(r.out)["result"];
    ASSERT_EQ(result["exponents_per_tau"].size(), 5u);
    EXPECT_GT(result["exponents_per_tau"][0], result["exponents_per_tau"][4]);
    EXPECT_EQ(result["standard_error"].size(), 5u);
}

TEST_F(Analyze, FlowAndSelectionReport) {
    const std::string net = train("lowrank2022", {"--recipe=mante"});
    const Result flow =
        run({"analyze", "flow", net, "--grid=5", "--input=0,0,0.5,0", "--trajectories=2"});
    EXPECT_EQ(flow.code, 0) << flow.err;
    EXPECT_TRUE(contains(flow.out, "5 x 5")) << flow.out;
    const Result none =
        run({"analyze", "selection", net, "--seeds=8", "--slow=1e-20", "--trajectories=2"});
    EXPECT_TRUE(none.code == 0 || contains(none.err, "need at least 2")) << none.err;
}

TEST_F(Analyze, HelpShowsExamples) {
    EXPECT_TRUE(contains(run({"analyze", "--help"}).out, "Example:\n  soma analyze fixed-points "));
}

TEST_F(Analyze, UnknownAnalysisNamesTheNearest) {
    const Result r = run({"analyze", "fixed-point", "nowhere"});
    EXPECT_EQ(r.code, 2);
    EXPECT_TRUE(contains(r.err, "did you mean fixed-points?")) << r.err;
}

TEST_F(Analyze, WrongInputSizeNamesTheTask) {
    const Result r = run({"analyze", "lyapunov", train("flipflop2013"), "--input", "1,0"});
    EXPECT_EQ(r.code, 2);
    EXPECT_TRUE(contains(r.err, "--input 1,0 has 2 values; task flipflop has 3 inputs")) << r.err;
}

TEST_F(Analyze, RunsWithoutARecurrentNetAreRefused) {
    const std::string net = train("lecun1989", {"--set=embedded"});
    const Result r = run({"analyze", "flow", net});
    EXPECT_EQ(r.code, 2);
    EXPECT_TRUE(contains(r.err, "lecun1989 has no recurrent net to analyze; those that have are "))
        << r.err;
    EXPECT_EQ(run({"analyze", "flow", "nowhere"}).code, 65);
}

TEST_F(Analyze, EvalOfACheckpointFindsTheSameWeights) {
    const Result trained = run({"train", "lowrank2022", "--steps=2", "--quiet"});
    ASSERT_EQ(trained.code, 0) << trained.err;
    const std::size_t at = trained.out.find("report: ");
    const std::string page = trained.out.substr(at + 8, trained.out.find("\n", at) - at - 8);
    const Result tested = run({"eval", std::filesystem::path(page).parent_path()});
    EXPECT_EQ(tested.code, 0) << tested.err;
    const auto weights = [](const std::string& out) {
        return out.substr(out.find("weights: "), 25);
    };
    EXPECT_EQ(weights(tested.out), weights(trained.out));
    EXPECT_TRUE(contains(tested.out, "rdm: ")) << tested.out;
}

TEST_F(Analyze, OptionsThatMakeNoSenseForSmallNetsAreRefused) {
    EXPECT_EQ(run({"train", "lowrank2022", "--shards", "2", "--quiet"}).code, 2);
    EXPECT_EQ(run({"train", "lowrank2022", "--checkpoint-every", "5", "--quiet"}).code, 2);
    EXPECT_EQ(run({"train", "flipflop2013", "--epochs", "3", "--quiet"}).code, 2);
    const Result r = run({"train", "lowrank2022", "--recipe", "manta", "--quiet"});
    EXPECT_EQ(r.code, 2);
    EXPECT_TRUE(contains(r.err, "did you mean mante?")) << r.err;
}

}  // namespace
