// soma bench comm: what messages between the ranks of a launcher cost.

#include <algorithm>
#include <iostream>

#include "bench/comm.h"
#include "cli/bench.h"
#include "cli/cluster.h"
#include "cli/ranks.h"
#include "cli/text_table.h"
#include "soma/core/error.h"

namespace soma::cli {
namespace {

constexpr Index kLeastBytes = 4 << 10, kMostBytes = 64 << 20;
constexpr Index kPingBytes[] = {8, 1 << 10, 16 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20};

std::string with_doubt(double value, const bench::Spread& spread, int digits) {
    return fixed(value, digits) + (spread.conclusive() ? "" : "?");
}

// Prints on rank 0 and measures on all, into `cluster`.
void show_link(dist::Comm& comm, const bench::CommOptions& options, Cluster& cluster) {
    std::vector<std::vector<std::string>> rows = {{"message", "us", "GB/s"}};
    std::vector<Index> sizes;
    std::vector<double> times;
    for (const Index bytes : kPingBytes) {
        const bench::Spread time = bench::spread_of(bench::measure_pingpong(comm, bytes, options));
        sizes.push_back(bytes);
        times.push_back(time.median);
        cluster.pingpong.push_back({bytes, time.median});
        rows.push_back({bytes < 1 << 10 ? concat(bytes, " B") : size_text(bytes),
                        with_doubt(1e6 * time.median, time, 2),
                        fixed(1e-9 * static_cast<double>(bytes) / time.median, 2)});
    }
    const bench::LinkFit link = bench::fit_link(sizes, times);
    if (comm.rank() == 0) {
        std::cout << "One message, half of a ping-pong:\n"
                  << markdown_table(rows) << "latency " << fixed(1e6 * link.latency, 2) << " us, "
                  << fixed(1e9 * link.seconds_per_byte, 3) << " ns a byte: soma plan MODEL "
                  << "--latency-us " << fixed(1e6 * link.latency, 2) << " --ns-per-byte "
                  << fixed(1e9 * link.seconds_per_byte, 3) << "\n\n"
                  << std::flush;
    }
    cluster.latency = std::max(0.0, link.latency);
    cluster.seconds_per_byte = link.seconds_per_byte;
}

bool show_allreduce(dist::Comm& comm, const bench::CommOptions& options, Cluster& cluster) {
    std::vector<std::vector<std::string>> rows = {
        {"sum of", "soma us", "library us", "library / soma", "GB/s", "% of link"}};
    int undecided = 0, sizes = 0;
    for (Index bytes = kLeastBytes; bytes <= kMostBytes; bytes *= 4) {
        const bench::AllreduceTimes t = bench::measure_allreduce(comm, bytes, options);
        const bench::Spread own = bench::spread_of(t.own);
        const double rate = t.bandwidth(comm.size());
        cluster.allreduce.push_back({bytes, own.median});
        std::vector<std::string> row = {size_text(bytes), with_doubt(1e6 * own.median, own, 1), "-",
                                        "-"};
        if (!t.library.empty()) {
            const bench::Spread ratio = t.ratio();
            row[2] = fixed(1e6 * bench::spread_of(t.library).median, 1);
            row[3] = with_doubt(ratio.median, ratio, 2);
            undecided += ratio.conclusive() ? 0 : 1;
        }
        ++sizes;
        row.push_back(fixed(1e-9 * rate, 2));
        row.push_back(fixed(100 * rate * cluster.seconds_per_byte, 0));
        rows.push_back(row);
    }
    if (comm.rank() == 0) {
        std::cout << "All-reduce of f32 over " << comm.size() << " ranks:\n"
                  << markdown_table(rows)
                  << "GB/s: of the 2 (P - 1) / P bytes a byte of sum that each rank sends; % of "
                     "link: of what one message reaches.\n?: known to no better than 5 %.\n";
        if (undecided > sizes / 4) {
            std::cout << refusal_text(
                concat(undecided, " of ", sizes, " sizes are known to no better than 5 %"));
        }
    }
    return undecided <= sizes / 4;
}

}  // namespace

int bench_comm(const BenchOptions& options) {
    SOMA_CHECK(launched_size() > 1,
               "soma bench comm: one rank; start it as: mpirun -np 2 soma bench comm");
    return run_on_ranks(options.comm_timeout, [&](dist::Comm& comm) {
        if (comm.rank() == 0) {
            if (!options.tune.empty()) check_writable(options.tune);
            std::cout << machine_header(options);
            for (int r = 0; r < comm.size(); ++r) std::cout << "  " << comm.name_of(r) << "\n";
        }
        const bench::CommOptions measure{.rounds = options.rounds};
        Cluster cluster = cluster_of(comm);
        show_link(comm, measure, cluster);
        const bool conclusive = show_allreduce(comm, measure, cluster);
        if (comm.rank() == 0 && !options.tune.empty()) {
            write_cluster(options.tune, cluster);
            std::cout << "recorded: " << options.tune << "\n";
        }
        return conclusive ? 0 : 1;
    });
}

}  // namespace soma::cli
