#include "soma/dist/data_parallel.h"

#include <algorithm>

#include "soma/core/error.h"

namespace soma::dist {

DataParallel::DataParallel(Comm& comm, const ShardPlan& plan, Index length, Add<float> add)
    : plan_(plan),
      length_(length),
      gradients_(plan.local_shards(), length, add),
      records_(plan.local_shards(), 1, add_records),
      reduce_gradients_(comm, add),
      reduce_records_(comm, add_records) {
    SOMA_CHECK(plan.ranks == comm.size() && plan.rank == comm.rank(),
               "data parallel: the plan is for rank ", plan.rank, " of ", plan.ranks,
               ", the communicator says ", comm.rank(), " of ", comm.size());
}

ControlRecord DataParallel::step(std::span<float> gradient, const Compute& compute) {
    SOMA_CHECK(static_cast<Index>(gradient.size()) == length_, "data parallel: the gradient has ",
               gradient.size(), " elements; need ", length_);
    gradients_.restart();  // a step that threw may have left a part
    records_.restart();
    ControlRecord record;
    for (Index i = 0; i < plan_.local_shards(); ++i) {
        std::fill(gradient.begin(), gradient.end(), 0.0f);
        record = {};
        compute(plan_.first_shard() + i, gradient, record);
        gradients_.push(gradient);
        records_.push({&record, 1});
    }
    reduce_gradients_(gradient);
    reduce_records_({&record, 1});
    return record;
}

}  // namespace soma::dist
