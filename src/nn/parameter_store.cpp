// Layout and initialisation of the flat buffers. Offsets are assigned at freeze(), when every entry
// is known: only then can the order be reversed and the parts be separated.

#include "soma/nn/parameter_store.h"

#include <algorithm>

#include "soma/core/hash.h"
#include "soma/kernels/elementwise.h"

namespace soma::nn {
namespace {

// Every slice starts on a 64-byte boundary: 16 f32 or 8 f64 elements.
Index padded(Index count, DType dtype) {
    return round_up(count, static_cast<Index>(kAlignment) / size_of(dtype));
}

}  // namespace

ParameterId ParameterStore::add_entry(Entry entry) {
    SOMA_CHECK(!frozen_, "ParameterStore: cannot add '", entry.name, "' after freeze()");
    SOMA_CHECK(!by_name_.contains(entry.name), "ParameterStore: the name '", entry.name,
               "' is already taken");
    const auto id = static_cast<ParameterId>(entries_.size());
    by_name_[entry.name] = id;
    entries_.push_back(std::move(entry));
    return id;
}

ParameterId ParameterStore::add(const std::string& name, const Shape& shape, const Init& init,
                                bool decays) {
    return add_entry({.name = name, .shape = shape, .init = init, .decays = decays});
}

ParameterId ParameterStore::add_buffer(const std::string& name, const Shape& shape,
                                       const Init& init) {
    return add_entry(
        {.name = name, .shape = shape, .init = init, .trainable = false, .decays = false});
}

ParameterId ParameterStore::add_statistic(const std::string& name, const Shape& shape,
                                          const Init& init) {
    return add_entry({.name = name,
                      .shape = shape,
                      .init = init,
                      .trainable = false,
                      .statistic = true,
                      .decays = false});
}

ParameterId ParameterStore::tie(const std::string& name, ParameterId of) {
    const Entry& target = entry(of);
    SOMA_CHECK(target.trainable, "ParameterStore: tie '", name, "' to a parameter, not to '",
               target.name, "'");
    SOMA_CHECK(target.tied_to < 0, "ParameterStore: tie '", name, "' to '",
               entry(target.tied_to).name, "', not to its other name '", target.name, "'");
    return add_entry({.name = name, .shape = target.shape, .init = target.init, .tied_to = of});
}

void ParameterStore::freeze(std::uint64_t seed) {
    SOMA_CHECK(!frozen_, "ParameterStore: freeze() was already called");
    Index total = 0;
    const auto place = [&](bool trainable, bool statistic) {
        for (auto e = entries_.rbegin(); e != entries_.rend(); ++e) {
            if (e->trainable != trainable || e->statistic != statistic || e->tied_to >= 0) continue;
            e->offset = total;
            total += padded(e->shape.count(), dtype_);
        }
    };
    place(true, false);
    trainable_count_ = total;
    place(false, true);
    const Index gradient_count = total;
    place(false, false);
    for (Entry& e : entries_) {
        if (e.tied_to >= 0) e.offset = entry(e.tied_to).offset;
    }
    values_ = Tensor::zeros({total}, dtype_);
    gradients_ = Tensor::zeros({gradient_count}, dtype_);
    frozen_ = true;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (entries_[i].tied_to >= 0) continue;
        Tensor v = value(static_cast<ParameterId>(i));
        initialise(entries_[i].init,
                   make_key(seed, Purpose::initial_weights, hash64(entries_[i].name)), v);
    }
}

Var ParameterStore::var(Tape& tape, ParameterId id) {
    const Entry& e = entry(id);
    SOMA_CHECK(frozen_, "ParameterStore: '", e.name, "' is used before freeze()");
    const auto at = [&](Tensor& flat) {
        return static_cast<std::byte*>(flat.raw()) + e.offset * size_of(dtype_);
    };
    return tape.parameter(e.shape, dtype_, at(values_), e.trainable ? at(gradients_) : nullptr);
}

Tensor ParameterStore::value(ParameterId id) const {
    const Entry& e = entry(id);
    return values_.slice(e.offset, e.offset + e.shape.count()).reshape(e.shape);
}

Tensor ParameterStore::gradient(ParameterId id) const {
    const Entry& e = entry(id);
    SOMA_CHECK(e.trainable || e.statistic, "ParameterStore: '", e.name,
               "' is a buffer and has no gradient");
    return gradients_.slice(e.offset, e.offset + e.shape.count()).reshape(e.shape);
}

ParameterId ParameterStore::find(const std::string& name) const {
    const auto it = by_name_.find(name);
    SOMA_CHECK(it != by_name_.end(), "ParameterStore: no parameter is called '", name, "'");
    return it->second;
}

std::vector<Index> ParameterStore::gradient_starts() const {
    std::vector<Index> starts;
    for (const Entry& e : entries_) {
        if ((e.trainable || e.statistic) && e.tied_to < 0) starts.push_back(e.offset);
    }
    std::sort(starts.begin(), starts.end());
    return starts;
}

void ParameterStore::update_statistics(double momentum, Index shards) {
    SOMA_CHECK(shards >= 1, "ParameterStore: update_statistics over ", shards,
               " shards; need at least 1");
    const Index begin = trainable_count_, count = gradients_.count() - begin;
    with_dtype(dtype_, [&](auto zero) {
        using T = decltype(zero);
        kernels::axpby(count, static_cast<T>(momentum / static_cast<double>(shards)),
                       gradients_.data<T>().data() + begin, static_cast<T>(1 - momentum),
                       values_.data<T>().data() + begin);
    });
}

Index ParameterStore::parameter_count() const {
    Index n = 0;
    for (const Entry& e : entries_) n += e.trainable && e.tied_to < 0 ? e.shape.count() : 0;
    return n;
}

std::uint64_t ParameterStore::hash(const Tensor& values) const {
    SOMA_CHECK(values.shape() == values_.shape() && values.dtype() == dtype_,
               "ParameterStore: hash of ", values.shape(), " ", name_of(values.dtype()),
               "; the store has ", values_.shape(), " ", name_of(dtype_));
    const auto* bytes = static_cast<const std::byte*>(values.raw());
    const Index size = size_of(dtype_);
    std::uint64_t h = 0;
    for (const Entry& e : entries_) {
        if (e.tied_to >= 0) continue;
        h = hash64(e.name, h);
        h = hash64({bytes + e.offset * size, static_cast<std::size_t>(e.shape.count() * size)}, h);
    }
    return h;
}

}  // namespace soma::nn
