// The judgements of soma info --mpi on fixed facts, and the record they compare with.
#include "cli/mpi_checks.h"

#include <gtest/gtest.h>

#include <fstream>

#include "soma/core/error.h"
#include "support/program.h"

namespace soma::cli {
namespace {

using test::contains;

HostFacts healthy(const std::string& host) {
    return {.host = host,
            .interfaces = {{"eth0", "10.77.0.0/24"}},
            .chosen = "",
            .library = "Open MPI v4.1.4"};
}

// Three ranks on two hosts.
std::vector<HostFacts> healthy_hosts() {
    return {healthy("node1"), healthy("node1"), healthy("node2")};
}

Cluster recorded_pair() {
    return {.ranks = 2,
            .hosts = 2,
            .latency = 11.5e-6,
            .seconds_per_byte = 8.5e-9,
            .pingpong = {{8, 12e-6}},
            .allreduce = {{4096, 60e-6}}};
}

TEST(HostFacts, NetworksAndLibrariesAsText) {
    EXPECT_EQ(network_text(0x0A4D0001, 0xFFFFFF00), "10.77.0.0/24");
    EXPECT_EQ(network_text(0xC0A80A07, 0xFFFFF000), "192.168.0.0/20");
    EXPECT_EQ(library_name("Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4"),
              "Open MPI v4.1.4");
    EXPECT_EQ(library_name("MPICH Version:\t4.0.2\nMPICH Release date:\tx"),
              "MPICH Version: 4.0.2");
    EXPECT_EQ(progress_from("(MPI_THREAD_MULTIPLE: yes, OMPI progress: no, ORTE progress: yes)"),
              "no");
    EXPECT_EQ(progress_from("bash: ompi_info: not found"), "unknown");
}

TEST(MpiChecks, HealthyHostsRaiseNoWarning) {
    const std::vector<HostFacts> facts = healthy_hosts();

    EXPECT_EQ(check_hosts(facts).value, "3 on 2 hosts: node1 (2), node2 (1)");
    EXPECT_EQ(check_interfaces(facts).value, "node1: eth0 10.77.0.0/24; node2: eth0 10.77.0.0/24");
    EXPECT_TRUE(check_interfaces(facts).ok());
    for (const Check& c : check_limits(facts)) EXPECT_TRUE(c.ok()) << c.name;
    for (const Check& c : check_library(facts, "serialized", "no")) EXPECT_TRUE(c.ok()) << c.name;
}

TEST(MpiChecks, SeveralNetworksNeedAChoiceBetweenHosts) {
    std::vector<HostFacts> facts = healthy_hosts();
    for (HostFacts& f : facts) {
        f.interfaces.insert(f.interfaces.begin(), {"docker0", "172.17.0.0/" + f.host});
    }

    const Check check = check_interfaces(facts);
    EXPECT_EQ(check.problem, "node1 has several networks and none is chosen");
    EXPECT_TRUE(check.fix.starts_with("mpirun --mca btl_tcp_if_include 10.77.0.0/24 "))
        << check.fix;
    EXPECT_EQ(early_warning(facts[0]),
              "node1 has several networks and none is chosen (docker0 172.17.0.0/node1, eth0 "
              "10.77.0.0/24); if MPI fails now: mpirun --mca btl_tcp_if_include NETWORK/BITS --mca "
              "oob_tcp_if_include NETWORK/BITS ...");
    EXPECT_EQ(early_warning(healthy("node1")), "");
    EXPECT_TRUE(check_interfaces(std::span(facts).first(2)).ok());  // one host: nothing travels
    for (HostFacts& f : facts) f.chosen = "eth0";
    EXPECT_TRUE(check_interfaces(facts).ok());
    for (HostFacts& f : facts) {
        f.chosen = "";
        f.library = "MPICH Version: 4.0.2";
    }
    EXPECT_TRUE(contains(check_interfaces(facts).fix, "-iface"));
}

TEST(MpiChecks, TightLimitsNameTheRankAndTheCommand) {
    std::vector<HostFacts> facts = healthy_hosts();
    facts[2].open_files = 128;
    facts[1].stack = 1 << 20;
    facts[2].locked_memory = 64 << 10;

    std::vector<Check> checks = check_limits(facts);
    ASSERT_EQ(checks.size(), 3u);
    EXPECT_EQ(checks[0].value, "64 KB");
    EXPECT_TRUE(checks[0].ok());  // no RDMA
    EXPECT_EQ(checks[1].problem, "rank 2 (node2): 3 ranks want 259");
    EXPECT_TRUE(checks[1].fix.starts_with("ulimit -n 259")) << checks[1].fix;
    EXPECT_EQ(checks[2].problem, "rank 1 (node1): less than 8 MB");
    facts[0].rdma = true;
    EXPECT_FALSE(check_limits(facts)[0].ok());
}

TEST(MpiChecks, ClocksThatDifferForSureAreNamed) {
    const std::vector<HostFacts> facts = healthy_hosts();

    const std::vector<dist::ClockOffset> apart{{0, 0}, {0.001, 0.0001}, {-0.5, 0.001}};
    const Check check = check_clocks(facts, apart);
    EXPECT_EQ(check.value, "500.000 +- 1.000 ms");
    EXPECT_EQ(check.problem, "the clock of rank 2 (node2) is behind rank 0's");
    EXPECT_TRUE(contains(check.fix, "on node2")) << check.fix;
    const std::vector<dist::ClockOffset> unsure{{0, 0}, {0.02, 0.015}, {0, 0}};
    EXPECT_TRUE(check_clocks(facts, unsure).ok());
}

TEST(MpiChecks, OtherLibrariesAndMissingThreadsAreWarnings) {
    std::vector<HostFacts> facts = healthy_hosts();
    facts[2].library = "Open MPI v5.0.3";

    const std::vector<Check> checks = check_library(facts, "funneled", "no");
    ASSERT_EQ(checks.size(), 3u);
    EXPECT_EQ(checks[0].problem, "rank 2 (node2) has Open MPI v5.0.3");
    EXPECT_FALSE(checks[1].ok());
    EXPECT_EQ(checks[2].fix, "soma train ... --progress poll");
    facts[0].library = "MPICH Version: 4.0.2";  // beside an Open MPI whose ompi_info was asked
    EXPECT_TRUE(check_library(facts, "serialized", "yes")[2].value.starts_with("unknown"));
}

TEST(MpiChecks, BindingSplitsProblemAndRepair) {
    const std::vector<dist::Placement> strangled{
        {.host = "node1", .cpus = {0}, .threads = 2, .threads_chosen = true, .host_cores = 4}};

    const std::vector<Check> checks = check_binding(dist::describe_mapping(strangled));
    ASSERT_EQ(checks.size(), 1u);
    EXPECT_EQ(checks[0].problem, "E-BIND: rank 0 (node1) runs 2 threads on 1 core");
    EXPECT_TRUE(checks[0].fix.starts_with("mpirun --map-by ppr:1:numa:PE=2")) << checks[0].fix;
    dist::Mapping idle;
    idle.warnings = {"rank 0 uses 1 thread on 4 cores; use mpirun -x SOMA_NUM_THREADS=4 ..."};
    EXPECT_EQ(check_binding(idle)[0].fix, "mpirun -x SOMA_NUM_THREADS=4 ...");
    EXPECT_TRUE(check_binding({})[0].ok());
}

TEST(MpiChecks, WhatIsSlowerThanRecordedIsSaid) {
    const Cluster here{.ranks = 2, .hosts = 2}, record = recorded_pair();

    const Check slow = check_time(Message::pingpong, {8, 30e-6}, 0, here, &record);
    EXPECT_EQ(slow.value, "30.00 us, recorded 12.00 us");
    EXPECT_EQ(slow.problem, "2.50 times the time recorded");
    EXPECT_TRUE(check_time(Message::pingpong, {8, 13e-6}, 0, here, &record).ok());
    EXPECT_EQ(check_time(Message::pingpong, {1 << 20, 1e-3}, 0, here, &record).value,
              "1000.00 us, 1.05 GB/s");
    EXPECT_FALSE(check_time(Message::allreduce, {4096, 90e-6}, 70e-6, here, &record).ok());
    EXPECT_TRUE(check_record(here, &record)[0].ok());
}

TEST(MpiChecks, SumsOfOtherRanksAndMessagesOfOtherReachAreNotCompared) {
    const Cluster record = recorded_pair();
    const Cluster four{.ranks = 4, .hosts = 2}, alone{.ranks = 2, .hosts = 1};

    EXPECT_TRUE(check_time(Message::allreduce, {4096, 1}, 0, four, &record).ok());
    EXPECT_FALSE(check_time(Message::pingpong, {8, 1}, 0, four, &record).ok());
    EXPECT_TRUE(check_time(Message::pingpong, {8, 1}, 0, alone, &record).ok());
    EXPECT_EQ(check_record(four, &record)[0].problem, "here 4 on 2: sums are not compared");
    EXPECT_EQ(check_record(alone, &record)[0].problem, "here 2 on 1: nothing is compared");
    EXPECT_TRUE(check_record(alone, nullptr).empty());
}

TEST(MpiChecks, TextPutsTheRepairBelowTheLine) {
    const std::vector<Check> checks{{"a", "1"}, {"stack", "2", "small", "ulimit -s 8192"}};

    EXPECT_EQ(checks_text(checks),
              "a      ok       1\n"
              "stack  warning  2\n"
              "    small\n"
              "    fix: ulimit -s 8192\n");
}

TEST(Cluster, IsReadAsItWasWritten) {
    const Cluster cluster = cluster_from(to_json(recorded_pair()).dump(), "x");

    EXPECT_EQ(cluster.ranks, 2);
    EXPECT_DOUBLE_EQ(cluster.latency, 11.5e-6);
    EXPECT_DOUBLE_EQ(cluster.seconds_per_byte, 8.5e-9);
    ASSERT_EQ(cluster.pingpong.size(), 1u);
    EXPECT_DOUBLE_EQ(cluster.pingpong[0].seconds, 12e-6);
    EXPECT_EQ(cluster.allreduce[0].bytes, 4096);
}

TEST(Cluster, DamagedRecordsNameTheField) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"", "no JSON object"},
        {"[]", "no JSON object"},
        {R"({"schema": 2})", "schema 2"},
        {R"({"schema": 1, "ranks": "two"})", "'ranks' is missing or no number"},
        {R"({"schema": 1, "ranks": 0})", "'ranks' is 0"},
        {R"({"schema": 1, "ranks": 2, "hosts": 1, "latency_us": -1})", "'latency_us' is -1"},
        {R"({"schema": 1, "ranks": 2, "hosts": 1, "latency_us": 1, "ns_per_byte": 1,
             "pingpong": [3]})",
         "'bytes' is missing"}};
    for (const auto& [text, message] : cases) {
        try {
            cluster_from(text, "c.json");
            ADD_FAILURE() << text << " was accepted";
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::data);
            EXPECT_TRUE(contains(e.what(), "c.json: ")) << e.what();
            EXPECT_TRUE(contains(e.what(), message)) << e.what();
        }
    }
}

using ClusterProgram = test::ProgramTest;

TEST_F(ClusterProgram, PlanTakesTheNetworkFromARecord) {
    std::ofstream(folder_.file("c.json")) << to_json(recorded_pair());
    const std::vector<std::string> net{"plan", "--parameters", "1e6", "--step-ms", "20", "--json"};
    const auto with = [&](std::vector<std::string> more) {
        more.insert(more.begin(), net.begin(), net.end());
        return run(more);
    };

    const test::Result recorded = with({"--cluster", "c.json"});
    const test::Result given = with({"--latency-us", "11.5", "--ns-per-byte", "8.5"});
    EXPECT_EQ(recorded.code, 0) << recorded.err;
    const auto rows = [](const test::Result& r) { return nlohmann::json::parse(r.out)["rows"]; };
    EXPECT_NEAR(rows(recorded)[3]["step_seconds"], rows(given)[3]["step_seconds"], 1e-12);

    EXPECT_EQ(with({"--cluster", "nowhere.json"}).code, 65);
    EXPECT_EQ(with({"--cluster", "c.json", "--net", "1gbe"}).code, 2);
}

TEST_F(ClusterProgram, InfoWithoutALauncherSaysHowToStartIt) {
    const test::Result r = run({"info", "--mpi"});
    EXPECT_EQ(r.code, 2);
    EXPECT_TRUE(contains(r.err, "mpirun -np 2 soma info --mpi")) << r.err;

    EXPECT_EQ(run({"info", "--cluster", "c.json"}).code, 2);
}

}  // namespace
}  // namespace soma::cli
