#include "cli/mpi_checks.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "cli/text_table.h"
#include "soma/core/error.h"
#include "soma/core/text.h"

namespace soma::cli {
namespace {

constexpr Index kLeastStack = 8 << 20;
constexpr Index kSpareFiles = 256;  // beside a socket a peer: libraries, data, pipes

// Hosts in the order of their lowest rank, with their numbers of ranks.
std::vector<std::pair<std::string, int>> hosts_of(std::span<const HostFacts> facts) {
    std::vector<std::pair<std::string, int>> hosts;
    for (const HostFacts& f : facts) {
        const auto at = std::find_if(hosts.begin(), hosts.end(),
                                     [&](const auto& host) { return host.first == f.host; });
        if (at == hosts.end()) {
            hosts.emplace_back(f.host, 1);
        } else {
            ++at->second;
        }
    }
    return hosts;
}

std::string name_of(std::span<const HostFacts> facts, std::size_t rank) {
    return concat("rank ", rank, " (", facts[rank].host, ")");
}

bool is_open_mpi(std::span<const HostFacts> facts) {
    return facts[0].library.find("Open MPI") != std::string::npos;
}

// The rank with the smallest limit; kUnlimited is the largest.
template <class Limit>
std::size_t tightest(std::span<const HostFacts> facts, Limit limit) {
    const auto key = [&](const HostFacts& f) {
        return limit(f) == kUnlimited ? std::numeric_limits<Index>::max() : limit(f);
    };
    const auto at =
        std::min_element(facts.begin(), facts.end(),
                         [&](const HostFacts& a, const HostFacts& b) { return key(a) < key(b); });
    return static_cast<std::size_t>(at - facts.begin());
}

std::string bytes_text(Index bytes) {
    if (bytes == kUnlimited) return "unlimited";
    return bytes > 0 && bytes < 1 << 10 ? concat(bytes, " B") : size_text(bytes);
}

std::string microseconds(double seconds) { return fixed(1e6 * seconds, 2) + " us"; }

// A network that every host has, "" when there is none.
std::string shared_network(std::span<const HostFacts> facts) {
    for (const Interface& candidate : facts[0].interfaces) {
        const bool everywhere = std::all_of(facts.begin(), facts.end(), [&](const HostFacts& f) {
            return std::any_of(f.interfaces.begin(), f.interfaces.end(),
                               [&](const Interface& i) { return i.network == candidate.network; });
        });
        if (everywhere) return candidate.network;
    }
    return "";
}

// "eth0 10.77.0.0/24, ib0 10.78.0.0/24".
std::string networks_text(const HostFacts& facts) {
    std::vector<std::string> texts;
    for (const Interface& i : facts.interfaces) texts.push_back(i.name + " " + i.network);
    return texts.empty() ? "none" : joined(texts);
}

std::string interface_fix(std::span<const HostFacts> facts) {
    if (!is_open_mpi(facts)) return "mpirun -iface NAME ..., the interface that joins the hosts";
    const std::string network = shared_network(facts);
    const std::string choice = network.empty() ? "NETWORK/BITS" : network;
    return concat("mpirun --mca btl_tcp_if_include ", choice, " --mca oob_tcp_if_include ", choice,
                  " ...");
}

const Timing* same_size(const std::vector<Timing>& timings, Index bytes) {
    const auto at = std::find_if(timings.begin(), timings.end(),
                                 [&](const Timing& t) { return t.bytes == bytes; });
    return at == timings.end() ? nullptr : &*at;
}

// Ranks of one host exchange memory, others messages: not to be compared.
bool same_reach(const Cluster& a, const Cluster& b) { return (a.hosts > 1) == (b.hosts > 1); }

const Timing* recorded_time(Message what, Index bytes, const Cluster& here, const Cluster* then) {
    if (then == nullptr || !same_reach(here, *then)) return nullptr;
    if (what == Message::pingpong) return same_size(then->pingpong, bytes);
    const bool same_ranks = then->ranks == here.ranks && then->hosts == here.hosts;
    return same_ranks ? same_size(then->allreduce, bytes) : nullptr;
}

}  // namespace

Check check_hosts(std::span<const HostFacts> facts) {
    const auto hosts = hosts_of(facts);
    std::vector<std::string> names;
    for (const auto& [name, ranks] : hosts) names.push_back(concat(name, " (", ranks, ")"));
    return {"ranks", concat(facts.size(), " on ", hosts.size(),
                            hosts.size() == 1 ? " host: " : " hosts: ", joined(names))};
}

std::vector<Check> check_binding(const dist::Mapping& mapping) {
    std::vector<Check> checks;
    const auto add = [&](const std::string& text, const std::string& before_fix) {
        const std::size_t at = text.find(before_fix);
        const bool found = at != std::string::npos;
        checks.push_back({"binding", "see the table", text.substr(0, at),
                          found ? text.substr(at + before_fix.size()) : ""});
    };
    if (!mapping.error.empty()) add(mapping.error, "\n  fix: ");
    for (const std::string& warning : mapping.warnings) {
        add(warning, warning.find("; use ") != std::string::npos ? "; use " : "; ");
    }
    if (checks.empty()) checks.push_back({"binding", "every thread has a core"});
    return checks;
}

Check check_interfaces(std::span<const HostFacts> facts) {
    std::vector<std::string> texts;
    std::set<std::string> seen;
    std::string crowded;
    bool unset = false;
    for (const HostFacts& f : facts) {
        unset = unset || f.chosen.empty();
        if (!seen.insert(f.host).second) continue;
        texts.push_back(concat(f.host, ": ", networks_text(f)));
        if (crowded.empty() && f.interfaces.size() > 1) crowded = f.host;
    }
    Check check{"interfaces", joined(texts, "; ")};
    if (!unset) {
        check.value += concat(" (chosen: ", facts[0].chosen, ")");
    } else if (seen.size() > 1 && !crowded.empty()) {
        check.problem = concat(crowded, " has several networks and none is chosen");
        check.fix = interface_fix(facts);
    }
    return check;
}

std::string early_warning(const HostFacts& mine) {
    HostFacts other = mine;  // of which nothing is known
    other.host = "other hosts";
    other.interfaces.clear();
    const std::vector<HostFacts> facts{mine, other};
    const Check check = check_interfaces(facts);
    if (check.ok()) return "";
    return concat(check.problem, " (", networks_text(mine), "); if MPI fails now: ", check.fix);
}

std::vector<Check> check_limits(std::span<const HostFacts> facts) {
    const auto locked = [](const HostFacts& f) { return f.locked_memory; };
    const auto files = [](const HostFacts& f) { return f.open_files; };
    const auto stack = [](const HostFacts& f) { return f.stack; };
    const HostFacts& l = facts[tightest(facts, locked)];
    const HostFacts& o = facts[tightest(facts, files)];
    const HostFacts& s = facts[tightest(facts, stack)];
    Check memory{"locked memory", bytes_text(l.locked_memory)};
    const bool rdma =
        std::any_of(facts.begin(), facts.end(), [](const HostFacts& f) { return f.rdma; });
    if (rdma && l.locked_memory != kUnlimited) {
        memory.problem = concat(name_of(facts, tightest(facts, locked)),
                                ": RDMA can register no more than that");
        memory.fix =
            "ulimit -l unlimited, for good: '* - memlock unlimited' in "
            "/etc/security/limits.conf of every host";
    }
    Check open{"open files", o.open_files == kUnlimited ? "unlimited" : concat(o.open_files)};
    const Index need = static_cast<Index>(facts.size()) + kSpareFiles;
    if (o.open_files != kUnlimited && o.open_files < need) {
        open.problem = concat(name_of(facts, tightest(facts, files)), ": ", facts.size(),
                              " ranks want ", need);
        open.fix = concat("ulimit -n ", need, " before mpirun, and on every host");
    }
    Check depth{"stack", bytes_text(s.stack)};
    if (s.stack != kUnlimited && s.stack < kLeastStack) {
        depth.problem =
            concat(name_of(facts, tightest(facts, stack)), ": less than ", bytes_text(kLeastStack));
        depth.fix = concat("ulimit -s ", kLeastStack >> 10, " before mpirun, and on every host");
    }
    return {memory, open, depth};
}

Check check_clocks(std::span<const HostFacts> facts, std::span<const dist::ClockOffset> offsets) {
    const auto at = std::max_element(
        offsets.begin(), offsets.end(),
        [](const auto& a, const auto& b) { return std::abs(a.seconds) < std::abs(b.seconds); });
    const auto rank = static_cast<std::size_t>(at - offsets.begin());
    Check check{"clock skew", concat(fixed(1e3 * std::abs(at->seconds), 3), " +- ",
                                     fixed(1e3 * at->uncertainty, 3), " ms")};
    if (std::abs(at->seconds) - at->uncertainty > kMostSkew) {
        check.problem = concat("the clock of ", name_of(facts, rank), " is ",
                               at->seconds > 0 ? "ahead of" : "behind", " rank 0's");
        check.fix =
            concat("chronyc makestep   or   timedatectl set-ntp true, on ", facts[rank].host);
    }
    return check;
}

std::vector<Check> check_library(std::span<const HostFacts> facts, const std::string& thread_level,
                                 const std::string& progress) {
    Check library{"MPI library", facts[0].library};
    const auto other = std::find_if(facts.begin(), facts.end(), [&](const HostFacts& f) {
        return f.library != facts[0].library;
    });
    if (other != facts.end()) {
        library.problem = concat(name_of(facts, static_cast<std::size_t>(other - facts.begin())),
                                 " has ", other->library);
        library.fix =
            "install the same version on every host, and name its mpirun by its full path";
    }
    const bool helper = thread_level == "serialized" || thread_level == "multiple";
    Check level{"thread level", thread_level};
    if (!helper) {
        level.problem = "a thread of its own may not send gradients";
        level.fix = "soma train ... --progress poll, or an MPI built with threads";
    }
    Check moves{"OMPI progress", is_open_mpi(facts) ? progress : "unknown"};  // ompi_info's word
    if (moves.value != "yes" && helper) {
        moves.value += "; soma's own thread sees to it (soma train --progress thread)";
    } else if (moves.value != "yes") {
        moves.problem = "messages rest while the rank computes";
        moves.fix = "soma train ... --progress poll";
    }
    return {library, level, moves};
}

Check check_time(Message what, const Timing& now, double library, const Cluster& here,
                 const Cluster* recorded) {
    const bool pingpong = what == Message::pingpong;
    Check check{concat(pingpong ? "ping-pong " : "all-reduce ", bytes_text(now.bytes)),
                microseconds(now.seconds)};
    if (pingpong && now.bytes >= 1 << 20) {
        check.value +=
            concat(", ", fixed(1e-9 * static_cast<double>(now.bytes) / now.seconds, 2), " GB/s");
    }
    if (library > 0) check.value += concat(", the library's ", microseconds(library));
    const Timing* then = recorded_time(what, now.bytes, here, recorded);
    if (then == nullptr || then->seconds <= 0) return check;
    check.value += concat(", recorded ", microseconds(then->seconds));
    const double ratio = now.seconds / then->seconds;
    if (ratio > kSlower) {
        check.problem = concat(fixed(ratio, 2), " times the time recorded");
        check.fix =
            "see to the warnings above and to other work on the hosts; for a new record: "
            "mpirun ... soma bench comm --tune cluster.json";
    }
    return check;
}

std::vector<Check> check_record(const Cluster& here, const Cluster* recorded) {
    if (recorded == nullptr) return {};
    Check check{"record", concat(recorded->ranks, " ranks on ", recorded->hosts,
                                 recorded->hosts == 1 ? " host" : " hosts")};
    if (recorded->ranks != here.ranks || recorded->hosts != here.hosts) {
        check.problem =
            concat("here ", here.ranks, " on ", here.hosts, ": ",
                   same_reach(here, *recorded) ? "sums are not" : "nothing is", " compared");
        check.fix = concat("mpirun -np ", recorded->ranks, " on ", recorded->hosts,
                           recorded->hosts == 1 ? " host" : " hosts",
                           ", or a new record: mpirun ... soma bench comm --tune cluster.json");
    }
    return {check};
}

std::string checks_text(std::span<const Check> checks) {
    std::vector<std::vector<std::string>> rows;
    for (const Check& c : checks) rows.push_back({c.name, c.ok() ? "ok" : "warning", c.value});
    const std::string table = text_table(rows);
    std::string text;
    std::size_t begin = 0;
    for (const Check& c : checks) {
        const std::size_t end = table.find('\n', begin) + 1;
        text += table.substr(begin, end - begin);
        begin = end;
        if (!c.ok()) text += concat("    ", c.problem, "\n");
        if (!c.fix.empty()) text += concat("    fix: ", c.fix, "\n");
    }
    return text;
}

}  // namespace soma::cli
