#pragma once
// ParameterStore: all parameters of a model in one flat buffer, their gradients in another.
//
//   values     [ last registered | ... | first registered | statistics | buffers ]
//   gradients  [ last registered | ... | first registered | statistics ]
//               <---------- trainable_count() ---------->
//
// A statistic (running mean, running variance) is no parameter, but each shard contributes to it
// as to a gradient; its slot in the gradient array takes part in folding and exchange, and
// update_statistics() ends the update. Optimizers and norms see the trainable part only.
//
// Reverse registration order is nearly the order in which gradients become ready, so a bucket of
// the gradient exchange is a contiguous slice. Every slice starts on a 64-byte boundary and the
// padding is zero in both buffers, so one pass over the flat arrays updates everything. Names are
// stable: they are the checkpoint format. Tied weights are two names for one slice.
//
// Life: modules add() while they are built, freeze() allocates and initialises, then training runs.
// Initial values depend on (seed, name) only: not on registration order, layout or other
// parameters.

#include <string>
#include <unordered_map>
#include <vector>

#include "soma/autograd/tape.h"
#include "soma/nn/init.h"

namespace soma::nn {

using ParameterId = std::int32_t;

class ParameterStore {
public:
    struct Entry {
        std::string name;
        Shape shape;
        Init init;
        Index offset = 0;        // first element in the flat value buffer, after freeze()
        bool trainable = true;   // false: a buffer or a statistic
        bool statistic = false;  // not trainable, but has a slot in the gradient array
        bool decays = true;      // weight decay applies (biases and norms usually opt out)
        ParameterId tied_to = -1;
    };

    explicit ParameterStore(DType dtype = DType::f32) : dtype_(dtype) {}
    ParameterStore(const ParameterStore&) = delete;
    ParameterStore& operator=(const ParameterStore&) = delete;

    // ---- building ----
    // Error(usage) when the name is taken or the store is frozen.
    ParameterId add(const std::string& name, const Shape& shape, const Init& init,
                    bool decays = true);
    ParameterId add_buffer(const std::string& name, const Shape& shape, const Init& init);
    ParameterId add_statistic(const std::string& name, const Shape& shape, const Init& init);
    // A second name for `of`.
    ParameterId tie(const std::string& name, ParameterId of);
    void freeze(std::uint64_t seed);
    bool frozen() const { return frozen_; }

    // ---- use ----
    // The parameter as a leaf of the tape; its gradient adds to gradient(id).
    Var var(Tape& tape, ParameterId id);
    Tensor value(ParameterId id) const;               // shares the flat buffer
    Tensor gradient(ParameterId id) const;            // shares the flat buffer; buffers have none
    ParameterId find(const std::string& name) const;  // Error(usage) naming it when unknown

    DType dtype() const { return dtype_; }
    const std::vector<Entry>& entries() const { return entries_; }
    const Entry& entry(ParameterId id) const { return entries_[static_cast<std::size_t>(id)]; }
    // The flat buffers, laid out as above.
    Tensor values() const { return values_; }
    Tensor gradients() const { return gradients_; }
    // Where parameters and statistics start in the gradient array, ascending.
    std::vector<Index> gradient_starts() const;
    Index trainable_count() const { return trainable_count_; }  // flat elements with padding
    void zero_gradients() { gradients_.fill(0); }
    // Every statistic becomes (1 - momentum) v + momentum (sum / shards): fma(momentum / shards,
    // sum, (1 - momentum) v), where sum is its slot, filled by `shards` calls. Once an update.
    void update_statistics(double momentum, Index shards);

    // Parameters as papers count them: elements of trainable, untied entries.
    Index parameter_count() const;
    // 64-bit hash of all names and values in registration order; independent of the layout.
    std::uint64_t hash() const { return hash(values_); }
    // The same of a copy of values().
    std::uint64_t hash(const Tensor& values) const;

private:
    ParameterId add_entry(Entry entry);

    DType dtype_;
    bool frozen_ = false;
    std::vector<Entry> entries_;
    std::unordered_map<std::string, ParameterId> by_name_;
    Tensor values_, gradients_;
    Index trainable_count_ = 0;
};

}  // namespace soma::nn
