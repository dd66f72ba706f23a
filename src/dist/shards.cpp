#include "soma/dist/shards.h"

#include <algorithm>
#include <bit>

#include "soma/core/error.h"

namespace soma::dist {
namespace {

bool power_of_two(Index n) { return n > 0 && std::has_single_bit(static_cast<std::uint64_t>(n)); }

// "1, 2, 4": the powers of two that divide n.
std::string powers_dividing(Index n) {
    std::string text = "1";
    for (Index p = 2; n > 0 && n % p == 0; p *= 2) text += concat(", ", p);
    return text;
}

}  // namespace

ShardPlan make_shard_plan(Index shards, Index batch, int ranks, int rank) {
    SOMA_CHECK(batch >= 1, "shards: the batch is ", batch, " samples; need at least 1");
    SOMA_CHECK(power_of_two(shards) && batch % shards == 0, "shards: ", shards,
               " shards of a batch of ", batch,
               "; need a power of two that divides the batch: ", powers_dividing(batch));
    SOMA_CHECK(ranks >= 1 && shards % ranks == 0, "shards: ", ranks, " ranks share ", shards,
               " shards; the number of ranks must divide it: ", powers_dividing(shards));
    SOMA_CHECK(rank >= 0 && rank < ranks, "shards: rank is ", rank, " of ", ranks,
               "; need 0 <= rank < ranks");
    return {.shards = shards, .batch = batch, .ranks = ranks, .rank = rank};
}

ShardPlan make_fast_plan(Index batch, int ranks, int rank) {
    SOMA_CHECK(ranks >= 1 && rank >= 0 && rank < ranks && batch >= 1 && batch % ranks == 0,
               "shards: rank ", rank, " of ", ranks, ", a batch of ", batch,
               "; the number of ranks must divide the batch");
    return {.shards = ranks, .batch = batch, .ranks = ranks, .rank = rank};
}

Index default_shards(Index batch) {
    SOMA_CHECK(batch >= 1, "shards: the batch is ", batch, " samples; need at least 1");
    Index shards = 1;
    while (shards < 16 && batch % (2 * shards) == 0) shards *= 2;
    return shards;
}

template <class T>
ShardFold<T>::ShardFold(Index shards, Index length, Add<T> add)
    : shards_(shards), length_(length), add_(add) {
    SOMA_CHECK(power_of_two(shards) && length >= 0, "shard fold: ", shards, " shards of ", length,
               " elements; need a power of two, length >= 0");
}

template <class T>
void ShardFold<T>::push(std::span<T> vector) {
    SOMA_CHECK(static_cast<Index>(vector.size()) == length_, "shard fold: pushed ", vector.size(),
               " elements; need ", length_);
    std::size_t level = 0;
    for (; (pushed_ >> level & 1) != 0; ++level) {
        add_(vector.data(), levels_[level].data(), vector.data(), length_);
    }
    pushed_ = (pushed_ + 1) % shards_;
    if (pushed_ == 0) return;
    if (levels_.size() <= level) levels_.resize(level + 1);
    levels_[level].assign(vector.begin(), vector.end());
}

template <class T>
void ShardFold<T>::finish(std::span<T> vector, Range part) {
    if (pushed_ != shards_ - 1)
        fail(ErrorCode::internal, "shard fold: finished after ", pushed_, " of ", shards_);
    T* mine = vector.data() + part.begin;
    for (std::size_t level = 0; (pushed_ >> level & 1) != 0; ++level) {
        add_(mine, levels_[level].data() + part.begin, mine, part.size());
    }
}

template <class T>
Index ShardFold<T>::buffers() const {
    return static_cast<Index>(levels_.size());
}

template class ShardFold<float>;
template class ShardFold<double>;
template class ShardFold<ControlRecord>;

}  // namespace soma::dist
