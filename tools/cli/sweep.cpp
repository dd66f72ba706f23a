// soma sweep: many small nets over seeds and options, on any number of ranks and threads.

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/arguments.h"
#include "cli/names.h"
#include "cli/ranks.h"
#include "cli/signals.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "soma/core/error.h"
#include "soma/core/hash.h"
#include "soma/core/parallel.h"
#include "soma/core/timer.h"
#include "soma/core/version.h"
#include "soma/dist/fingerprint.h"
#include "soma/systems/registry.h"
#include "soma/systems/sweep.h"
#include "soma/systems/sweep_summary.h"
#include "soma/train/progress.h"
#include "soma/train/report.h"

namespace soma::cli {
namespace {

constexpr int kStoppedCode = 85;  // preempted and saved
constexpr std::size_t kShownFailures = 3;

struct Options {
    CommonOptions common;
    std::string file, options_of, out = "runs";
    double comm_timeout = 300;
    bool retry_failed = false, dry_run = false, json = false;
};

// What a sweep did in this process's lifetime.
struct Tally {
    Index found = 0, trained = 0;  // nets in the log before; since
    double seconds = 0;
    int ranks = 1, threads = 1;
    bool complete = false;

    double per_minute() const {
        return seconds > 0 ? 60 * static_cast<double>(trained) / seconds : 0;
    }
};

int print_options(const std::string& name) {
    const systems::System& system = known_system(name);
    SOMA_CHECK(system.sweep, "soma sweep: ", system.name, " has no nets to sweep over");
    std::vector<std::vector<std::string>> rows = {{"option", "value of the recipe"}};
    for (const auto& [option, value] : system.sweep().options) {
        rows.push_back({option, train::to_text(value)});
    }
    std::cout << text_table(rows);
    return 0;
}

std::string plan_text(const systems::SweepPlan& plan) {
    const auto settings = std::ssize(plan.settings), nets = std::ssize(plan.nets);
    return concat(plan.name, ": ", settings, settings == 1 ? " setting" : " settings", " x ",
                  nets / settings, " seeds = ", nets, " nets of ", plan.system);
}

// All ranks must have read the same plan.
void check_same_plan(dist::Comm& comm, const systems::SweepPlan& plan) {
    std::uint64_t nets = 0;
    for (const systems::SweepNet& net : plan.nets) nets = hash64(net.id, nets);
    dist::check_fingerprint(comm, {{"soma", kVersion},
                                   {"numerics", concat(kNumericsVersion)},
                                   {"sweep plan", plan.name},
                                   {"nets", to_hex(nets)}});
}

// The folder of a sweep on rank 0: its log, its tables and figures.
class Record {
public:
    Record(const systems::SweepPlan& plan, const Options& options, const train::Fields& config)
        : plan_(plan),
          folder_(train::RunFolder::at((std::filesystem::path(options.out) / plan.name).string())),
          log_(folder_.file("nets.jsonl"), plan.identity()) {
        found_ = std::ssize(systems::rows_of(plan, log_));
        folder_.set_config(config);
    }

    train::SweepLog& log() { return log_; }
    Index found() const { return found_; }
    const train::RunFolder& folder() const { return folder_; }

    // What depends on ranks and time stands in log.jsonl, beside the table.
    void note_net(const systems::FinishedNet& net, const std::string& host) {
        folder_.log().write("net", {{"id", net.net.id},
                                    {"seconds", net.seconds},
                                    {"rank", Index{net.rank}},
                                    {"host", host},
                                    {"failed", net.row.error.has_value()}});
    }

    // Writes tables and page from all rows of the log; figures, which take longer than a scheduler
    // may wait, only of a complete sweep.
    void write(const std::string& headline, bool complete) {
        rows_ = systems::rows_of(plan_, log_);
        summary_ = systems::summarize(plan_, rows_);
        folder_.write("results.jsonl", systems::results_jsonl(rows_));
        folder_.write("results.csv", systems::results_csv(plan_, rows_));
        folder_.write("summary.csv", systems::summary_csv(plan_, summary_));
        folder_.note(headline);
        folder_.add(systems::summary_table(plan_, summary_));
        if (complete) systems::draw_summary(plan_, summary_, folder_);
        folder_.write_page("sweep " + plan_.name + ": " + plan_.system);
    }

    const std::vector<systems::SweepRow>& rows() const { return rows_; }
    const systems::SweepSummary& summary() const { return summary_; }
    Index failed() const {
        Index count = 0;
        for (const systems::SweepRow& row : rows_) count += row.error ? 1 : 0;
        return count;
    }

private:
    const systems::SweepPlan& plan_;
    train::RunFolder folder_;
    train::SweepLog log_;
    Index found_ = 0;
    std::vector<systems::SweepRow> rows_;
    systems::SweepSummary summary_;
};

std::string headline(const systems::SweepPlan& plan, const Tally& p) {
    char speed[64];
    std::snprintf(speed, sizeof speed, "%.1f nets/min", p.per_minute());
    return concat(plan_text(plan), "; ", p.found, " were there, ", p.trained, " trained in ",
                  train::duration_text(p.seconds), " on ", p.ranks,
                  p.ranks == 1 ? " rank x " : " ranks x ", p.threads,
                  p.threads == 1 ? " thread: " : " threads: ", speed);
}

void print_failures(const systems::SweepPlan& plan, const Record& record) {
    std::size_t shown = 0;
    for (const systems::SweepRow& row : record.rows()) {
        if (!row.error || ++shown > kShownFailures) continue;
        const systems::SweepNet& net = plan.nets[static_cast<std::size_t>(row.net)];
        std::cout << "failed: " << plan.label(net.setting) << ", seed " << net.seed << ": "
                  << *row.error << "\n";
    }
    if (shown > kShownFailures) {
        std::cout << "failed: " << shown - kShownFailures << " more, in results.csv\n";
    }
}

void print_text(const systems::SweepPlan& plan, const Record& record, const Tally& p) {
    const train::Table table = systems::summary_table(plan, record.summary());
    std::vector<std::vector<std::string>> rows{table.header};
    rows.insert(rows.end(), table.rows.begin(), table.rows.end());
    std::cout << text_table(rows) << "\n" << headline(plan, p) << "\n";
    print_failures(plan, record);
    if (!p.complete) std::cout << "stopped on request; the same command goes on\n";
    std::cout << "table: " << to_hex(hash64(systems::results_jsonl(record.rows()))) << " "
              << record.folder().file("results.csv") << "\nreport: " << record.folder().page()
              << std::endl;
}

void print_json(const systems::SweepPlan& plan, const Record& record, const Tally& p) {
    using Json = nlohmann::ordered_json;
    const auto number = [](double v) { return std::isfinite(v) ? Json(v) : Json(); };
    Json settings = Json::array();
    for (const systems::SettingSummary& s : record.summary().settings) {
        Json measures = Json::object();
        for (std::size_t m = 0; m < s.estimates.size(); ++m) {
            const systems::Estimate& e = s.estimates[m];
            measures[record.summary().measures[m].name] = {{"mean", number(e.mean)},
                                                           {"low", number(e.interval.low)},
                                                           {"high", number(e.interval.high)}};
        }
        settings.push_back({{"setting", plan.label(s.setting)},
                            {"nets", s.nets},
                            {"failed", s.failed},
                            {"measures", measures}});
    }
    const Json object = {{"schema", 1},
                         {"sweep", plan.name},
                         {"system", plan.system},
                         {"nets", std::ssize(plan.nets)},
                         {"finished", std::ssize(record.rows())},
                         {"failed", record.failed()},
                         {"complete", p.complete},
                         {"trained", p.trained},
                         {"seconds", p.seconds},
                         {"nets_per_minute", p.per_minute()},
                         {"ranks", p.ranks},
                         {"threads", p.threads},
                         {"table", to_hex(hash64(systems::results_jsonl(record.rows())))},
                         {"settings", settings},
                         {"folder", record.folder().path()}};
    std::cout << object.dump(2) << std::endl;
}

// What one rank does; only rank 0 writes and prints.
int run_rank(const Options& options, const systems::SweepPlan& plan, const train::Fields& config,
             dist::Comm& comm) {
    const bool root = comm.rank() == 0;
    Tally p;
    p.ranks = comm.size();
    p.threads = options.common.threads > 0 ? options.common.threads
                : comm.size() > 1          ? 1
                                           : num_threads();
    check_same_plan(comm, plan);
    show_mapping(comm, {.threads = p.threads,
                        .chosen = options.common.threads > 0,
                        .quiet = options.common.quiet,
                        .dry_run = options.dry_run});
    if (options.dry_run) {
        if (root) std::cout << plan_text(plan) << std::endl;
        return 0;
    }
    std::optional<Record> record;
    if (root) record.emplace(plan, options, config);
    p.found = root ? record->found() : 0;

    train::Progress bar(
        std::cerr,
        options.common.quiet || !root ? train::ProgressStyle::quiet : train::terminal_style(),
        train::terminal_color());
    const Timer timer;
    systems::SweepOptions sweep;
    sweep.threads = p.threads;
    sweep.retry_failed = options.retry_failed;
    sweep.stop_requested = stop_requested;
    sweep.on_net = [&](const systems::FinishedNet& net) {
        record->note_net(net, comm.host_of(net.rank));
        ++p.trained;
        bar.update(plan.name, static_cast<double>(p.found + p.trained),
                   static_cast<double>(std::ssize(plan.nets)));
    };
    p.complete = systems::run_sweep(plan, comm, root ? &record->log() : nullptr, sweep);
    p.seconds = timer.seconds();
    bar.clear();

    const int stopped = stop_exit_code() != 0 ? stop_exit_code() : kStoppedCode;
    if (!root) return p.complete ? 0 : stopped;
    record->write(headline(plan, p), p.complete);
    if (options.json) {
        print_json(plan, *record, p);
    } else {
        print_text(plan, *record, p);
    }
    if (!p.complete) return stopped;
    return record->failed() > 0 ? 1 : 0;
}

int run_sweep_verb(const Options& options, const train::Fields& config) {
    apply(options.common);
    if (!options.options_of.empty()) {
        return launched_rank() == 0 ? print_options(options.options_of) : 0;
    }
    SOMA_CHECK(!options.file.empty(),
               "soma sweep: name a plan file (soma sweep --help shows one), or --options SYSTEM");
    const systems::SweepPlan plan = systems::read_sweep_plan(options.file);
    install_signal_handlers();
    return run_on_ranks(options.comm_timeout,
                        [&](dist::Comm& comm) { return run_rank(options, plan, config, comm); });
}

constexpr const char* kExample =
    "soma sweep examples/flipflop_sweep.json\n"
    "  mpirun -np 4 soma sweep examples/flipflop_sweep.json   # the same table\n\n"
    "A plan:\n"
    "  {\"name\": \"rates\", \"system\": \"flipflop2013\", \"options\": {\"units\": 32},\n"
    "   \"axes\": {\"rate\": [0.01, 0.02]}, \"seeds\": {\"first\": 1, \"count\": 50}}\n\n"
    "The folder DIR/NAME keeps each net as it finishes: the same command goes on after a stop, "
    "and\n"
    "trains what is new when axes or seeds were added. Exit code 1: some nets failed";

}  // namespace

void add_sweep(CLI::App& program, Action& action) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb = add_verb(program, "sweep",
                              "train many nets over seeds and options, a thread each, on one rank "
                              "or under mpirun",
                              kExample, options->common);
    verb->add_option("file", options->file, "the plan: JSON, comments allowed")->type_name("FILE");
    verb->add_option("--options", options->options_of, "list what a plan may set for this system")
        ->type_name("SYSTEM");
    verb->add_option("--out", options->out, "folder for the sweep's folder")->type_name("DIR");
    verb->add_option("--comm-timeout", options->comm_timeout, "seconds a peer rank may stay silent")
        ->check(finite_number(true));
    verb->add_flag("--retry-failed", options->retry_failed, "train nets that failed once more");
    verb->add_flag("--dry-run", options->dry_run, "check the plan, count its nets, stop");
    verb->add_flag("--json", options->json, "one JSON object on standard output");
    verb->callback([options, verb, &action] {
        action = [options, verb] { return run_sweep_verb(*options, resolved_options(*verb)); };
    });
}

}  // namespace soma::cli
