#include "soma/dist/collectives.h"

#include <algorithm>
#include <array>
#include <bit>

#include "soma/core/error.h"

namespace soma::dist {
namespace {

// Rounds of the allgather phase follow those of the reduce phase in the tags of a collective.
constexpr int kMaxRounds = kRoundsPerTag / 2;

// Chunks [begin, end) of the data.
struct Range {
    Index begin, end;
};

Range half_of(Range whole, bool upper) {
    const Index middle = whole.begin + (whole.end - whole.begin + 1) / 2;
    return upper ? Range{middle, whole.end} : Range{whole.begin, middle};
}

template <class T>
std::span<T> elements(std::span<T> data, Range chunks) {
    const Index size = static_cast<Index>(data.size());
    const Index begin = std::min(chunks.begin * kChunk, size);
    const Index end = std::min(chunks.end * kChunk, size);
    return data.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
}

// Swaps slices of different sizes with a peer; an empty slice is not sent.
template <class T>
void swap_slices(Comm& comm, std::span<const T> out, std::span<T> in, int peer, int tag) {
    std::array<Request, 2> both;
    if (!in.empty()) both[0] = comm.irecv(in.data(), Index(in.size_bytes()), peer, tag);
    if (!out.empty()) both[1] = comm.isend(out.data(), Index(out.size_bytes()), peer, tag);
    comm.waitall(both, Deadline::after(comm.timeout()));
}

// mine <- lower rank's operand + higher rank's.
template <class T>
void fold(Add<T> add, std::span<T> mine, const T* theirs, bool mine_is_lower) {
    const Index n = static_cast<Index>(mine.size());
    if (mine_is_lower) {
        add(mine.data(), mine.data(), theirs, n);
    } else {
        add(mine.data(), theirs, mine.data(), n);
    }
}

}  // namespace

void add_records(ControlRecord* out, const ControlRecord* left, const ControlRecord* right,
                 Index n) {
    for (Index i = 0; i < n; ++i) {
        out[i].weight = left[i].weight + right[i].weight;
        out[i].loss = left[i].loss + right[i].loss;
        for (int m = 0; m < 5; ++m) out[i].metrics[m] = left[i].metrics[m] + right[i].metrics[m];
        out[i].stop = left[i].stop + right[i].stop;
        out[i].non_finite = left[i].non_finite + right[i].non_finite;
    }
}

template <class T>
TreeAllreduce<T>::TreeAllreduce(Comm& comm, Add<T> add, Index doubling_bytes)
    : comm_(comm), add_(add), doubling_bytes_(doubling_bytes) {
    const auto ranks = static_cast<unsigned>(comm.size());
    SOMA_CHECK(std::has_single_bit(ranks) && std::bit_width(ranks) <= kMaxRounds,
               "strict all-reduce: ", ranks, " ranks; need a power of two below 65536");
}

template <class T>
void TreeAllreduce<T>::operator()(std::span<T> data) {
    if (comm_.size() == 1 || data.empty()) return;
    if (static_cast<Index>(data.size_bytes()) < doubling_bytes_) {
        recursive_doubling(data);
    } else {
        halving_and_doubling(data);
    }
}

template <class T>
void TreeAllreduce<T>::recursive_doubling(std::span<T> data) {
    const int tag = comm_.collective_tag(), rank = comm_.rank();
    if (staging_.size() < data.size()) staging_.resize(data.size());
    for (int round = 0, step = 1; step < comm_.size(); ++round, step *= 2) {
        comm_.exchange(data.data(), staging_.data(), static_cast<Index>(data.size_bytes()),
                       rank ^ step, tag + round);
        fold(add_, data, staging_.data(), (rank & step) == 0);
    }
}

template <class T>
void TreeAllreduce<T>::halving_and_doubling(std::span<T> data) {
    const int tag = comm_.collective_tag(), rank = comm_.rank();
    std::vector<Range> ranges{{0, ceil_div(static_cast<Index>(data.size()), kChunk)}};
    int round = 0;
    for (int step = 1; step < comm_.size(); ++round, step *= 2) {
        const bool upper = (rank & step) != 0;
        const std::span<T> keep = elements(data, half_of(ranges.back(), upper));
        const std::span<const T> give = elements(data, half_of(ranges.back(), !upper));
        if (staging_.size() < keep.size()) staging_.resize(keep.size());
        const std::span<T> in = std::span(staging_).first(keep.size());
        swap_slices<T>(comm_, give, in, rank ^ step, tag + round);
        fold(add_, keep, in.data(), !upper);
        ranges.push_back(half_of(ranges.back(), upper));
    }
    while (round-- > 0) {
        const int step = 1 << round;
        const bool upper = (rank & step) != 0;
        const std::span<const T> own = elements(data, ranges.back());
        ranges.pop_back();
        swap_slices<T>(comm_, own, elements(data, half_of(ranges.back(), !upper)), rank ^ step,
                       tag + kMaxRounds + round);
    }
}

template class TreeAllreduce<float>;
template class TreeAllreduce<double>;
template class TreeAllreduce<ControlRecord>;

}  // namespace soma::dist
