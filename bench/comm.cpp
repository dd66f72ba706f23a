#include "bench/comm.h"

#include <algorithm>
#include <cmath>

#include "soma/core/error.h"
#include "soma/dist/collectives.h"
#include "soma/kernels/elementwise.h"

namespace soma::bench {
namespace {

// The wall clock of rank 0, read by all ranks together once each has come so far: what lies between
// two readings took as long as on the slowest rank, and all see the same numbers.
Clock common_clock(dist::Comm& comm) {
    const Clock wall = clock_for(comm.size());
    return {[&comm, wall] {
                comm.barrier();
                double now = wall.now();
                comm.bcast(&now, sizeof now, 0);
                return now;
            },
            wall.sleep};
}

Contest held(dist::Comm& comm, std::vector<Contender> contenders, const CommOptions& options) {
    Contest contest(std::move(contenders),
                    {.rounds = options.rounds, .block_seconds = options.block_seconds},
                    common_clock(comm));
    contest.run();
    return contest;
}

// The rank that rank 0 plays with.
int partner(const dist::Comm& comm) {
    for (int r = 1; r < comm.size(); ++r) {
        if (comm.host_of(r) != comm.host_of(0)) return r;
    }
    return 1;
}

}  // namespace

Spread AllreduceTimes::ratio() const {
    std::vector<double> ratios;
    for (std::size_t r = 0; r < library.size(); ++r) ratios.push_back(library[r] / own[r]);
    return spread_of(std::move(ratios));
}

double AllreduceTimes::bandwidth(int ranks) const {
    const double p = ranks;
    return 2 * (p - 1) / p * static_cast<double>(bytes) / spread_of(own).median;
}

AllreduceTimes measure_allreduce(dist::Comm& comm, Index bytes, const CommOptions& options) {
    const auto count = static_cast<std::size_t>(bytes) / sizeof(float);
    std::vector<float> data(count, static_cast<float>(comm.rank() + 1));
    dist::Allreduce<float> own(comm, data, kernels::add<float>,
                               dist::make_schedule(dist::Algorithm::tree, comm.size(), comm.rank(),
                                                   static_cast<Index>(count), sizeof(float)),
                               {.tag = comm.collective_tag(), .prepared = true});
    own.run(comm);
    const float sum = static_cast<float>(comm.size() * (comm.size() + 1) / 2);
    if (std::any_of(data.begin(), data.end(), [&](float x) { return x != sum; })) {
        fail(ErrorCode::internal, "bench comm: the sum of the ranks is wrong");
    }
    std::fill(data.begin(), data.end(), 0.0F);  // sums of sums would overflow
    std::vector<Contender> contenders{{"soma", [&](Index repeats) {
                                           for (Index i = 0; i < repeats; ++i) own.run(comm);
                                       }}};
    if (comm.library_sum(data)) {
        contenders.push_back({"library", [&](Index repeats) {
                                  for (Index i = 0; i < repeats; ++i) comm.library_sum(data);
                              }});
    }
    const Contest contest = held(comm, std::move(contenders), options);
    return {bytes, contest.seconds(0),
            contest.size() > 1 ? contest.seconds(1) : std::vector<double>{}};
}

std::vector<double> measure_pingpong(dist::Comm& comm, Index bytes, const CommOptions& options) {
    SOMA_CHECK(comm.size() >= 2, "bench comm: one rank; need at least two");
    std::vector<char> data(static_cast<std::size_t>(bytes));
    const int there = partner(comm), tag = comm.collective_tag();
    const auto pass = [&](bool sends, int peer) {
        dist::Request request = sends ? comm.isend(data.data(), bytes, peer, tag)
                                      : comm.irecv(data.data(), bytes, peer, tag);
        comm.waitall({&request, 1}, dist::Deadline::after(comm.timeout()));
    };
    const Work play = [&](Index repeats) {
        const bool serves = comm.rank() == 0;
        if (!serves && comm.rank() != there) return;
        for (Index i = 0; i < repeats; ++i) {
            pass(serves, serves ? there : 0);
            pass(!serves, serves ? there : 0);
        }
    };
    std::vector<double> seconds = held(comm, {{"ping-pong", play}}, options).seconds(0);
    for (double& s : seconds) s /= 2;
    return seconds;
}

LinkFit fit_link(const std::vector<Index>& bytes, const std::vector<double>& seconds) {
    SOMA_CHECK(bytes.size() == seconds.size() && bytes.size() >= 2, "fit_link: ", bytes.size(),
               " sizes, ", seconds.size(), " times; need two or more of both");
    // Minimises sum (a / s + b n / s - 1)^2.
    double xx = 0, xy = 0, yy = 0, x1 = 0, y1 = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const double x = 1 / seconds[i], y = static_cast<double>(bytes[i]) / seconds[i];
        xx += x * x;
        xy += x * y;
        yy += y * y;
        x1 += x;
        y1 += y;
    }
    const double det = xx * yy - xy * xy;
    return {(yy * x1 - xy * y1) / det, (xx * y1 - xy * x1) / det};
}

}  // namespace soma::bench
