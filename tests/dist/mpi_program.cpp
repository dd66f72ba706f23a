// What only real processes can show; run by tools/mpi_test.sh on P ranks.
//
//   mpi_program P messages      lengths around the 1 MB chunk arrive; all collectives agree
//   mpi_program P strict        a step over P processes equals the same step on one rank
//   mpi_program P length        a wrong length is an error that ends all ranks with code 70
//   mpi_program P timeout       a silent peer ends all ranks with code 74
//   mpi_program P fingerprint   ranks with another seed end with code 71
//   mpi_program P exception     an error that leaves main's scope ends all ranks with its code 65
//   mpi_program P terminate     an exception in a helper thread ends all ranks with code 65
//   mpi_program P code          all ranks return 85 after MPI ended

#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <thread>

#include "dist/shard_data.h"
#include "soma/core/error.h"
#include "soma/dist/data_parallel.h"
#include "soma/dist/fingerprint.h"
#include "soma/dist/replica_check.h"
#include "soma/dist/topology.h"

namespace soma::dist {
namespace {

void require(bool condition, const std::string& what) {
    if (!condition) fail(ErrorCode::internal, "failed: ", what);
}

void swap_with_neighbour(Comm& comm, Index bytes) {
    const int peer = comm.rank() ^ 1;
    std::string out(static_cast<std::size_t>(bytes), static_cast<char>('a' + comm.rank()));
    std::string in(out.size(), ' ');
    comm.exchange(out.data(), in.data(), bytes, peer, 3);
    require(in == std::string(in.size(), static_cast<char>('a' + peer)), concat(bytes, " bytes"));
}

int messages(Comm& comm) {
    constexpr Index mb = Index{1} << 20;
    if (comm.size() > 1) {
        for (const Index bytes : {Index{0}, Index{1}, mb - 1, mb, mb + 1, 3 * mb + 5}) {
            swap_with_neighbour(comm, bytes);
        }
    }
    comm.barrier();
    int value = comm.rank();
    comm.bcast(&value, sizeof value, comm.size() - 1);
    require(value == comm.size() - 1, "bcast");
    const std::vector<std::string> names = comm.allgather(comm.name_of(comm.rank()));
    for (int r = 0; r < comm.size(); ++r) {
        require(names[static_cast<std::size_t>(r)] == comm.name_of(r), "allgather");
    }
    require(comm.local_size() == comm.size() && comm.local_rank() == comm.rank(), "one host");
    const auto part = comm.split(comm.rank() % 2, -comm.rank());
    require(part->rank() == part->size() - 1 - comm.rank() / 2, "split orders by key");
    part->barrier();
    return 0;
}

// One step of 8 shards; three parameter counts: empty slices, doubling, halving beyond one chunk.
std::vector<float> step_on(Comm& comm, Index length, ProgressMode mode, ControlRecord& record) {
    std::vector<float> gradient(static_cast<std::size_t>(length));
    const Index start = 0;
    DataParallel parallel(comm, make_shard_plan(8, 8, comm.size(), comm.rank()), gradient,
                          {&start, 1}, {.progress = mode});
    for (int repeat = 0; repeat < 2; ++repeat) {
        record = parallel.step([&](Index shard, ControlRecord& r, const auto& ready) {
            const std::vector<float> row = test::mixed_row<float>(shard, length);
            for (std::size_t i = 0; i < row.size(); ++i) gradient[i] += row[i];
            r.weight = 1;
            r.loss = test::mixed_number<double>(shard, 7);
            ready(0);
        });
    }
    return gradient;
}

int strict(Comm& comm) {
    const auto alone = make_self_comm();
    for (const Index length : {10, 5000, 1'000'000}) {
        for (const auto mode : {ProgressMode::thread, ProgressMode::poll, ProgressMode::none}) {
            ControlRecord one, many;
            const std::vector<float> expected = step_on(*alone, length, mode, one);
            const std::vector<float> gradient = step_on(comm, length, mode, many);
            require(gradient == expected, concat("gradient of ", length, ", ", name_of(mode)));
            require(many.loss == one.loss && many.weight == one.weight, "control record");
            const NamedBytes replica{"gradient", std::as_bytes(std::span(gradient))};
            check_replicas(comm, 1, {&replica, 1});
        }
    }
    const Mapping mapping = check_mapping(comm, this_placement(comm, 1, true));
    if (comm.rank() == 0) std::fputs(mapping.table.c_str(), stdout);
    return 0;
}

int wrong_length(Comm& comm) {
    std::string data(10'000, ' ');
    const Index bytes = comm.rank() == 0 ? 1016 : 1017;
    comm.exchange(data.data(), data.data() + 5000, bytes, comm.rank() ^ 1, 5);
    return 0;
}

int silent_peer(Comm& comm) {
    comm.set_timeout(0.2);
    if (comm.rank() == 0) std::this_thread::sleep_for(std::chrono::seconds(30));
    comm.barrier();
    return 0;
}

int other_seed(Comm& comm) {
    check_fingerprint(comm, {{"seed", concat(comm.rank() / 2)}, {"shards", "8"}});
    return 0;
}

int throwing_thread(Comm& comm) {
    if (comm.rank() == 1) {
        std::thread([] { fail(ErrorCode::data, "thrown in a helper thread"); }).join();
    }
    comm.barrier();
    return 0;
}

int run_guarded(Comm& comm, const std::string& mode) {
    comm.set_abort_handler([&](int code, std::string_view why) {
        std::fprintf(stderr, "%s ends with %d: %.*s\n", comm.name_of(comm.rank()).c_str(), code,
                     static_cast<int>(why.size()), why.data());
    });
    return abort_on_exception(comm, [&] {
        if (mode == "messages") return messages(comm);
        if (mode == "strict") return strict(comm);
        if (mode == "length") return wrong_length(comm);
        if (mode == "timeout") return silent_peer(comm);
        if (mode == "fingerprint") return other_seed(comm);
        if (mode == "terminate") return throwing_thread(comm);
        if (mode == "code") return 85;
        fail(ErrorCode::usage, "unknown mode ", mode);
    });
}

int run(int launched, const std::string& mode) {
    const std::unique_ptr<Comm> comm = make_world_comm(launched);
    require(comm->size() == launched, "number of ranks");
    if (mode != "exception") return run_guarded(*comm, mode);
    if (comm->rank() == 1) fail(ErrorCode::data, "left by an exception");
    comm->barrier();
    return 0;
}

}  // namespace
}  // namespace soma::dist

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    try {
        return soma::dist::run(std::atoi(argv[1]), argv[2]);
    } catch (const soma::Error& e) {
        std::fprintf(stderr, "%s\n", e.what());
        return e.exit_code();
    }
}
