// soma info --mpi: whether the ranks that a launcher started can work together, before a training
// finds out: facts of every rank, judged by mpi_checks.h, and a few messages timed.

#include <algorithm>
#include <bit>
#include <chrono>
#include <functional>
#include <iostream>
#include <optional>

#include "cli/info.h"
#include "cli/mpi_checks.h"
#include "cli/ranks.h"
#include "soma/core/cpu.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/dist/clock_offset.h"
#include "soma/dist/topology.h"

namespace soma::cli {
namespace {

// Seconds since 1970 by this host's clock, to about a quarter of a microsecond.
double time_of_day() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

using Json = nlohmann::ordered_json;

constexpr double kPatience = 20;  // seconds that a rank may stay silent
constexpr bench::CommOptions kBrief{.rounds = 10, .block_seconds = 0.005};
// Sizes that soma bench comm measures too.
constexpr Index kPingBytes[] = {8, 1 << 20};
constexpr Index kSumBytes[] = {4 << 10, 1 << 20};

// Of several blocks: a slow network slows them all, other work on the hosts only some.
double quickest(const std::vector<double>& seconds) {
    return *std::min_element(seconds.begin(), seconds.end());
}

// What is known before messages are timed.
std::vector<Check> facts_checks(dist::Comm& comm, const std::vector<HostFacts>& facts,
                                const dist::Mapping& mapping, const std::string& ompi_info) {
    std::vector<Check> checks{check_hosts(facts)};
    const auto append = [&](const std::vector<Check>& more) {
        checks.insert(checks.end(), more.begin(), more.end());
    };
    append(check_binding(mapping));
    checks.push_back(check_interfaces(facts));
    append(check_limits(facts));
    append(check_library(facts, dist::message_library().thread_level, progress_from(ompi_info)));
    checks.push_back(check_clocks(facts, dist::measure_clocks(comm, time_of_day)));
    return checks;
}

// Times messages and sums into `here`.
std::vector<Check> time_checks(dist::Comm& comm, Cluster& here, const Cluster* recorded) {
    std::vector<Check> checks = check_record(here, recorded);
    std::vector<Index> sizes;
    std::vector<double> times;
    for (const Index bytes : kPingBytes) {
        sizes.push_back(bytes);
        times.push_back(quickest(bench::measure_pingpong(comm, bytes, kBrief)));
        here.pingpong.push_back({bytes, times.back()});
        checks.push_back(check_time(Message::pingpong, here.pingpong.back(), 0, here, recorded));
    }
    const bench::LinkFit link = bench::fit_link(sizes, times);
    here.latency = link.latency;
    here.seconds_per_byte = link.seconds_per_byte;
    if (!std::has_single_bit(static_cast<unsigned>(comm.size()))) {
        checks.push_back({"all-reduce", "not measured", concat(comm.size(), " ranks"),
                          "start a power of two; trainings need one too"});
        return checks;
    }
    for (const Index bytes : kSumBytes) {
        const bench::AllreduceTimes t = bench::measure_allreduce(comm, bytes, kBrief);
        here.allreduce.push_back({bytes, quickest(t.own)});
        checks.push_back(check_time(Message::allreduce, here.allreduce.back(),
                                    t.library.empty() ? 0 : quickest(t.library), here, recorded));
    }
    return checks;
}

Json to_json(const std::vector<dist::Placement>& placements) {
    Json list = Json::array();
    for (const dist::Placement& p : placements) {
        list.push_back({{"host", p.host}, {"cpus", p.cpus}, {"threads", p.threads}});
    }
    return list;
}

Json to_json(const std::vector<Check>& checks) {
    Json list = Json::array();
    for (const Check& c : checks) {
        list.push_back({{"check", c.name},
                        {"value", c.value},
                        {"verdict", c.ok() ? "ok" : "warning"},
                        {"problem", c.problem},
                        {"fix", c.fix}});
    }
    return list;
}

// Rank 0's file, on all ranks: the other hosts need not have it.
std::optional<Cluster> shared_record(dist::Comm& comm, const std::string& path) {
    if (path.empty()) return std::nullopt;
    const std::string text = comm.rank() == 0 ? to_json(read_cluster(path)).dump() : "";
    return cluster_from(comm.allgather(text)[0], path);
}

int report(dist::Comm& comm, const MpiInfoOptions& options, const std::string& ompi_info) {
    const std::optional<Cluster> recorded = shared_record(comm, options.cluster);
    const std::vector<dist::Placement> placements = dist::gather_placements(
        comm, dist::this_placement(comm, num_threads(), options.threads_chosen));
    const std::vector<HostFacts> facts = gather_facts(comm, this_host(comm.host()));
    const dist::Mapping mapping = dist::describe_mapping(placements);
    const bool speaks = comm.rank() == 0;
    std::vector<Check> checks = facts_checks(comm, facts, mapping, ompi_info);
    if (speaks && !options.json) {
        std::cout << mapping.table << "\n" << checks_text(checks) << std::flush;
    }

    Cluster here = cluster_of(comm);
    const std::vector<Check> timed =
        time_checks(comm, here, recorded.has_value() ? &*recorded : nullptr);
    if (speaks && !options.json) std::cout << "\n" << checks_text(timed) << std::flush;
    checks.insert(checks.end(), timed.begin(), timed.end());
    if (speaks && options.json) {
        std::cout << Json{{"schema", 1},
                          {"ranks", to_json(placements)},
                          {"checks", to_json(checks)},
                          {"measured", to_json(here)}}
                         .dump(2)
                  << "\n";
    }
    const bool as_recorded = std::all_of(timed.begin(), timed.end(), std::mem_fn(&Check::ok));
    return recorded.has_value() && !as_recorded ? 1 : 0;
}

}  // namespace

int run_mpi_info(const MpiInfoOptions& options) {
    SOMA_CHECK(launched_size() > 1,
               "soma info --mpi: one rank; start it as: mpirun -np 2 soma info --mpi, or with "
               "--hostfile FILE for several hosts");
    // Before MPI starts: with a network that does not lead to the other hosts, it ends the ranks.
    if (launched_rank() == 0 && launched_on_this_host() < launched_size()) {
        const std::string warning = early_warning(this_host(host_name()));
        if (!warning.empty()) std::cerr << "soma: warning: " + warning + "\n" << std::flush;
    }
    const std::string ompi_info = launched_rank() == 0 ? ompi_info_text() : "";
    return run_on_ranks(kPatience,
                        [&](dist::Comm& comm) { return report(comm, options, ompi_info); });
}

}  // namespace soma::cli
