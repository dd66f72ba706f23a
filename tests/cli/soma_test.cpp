// The program as its users meet it: help, exit codes, what is printed where.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "support/program.h"

namespace {

using soma::test::contains;
using soma::test::content;
using soma::test::Result;
using Soma = soma::test::ProgramTest;

TEST_F(Soma, EveryVerbHelpsWithAnExample) {
    for (const char* verb : {"info", "list", "train", "eval", "reproduce", "task", "plan",
                             "inspect", "export", "bench"}) {
        const Result r = run({verb, "--help"});
        EXPECT_EQ(r.code, 0) << verb;
        EXPECT_TRUE(contains(r.out, std::string("Example:\n  soma ") + verb)) << r.out;
    }
}

TEST_F(Soma, TasksAreListedAndTheirTrialsDrawn) {
    const Result list = run({"task", "--json"});
    EXPECT_EQ(list.code, 0);
    EXPECT_EQ(nlohmann::json::parse(list.out)["tasks"][0]["name"], "rdm");

    const Result csv = run({"task", "mante", "--csv"});
    EXPECT_TRUE(csv.out.starts_with("step,ms,epoch,u_0,")) << csv.out;
    EXPECT_EQ(run({"task", "mante", "--csv"}).out, csv.out);
    EXPECT_NE(run({"task", "mante", "--csv", "--trial", "1"}).out, csv.out);

    const Result drawn = run({"task", "mante", "--out", "runs"});
    EXPECT_EQ(drawn.code, 0) << drawn.err;
    EXPECT_TRUE(contains(drawn.out, "best observer: right in ")) << drawn.out;

    const Result unknown = run({"task", "mantee"});
    EXPECT_EQ(unknown.code, 2);
    EXPECT_TRUE(contains(unknown.err, "mante")) << unknown.err;
    EXPECT_EQ(run({"task", "mante", "--trial", "4294967296"}).code, 2);
}

TEST_F(Soma, WithoutArgumentsItExplainsItselfAndExitsWithUsage) {
    const Result r = run({});
    EXPECT_EQ(r.code, 2);
    EXPECT_TRUE(contains(r.out, "reproduce"));
}

TEST_F(Soma, UnknownNamesSuggestAndExitWithUsage) {
    const Result verb = run({"reproducee", "xor"});
    EXPECT_EQ(verb.code, 2);
    EXPECT_TRUE(contains(verb.err, "did you mean reproduce?"));

    const Result system = run({"reproduce", "percpetron"});
    EXPECT_EQ(system.code, 2);
    EXPECT_TRUE(contains(system.err, "did you mean perceptron?"));

    const Result option = run({"train", "lecun1989", "--epoch", "3"});
    EXPECT_EQ(option.code, 2);
    EXPECT_TRUE(contains(option.err, "did you mean --epochs?"));

    EXPECT_EQ(run({"train", "lecun1989", "--epochs", "-3"}).code, 2);
    EXPECT_EQ(run({"train", "lecun1989", "--epochs", "three"}).code, 2);
}

TEST_F(Soma, ValuesThatDoNotFitTheirOptionAreRefusedInOneShortLine) {
    const std::vector<std::vector<std::string>> cases = {
        {"--steps", "99999999999999999999"},
        {"--steps", "3.5"},
        {"--batch", "-4"},
        {"--seed", "-1"},
        {"--lr", "nan"},
        {"--lr", "inf"},
        {"--keep", "0"},
        {"--comm-timeout", "0"},
        {"--set", "fashon-mnist"},
    };
    for (const auto& option : cases) {
        const Result r = run({"train", "lecun1989", "--dry-run", option[0], option[1]});
        EXPECT_EQ(r.code, 2) << option[0] << " " << option[1];
        EXPECT_TRUE(contains(r.err, option[0].substr(2))) << r.err;
        EXPECT_LT(r.err.size(), 160u) << r.err;
    }
}

TEST_F(Soma, BatchLargerThanTheSetIsRefusedBeforeItIsAllocated) {
    const Result r =
        run({"train", "lecun1989", "--set=embedded", "--batch=100000000", "--dry-run"});
    EXPECT_EQ(r.code, 2);
    EXPECT_TRUE(contains(r.err, "batch is 100000000")) << r.err;
}

TEST_F(Soma, LearningRateOfTheCommandLineIsUsedByEveryRecipe) {
    const auto weights = [&](const char* recipe, const char* lr) {
        const Result r = run({"train", "lecun1989", "--set=embedded", "--steps=2", "--quiet",
                              "--recipe", recipe, "--lr", lr});
        EXPECT_EQ(r.code, 0) << r.err;
        return r.out.substr(r.out.find("weights: "), 25);
    };
    for (const char* recipe : {"paper", "modern"}) {
        EXPECT_NE(weights(recipe, "0"), weights(recipe, "0.002")) << recipe;
    }
}

TEST_F(Soma, DataFolderThatIsNotThereIsADataError) {
    const Result r = run({"train", "lecun1989", "--data", "absent"});
    EXPECT_EQ(r.code, 65);
    EXPECT_TRUE(contains(r.err, "--data absent")) << r.err;
}

TEST_F(Soma, RunThatFailsBeforeItBeginsLeavesNoFolder) {
    const Result r = run({"train", "lecun1989", "--batch", "6", "--shards", "4", "--quiet"});
    EXPECT_EQ(r.code, 2);
    EXPECT_TRUE(std::filesystem::is_empty(folder_.file("runs")));
}

TEST_F(Soma, ClaimPatternThatMatchesNothingNamesTheClaims) {
    const Result r = run({"reproduce", "xor", "--claims", "nothing*"});
    EXPECT_EQ(r.code, 2);
    EXPECT_TRUE(contains(r.err, "'nothing*'; there are ")) << r.err;
    EXPECT_EQ(r.out, "");
}

TEST_F(Soma, SystemsWithoutTrainingSaySo) {
    const Result r = run({"train", "perceptron"});
    EXPECT_EQ(r.code, 2);
    EXPECT_TRUE(contains(r.err, "soma reproduce perceptron"));
}

TEST_F(Soma, InfoAndListAreJsonWhenAsked) {
    const auto info = nlohmann::json::parse(run({"info", "--json"}).out);
    EXPECT_TRUE(info.contains("isa"));
    EXPECT_TRUE(info.contains("threads"));

    const auto list = nlohmann::json::parse(run({"list", "--json"}).out);
    EXPECT_GE(list.at("systems").size(), 7u);

    const auto sets = nlohmann::json::parse(run({"list", "sets", "--json"}).out);
    EXPECT_GE(sets.at("sets").size(), 1u);
}

TEST_F(Soma, ReproducePrintsClaimsTableAndReportAndKeepsThem) {
    const Result r = run({"reproduce", "perceptron", "--quiet"});

    EXPECT_EQ(r.code, 0) << r.out << r.err;
    EXPECT_TRUE(contains(r.out, "\nclaim "));
    const auto report = r.out.rfind("report: ");
    ASSERT_NE(report, std::string::npos);
    const std::string page = r.out.substr(report + 8, r.out.size() - report - 9);
    EXPECT_TRUE(std::filesystem::exists(folder_.file(page)));
    const auto claims = std::filesystem::path(folder_.file(page)).parent_path() / "claims.jsonl";
    EXPECT_TRUE(contains(content(claims.string()), "\"system\":\"perceptron\""));
}

TEST_F(Soma, ReproductionsDifferOnlyInWhatIsMeasured) {
    const auto claims = [&](const char* threads) {
        auto json = nlohmann::json::parse(
            run({"reproduce", "mcculloch_pitts", "--json", "--threads", threads}).out);
        for (auto& c : json.at("claims")) {
            for (const char* field : {"seconds", "flop_per_s", "rss_bytes", "threads"}) {
                c.erase(field);
            }
        }
        return json.at("claims");
    };
    EXPECT_EQ(claims("1"), claims("2"));
}

TEST_F(Soma, TrainEndsWithWeightsAndReport) {
    const Result r = run({"train", "lecun1989", "--set", "embedded", "--steps", "20", "--quiet"});

    EXPECT_EQ(r.code, 0) << r.err;
    const auto weights = r.out.find("weights: ");
    ASSERT_NE(weights, std::string::npos) << r.out;
    EXPECT_EQ(r.out.find_first_not_of("0123456789abcdef", weights + 9), weights + 9 + 16);
    EXPECT_EQ(r.out.find("\nreport: "), weights + 9 + 16);
    EXPECT_TRUE(contains(r.out, "test error ")) << r.out;
    EXPECT_TRUE(contains(r.out, "paper: 5.0 %")) << r.out;
}

TEST_F(Soma, InterruptedTrainingIsSavedAndResumesToTheSameWeights) {
    const std::vector<std::string> whole = {"train",   "lecun1989", "--set", "embedded",
                                            "--steps", "800",       "--out", "whole"};
    const Result reference = run(whole);
    ASSERT_EQ(reference.code, 0) << reference.err;

    std::vector<std::string> broken = whole;
    broken.back() = "broken";
    const pid_t child = start(broken);
    while (!std::filesystem::exists(folder_.file("broken"))) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    kill(child, SIGTERM);
    const Result stopped = finish(child);
    if (stopped.code == 0) GTEST_SKIP() << "the training ended before the signal came";
    ASSERT_EQ(stopped.code, 85) << stopped.err;

    const std::string left =
        std::filesystem::directory_iterator(folder_.file("broken"))->path().string();
    std::vector<std::string> again = broken;
    again.insert(again.end(), {"--resume", left});
    const Result resumed = run(again);

    EXPECT_EQ(resumed.code, 0) << resumed.err;
    const auto hash = [](const std::string& out) { return out.substr(out.find("weights: "), 25); };
    EXPECT_EQ(hash(resumed.out), hash(reference.out));
}

TEST_F(Soma, ResumePassesOverADamagedCheckpointWithAWarning) {
    const Result whole = run({"train", "lecun1989", "--set=embedded", "--steps=60",
                              "--checkpoint-every=20", "--out=whole", "--quiet"});
    ASSERT_EQ(whole.code, 0) << whole.err;
    const std::string left =
        std::filesystem::directory_iterator(folder_.file("whole"))->path().string();
    const std::string newest = left + "/checkpoints/step-00000060.safetensors";
    std::filesystem::resize_file(newest, 20000);

    const Result again = run({"train", "lecun1989", "--set=embedded", "--steps=60",
                              "--checkpoint-every=20", "--resume", left, "--quiet"});
    EXPECT_EQ(again.code, 0);
    EXPECT_TRUE(contains(again.err, newest)) << again.err;
    EXPECT_TRUE(contains(again.err, "going on from")) << again.err;
    const auto hash = [](const std::string& out) { return out.substr(out.find("weights: "), 25); };
    EXPECT_EQ(hash(again.out), hash(whole.out));
}

TEST_F(Soma, LogWhoseEventsAreNoTextIsStillListed) {
    std::ofstream(folder_.file("odd.jsonl")) << "{\"event\": 5}\n{\"t\": 1}\n";
    const Result r = run({"inspect", "odd.jsonl"});
    EXPECT_EQ(r.code, 0) << r.err;
    EXPECT_TRUE(contains(r.out, "2 lines")) << r.out;
}

TEST_F(Soma, MalformedFilesAreDataErrorsThatNameTheFile) {
    const std::string header = "{\"w\": 1}";
    std::ofstream(folder_.file("bad.safetensors"))
        << static_cast<char>(header.size()) << std::string(7, '\0') << header;
    std::ofstream(folder_.file("bad.npy")) << "\x93NUMPY";
    for (const char* file : {"bad.safetensors", "bad.npy", "absent.png"}) {
        const Result r = run({"inspect", file});
        EXPECT_EQ(r.code, 65) << file;
        EXPECT_TRUE(contains(r.err, file)) << r.err;
    }
    EXPECT_EQ(run({"eval", "absent"}).code, 65);
}

TEST_F(Soma, TheLastValueOfAnOptionIsTheOneThatIsRecorded) {
    const Result r = run({"train", "lecun1989", "--seed=7", "--seed=8", "--print-config"});
    EXPECT_TRUE(contains(r.out, "seed = 8\n")) << r.out;
}

TEST_F(Soma, PrintedConfigIsAConfigFile) {
    const Result printed = run({"train", "lecun1989", "--seed", "7", "--print-config"});
    std::ofstream(folder_.file("x.toml")) << printed.out;
    const Result again = run({"train", "--config", "x.toml", "--print-config"});
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(again.out, printed.out);
}

TEST_F(Soma, InspectNamesTheFirstDifference) {
    ASSERT_EQ(run({"train", "lecun1989", "--set=embedded", "--steps=4", "--out=a"}).code, 0);
    ASSERT_EQ(run({"train", "lecun1989", "--set=embedded", "--steps=8", "--out=b"}).code, 0);
    const auto checkpoint = [&](const char* out) {
        for (const auto& e : std::filesystem::recursive_directory_iterator(folder_.file(out))) {
            if (e.path().extension() == ".safetensors") return e.path().string();
        }
        return std::string();
    };

    EXPECT_EQ(run({"inspect", checkpoint("a"), "--verify"}).code, 0);
    EXPECT_EQ(run({"inspect", checkpoint("a"), "--diff", checkpoint("a")}).code, 0);
    const Result r = run({"inspect", checkpoint("a"), "--diff", checkpoint("b")});
    EXPECT_EQ(r.code, 1);
    EXPECT_TRUE(contains(r.out, "ULP")) << r.out;
    const auto json = nlohmann::json::parse(
        run({"inspect", checkpoint("a"), "--diff", checkpoint("b"), "--json"}).out);
    EXPECT_FALSE(json.at("equal").get<bool>());
}

TEST_F(Soma, ANamedRunFolderIsBegunAndThenContinued) {
    const std::vector<std::string> train = {"train", "lecun1989", "--set=embedded", "--quiet"};
    const auto weights = [&](const std::vector<std::string>& options) {
        std::vector<std::string> all = train;
        all.insert(all.end(), options.begin(), options.end());
        const Result r = run(all);
        EXPECT_EQ(r.code, 0) << r.err;
        return r.out.substr(r.out.find("weights: "), 25);
    };
    weights({"--folder=mine", "--steps=3"});
    EXPECT_EQ(weights({"--folder=mine", "--steps=6"}), weights({"--steps=6"}));
    EXPECT_TRUE(contains(content(folder_.file("mine/log.jsonl")), "\"event\":\"resume\""));
}

TEST_F(Soma, ExportLeavesTheOptimizerBehind) {
    ASSERT_EQ(run({"train", "lecun1989", "--set=embedded", "--recipe=modern", "--steps=2"}).code,
              0);
    const std::string runs = folder_.file("runs");
    const std::string folder = std::filesystem::directory_iterator(runs)->path();
    EXPECT_TRUE(contains(run({"inspect", folder}).out, "\nopt."));

    const Result r = run({"export", folder, "net.safetensors"});
    EXPECT_EQ(r.code, 0) << r.err;
    EXPECT_TRUE(contains(r.out, "lecun1989 after 2 updates")) << r.out;
    const Result plain = run({"inspect", "net.safetensors"});
    EXPECT_TRUE(contains(plain.out, "output.weight")) << plain.out;
    EXPECT_FALSE(contains(plain.out, "\nopt.")) << plain.out;

    const std::string checkpoint = folder + "/checkpoints/step-00000002.safetensors";
    EXPECT_EQ(run({"export", checkpoint, checkpoint}).code, 2);
    EXPECT_EQ(run({"export", checkpoint, "absent/net.safetensors"}).code, 73);
    EXPECT_EQ(run({"export", "net.safetensors", "again.safetensors"}).code, 65);
}

TEST_F(Soma, InspectComparesTheBitsOfTypesItDoesNotConvert) {
    const std::string header = R"({"w":{"dtype":"U16","shape":[2],"data_offsets":[0,4]}})";
    for (const char* value : {"same", "sane"}) {
        std::ofstream(folder_.file(std::string(value) + ".safetensors"))
            << static_cast<char>(header.size()) << std::string(7, '\0') << header << value;
    }
    EXPECT_EQ(run({"inspect", "same.safetensors", "--diff", "same.safetensors"}).code, 0);
    const Result r = run({"inspect", "same.safetensors", "--diff", "sane.safetensors"});
    EXPECT_EQ(r.code, 1);
    EXPECT_TRUE(contains(r.out, "w: bits differ")) << r.out << r.err;
}

TEST_F(Soma, PlanPredictsScalingAndSaysWhatIsMissing) {
    const Result table = run({"plan", "alexnet", "--net", "10gbe", "--gflops", "1000"});
    EXPECT_EQ(table.code, 0) << table.err;
    EXPECT_TRUE(contains(table.out, "|         56.1 |")) << table.out;  // distributed.md 16.2

    const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
        {{"plan"}, "need a model"},
        {{"plan", "resnet"}, "did you mean resnet50?"},
        {{"plan", "alexnet", "--net", "10gb"}, "did you mean 10gbe"},
        {{"plan", "alexnet", "--ranks", "3", "--gflops", "1"}, "need a power of two"},
        {{"plan", "alexnet", "--ranks", "32", "--shards", "16", "--gflops", "1"}, "16 shards"},
        {{"plan", "alexnet", "--latency-us", "3"}, "together"}};
    for (const auto& [arguments, message] : wrong) {
        const Result r = run(arguments);
        EXPECT_EQ(r.code, 2) << message;
        EXPECT_TRUE(contains(r.err, message)) << r.err;
    }
}

}  // namespace
