#pragma once
// Sweeps: many small nets over ranks and threads, one row a net in one table.
//
// Every net is trained by one thread and is a pure function of its spec, so that its row is the
// same bytes whoever computes it and whenever; the table lists rows in the order of the plan.
// Hence the table does not depend on ranks, threads or interruptions. What does (seconds, ranks)
// is told to the caller and stands in no row.
//
//   {"id":"9f3a51c2d07e4b68","spec":{"options":{...},"seed":1,"system":"..."},"result":{...}}
//   {"id":"...","spec":{...},"error":"train_task: loss is nan ..."}          a net that failed

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "soma/dist/comm.h"
#include "soma/systems/sweep_plan.h"
#include "soma/train/sweep_log.h"

namespace soma::systems {

// A net's row, parsed.
struct SweepRow {
    Index net = 0;     // position in SweepPlan::nets
    std::string line;  // as in the log
    std::optional<std::string> error = {};
    train::Fields result = {};  // empty after an error
};

// A net that has just finished.
struct FinishedNet {
    const SweepNet& net;
    const SweepRow& row;
    double seconds;  // of its worker
    int rank;        // that computed it
};

struct SweepOptions {
    int threads = 1;            // nets at a time on this rank
    bool retry_failed = false;  // compute nets again whose row is an error
    std::function<bool()> stop_requested = {};
    // On rank 0, when the net's row is on disk.
    std::function<void(const FinishedNet&)> on_net = {};
};

// Trains the nets that `log` does not hold yet and appends them to it. Collective; `log` is read
// and written on rank 0 only and null elsewhere. True on every rank when the log now holds all nets
// of the plan. Nets that throw, or that measure a number which is not finite, get an error row.
// Errors as in dist::farm and SweepLog.
bool run_sweep(const SweepPlan& plan, dist::Comm& comm, train::SweepLog* log,
               const SweepOptions& options);

// The nets of the plan that the log holds, in the order of the plan. Error(data) when it holds a
// net that is not in the plan: a plan may grow, but a log that has other nets is another sweep's.
std::vector<SweepRow> rows_of(const SweepPlan& plan, const train::SweepLog& log);

// The table as JSON Lines, and as CSV (RFC 4180): id, seed, all options, what was measured, error.
std::string results_jsonl(const std::vector<SweepRow>& rows);
std::string results_csv(const SweepPlan& plan, const std::vector<SweepRow>& rows);

// A field of a CSV line: quoted where a reader would stumble.
std::string csv_field(const std::string& text);

// The names of what the nets measured, in the order of the system.
std::vector<std::string> measures_of(const std::vector<SweepRow>& rows);
// The value with this name; null when there is none.
const train::Value* find_value(const train::Fields& fields, const std::string& name);

}  // namespace soma::systems
