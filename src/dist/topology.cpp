#include "soma/dist/topology.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "dist/text.h"
#include "soma/core/cpu.h"
#include "soma/core/error.h"

namespace soma::dist {
namespace {

// One line of numbers and the host's name last, which may hold anything.
std::string packed(const Placement& p) {
    std::ostringstream out;
    out << p.threads << ' ' << p.threads_chosen << ' ' << p.host_cores << ' ' << p.cpus.size();
    for (const int cpu : p.cpus) out << ' ' << cpu;
    out << ' ' << p.host;
    return out.str();
}

Placement unpacked(const std::string& text) {
    std::istringstream in(text);
    Placement p;
    std::size_t cpus = 0;
    in >> p.threads >> p.threads_chosen >> p.host_cores >> cpus;
    p.cpus.resize(cpus);
    for (int& cpu : p.cpus) in >> cpu;
    in >> std::ws;
    std::getline(in, p.host);
    return p;
}

bool strangled(const Placement& p) {
    return p.cpus.size() == 1 && p.threads > 1 && p.host_cores > 1;
}

std::string plural(Index n, const char* word) { return concat(n, " ", word, n == 1 ? "" : "s"); }

std::string fix(int threads) {
    return concat("mpirun --map-by ppr:1:numa:PE=", threads,
                  " --bind-to core ...   or   mpirun --bind-to none ...");
}

// Rows with columns as wide as their widest entry.
std::string aligned(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths(rows[0].size());
    for (const auto& row : rows) {
        for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
    }
    std::string text;
    for (const auto& row : rows) {
        for (std::size_t c = 0; c + 1 < row.size(); ++c) {
            text += row[c] + std::string(widths[c] - row[c].size() + 2, ' ');
        }
        text += row.back() + "\n";
    }
    return text;
}

std::string table_of(std::span<const Placement> placements) {
    std::vector<std::vector<std::string>> rows{{"rank", "host", "cpus", "threads", "binding"}};
    for (std::size_t r = 0; r < placements.size(); ++r) {
        const Placement& p = placements[r];
        const std::string binding =
            strangled(p) ? concat("E-BIND: ", p.threads, " threads on 1 core") : "ok";
        rows.push_back({concat(r), p.host, ranges_text(p.cpus), concat(p.threads), binding});
    }
    return aligned(rows);
}

// A host whose ranks want more threads than it has cores.
void warn_crowded_hosts(std::span<const Placement> placements, std::vector<std::string>& warnings) {
    struct Host {
        int ranks = 0, threads = 0, cores = 1;
    };
    std::map<std::string, Host> hosts;
    for (const Placement& p : placements) {
        Host& host = hosts[p.host];
        ++host.ranks;
        host.threads += p.threads;
        host.cores = p.host_cores;
    }
    for (const auto& [name, host] : hosts) {
        if (host.threads <= host.cores) continue;
        const int each = std::max(1, host.cores / host.ranks);
        warnings.push_back(concat(
            name, " runs ", plural(host.threads, "thread"), " of ", plural(host.ranks, "rank"),
            " on ", plural(host.cores, "core"), "; ",
            host.ranks > host.cores ? concat("start at most ", plural(host.cores, "rank"), " there")
                                    : concat("use mpirun -x SOMA_NUM_THREADS=", each, " ...")));
    }
}

void warn_idle_cores(std::span<const Placement> placements, std::vector<std::string>& warnings) {
    for (std::size_t r = 0; r < placements.size(); ++r) {
        const Placement& p = placements[r];
        if (p.threads > 1 || p.threads_chosen || p.cpus.size() <= 1) continue;
        warnings.push_back(concat("rank ", r, " (", p.host, ") uses 1 thread on ", p.cpus.size(),
                                  " cores; use mpirun -x SOMA_NUM_THREADS=", p.cpus.size(),
                                  " ..., or =1 to keep it"));
    }
}

// Whether the threads of all ranks that may run where this one does, and one more for each of them,
// fit on the cores they share.
bool has_spare_core(std::span<const Placement> placements, const Placement& mine) {
    std::size_t threads = 0;
    std::set<int> cores;
    for (const Placement& p : placements) {
        const bool shares = p.host == mine.host &&
                            std::find_first_of(p.cpus.begin(), p.cpus.end(), mine.cpus.begin(),
                                               mine.cpus.end()) != p.cpus.end();
        if (!shares) continue;
        threads += static_cast<std::size_t>(p.threads) + 1;
        cores.insert(p.cpus.begin(), p.cpus.end());
    }
    return threads <= cores.size();
}

}  // namespace

Placement this_placement(const Comm& comm, int threads, bool threads_chosen) {
    return {.host = comm.host(),
            .cpus = cpu().affinity,
            .threads = threads,
            .threads_chosen = threads_chosen,
            .host_cores = cpu().cores};
}

std::vector<Placement> gather_placements(Comm& comm, const Placement& mine) {
    std::vector<Placement> placements;
    for (const std::string& text : comm.allgather(packed(mine))) {
        placements.push_back(unpacked(text));
    }
    return placements;
}

Mapping describe_mapping(std::span<const Placement> placements) {
    SOMA_CHECK(!placements.empty(), "mapping: no ranks; need at least one");
    Mapping mapping{.table = table_of(placements), .warnings = {}, .error = "", .spare_core = {}};
    for (const Placement& p : placements) {
        mapping.spare_core.push_back(has_spare_core(placements, p));
    }
    const auto bad = std::find_if(placements.begin(), placements.end(), strangled);
    if (bad != placements.end()) {
        mapping.error =
            concat("E-BIND: rank ", bad - placements.begin(), " (", bad->host, ") runs ",
                   bad->threads, " threads on 1 core\n  fix: ", fix(bad->threads));
    }
    warn_crowded_hosts(placements, mapping.warnings);
    warn_idle_cores(placements, mapping.warnings);
    return mapping;
}

Mapping check_mapping(Comm& comm, const Placement& mine) {
    Mapping mapping = describe_mapping(gather_placements(comm, mine));
    SOMA_CHECK(mapping.error.empty(), mapping.error, "\n", mapping.table);
    return mapping;
}

}  // namespace soma::dist
