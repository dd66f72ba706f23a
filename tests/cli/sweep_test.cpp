// soma sweep as its users meet it: tables, exit codes, SIGKILL and SIGTERM in mid-sweep.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "soma/linalg/linalg.h"
#include "support/program.h"

namespace {

using soma::test::contains;
using soma::test::content;
using soma::test::Result;

class Sweep : public soma::test::ProgramTest {
protected:
    void SetUp() override {
        if (!soma::linalg::available()) GTEST_SKIP() << "soma was built without LAPACK";
    }

    void write_plan(const std::string& rates, int seeds, int updates = 3) const {
        std::ofstream(folder_.file("plan.json"))
            << R"({"name": "tiny", "system": "flipflop2013", "options": {"units": 6, "batch": 4,)"
            << R"( "search_states": 8, "trajectories": 2, "updates": )" << updates
            << R"(}, "axes": {"rate": )" << rates << R"(}, "seeds": {"count": )" << seeds << "}}";
    }
    Result sweep(const std::string& out, std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"sweep", "plan.json", "--quiet", "--out", out});
        return run(more);
    }
    std::string in(const std::string& out, const std::string& file) const {
        return content(folder_.file(out + "/tiny/" + file));
    }
    // Lines of nets in the log, the header left out.
    std::ptrdiff_t rows(const std::string& out) const {
        const std::string log = in(out, "nets.jsonl");
        return std::max<std::ptrdiff_t>(std::count(log.begin(), log.end(), '\n') - 1, 0);
    }
    // Starts a sweep and sends it `signal` once a net more is there.
    Result break_off(const std::string& out, int signal) {
        const auto before = rows(out);
        const pid_t child =
            start({"sweep", "plan.json", "--quiet", "--out", out, "--threads", "1"});
        while (rows(out) == before) std::this_thread::sleep_for(std::chrono::milliseconds(2));
        kill(child, signal);
        return finish(child);
    }
};

TEST_F(Sweep, LeavesTablesSummaryFiguresAndAPage) {
    write_plan("[0.01, 0.02]", 3);
    const Result r = sweep("a");
    EXPECT_EQ(r.code, 0) << r.err;
    EXPECT_TRUE(contains(r.out, "rate 0.01  3     0       accuracy")) << r.out;
    EXPECT_TRUE(contains(r.out, "2 settings x 3 seeds = 6 nets of flipflop2013; 0 were there, 6"));
    EXPECT_TRUE(contains(r.out, "table: ")) << r.out;
    for (const char* file : {"results.jsonl", "results.csv", "summary.csv", "index.html",
                             "log.jsonl", "figures/accuracy.dat"}) {
        EXPECT_FALSE(in("a", file).empty()) << file;
    }
    EXPECT_TRUE(in("a", "results.csv").starts_with("id,seed,bits,units,dt,"))
        << in("a", "results.csv");
    EXPECT_TRUE(
        in("a", "summary.csv").starts_with("rate,nets,failed,measure,mean,low,high\n0.01,3,0,"));
    EXPECT_FALSE(contains(in("a", "results.jsonl"), "seconds"));
    EXPECT_TRUE(contains(in("a", "log.jsonl"), "\"seconds\":"));
}

TEST_F(Sweep, KilledAndStoppedSweepsGoOnToTheSameTable) {
    write_plan("[0.01, 0.02]", 4, 20);
    ASSERT_EQ(sweep("whole").code, 0);

    EXPECT_EQ(break_off("broken", SIGKILL).code, 128 + SIGKILL);
    const auto kept = rows("broken");
    const Result stopped = break_off("broken", SIGTERM);
    if (rows("broken") < 8) {
        EXPECT_EQ(stopped.code, 85) << stopped.err;
        EXPECT_TRUE(contains(stopped.out, "the same command goes on")) << stopped.out;
    }
    const Result rest = sweep("broken", {"--threads", "2"});
    EXPECT_EQ(rest.code, 0) << rest.err;
    EXPECT_GE(kept, 1);
    EXPECT_EQ(rows("broken"), 8);
    for (const char* file : {"results.jsonl", "results.csv", "summary.csv"}) {
        EXPECT_EQ(in("broken", file), in("whole", file)) << file;
    }
}

TEST_F(Sweep, FailedNetsAreShownAndExitWithOne) {
    write_plan("[0.02, 1e30]", 2);
    const Result r = sweep("a", {"--json"});
    EXPECT_EQ(r.code, 1) << r.err;
    const auto json = nlohmann::json::parse(r.out);
    EXPECT_EQ(json.at("failed"), 2);
    EXPECT_EQ(json.at("finished"), 4);
    EXPECT_TRUE(json.at("settings")[1].at("measures").at("accuracy").at("mean").is_null());
    const Result again = sweep("a");
    EXPECT_EQ(again.code, 1);
    EXPECT_TRUE(contains(again.out, "failed: rate 1e+30, seed 1: ")) << again.out;
    EXPECT_TRUE(contains(again.out, "4 were there, 0 trained")) << again.out;
}

TEST_F(Sweep, PlansAndLogsThatAreWrongAreOneClearError) {
    EXPECT_EQ(run({"sweep"}).code, 2);
    EXPECT_EQ(run({"sweep", "absent.json"}).code, 65);
    std::ofstream(folder_.file("plan.json")) << R"({"nam": "x"})";
    const Result key = sweep("a");
    EXPECT_EQ(key.code, 2);
    EXPECT_TRUE(contains(key.err, "did you mean name?")) << key.err;
    EXPECT_EQ(std::count(key.err.begin(), key.err.end(), '\n'), 1);

    std::filesystem::create_directories(folder_.file("a/tiny"));
    std::ofstream(folder_.file("a/tiny/nets.jsonl"))
        << "{\"sweep\":\"other\",\"system\":\"flipflop2013\",\"numerics\":2}\n";
    write_plan("[0.01]", 1);
    const Result foreign = sweep("a");
    EXPECT_EQ(foreign.code, 65);
    EXPECT_TRUE(contains(foreign.err, "its sweep is \"other\", need \"tiny\"")) << foreign.err;
}

TEST_F(Sweep, HelpShowsAPlan) {
    const Result help = run({"sweep", "--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_TRUE(contains(help.out, "Example:\n  soma sweep examples/flipflop_sweep.json"))
        << help.out;
    EXPECT_TRUE(contains(help.out, "\"axes\": {")) << help.out;
}

TEST_F(Sweep, DryRunWritesNothingAndOptionsAreListed) {
    write_plan("[0.01, 0.02]", 3);
    const Result dry = sweep("a", {"--dry-run"});
    EXPECT_EQ(dry.code, 0);
    EXPECT_TRUE(contains(dry.out, "= 6 nets of flipflop2013")) << dry.out;
    EXPECT_FALSE(std::filesystem::exists(folder_.file("a")));
    const Result options = run({"sweep", "--options", "flipflop"});
    EXPECT_EQ(options.code, 0);
    EXPECT_TRUE(contains(options.out, "\nrate ")) << options.out;
}

}  // namespace
