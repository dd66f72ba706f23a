// The supervisor without MPI: what it decides, and shell scripts in the place of mpirun.

#include "cli/supervise.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/launcher.h"
#include "soma/core/error.h"
#include "soma/dist/collectives.h"
#include "soma/dist/progress.h"
#include "soma/dist/schedule.h"
#include "soma/dist/thread_ranks.h"
#include "support/program.h"

namespace soma::cli {
namespace {

using test::contains;
using test::content;
using test::Result;

std::vector<std::string> names(std::span<const Host> hosts) {
    std::vector<std::string> out;
    for (const Host& host : hosts) out.push_back(host.name);
    return out;
}

TEST(SplitWords, SplitsAtBlanksOutsideQuotes) {
    const std::vector<std::string> expected = {"mpirun", "-np", "{P}", "-x", "A=b c", ""};
    EXPECT_EQ(split_words("  mpirun -np {P}\t-x 'A=b c' \"\" "), expected);
    EXPECT_THROW(split_words("mpirun 'np"), Error);
}

TEST(ParseHosts, ReadsTheFormsOfOpenMpiAndMpich) {
    const auto hosts = parse_hosts("# cluster\nnode1 slots=4 max_slots=8\n\nnode2:2\nnode3\n", "f");
    EXPECT_EQ(names(hosts), (std::vector<std::string>{"node1", "node2", "node3"}));
    EXPECT_EQ(hosts[0].slots, 4);
    EXPECT_EQ(hosts[1].slots, 2);
    EXPECT_EQ(hosts[1].line, "node2:2");
    EXPECT_EQ(hosts[2].slots, 1);
    EXPECT_THROW(parse_hosts("# none\n", "f"), Error);
    EXPECT_THROW(parse_hosts("node1 slots=many\n", "f"), Error);
    EXPECT_THROW(parse_hosts("node1:0\n", "f"), Error);
}

TEST(BlamedHost, IsThatOfTheKilledOrSilentRank) {
    EXPECT_EQ(blamed_host("mpirun noticed that process rank 1 with PID 77 on node node2 exited on "
                          "signal 9 (Killed)."),
              "node2");
    EXPECT_EQ(blamed_host("  HNP daemon   : [[634,0],0] on node node1\n"
                          "  Remote daemon: [[634,0],1] on node node3\n"),
              "node3");
    EXPECT_EQ(blamed_host("no such words"), "");
}

TEST(BlamedHost, IsThatOfTheRankForWhichTheOthersWait) {
    const auto wait = [](const char* who, const char* whom) {
        return concat("soma: [", who, "] dist: ", who, " waited 5 s to receive 8 bytes from ", whom,
                      ", tag 3, and to send 8 bytes to ", whom, ", tag 3\n");
    };
    const std::string others = wait("rank 1 (b)", "rank 3 (d)") + wait("rank 0 (a)", "rank 1 (b)");
    EXPECT_EQ(blamed_host(others + wait("rank 2 (c)", "rank 3 (d)")), "d");
    // The stopped rank is woken to be ended, and then has waited too.
    EXPECT_EQ(
        blamed_host(others + wait("rank 2 (c)", "rank 3 (d)") + wait("rank 3 (d)", "rank 2 (c)")),
        "d");
}

// What rank 0 says when rank 1 does not answer what it does.
template <class Collective>
void expect_blame_of_the_silent(Collective collective) {
    dist::run_thread_ranks(2, [&](dist::Comm& comm) {
        if (comm.rank() == 1) return;
        comm.set_timeout(0.01);
        try {
            collective(comm);
            ADD_FAILURE() << "no error";
        } catch (const Error& e) {
            EXPECT_EQ(blamed_host(e.what()), comm.host_of(1)) << e.what();
        }
    });
}

TEST(BlamedHost, UnderstandsWhatAWaitingRankSays) {
    std::vector<float> data(10);
    expect_blame_of_the_silent([](dist::Comm& comm) { comm.barrier(); });
    expect_blame_of_the_silent([&](dist::Comm& comm) {
        dist::Allreduce<float>(comm, data, dist::plain_add<float>,
                               dist::doubling_schedule(2, comm.rank(), 10), {.tag = 0})
            .run(comm);
    });
    using dist::ProgressMode;
    for (const ProgressMode mode : {ProgressMode::thread, ProgressMode::poll, ProgressMode::none}) {
        expect_blame_of_the_silent([&](dist::Comm& comm) {
            dist::Allreduce<float> sum(comm, data, dist::plain_add<float>,
                                       dist::doubling_schedule(2, comm.rank(), 10), {.tag = 0});
            dist::ProgressEngine engine(comm, 1, {.mode = mode});
            engine.launch(sum);
            engine.finish();
        });
    }
}

TEST(RanksThatDivide, IsTheLargestThatFits) {
    EXPECT_EQ(ranks_that_divide(16, 16), 16);
    EXPECT_EQ(ranks_that_divide(16, 7), 4);
    EXPECT_EQ(ranks_that_divide(4, 9), 4);
    EXPECT_EQ(ranks_that_divide(4, 0), 1);
}

TEST(RestartPolicy, WithoutHostsTriesAgainThenWithFewerRanksThenEnds) {
    RestartPolicy policy(4, {}, 0);
    EXPECT_TRUE(policy.restarts_after({.code = 137, .step = 0, .shards = 4}));
    EXPECT_EQ(policy.ranks(), 4);
    EXPECT_TRUE(policy.restarts_after({.code = 137, .step = 0, .shards = 4}));
    EXPECT_EQ(policy.ranks(), 2);
    EXPECT_FALSE(policy.restarts_after({.code = 137, .step = 0, .shards = 4}));
}

TEST(RestartPolicy, ANewCheckpointStartsTheCountAnew) {
    RestartPolicy policy(2, {}, 10);
    for (Index step = 20; step < 400; step += 20) {
        EXPECT_TRUE(policy.restarts_after({.code = 74, .step = step, .shards = 4})) << step;
        EXPECT_EQ(policy.ranks(), 2);
    }
}

TEST(RestartPolicy, DropsTheHostThatIsNamedAndFitsTheRanksToTheOthers) {
    RestartPolicy policy(8, parse_hosts("a slots=4\nb.cluster slots=4\nc slots=2\n", "f"), 0);
    EXPECT_TRUE(policy.restarts_after(
        {.code = 137, .report = "Remote daemon: [[1,0],1] on node b", .step = 5, .shards = 16}));
    EXPECT_EQ(names(policy.hosts()), (std::vector<std::string>{"a", "c"}));
    EXPECT_EQ(policy.ranks(), 4);
    const std::string unknown = "Remote daemon: [[1,0],1] on node elsewhere";
    EXPECT_TRUE(policy.restarts_after({.code = 137, .report = unknown, .step = 9, .shards = 16}));
    EXPECT_EQ(names(policy.hosts()), (std::vector<std::string>{"a", "c"}));
}

TEST(RestartPolicy, KeepsTheLastHost) {
    RestartPolicy policy(2, parse_hosts("a slots=2\n", "f"), 0);
    EXPECT_TRUE(policy.restarts_after(
        {.code = 137, .report = "Remote daemon: [[1,0],1] on node a", .step = 5, .shards = 4}));
    EXPECT_EQ(policy.hosts().size(), 1u);
    EXPECT_EQ(policy.ranks(), 2);
}

TEST(RestartPolicy, WhatWouldFailAgainIsNotTried) {
    for (const int code : {2, 65, 71, 127}) {
        RestartPolicy policy(2, {}, 0);
        EXPECT_FALSE(policy.restarts_after({.code = code, .step = 5, .shards = 4})) << code;
    }
}

TEST(StartCommand, PutsLauncherProgramAndOptionsTogether) {
    const Supervision run{.command = "mpirun -np {P} --hostfile {hosts}",
                          .hosts = "hosts",
                          .program = "/bin/soma",
                          .training = {"train", "x", "--seed=3"},
                          .folder = "runs/x"};
    const std::vector<std::string> expected = {
        "mpirun", "-np", "4",        "--hostfile",      "f",         "/bin/soma",
        "train",  "x",   "--seed=3", "--folder=runs/x", "--resume=c"};
    EXPECT_EQ(start_command(run, 4, "f", {.checkpoint = "c"}), expected);
    EXPECT_THROW(start_command(run, 4, "", {}), Error);
    EXPECT_THROW(start_command({.command = "mpirun", .program = "s"}, 2, "", {}), Error);
    EXPECT_THROW(start_command({.command = " ", .program = "s"}, 1, "", {}), Error);
}

TEST(RunLauncher, ReturnsTheCodeAndTheEndOfStandardError) {
    const LauncherResult r = run_launcher({"sh", "-c", "echo words >&2; exit 74"});
    EXPECT_EQ(r.code, 74);
    EXPECT_EQ(r.report, "words\n");
    EXPECT_EQ(run_launcher({"sh", "-c", "kill -KILL $$"}).code, 128 + SIGKILL);
    const LauncherResult absent = run_launcher({"/no/such/launcher"});
    EXPECT_EQ(absent.code, 127);
    EXPECT_TRUE(contains(absent.report, "/no/such/launcher: No such file")) << absent.report;
}

TEST(RunLauncher, KillsWhatTheLauncherLeavesBehind) {
    const test::TempFolder folder;
    const std::string file = folder.file("pid");
    // In a process group of its own, as Open MPI's ranks are.
    run_launcher({"sh", "-c", "setsid sleep 1000 & echo $! > " + file + "; exit 1"});
    const pid_t left = std::stoi(content(file));
    EXPECT_NE(kill(left, 0), 0);
}

// ---- the program, with scripts as launchers ----

class Supervised : public test::ProgramTest {
protected:
    std::string script(const std::string& name, const std::string& text) {
        std::ofstream(folder_.file(name)) << text;
        return "sh " + folder_.file(name) + " {P}";
    }
    Result train(const std::string& launcher, const std::vector<std::string>& more = {}) {
        std::vector<std::string> arguments = {"train",
                                              "lecun1989",
                                              "--set=embedded",
                                              "--steps=3000",
                                              "--checkpoint-every=100",
                                              "--quiet",
                                              "--num-threads=1",
                                              "--supervise",
                                              launcher,
                                              "--ranks=1"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(arguments);
    }
    static std::string weights(const Result& r) {
        const std::size_t at = r.out.rfind("weights: ");
        return at == std::string::npos ? r.err : r.out.substr(at, 25);
    }
};

// Kills the training when it has written a checkpoint and damages the newest, twice; then lets it
// end.
constexpr const char* kKillsTwice = R"sh(
shift
echo start >> starts
case $(wc -l < starts) in
1) first=step-00000100 ;;
2) first=step-00000700 ;;
*) exec "$@" ;;
esac
"$@" &
while ! ls runs/*/checkpoints/$first.safetensors >/dev/null 2>&1; do
    kill -0 $! || break
done
kill -KILL $!
wait $!
code=$?
truncate -s 9000 "$(ls runs/*/checkpoints/step-*.safetensors | tail -n 1)"
exit $code
)sh";

TEST_F(Supervised, ARunThatIsKilledTwiceEndsWithTheBitsOfAnUndisturbedOne) {
    const Result straight =
        run({"train", "lecun1989", "--set=embedded", "--steps=3000", "--num-threads=1", "--quiet"});
    std::filesystem::remove_all(folder_.file("runs"));
    const Result r = train(script("kills", kKillsTwice), {"--keep=100"});
    EXPECT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(weights(r), weights(straight)) << r.err;
    EXPECT_TRUE(contains(r.err, "passed over safetensors: runs/")) << r.err;
    const std::string folder = std::filesystem::directory_iterator(folder_.file("runs"))->path();
    EXPECT_TRUE(contains(content(folder + "/log.jsonl"), "\"event\":\"restart\"")) << r.err;
}

TEST_F(Supervised, ThreeFailuresWithoutAStepEndIt) {
    const Result r = train(script("fails", "echo \"$1\" >> starts; exit 74\n"), {"--ranks=4"});
    EXPECT_EQ(r.code, 74);
    EXPECT_EQ(content(folder_.file("starts")), "4\n4\n2\n") << r.err;
}

TEST_F(Supervised, WrongUsageIsNotRepeatedAndLeavesNoFolder) {
    const Result r = train(script("runs_it", "echo >> starts; shift; exec \"$@\"\n"),
                           {"--batch=6", "--shards=4"});
    EXPECT_EQ(r.code, 2) << r.err;
    EXPECT_EQ(content(folder_.file("starts")), "\n");
    EXPECT_TRUE(std::filesystem::is_empty(folder_.file("runs")));
    EXPECT_EQ(train("mpirun -np 2", {"--ranks=2"}).code, 2);
    EXPECT_EQ(train("mpirun -np {P} --hostfile {hosts}").code, 2);
    EXPECT_EQ(train("mpirun -np {P}", {"--hosts=absent"}).code, 65);
    EXPECT_EQ(train("/no/such/launcher {P}").code, 127);
    EXPECT_EQ(train("").code, 2);
    EXPECT_EQ(train("env P={P}", {"--dry-run"}).code, 0);
    EXPECT_TRUE(std::filesystem::is_empty(folder_.file("runs")));
}

TEST_F(Supervised, AStopIsPassedOnAndItsCodeReturned) {
    // Says when the training may be stopped, and hands the signal on as mpirun does.
    const std::string launcher = script("forwards", R"(
shift
"$@" &
trap "kill -USR1 $!" USR1
touch started
wait $!
code=$?
[ $code -gt 128 ] && { wait $!; code=$?; }
exit $code
)");
    const pid_t child = start({"train", "lecun1989", "--set=embedded", "--epochs=5000", "--quiet",
                               "--num-threads=1", "--supervise", launcher, "--ranks=1"});
    const auto exists = [&] {
        for (const auto& e : std::filesystem::recursive_directory_iterator(folder_.path())) {
            if (e.path().extension() == ".safetensors") return true;
        }
        return false;
    };
    for (int i = 0; i < 3000 && !exists(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    kill(child, SIGTERM);
    const Result r = finish(child);
    EXPECT_EQ(r.code, 85) << r.err;
    EXPECT_TRUE(contains(r.out, "stopped on request")) << r.out << r.err;
}

}  // namespace
}  // namespace soma::cli
