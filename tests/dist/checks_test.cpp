// What is checked between ranks: fingerprint, replicas, mapping.

#include <gtest/gtest.h>

#include "soma/core/error.h"
#include "soma/dist/fingerprint.h"
#include "soma/dist/replica_check.h"
#include "soma/dist/thread_ranks.h"
#include "soma/dist/topology.h"

namespace soma::dist {
namespace {

// The error of a body that must fail on every rank alike.
Error common_error(int ranks, const std::function<void(Comm&)>& body) {
    std::vector<std::string> messages(static_cast<std::size_t>(ranks));
    ErrorCode code{};
    run_thread_ranks(ranks, [&](Comm& comm) {
        try {
            body(comm);
        } catch (const Error& e) {
            messages[static_cast<std::size_t>(comm.rank())] = e.what();
            if (comm.rank() == 0) code = e.code();
        }
    });
    for (const std::string& message : messages) EXPECT_EQ(message, messages[0]);
    return {code, messages[0]};
}

TEST(Fingerprint, EqualFieldsPass) {
    run_thread_ranks(4, [](Comm& comm) {
        EXPECT_NO_THROW(check_fingerprint(comm, {{"seed", "1"}, {"shards", "16"}}));
    });
}

TEST(Fingerprint, MismatchNamesTheFieldTheValuesAndTheRanks) {
    const Error e = common_error(4, [](Comm& comm) {
        check_fingerprint(comm, {{"shards", "16"}, {"seed", comm.rank() == 2 ? "7" : "1"}});
    });
    const std::string host = make_self_comm()->host();
    EXPECT_EQ(e.exit_code(), 71);
    EXPECT_EQ(e.what(),
              "fingerprint: ranks were started with different configurations\n"
              "  seed: 1 on ranks 0-1, 3 (" +
                  host + "); 7 on rank 2 (" + host + ")");
}

TEST(Fingerprint, AFieldThatOneRankLacksIsNamed) {
    const Error e = common_error(2, [](Comm& comm) {
        FingerprintFields fields{{"seed", "1"}};
        if (comm.rank() == 1) fields.emplace_back("wire", "bf16");
        check_fingerprint(comm, fields);
    });
    EXPECT_NE(std::string(e.what()).find("wire: (absent) on rank 0"), std::string::npos)
        << e.what();
}

TEST(Fingerprint, LongValuesAreShownWhereTheyDiffer) {
    const Error e = common_error(2, [](Comm& comm) {
        std::string config(5000, '.');
        config += comm.rank() == 0 ? "lr = 0.1" : "lr = 0.2";
        check_fingerprint(comm, {{"config", config}});
    });
    const std::string message = e.what();
    EXPECT_NE(message.find("lr = 0.1 on rank 0"), std::string::npos) << message;
    EXPECT_NE(message.find("lr = 0.2 on rank 1"), std::string::npos) << message;
    EXPECT_LT(message.size(), 400u);
}

// Two tensors; rank `odd` holds another value in element `where` of the second.
std::function<void(Comm&)> replicas(int odd, int where) {
    return [=](Comm& comm) {
        std::vector<float> first(100, 1.0f), second(50, 2.0f);
        if (comm.rank() == odd) second[static_cast<std::size_t>(where)] = 2.0000002f;
        const NamedBytes tensors[] = {{"conv1.weight", std::as_bytes(std::span(first))},
                                      {"fc.bias", std::as_bytes(std::span(second))}};
        check_replicas(comm, 300, tensors);
    };
}

TEST(ReplicaCheck, EqualReplicasPass) { EXPECT_NO_THROW(run_thread_ranks(4, replicas(-1, 0))); }

TEST(ReplicaCheck, NamesStepTensorAndMinority) {
    const Error e = common_error(4, replicas(3, 49));
    EXPECT_EQ(e.exit_code(), 72);
    EXPECT_EQ(e.what(), "replicas: after step 300 fc.bias on rank 3 (" + make_self_comm()->host() +
                            ") differs from the other ranks");
}

TEST(ReplicaCheck, RankZeroCanBeTheMinorityAndWinsATie) {
    EXPECT_NE(std::string(common_error(4, replicas(0, 1)).what()).find("on rank 0 ("),
              std::string::npos);
    EXPECT_NE(std::string(common_error(2, replicas(0, 1)).what()).find("on rank 1 ("),
              std::string::npos);
}

Placement placement(const std::string& host, std::vector<int> cpus, int threads) {
    return {.host = host,
            .cpus = std::move(cpus),
            .threads = threads,
            .threads_chosen = true,
            .host_cores = 4};
}

TEST(Mapping, TableShowsHostCoresAndThreads) {
    const Mapping mapping = describe_mapping(
        std::vector{placement("node1", {0, 1}, 2), placement("long-name", {0, 1, 3}, 3)});
    EXPECT_EQ(mapping.table,
              "rank  host       cpus    threads  binding\n"
              "0     node1      0-1     2        ok\n"
              "1     long-name  0-1, 3  3        ok\n");
    EXPECT_TRUE(mapping.warnings.empty());
    EXPECT_EQ(mapping.error, "");
}

TEST(Mapping, SeveralThreadsOnOneCoreAreAnErrorWithTheFlagsToPaste) {
    const Mapping mapping =
        describe_mapping(std::vector{placement("node1", {0}, 1), placement("node2", {2}, 4)});
    EXPECT_NE(mapping.table.find("1     node2  2     4        E-BIND: 4 threads on 1 core"),
              std::string::npos)
        << mapping.table;
    EXPECT_EQ(mapping.error,
              "E-BIND: rank 1 (node2) runs 4 threads on 1 core\n"
              "  fix: mpirun --map-by ppr:1:numa:PE=4 --bind-to core ...   or   mpirun --bind-to "
              "none ...");
}

TEST(Mapping, AMachineOfOneCoreIsNoBindingError) {
    Placement only = placement("small", {0}, 2);
    only.host_cores = 1;
    EXPECT_EQ(describe_mapping({&only, 1}).error, "");
}

TEST(Mapping, WarnsWhenAHostsThreadsExceedItsCores) {
    const std::vector<int> all{0, 1, 2, 3};
    const Mapping mapping =
        describe_mapping(std::vector{placement("node1", all, 4), placement("node1", all, 4)});
    ASSERT_EQ(mapping.warnings.size(), 1u);
    EXPECT_EQ(mapping.warnings[0],
              "node1 runs 8 threads of 2 ranks on 4 cores; use mpirun -x SOMA_NUM_THREADS=2 ...");
}

TEST(Mapping, WarnsWhenOneThreadByDefaultOwnsSeveralCores) {
    Placement idle = placement("node1", {0, 1, 2, 3}, 1);
    EXPECT_TRUE(describe_mapping({&idle, 1}).warnings.empty());
    idle.threads_chosen = false;
    EXPECT_EQ(describe_mapping({&idle, 1}).warnings.size(), 1u);
}

TEST(Mapping, PlacementsSurviveTheExchange) {
    run_thread_ranks(3, [](Comm& comm) {
        const std::string host = comm.rank() == 1 ? "host with spaces" : "node";
        const auto all = gather_placements(comm, placement(host, {comm.rank(), 7}, 5));
        ASSERT_EQ(all.size(), 3u);
        EXPECT_EQ(all[1].host, "host with spaces");
        EXPECT_EQ(all[2].cpus, (std::vector{2, 7}));
        EXPECT_EQ(all[0].threads, 5);
        EXPECT_TRUE(all[0].threads_chosen);
        EXPECT_EQ(all[0].host_cores, 4);
    });
}

TEST(Mapping, AStrangledRankStopsAllRanksWithExitCode2) {
    const Error e = common_error(2, [](Comm& comm) {
        check_mapping(comm, placement("node", {0}, comm.rank() == 1 ? 2 : 1));
    });
    EXPECT_EQ(e.exit_code(), 2);
}

}  // namespace
}  // namespace soma::dist
