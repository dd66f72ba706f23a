// Plans and runs of sweeps: ids, refusals, the same table for any ranks, threads and history.

#include "soma/systems/sweep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <set>

#include "soma/core/error.h"
#include "soma/core/hash.h"
#include "soma/dist/thread_ranks.h"
#include "soma/linalg/linalg.h"
#include "support/temp_folder.h"

namespace soma::systems {
namespace {

std::string plan_text(const std::string& axes, const std::string& seeds,
                      const std::string& more = "") {
    return R"({"name": "tiny", "system": "flipflop2013", "options": {"units": 6, "updates": 3,
               "batch": 4, "search_states": 8, "trajectories": 2}, "axes": )" +
           axes + R"(, "seeds": )" + seeds + more + "}";
}

SweepPlan tiny_plan(const std::string& axes = R"({"rate": [0.01, 0.02]})",
                    const std::string& seeds = "[1, 2, 3]") {
    return parse_sweep_plan(plan_text(axes, seeds), "test");
}

// The message of the error with which a plan is refused.
std::string refusal(const std::string& text, ErrorCode code = ErrorCode::usage) {
    try {
        parse_sweep_plan(text, "bad.json");
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), code) << e.what();
        EXPECT_NE(std::string(e.what()).find("bad.json"), std::string::npos) << e.what();
        return e.what();
    }
    ADD_FAILURE() << "was accepted: " << text;
    return "";
}

std::set<std::string> ids_of(const SweepPlan& plan) {
    std::set<std::string> ids;
    for (const SweepNet& net : plan.nets) ids.insert(net.id);
    return ids;
}

TEST(SweepPlan, SettingsAreTheProductOfTheAxesAndNetsAreSeedBySeed) {
    const SweepPlan plan = tiny_plan(R"({"rate": [0.01, 0.02], "sigma": [0, 0.1, 0.2]})",
                                     R"({"first": 5, "count": 2})");
    ASSERT_EQ(plan.settings.size(), 6u);
    EXPECT_EQ(plan.label(0), "rate 0.01, sigma 0.0");
    EXPECT_EQ(plan.label(1), "rate 0.01, sigma 0.1");
    EXPECT_EQ(plan.label(5), "rate 0.02, sigma 0.2");
    ASSERT_EQ(plan.nets.size(), 12u);
    EXPECT_EQ(plan.nets[6].seed, 6u);
    EXPECT_EQ(plan.nets[6].setting, 0);
    EXPECT_EQ(ids_of(plan).size(), 12u);
}

TEST(SweepPlan, SeedsBeginAtOneUnlessThePlanSaysOtherwise) {
    const SweepPlan plan = tiny_plan("{}", R"({"count": 2})");
    ASSERT_EQ(plan.nets.size(), 2u);
    EXPECT_EQ(plan.nets[0].seed, 1u);
    EXPECT_EQ(plan.nets[1].seed, 2u);
}

TEST(SweepPlan, SpecHasSortedKeysAndNumbersInOneForm) {
    SweepPlan plan;
    plan.system = "toy";
    plan.settings = {{{"zeta", 2.0}, {"alpha", Index{3}}, {"mode", "b"}, {"fast", true}}};
    EXPECT_EQ(plan.spec({"", 0, 18446744073709551615u}),
              R"({"options":{"alpha":3,"fast":true,"mode":"b","zeta":2.0},)"
              R"("seed":18446744073709551615,"system":"toy"})");
}

TEST(SweepPlan, IdIsTheHashOfASpecWithAllOptionsHoweverTheyAreWritten) {
    const SweepPlan a = parse_sweep_plan(
        R"({"name": "one", "system": "flipflop", // comments are allowed
            "options": {"tau": 40, "units": 8}, "seeds": [7]})",
        "test");
    const SweepPlan b = parse_sweep_plan(
        R"({"name": "two", "system": "flipflop2013", "axes": {"units": [8], "tau": [4e1]},
            "seeds": {"first": 7, "count": 1}})",
        "test");
    EXPECT_EQ(a.spec(a.nets[0]), b.spec(b.nets[0]));
    EXPECT_EQ(a.nets[0].id, to_hex(hash64(a.spec(a.nets[0]))));
    for (const auto& [option, value] : a.sweep.options) {
        EXPECT_NE(a.spec(a.nets[0]).find("\"" + option + "\":"), std::string::npos) << option;
    }
    EXPECT_EQ(a.label(0), "all");
}

TEST(SweepPlan, AddingNetsChangesNoOther) {
    const std::set<std::string> few = ids_of(tiny_plan());
    const std::set<std::string> many =
        ids_of(tiny_plan(R"({"sigma": [0.2, 0.1], "rate": [0.03, 0.02, 0.01]})", "[4, 3, 2, 1]"));
    for (const std::string& id : few) EXPECT_TRUE(many.contains(id)) << id;
    EXPECT_EQ(many.size(), 24u);
}

TEST(SweepPlan, UnknownKeysAndNamesAreRefusedWithTheNearest) {
    const auto expect = [](const std::string& text, const std::string& part) {
        const std::string message = refusal(text);
        EXPECT_NE(message.find(part), std::string::npos) << message;
    };
    expect(plan_text("{}", "[1]", R"(, "sedes": 3)"), "no key 'sedes'; did you mean seeds?");
    expect(plan_text("{}", R"({"frist": 1})"), "no key 'frist'; did you mean first?");
    expect(plan_text(R"({"raate": [1]})", "[1]"), "no option 'raate'; did you mean rate?");
    expect(R"({"name": "x", "system": "flipflap", "seeds": [1]})", "did you mean flipflop?");
    expect(R"({"name": "x", "system": "perceptron", "seeds": [1]})", "no nets to sweep over");
    expect(R"({"system": "flipflop2013", "seeds": [1]})", "need a text for 'name'");
    expect(R"({"name": "a/b", "system": "flipflop2013", "seeds": [1]})", "becomes a folder");
    expect(R"({"name": "x", "system": "flipflop2013"})", "need 'seeds'");
    expect("[1]", "need an object");
}

TEST(SweepPlan, ValuesThatDoNotFitAreRefused) {
    const auto expect = [](const std::string& axes, const std::string& part) {
        const std::string message = refusal(plan_text(axes, "[1]"));
        EXPECT_NE(message.find(part), std::string::npos) << message;
    };
    expect(R"({"bits": [2.5]})", "option bits is 2.5; need a whole number");
    expect(R"({"bits": [18446744073709551615]})", "need a whole number");
    expect(R"({"rate": ["fast"]})", "option rate is \"fast\"; need a number");
    expect(R"({"rate": [true]})", "need a number");
    expect(R"({"rate": []})", "need a list of values");
    expect(R"({"rate": 0.1})", "need a list of values");
    expect(R"({"rate": [0.1, 1e-1]})", "axis rate lists 0.1 twice");
    expect(R"({"units": [6]})", "in both 'options' and 'axes'");
    expect(R"({"rate": [0.1], "rate": [0.2]})", "\"rate\" stands twice");
}

TEST(SweepPlan, SeedsThatAreNoneAreRefused) {
    for (const char* seeds : {"[]", "[-1]", "[1.5]", "7", R"({"count": 0})", R"({"first": 3})",
                              R"({"count": 18446744073709551615})", "[3, 3]"}) {
        refusal(plan_text("{}", seeds));
    }
}

TEST(SweepPlan, MalformedTextIsADataError) {
    for (const char* text : {"", "{", "{\"name\": }", "\xff\xfe", "{\"name\": 1e999}"}) {
        refusal(text, ErrorCode::data);
    }
}

// Runs the plan on thread ranks and returns both tables.
struct Swept {
    bool complete = true;
    std::string jsonl, csv;
    int computed = 0;
};

class SweepRun : public testing::Test {
protected:
    void SetUp() override {
        if (!linalg::available()) GTEST_SKIP() << "soma was built without LAPACK";
    }

    Swept run(const SweepPlan& plan, const std::string& log_name, int ranks = 1, int threads = 1,
              int stop_after = 1 << 30, bool retry_failed = false) {
        Swept r;
        std::atomic<int> computed{0};
        dist::run_thread_ranks(ranks, [&](dist::Comm& comm) {
            std::optional<train::SweepLog> log;
            if (comm.rank() == 0) log.emplace(folder_.file(log_name), plan.identity());
            SweepOptions options;
            options.threads = threads;
            options.retry_failed = retry_failed;
            options.stop_requested = [&] { return computed >= stop_after; };
            options.on_net = [&](const FinishedNet& net) {
                EXPECT_GE(net.seconds, 0);
                ++computed;
            };
            const bool complete = run_sweep(plan, comm, log ? &*log : nullptr, options);
            if (comm.rank() != 0) return;
            const std::vector<SweepRow> rows = rows_of(plan, *log);
            r.complete = complete;
            r.jsonl = results_jsonl(rows);
            r.csv = results_csv(plan, rows);
        });
        r.computed = computed;
        return r;
    }

    test::TempFolder folder_;
};

TEST_F(SweepRun, TablesAreTheSameForAnyRanksAndThreads) {
    const SweepPlan plan = tiny_plan();
    const Swept one = run(plan, "a");
    EXPECT_TRUE(one.complete);
    EXPECT_EQ(std::count(one.csv.begin(), one.csv.end(), '\n'), 7);
    for (const auto& [ranks, threads] : {std::pair{1, 2}, {2, 1}, {4, 1}, {2, 2}}) {
        const Swept other = run(plan, concat("b", ranks, threads), ranks, threads);
        EXPECT_EQ(other.jsonl, one.jsonl) << ranks << " ranks, " << threads << " threads";
        EXPECT_EQ(other.csv, one.csv);
    }
}

TEST_F(SweepRun, ResumesWhereItWasStoppedAndComputesNothingTwice) {
    const SweepPlan plan = tiny_plan();
    const Swept whole = run(plan, "whole");
    const Swept part = run(plan, "part", 1, 1, 2);
    EXPECT_FALSE(part.complete);
    EXPECT_GE(part.computed, 2);
    EXPECT_LT(part.computed, 6);
    const Swept rest = run(plan, "part", 2);
    EXPECT_TRUE(rest.complete);
    EXPECT_EQ(part.computed + rest.computed, 6);
    EXPECT_EQ(rest.jsonl, whole.jsonl);
    EXPECT_EQ(run(plan, "part").computed, 0);
}

TEST_F(SweepRun, AGrownPlanComputesOnlyWhatIsNewAndAnotherPlanIsRefused) {
    run(tiny_plan(), "log");
    const SweepPlan more = tiny_plan(R"({"rate": [0.02, 0.03, 0.01]})", "[1, 2, 3]");
    const Swept grown = run(more, "log");
    EXPECT_EQ(grown.computed, 3);
    EXPECT_EQ(grown.jsonl, run(more, "alone").jsonl);
    try {
        run(tiny_plan(R"({"rate": [0.02, 0.03]})"), "log");
        FAIL() << "was accepted";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::data);
        EXPECT_NE(std::string(e.what()).find("3 of 9 nets that are not in the plan"),
                  std::string::npos)
            << e.what();
    }
}

// A rate of 1e30 throws the weights out of the range of floats.
TEST_F(SweepRun, NetThatDivergesIsARecordedFailureAndTheOthersGoOn) {
    const SweepPlan plan = tiny_plan(R"({"rate": [0.02, 1e30]})", "[1, 2]");
    const Swept r = run(plan, "log", 2);
    EXPECT_TRUE(r.complete);
    EXPECT_EQ(r.computed, 4);
    std::size_t errors = 0;
    for (std::size_t at = 0; (at = r.jsonl.find("\"error\":", at)) != std::string::npos; ++at) {
        ++errors;
    }
    EXPECT_EQ(errors, 2u) << r.jsonl;
    EXPECT_EQ(run(plan, "log").computed, 0);
    EXPECT_EQ(run(plan, "log", 1, 1, 1 << 30, true).computed, 2);
    EXPECT_EQ(run(plan, "log").jsonl, r.jsonl);
}

// A system's net that measures what is no number, and one with text that CSV must quote.
TEST_F(SweepRun, MeasuresThatAreNotFiniteAreFailuresAndTextIsQuoted) {
    SweepPlan plan = tiny_plan("{}", "[1, 2]");
    plan.sweep.train = [](const train::Fields&, std::uint64_t seed, const std::function<bool()>&) {
        const double loss = seed == 1 ? std::nan("") : 0.1;
        return std::optional(train::Fields{{"loss", loss}, {"note", "a \"b\", c"}, {"good", true}});
    };
    const Swept r = run(plan, "log");
    EXPECT_NE(r.jsonl.find("\"error\":\"sweep: the net's loss is nan\""), std::string::npos)
        << r.jsonl;
    EXPECT_NE(r.csv.find(",0.1,\"a \"\"b\"\", c\",true,\n"), std::string::npos) << r.csv;
}

}  // namespace
}  // namespace soma::systems
