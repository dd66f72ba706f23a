#include "cli/hang_report.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/text_table.h"
#include "soma/core/error.h"
#include "soma/core/text.h"
#include "soma/data/file.h"

namespace soma::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 1;

const HangReport* report_of(std::span<const HangReport> reports, int rank) {
    const auto of_rank = [&](const HangReport& r) { return r.rank == rank; };
    const auto found = std::find_if(reports.begin(), reports.end(), of_rank);
    return found == reports.end() ? nullptr : &*found;
}

double time_of_day() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// Without those that began to wait about when the first rank gave up. The margin is half of the
// time after which a wait is reported (dist/silence.h), so that clocks may differ by as much.
std::vector<HangReport> before_the_end(std::span<const HangReport> reports) {
    double last = std::numeric_limits<double>::infinity();
    for (const HangReport& r : reports) {
        if (r.failed) last = std::min(last, r.began + r.seconds - std::min(r.seconds / 10, 30.0));
    }
    std::vector<HangReport> rest;
    std::copy_if(reports.begin(), reports.end(), std::back_inserter(rest),
                 [&](const HangReport& r) { return r.began <= last; });
    return rest;
}

bool waits_for(const HangReport& report, int rank) {
    return std::any_of(report.peers.begin(), report.peers.end(),
                       [&](const HangReport::Peer& p) { return p.rank == rank; });
}

bool is_waited_for(std::span<const HangReport> reports, int rank) {
    return std::any_of(reports.begin(), reports.end(),
                       [&](const HangReport& r) { return waits_for(r, rank); });
}

// "rank 1 (n2)", "ranks 1 (n2), 3": hosts as far as a report names them.
std::string names_of(std::span<const HangReport> reports, const std::vector<int>& ranks) {
    std::vector<std::string> names;
    for (const int rank : ranks) {
        std::string host;
        for (const HangReport& r : reports) {
            if (r.rank == rank) host = r.host;
            for (const HangReport::Peer& p : r.peers) {
                if (p.rank == rank) host = p.host;
            }
        }
        names.push_back(concat(rank, host.empty() ? "" : concat(" (", host, ")")));
    }
    return (ranks.size() == 1 ? "rank " : "ranks ") + joined(names);
}

// From the first report from peer to peer, until a rank comes again.
std::vector<int> circle(std::span<const HangReport> reports) {
    std::vector<int> path;
    for (const HangReport* r = &reports[0]; r != nullptr;) {
        const auto again = std::find(path.begin(), path.end(), r->rank);
        if (again != path.end()) {
            std::vector<int> ranks(again, path.end());
            std::sort(ranks.begin(), ranks.end());
            return ranks;
        }
        path.push_back(r->rank);
        r = r->peers.empty() ? nullptr : report_of(reports, r->peers[0].rank);
    }
    return path;
}

}  // namespace

HangReport hang_report(const dist::Comm& comm, const dist::Wait& wait, double seconds) {
    HangReport report{.rank = comm.rank(),
                      .ranks = comm.size(),
                      .host = comm.host(),
                      .seconds = seconds,
                      .began = time_of_day() - seconds,
                      .waits = comm.describe(wait),
                      .update = wait.update,
                      .bucket = wait.bucket,
                      .step = wait.step};
    for (const dist::Request& r : wait.messages) {
        report.peers.push_back({r.peer, comm.host_of(r.peer), r.bytes, r.sends});
    }
    return report;
}

std::string hang_text(const HangReport& r) {
    Json peers = Json::array();
    for (const HangReport::Peer& p : r.peers) {
        peers.push_back(
            {{"rank", p.rank}, {"host", p.host}, {"bytes", p.bytes}, {"sends", p.sends}});
    }
    const Json file = {{"schema", kSchema},    {"rank", r.rank},     {"ranks", r.ranks},
                       {"host", r.host},       {"alone", r.alone},   {"failed", r.failed},
                       {"seconds", r.seconds}, {"began", r.began},   {"waits", r.waits},
                       {"update", r.update},   {"bucket", r.bucket}, {"step", r.step},
                       {"peers", peers}};
    return file.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

HangReport parse_hang(std::string_view text, const std::string& path) {
    try {
        const Json file = Json::parse(text);
        if (file.at("schema") != kSchema)
            fail(ErrorCode::data, "schema ", file.at("schema").dump());
        HangReport r{.rank = file.at("rank"),
                     .ranks = file.at("ranks"),
                     .host = file.at("host"),
                     .alone = file.at("alone"),
                     .failed = file.at("failed"),
                     .seconds = file.at("seconds"),
                     .began = file.at("began"),
                     .waits = file.at("waits"),
                     .update = file.at("update"),
                     .bucket = file.at("bucket"),
                     .step = file.at("step")};
        if (r.rank < 0 || r.rank >= r.ranks || !(r.seconds >= 0)) {
            fail(ErrorCode::data, "rank ", r.rank, " of ", r.ranks, ", ", r.seconds, " s");
        }
        for (const Json& p : file.at("peers")) {
            r.peers.push_back({p.at("rank"), p.at("host"), p.at("bytes"), p.at("sends")});
        }
        return r;
    } catch (const std::exception& e) {
        fail(ErrorCode::data, "hang report ", path, ": ", e.what());
    }
}

std::string hang_path(const std::string& folder, int rank) {
    return concat(folder, "/hang.", rank, ".json");
}

std::vector<HangReport> read_hangs(const std::string& folder) {
    if (!std::filesystem::is_directory(folder)) {
        fail(ErrorCode::data, folder, ": no folder; --hang takes the --log-dir of a training");
    }
    std::vector<HangReport> reports;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string name = entry.path().filename();
        if (!name.starts_with("hang.") || !name.ends_with(".json")) continue;
        const data::Bytes bytes = data::read_file(entry.path());
        reports.push_back(
            parse_hang({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, entry.path()));
    }
    if (reports.empty()) {
        fail(ErrorCode::data, folder, ": no hang.<rank>.json in it; no rank has waited long");
    }
    std::sort(reports.begin(), reports.end(),
              [](const HangReport& a, const HangReport& b) { return a.rank < b.rank; });
    for (const HangReport& r : reports) {
        if (r.ranks != reports[0].ranks) {
            fail(ErrorCode::data, folder, ": the hang reports are of different runs");
        }
    }
    return reports;
}

HangVerdict hang_verdict(std::span<const HangReport> all) {
    const std::vector<HangReport> reports = before_the_end(all);
    std::vector<int> silent, silent_and_waited_for, waiting_for_nobody;
    for (int rank = 0; rank < reports[0].ranks; ++rank) {
        const HangReport* report = report_of(reports, rank);
        if (report == nullptr) {
            silent.push_back(rank);
            if (is_waited_for(reports, rank)) silent_and_waited_for.push_back(rank);
        } else if (report->peers.empty()) {
            waiting_for_nobody.push_back(rank);
        }
    }
    if (reports[0].alone && reports.size() == 1 && !silent_and_waited_for.empty()) {
        return {silent_and_waited_for,
                names_of(reports, silent_and_waited_for) +
                    ": rank 0 waits for it; the others wrote no reports (--log-dir)"};
    }
    if (!silent_and_waited_for.empty()) {
        return {silent_and_waited_for,
                names_of(reports, silent_and_waited_for) +
                    ": waited for, and reported no wait before the first rank gave up: stopped, "
                    "dead or computing"};
    }
    if (!silent.empty()) {
        return {silent,
                names_of(reports, silent) +
                    ": reported no wait before the first rank gave up: stopped, dead or computing"};
    }
    if (!waiting_for_nobody.empty()) {
        return {waiting_for_nobody,
                names_of(reports, waiting_for_nobody) + ": waits for nobody that it could name"};
    }
    const std::vector<int> ranks = circle(reports);
    return {ranks, names_of(reports, ranks) + ": wait for each other"};
}

std::string hang_table(std::span<const HangReport> reports) {
    std::vector<std::vector<std::string>> rows = {
        {"rank", "host", "silent s", "waits for", "waits"}};
    for (const HangReport& r : reports) {
        std::vector<std::string> peers;
        for (const HangReport::Peer& p : r.peers) {
            const std::string peer = std::to_string(p.rank);
            if (std::find(peers.begin(), peers.end(), peer) == peers.end()) peers.push_back(peer);
        }
        rows.push_back({concat(r.rank), r.host, fixed(r.seconds, 1),
                        peers.empty() ? "?" : joined(peers), r.waits});
    }
    return text_table(rows);
}

}  // namespace soma::cli
