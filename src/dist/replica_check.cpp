// One hash per tensor, chained into one per rank. In the good case ranks exchange only the latter;
// otherwise the hashes of all tensors: a thousand tensors on a thousand ranks are 8 MB, once, in a
// run that is about to end, which is cheaper than a bisection's rounds of messages and code.

#include "soma/dist/replica_check.h"

#include <algorithm>
#include <map>
#include <vector>

#include "dist/text.h"
#include "soma/core/error.h"
#include "soma/core/hash.h"

namespace soma::dist {
namespace {

// Ranks that do not hold the value of the majority; rank 0's where two values are equally common.
std::vector<int> minority(std::span<const std::uint64_t> by_rank) {
    std::map<std::uint64_t, int> votes;
    for (const std::uint64_t hash : by_rank) ++votes[hash];
    std::uint64_t winner = by_rank[0];
    for (const auto& [hash, count] : votes) {
        if (count > votes[winner]) winner = hash;
    }
    std::vector<int> ranks;
    for (std::size_t r = 0; r < by_rank.size(); ++r) {
        if (by_rank[r] != winner) ranks.push_back(static_cast<int>(r));
    }
    return ranks;
}

}  // namespace

void check_replicas(Comm& comm, Index step, std::span<const NamedBytes> tensors) {
    if (comm.size() == 1) return;
    const auto ranks = static_cast<std::size_t>(comm.size());
    std::vector<std::uint64_t> mine;
    std::uint64_t total = 0;
    for (const NamedBytes& tensor : tensors) {
        mine.push_back(hash64(tensor.bytes));
        total = hash_mix(total, mine.back());
    }
    std::vector<std::uint64_t> totals(ranks);
    comm.allgather(&total, sizeof total, totals.data());
    if (minority(totals).empty()) return;

    std::vector<std::uint64_t> all(ranks * mine.size()), column(ranks);
    comm.allgather(mine.data(), static_cast<Index>(sizeof(std::uint64_t) * mine.size()),
                   all.data());
    for (std::size_t t = 0; t < mine.size(); ++t) {
        for (std::size_t r = 0; r < ranks; ++r) column[r] = all[r * mine.size() + t];
        const std::vector<int> odd = minority(column);
        if (odd.empty()) continue;
        fail(ErrorCode::diverged, "replicas: after step ", step, " ", tensors[t].name, " on ",
             ranks_text(comm, odd), " differs from the other ranks");
    }
    fail(ErrorCode::internal, "replicas: ranks disagree, but no tensor differs");
}

}  // namespace soma::dist
