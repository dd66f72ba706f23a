#include "soma/dist/clock_offset.h"

#include <algorithm>

namespace soma::dist {
namespace {

constexpr int kClockProbes = 20;

}  // namespace

ClockOffset offset_of(std::span<const ClockProbe> probes) {
    const auto took = [](const ClockProbe& p) { return p.answered - p.asked; };
    const ClockProbe& best = *std::min_element(
        probes.begin(), probes.end(),
        [&](const ClockProbe& a, const ClockProbe& b) { return took(a) < took(b); });
    return {best.answer - best.asked - took(best) / 2, took(best) / 2};
}

std::vector<ClockOffset> measure_clocks(Comm& comm, double (*clock)()) {
    std::vector<ClockOffset> offsets(static_cast<std::size_t>(comm.size()));
    const int tag = comm.collective_tag();
    const auto pass = [&](Request request) {
        comm.waitall({&request, 1}, Deadline::after(comm.timeout()));
    };
    for (int r = 1; r < comm.size(); ++r) {
        if (comm.rank() != 0 && comm.rank() != r) continue;
        std::vector<ClockProbe> probes(kClockProbes);
        for (ClockProbe& p : probes) {
            if (comm.rank() == 0) {
                p.asked = clock();
                pass(comm.isend(nullptr, 0, r, tag));
                pass(comm.irecv(&p.answer, sizeof p.answer, r, tag));
                p.answered = clock();
            } else {
                pass(comm.irecv(nullptr, 0, 0, tag));
                p.answer = clock();
                pass(comm.isend(&p.answer, sizeof p.answer, 0, tag));
            }
        }
        if (comm.rank() == 0) offsets[static_cast<std::size_t>(r)] = offset_of(probes);
    }
    comm.bcast(offsets.data(), static_cast<Index>(offsets.size() * sizeof(ClockOffset)), 0);
    return offsets;
}

}  // namespace soma::dist
