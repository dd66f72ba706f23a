#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "soma/core/error.h"
#include "soma/core/timer.h"
#include "soma/dist/farm.h"
#include "soma/systems/sweep.h"

namespace soma::systems {
namespace {

using Json = nlohmann::ordered_json;

void check_finite(const train::Fields& result) {
    for (const auto& [name, value] : result) {
        const double* number = std::get_if<double>(&value);
        if (number != nullptr && !std::isfinite(*number)) {
            fail(ErrorCode::non_finite, "sweep: the net's ", name, " is ", *number);
        }
    }
}

std::string line_of(const SweepPlan& plan, const SweepNet& net, const char* key,
                    const std::string& json) {
    return concat("{\"id\":\"", net.id, "\",\"spec\":", plan.spec(net), ",\"", key, "\":", json,
                  "}");
}

// The net's row; nothing when it was stopped.
std::optional<std::string> compute(const SweepPlan& plan, const SweepNet& net,
                                   const std::function<bool()>& stop) {
    const auto& options = plan.settings[static_cast<std::size_t>(net.setting)];
    std::string error;
    try {
        const std::optional<train::Fields> result = plan.sweep.train(options, net.seed, stop);
        if (!result) return std::nullopt;
        check_finite(*result);
        return line_of(plan, net, "result", train::to_json(*result));
    } catch (const std::bad_alloc&) {
        error = "out of memory";
    } catch (const std::exception& e) {
        error = e.what();
    }
    return line_of(plan, net, "error",
                   Json(error).dump(-1, ' ', false, Json::error_handler_t::replace));
}

// What a worker sends: seconds and row, parted by the first blank.
std::string packed(double seconds, const std::string& line) { return concat(seconds, " ", line); }

train::Value value_of(const Json& json) {
    if (json.is_boolean()) return json.get<bool>();
    if (json.is_number_integer()) return json.get<Index>();
    if (json.is_string()) return json.get<std::string>();
    return json.is_number() ? json.get<double>() : std::nan("");
}

SweepRow parsed(Index net, const std::string& line) {
    SweepRow row{net, line};
    const Json json = Json::parse(line);
    if (json.contains("error")) row.error = json["error"].get<std::string>();
    if (!json.contains("result")) return row;
    for (const auto& [name, value] : json["result"].items()) {
        row.result.emplace_back(name, value_of(value));
    }
    return row;
}

}  // namespace

bool run_sweep(const SweepPlan& plan, dist::Comm& comm, train::SweepLog* log,
               const SweepOptions& options) {
    std::vector<Index> missing;
    if (comm.rank() == 0) {
        std::map<Index, const SweepRow*> known;
        const std::vector<SweepRow> rows = rows_of(plan, *log);
        for (const SweepRow& row : rows) known[row.net] = &row;
        for (Index net = 0; net < std::ssize(plan.nets); ++net) {
            const auto found = known.find(net);
            const bool done =
                found != known.end() && !(options.retry_failed && found->second->error.has_value());
            if (!done) missing.push_back(net);
        }
    }
    const dist::FarmWork work = [&](Index net, const std::function<bool()>& stop) {
        const Timer timer;
        std::optional<std::string> line =
            compute(plan, plan.nets[static_cast<std::size_t>(net)], stop);
        if (line) line = packed(timer.seconds(), *line);
        return line;
    };
    const dist::FarmKeep keep = [&](Index at, const std::string& result, int rank) {
        const SweepNet& net = plan.nets[static_cast<std::size_t>(at)];
        const std::size_t blank = result.find(' ');
        const SweepRow row = parsed(at, result.substr(blank + 1));
        log->append(net.id, row.line);
        if (options.on_net) {
            options.on_net({net, row, std::stod(result.substr(0, blank)), rank});
        }
    };
    return dist::farm(comm, missing, work, keep,
                      {.threads = options.threads, .stop_requested = options.stop_requested});
}

std::vector<SweepRow> rows_of(const SweepPlan& plan, const train::SweepLog& log) {
    std::vector<SweepRow> rows;
    for (Index at = 0; at < std::ssize(plan.nets); ++at) {
        const auto found = log.rows().find(plan.nets[static_cast<std::size_t>(at)].id);
        if (found != log.rows().end()) rows.push_back(parsed(at, found->second));
    }
    if (rows.size() < log.rows().size()) {
        fail(ErrorCode::data, "sweep ", plan.name, ": the log holds ",
             log.rows().size() - rows.size(), " of ", log.rows().size(),
             " nets that are not in the plan; a plan may only grow: give another one another name");
    }
    return rows;
}

}  // namespace soma::systems
