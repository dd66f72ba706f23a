// soma plan: how a training would scale over nodes and networks, from a few numbers.

#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/arguments.h"
#include "cli/cluster.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/core/text.h"
#include "soma/dist/planner.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/peak.h"

namespace soma::cli {
namespace {

using dist::Network;
using dist::PlanOptions;
using dist::PlanRow;

constexpr double kShareOfPeak = 0.7;      // of the FMA peak, that a large net's step reaches
constexpr double kSweepBelow = 0.5;       // efficiency at two ranks
constexpr double kWorthHalfBytes = 1.02;  // gain of bf16 that is mentioned

struct Options {
    CommonOptions common;
    std::string model, network = "10gbe", cluster;
    std::vector<Index> ranks = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
    double parameters = 0, step_ms = 0, gflops = 0, bucket_mb = 4, jitter = 0;
    double latency_us = -1, ns_per_byte = -1;
    Index batch = 0, shards = 0;
    bool json = false;
};

// What a step costs on one node, and how that is known.
struct Step {
    double parameters = 0, seconds = 0;
    std::string text;
};

double node_gflops(const Options& o, std::string& how) {
    if (o.gflops > 0) {
        how = concat(o.gflops, " GFLOP/s a node");
        return o.gflops;
    }
    const double peak = kernels::measure_fma_gflops<float>(kernels::active(), num_threads());
    how = concat("this machine's ", fixed(100 * kShareOfPeak, 0), " % of ", fixed(peak, 0),
                 " GFLOP/s, ", num_threads(), num_threads() == 1 ? " thread" : " threads");
    return kShareOfPeak * peak;
}

Step step_of(const Options& o) {
    SOMA_CHECK(!o.model.empty() || (o.parameters > 0 && o.step_ms > 0),
               "soma plan: need a model (resnet50, alexnet, gpt_mini, lecun1989), or --parameters "
               "and --step-ms");
    Step step{o.parameters, 1e-3 * o.step_ms, concat(o.step_ms, " ms a step")};
    if (o.model.empty()) return step;
    const dist::StepProfile& profile = dist::step_profile(o.model);
    if (step.parameters <= 0) step.parameters = profile.parameters;
    if (step.seconds > 0) return step;
    const Index samples = o.batch > 0 ? o.batch : profile.samples;
    const double flop = profile.flop_per_sample * static_cast<double>(samples);
    std::string how;
    step.seconds = flop / (1e9 * node_gflops(o, how));
    step.text = concat(profile.what, "; ", samples, " samples a node, ",
                       fixed(1e3 * step.seconds, step.seconds < 0.01 ? 3 : 0), " ms at ", how);
    return step;
}

Network network_of(const Options& o) {
    SOMA_CHECK((o.latency_us < 0) == (o.ns_per_byte < 0),
               "soma plan: --latency-us and --ns-per-byte describe a network together");
    if (!o.cluster.empty()) {
        const Cluster measured = read_cluster(o.cluster);
        return {concat(o.cluster, ", ", measured.ranks, " ranks on ", measured.hosts,
                       measured.hosts == 1 ? " host" : " hosts"),
                measured.latency, measured.seconds_per_byte};
    }
    if (o.latency_us >= 0) return {"own", 1e-6 * o.latency_us, 1e-9 * o.ns_per_byte};
    return dist::network_named(o.network);
}

// What follows from the rows, a line each.
std::vector<std::string> advice(const PlanOptions& plan, const Network& network,
                                const std::vector<PlanRow>& rows) {
    std::vector<std::string> lines;
    if (plan.shards == 0 || plan.shards % 2 == 0) {
        const double pair = dist::predict(plan, network, 2).efficiency;
        if (pair < kSweepBelow) {
            lines.push_back(concat("Two ranks are ", fixed(200 * pair, 0),
                                   " % as fast as one: train many nets side by side instead "
                                   "(soma sweep)."));
        }
    }
    const PlanRow& last = rows.back();
    PlanOptions half = plan;
    half.bytes_per_value = plan.bytes_per_value / 2;
    const double gain = last.step / dist::predict(half, network, last.ranks).step;
    if (gain > kWorthHalfBytes) {
        lines.push_back(concat("Half the bytes (bf16 on the wire) would make ", last.ranks,
                               " ranks ", fixed(100 * (gain - 1), 0), " % faster."));
    }
    if (plan.shards > last.ranks) {
        PlanOptions own = plan;
        own.shards = 0;
        const double loss = last.step / dist::predict(own, network, last.ranks).step;
        if (loss > kWorthHalfBytes) {
            lines.push_back(concat(plan.shards, " shards on ", last.ranks,
                                   " ranks hide only the "
                                   "last ",
                                   plan.shards / last.ranks,
                                   "th of backward: as many shards as ranks would be ",
                                   fixed(100 * (loss - 1), 0), " % faster."));
        }
    }
    return lines;
}

void print_table(const Step& step, const PlanOptions& plan, const Network& network,
                 const std::vector<PlanRow>& rows) {
    std::cout << step.text << "\n"
              << fixed(step.parameters / 1e6, 3) << " million parameters, buckets of "
              << fixed(plan.bucket_bytes / 1e6, 1) << " MB; network " << network.name << ": "
              << fixed(1e6 * network.latency, 1) << " us, "
              << fixed(1e9 * network.seconds_per_byte, 3) << " ns a byte\n\n";
    std::vector<std::vector<std::string>> table = {{"ranks", "step ms", "compute", "latency",
                                                    "bandwidth", "efficiency %", "speed-up",
                                                    "most is"}};
    for (const PlanRow& r : rows) {
        table.push_back({concat(r.ranks), fixed(1e3 * r.step, 3), fixed(1e3 * r.compute, 3),
                         fixed(1e3 * r.latency, 3), fixed(1e3 * r.bandwidth, 3),
                         fixed(100 * r.efficiency, 1),
                         fixed(r.efficiency * static_cast<double>(r.ranks), 1), r.bound()});
    }
    std::cout << markdown_table(table)
              << "Predicted, not measured. Milliseconds; latency and bandwidth before overlap; "
                 "speed-up in samples a second.\n";
    for (const std::string& line : advice(plan, network, rows)) std::cout << line << "\n";
}

void print_json(const Step& step, const Network& network, const std::vector<PlanRow>& rows) {
    using Json = nlohmann::ordered_json;
    Json list = Json::array();
    for (const PlanRow& r : rows) {
        list.push_back({{"ranks", r.ranks},
                        {"step_seconds", r.step},
                        {"compute_seconds", r.compute},
                        {"latency_seconds", r.latency},
                        {"bandwidth_seconds", r.bandwidth},
                        {"efficiency", r.efficiency},
                        {"bound", r.bound()}});
    }
    std::cout << Json{{"schema", 1},
                      {"parameters", step.parameters},
                      {"network", network.name},
                      {"latency_seconds", network.latency},
                      {"seconds_per_byte", network.seconds_per_byte},
                      {"rows", list}}
                     .dump(2)
              << "\n";
}

int run_plan(const Options& o) {
    apply(o.common);
    const Network network = network_of(o);
    const Step step = step_of(o);
    const PlanOptions plan{.compute_seconds = step.seconds,
                           .parameters = step.parameters,
                           .bucket_bytes = 1e6 * o.bucket_mb,
                           .shards = o.shards,
                           .jitter = o.jitter};
    std::vector<PlanRow> rows;
    for (const Index ranks : o.ranks) {
        if (o.shards > 0 && o.shards % ranks != 0) continue;  // no such run in strict mode
        rows.push_back(dist::predict(plan, network, ranks));
    }
    SOMA_CHECK(!rows.empty(), "soma plan: none of the ranks divides ", o.shards, " shards");
    if (o.json) {
        print_json(step, network, rows);
    } else {
        print_table(step, plan, network, rows);
    }
    return 0;
}

}  // namespace

void add_plan(CLI::App& program, Action& action) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb = add_verb(
        program, "plan", "predict how training scales over nodes and networks",
        "soma plan resnet50 --net 10gbe\n  soma plan alexnet --net 100g --gflops 1000 --batch 64\n"
        "  soma plan --parameters 1e6 --step-ms 20 --latency-us 30 --ns-per-byte 1\n"
        "  soma plan resnet50 --cluster cluster.json",
        options->common);
    verb->add_option("model", options->model, "resnet50, alexnet, gpt_mini or lecun1989");
    CLI::Option* net =
        verb->add_option("--net", options->network, "1gbe, 10gbe or 100g")->capture_default_str();
    CLI::Option* latency = verb->add_option("--latency-us", options->latency_us,
                                            "of a network of your own, with the next")
                               ->check(finite_number(false));
    verb->add_option("--cluster", options->cluster,
                     "the network that soma bench comm --tune FILE measured")
        ->type_name("FILE")
        ->excludes(net)
        ->excludes(latency);
    verb->add_option("--ns-per-byte", options->ns_per_byte, "of a network of your own")
        ->check(finite_number(false));
    verb->add_option("--ranks", options->ranks, "numbers of ranks, a node each: 1,2,4")
        ->delimiter(',')
        ->check(whole_number(1));
    verb->add_option("--batch", options->batch, "samples a node; default: the model's")
        ->check(whole_number(1));
    verb->add_option("--gflops", options->gflops,
                     "that a node computes; default: 70 % of this machine's measured peak")
        ->check(finite_number(true));
    verb->add_option("--step-ms", options->step_ms, "measured time of a step on one node")
        ->check(finite_number(true));
    verb->add_option("--parameters", options->parameters, "of a net of your own")
        ->check(finite_number(true));
    verb->add_option("--bucket-mb", options->bucket_mb, "size of a message, 10^6 bytes")
        ->check(finite_number(true));
    verb->add_option("--shards", options->shards, "of strict mode; default: as many as ranks")
        ->check(whole_number(1));
    verb->add_option("--jitter", options->jitter, "relative spread of a node's step time")
        ->check(finite_number(false));
    verb->add_flag("--json", options->json, "one JSON object on standard output");
    verb->callback([options, &action] { action = [options] { return run_plan(*options); }; });
}

}  // namespace soma::cli
