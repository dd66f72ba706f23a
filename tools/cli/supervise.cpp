#include "cli/supervise.h"

#include <algorithm>
#include <bit>
#include <iostream>

#include "cli/launcher.h"
#include "cli/signals.h"
#include "soma/core/cpu.h"
#include "soma/core/error.h"
#include "soma/core/text.h"
#include "soma/data/file.h"
#include "soma/train/checkpoint.h"
#include "soma/train/log.h"

namespace soma::cli {
namespace {

constexpr int kRanksUnlessSaid = 2;  // every recipe whose batch is shared has two shards
constexpr int kSaved = 85;           // stopped on request (signals.h)

std::string replaced(std::string text, const std::string& mark, const std::string& value) {
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += value.size()) {
        text.replace(at, mark.size(), value);
    }
    return text;
}

void say(const std::string& message) { std::cerr << "soma: supervisor: " << message << std::endl; }

std::vector<Host> hosts_of(const std::string& path) {
    if (path.empty()) return {};
    const data::Bytes bytes = data::read_file(path);
    return parse_hosts({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

Index first_ranks(const Supervision& run, const std::vector<Host>& hosts) {
    if (run.ranks > 0) return run.ranks;
    if (hosts.empty()) return std::min(kRanksUnlessSaid, cpu().cores);
    Index places = 0;
    for (const Host& host : hosts) places += host.slots;
    return static_cast<Index>(std::bit_floor(static_cast<std::uint64_t>(places)));
}

// The hosts that are left, as a file in the run folder; "" when they are unknown.
std::string write_hosts(const Supervision& run, std::span<const Host> hosts) {
    if (hosts.empty()) return "";
    std::string text;
    for (const Host& host : hosts) text += host.line + "\n";
    std::string path = run.folder + "/hosts";
    data::write_file_atomically(path, data::as_bytes(text));
    return path;
}

std::string ranks_text(Index ranks) { return concat(ranks, ranks == 1 ? " rank" : " ranks"); }

std::string position_text(const Position& p) {
    return p.checkpoint.empty() ? "the beginning" : concat("step ", p.step, ", ", p.checkpoint);
}

}  // namespace

std::vector<std::string> start_command(const Supervision& run, Index ranks,
                                       const std::string& host_file, const Position& from) {
    std::vector<std::string> words = split_words(run.command);
    SOMA_CHECK(!words.empty(), "--supervise: need a launcher such as 'mpirun -np {P}'");
    SOMA_CHECK(ranks == 1 || run.command.find("{P}") != std::string::npos, "--supervise '",
               run.command, "': need {P} where the number of ranks belongs");
    const bool uses_hosts = run.command.find("{hosts}") != std::string::npos;
    SOMA_CHECK(uses_hosts == !host_file.empty(), "--supervise '", run.command,
               "': {hosts} and --hosts FILE go together");
    for (std::string& word : words) {
        word = replaced(replaced(word, "{P}", std::to_string(ranks)), "{hosts}", host_file);
    }
    words.push_back(run.program);
    words.insert(words.end(), run.training.begin(), run.training.end());
    words.push_back("--folder=" + run.folder);
    if (!from.checkpoint.empty()) words.push_back("--resume=" + from.checkpoint);
    return words;
}

Position newest_position(const Supervision& run) {
    std::string warnings;
    std::string path = train::newest_valid_checkpoint(run.folder + "/checkpoints", &warnings);
    if (!warnings.empty()) say("passed over " + warnings);
    if (path.empty()) path = run.resume;
    if (path.empty()) return {.checkpoint = "", .step = 0, .shards = run.shards};
    const train::CheckpointInfo info = train::read_checkpoint_info(path);
    return {.checkpoint = path, .step = info.step, .shards = info.shards};
}

int supervise(const Supervision& run) {
    const std::vector<Host> hosts = hosts_of(run.hosts);
    Position from = newest_position(run);
    RestartPolicy policy(first_ranks(run, hosts), hosts, from.step);
    while (!stop_requested()) {
        const std::string host_file = write_hosts(run, policy.hosts());
        const Index ranks = policy.ranks();
        LauncherResult ended = run_launcher(start_command(run, ranks, host_file, from));
        if (ended.code == 0) return 0;
        if (stop_requested()) return ended.code == kSaved ? stop_exit_code() : ended.code;
        if (ended.code == kSaved) return kSaved;
        from = newest_position(run);
        const bool again = policy.restarts_after({.code = ended.code,
                                                  .report = std::move(ended.report),
                                                  .step = from.step,
                                                  .shards = from.shards > 0 ? from.shards : ranks});
        const std::string what = concat(ranks_text(ranks), " ended with ", ended.code,
                                        ended.killed ? " after they were told to" : "", "; ");
        if (!again) {
            say(what + "not started again");
            return ended.code;
        }
        say(concat(what, "starting ", ranks_text(policy.ranks()), " from ", position_text(from)));
        train::JsonLog(run.folder + "/log.jsonl")
            .write("restart", {{"code", Index{ended.code}},
                               {"step", from.step},
                               {"ranks", policy.ranks()},
                               {"hosts", static_cast<Index>(policy.hosts().size())}});
    }
    return stop_exit_code();
}

}  // namespace soma::cli
