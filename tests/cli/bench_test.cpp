// soma bench as its users meet it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/program.h"

namespace {

using soma::test::contains;
using soma::test::content;
using Bench = soma::test::ProgramTest;
using soma::test::Result;

TEST_F(Bench, UnknownSubjectsClassesAndNetsNameTheNearest) {
    const Result subject = run({"bench", "gem"});
    EXPECT_EQ(subject.code, 2);
    EXPECT_TRUE(contains(subject.err, "did you mean gemm?")) << subject.err;

    const Result group = run({"bench", "gemm", "--class", "smal"});
    EXPECT_EQ(group.code, 2);
    EXPECT_TRUE(contains(group.err, "did you mean small?")) << group.err;

    const Result net = run({"bench", "conv", "--net", "vgg"});
    EXPECT_EQ(net.code, 2);
    EXPECT_TRUE(contains(net.err, "vgg16")) << net.err;
}

TEST_F(Bench, BadValuesAreRefusedBeforeAnythingIsMeasured) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
        {{"explain", "gemm", "64", "64"}, "need gemm M N K"},
        {{"explain", "gemm", "64", "0", "64"}, "'0' is no size"},
        {{"explain", "gemm", "64", "6x", "64"}, "'6x' is no size"},
        {{"explain", "gemm", "9000000", "9000000", "64"}, "need at most"},
        {{"explain", "conv", "1", "1", "1"}, "need gemm M N K"},
        {{"gemm", "--rounds", "0"}, "--rounds"},
        {{"gemm", "--dtype", "f16"}, "--dtype"},
        {{"gemm", "--threads", "4096"}, "--threads is 4096"},
        {{"gemm", "--rivals", "nowhere"}, "'nowhere' is no folder"},
        {{"gemm", "--net", "vgg16"}, "--net belongs to soma bench conv"},
        {{"gemm", "512"}, "unexpected '512'"},
        {{"gemm", "--steps", "10"}, "--steps belongs to soma bench rnn"},
        {{"comm"}, "mpirun -np 2 soma bench comm"},
        {{"rnn", "--cell", "ltsm"}, "did you mean lstm?"},
        {{"rnn", "--units", "64,0"}, "'0'"},
    };
    for (const auto& [arguments, message] : cases) {
        std::vector<std::string> all = {"bench"};
        all.insert(all.end(), arguments.begin(), arguments.end());
        const Result r = run(all);
        EXPECT_EQ(r.code, 2) << message;
        EXPECT_TRUE(contains(r.err, message)) << r.err;
    }
}

TEST_F(Bench, UnwritableJsonIsToldBeforeAnythingIsMeasured) {
    const Result r = run({"bench", "gemm", "--json", "no/such/folder/x.json"});

    EXPECT_EQ(r.code, 73);
    EXPECT_TRUE(contains(r.err, "no/such/folder/x.json: cannot be written")) << r.err;
    EXPECT_EQ(r.out, "");
}

// A noisy machine makes 1 of 0; both come with all tables and files.
TEST_F(Bench, GemmWritesATableAndJsonThatCompareToolsRead) {
    const Result r =
        run({"bench", "gemm", "--class", "narrow", "--rounds", "3", "--json", "x.json"});

    EXPECT_TRUE(r.code == 0 || r.code == 1) << r.err;
    EXPECT_TRUE(contains(r.out, "1024x1x1024 NN")) << r.out;
    EXPECT_TRUE(contains(r.out, r.code == 0 ? "Geometric means" : "No conclusion")) << r.out;
    const auto json = nlohmann::json::parse(content(folder_.file("x.json")));
    EXPECT_EQ(json["context"]["dtype"], "f32");
    ASSERT_GE(json["benchmarks"].size(), 9u);  // 3 shapes x 3 rounds of soma at least
    const auto& first = json["benchmarks"][0];
    EXPECT_EQ(first["name"], "gemm/narrow/256x1x256_NN/soma");
    EXPECT_EQ(first["run_name"], first["name"]);
    EXPECT_EQ(first["run_type"], "iteration");
    EXPECT_EQ(first["time_unit"], "ns");
    EXPECT_EQ(first["repetitions"], 3);
    EXPECT_GT(first["iterations"], 0);
    EXPECT_GT(first["real_time"], 0.0);
    EXPECT_EQ(first["cpu_time"], first["real_time"]);
}

TEST_F(Bench, ExplainShowsPlanCostsAndBothTimes) {
    const Result r = run({"bench", "explain", "gemm", "16", "33", "8", "--rounds", "3"});

    EXPECT_TRUE(r.code == 0 || r.code == 1) << r.err;
    for (const char* part : {"16 x 33 x 8 NN", "path    tiny", "FMA", "predicted", "measured"})
        EXPECT_TRUE(contains(r.out, part)) << part << "\n" << r.out;
}

TEST_F(Bench, PlotsARooflineOrSaysWhyNot) {
    const Result r =
        run({"bench", "gemm", "--class", "narrow", "--rounds", "3", "--plot", "roof.png"});

    EXPECT_TRUE(contains(r.out, "roofline")) << r.out;
    EXPECT_TRUE(contains(content(folder_.file("roof.gp")), "FMA peak"));
    const bool drawn = std::filesystem::exists(folder_.file("roof.png"));
    EXPECT_EQ(drawn, contains(r.out, "roofline: roof.png")) << r.out;
}

TEST_F(Bench, RnnSetsAStepBesideItsParts) {
    const Result r = run({"bench", "rnn", "--cell", "ctrnn,lstm", "--units", "8", "--batch", "4",
                          "--steps", "3", "--rounds", "3"});

    EXPECT_TRUE(r.code == 0 || r.code == 1) << r.err;  // 1: too noisy to conclude
    EXPECT_TRUE(contains(r.out, "pass/products")) << r.out;
    EXPECT_TRUE(contains(r.out, "| ctrnn | N 8 B 4 T 3 I 4 |")) << r.out;
    EXPECT_TRUE(contains(r.out, "| lstm  | N 8 B 4 T 3 I 4 |")) << r.out;
}

}  // namespace
