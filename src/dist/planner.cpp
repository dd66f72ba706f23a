#include "soma/dist/planner.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "soma/core/error.h"
#include "soma/core/text.h"

namespace soma::dist {
namespace {

constexpr double kBackwardShare = 2.0 / 3;  // of a step's flop: two products of three

}  // namespace

const std::vector<Network>& named_networks() {
    static const std::vector<Network> networks = {
        {"1gbe", 50e-6, 8.5e-9}, {"10gbe", 20e-6, 0.85e-9}, {"100g", 2e-6, 0.083e-9}};
    return networks;
}

const Network& network_named(const std::string& name) {
    return named(named_networks(), "plan: unknown network", name);
}

const std::vector<StepProfile>& step_profiles() {
    static const std::vector<StepProfile> profiles = {
        {"resnet50", "He et al. 2015, 224 x 224 images", 25.6e6, 24.6e9, 32},
        {"alexnet", "Krizhevsky et al. 2012, 227 x 227 images", 61e6, 4.3e9, 64},
        {"gpt_mini", "10 million parameters, 8,192 tokens: 6 flop a parameter and token", 10e6,
         6 * 10e6, 8192},
        {"lecun1989", "LeCun et al. 1989, 16 x 16 digits: 6 flop a connection", 9760, 6 * 64660.0,
         64}};
    return profiles;
}

const StepProfile& step_profile(const std::string& name) {
    return named(step_profiles(), "plan: unknown model", name);
}

const char* PlanRow::bound() const {
    if (compute >= latency && compute >= bandwidth) return "compute";
    return latency > bandwidth ? "latency" : "bandwidth";
}

PlanRow predict(const PlanOptions& o, const Network& network, Index ranks) {
    SOMA_CHECK(o.compute_seconds > 0 && o.parameters > 0 && o.bytes_per_value > 0 &&
                   o.bucket_bytes > 0 && o.jitter >= 0,
               "plan: ", o.compute_seconds, " s of compute, ", o.parameters, " parameters of ",
               o.bytes_per_value, " bytes, buckets of ", o.bucket_bytes, " bytes, jitter ",
               o.jitter, "; need positive ones, jitter at least 0");
    SOMA_CHECK(network.latency >= 0 && network.seconds_per_byte >= 0, "plan: latency ",
               network.latency, " s, ", network.seconds_per_byte, " s a byte; need at least 0");
    const Index shards = o.shards == 0 ? ranks : o.shards;
    SOMA_CHECK(
        ranks >= 1 && std::has_single_bit(static_cast<std::uint64_t>(ranks)) && shards % ranks == 0,
        "plan: ", ranks, " ranks, ", shards,
        " shards; need a power of two that divides the shards");
    const auto p = static_cast<double>(ranks);
    const double bytes = o.parameters * o.bytes_per_value;
    const double buckets = std::ceil(bytes / o.bucket_bytes);
    PlanRow row{.ranks = ranks, .compute = o.compute_seconds};
    row.latency = buckets * 2 * std::log2(p) * network.latency;
    row.bandwidth = 2 * (p - 1) / p * bytes * network.seconds_per_byte;
    const double hidden = o.overlap && buckets > 1
                              ? kBackwardShare * p / static_cast<double>(shards) * row.compute
                              : 0;
    row.step = row.compute + std::max(0.0, row.communication() - hidden) +
               o.jitter * row.compute * std::sqrt(2 * std::log(p));
    row.efficiency = row.compute / row.step;
    return row;
}

}  // namespace soma::dist
