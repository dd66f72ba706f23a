#include "cli/restart_policy.h"

#include <algorithm>
#include <charconv>
#include <regex>
#include <sstream>

#include "soma/core/error.h"

namespace soma::cli {
namespace {

constexpr int kMostFailures = 3;  // without a new checkpoint

// All matches of an expression, by the groups of each.
std::vector<std::smatch> matches(const std::string& text, const std::regex& expression) {
    return {std::sregex_iterator(text.begin(), text.end(), expression), std::sregex_iterator()};
}

// "node1.example.org" is "node1"; an address is itself.
std::string short_name(const std::string& host) {
    const bool address = host.find_first_not_of("0123456789.:") == std::string::npos;
    return address ? host : host.substr(0, host.find('.'));
}

Index slots_of(const std::string& name, const std::string& rest, const std::string& where) {
    const std::size_t at = rest.find("slots=");
    const std::size_t colon = name.find(':');
    std::string digits = "1";
    if (colon != std::string::npos) digits = name.substr(colon + 1);
    if (at != std::string::npos) digits = rest.substr(at + 6);
    Index slots = 0;
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), slots);
    const bool whole = end.ptr == digits.data() + digits.size() || *end.ptr == ' ';
    if (end.ec != std::errc{} || !whole || slots < 1) {
        fail(ErrorCode::data, where, ": '", digits, "' is no number of slots");
    }
    return slots;
}

}  // namespace

std::vector<std::string> split_words(const std::string& command) {
    std::vector<std::string> words;
    bool inside = false;  // of a word
    char quote = 0;
    for (const char c : command) {
        if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
            inside = false;
        } else if (quote == 0 && (c == '\'' || c == '"')) {
            quote = c;
            if (!inside) words.emplace_back();
            inside = true;
        } else if (quote != 0 && c == quote) {
            quote = 0;
        } else {
            if (!inside) words.emplace_back();
            inside = true;
            words.back() += c;
        }
    }
    SOMA_CHECK(quote == 0, "--supervise: the quote ", quote, " is not closed in: ", command);
    return words;
}

std::vector<Host> parse_hosts(const std::string& text, const std::string& path) {
    std::vector<Host> hosts;
    std::istringstream in(text);
    Index number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        std::istringstream words(line.substr(0, line.find('#')));
        std::string name, rest;
        if (!(words >> name)) continue;
        std::getline(words, rest);
        const Index slots = slots_of(name, rest, concat("host file ", path, ": line ", number));
        hosts.push_back({name.substr(0, name.find(':')), slots, line});
    }
    if (hosts.empty()) fail(ErrorCode::data, "host file ", path, ": it names no host");
    return hosts;
}

std::string blamed_host(const std::string& report) {
    // Open MPI: a rank that was killed; a host that no longer answers.
    for (const char* lost : {"process rank \\d+ with PID \\d+ on node (\\S+) exited on signal",
                             "Remote daemon: \\S+ on node (\\S+)"}) {
        const auto found = matches(report, std::regex(lost));
        if (!found.empty()) return found.front()[1];
    }
    // soma, a line of each rank that waited in vain. The culprit is silent, or the last to speak: a
    // stopped process finds its own time passed when the launcher wakes it to end it.
    const std::regex waited(
        "(rank \\d+) \\(\\S+\\) waited \\S+ s .*?(?:from|to) (rank \\d+) \\((\\S+)\\), tag");
    const auto waits = matches(report, waited);
    const auto has_waited = [&](const std::string& rank) {
        return std::any_of(waits.begin(), waits.end(), [&](const auto& m) { return m[1] == rank; });
    };
    for (const auto& m : waits) {
        if (!has_waited(m[2])) return m[3];
    }
    for (const auto& m : waits) {
        if (m[2] == waits.back()[1]) return m[3];
    }
    return "";
}

Index ranks_that_divide(Index shards, Index most) {
    Index ranks = std::max<Index>(1, std::min(most, shards));
    while (shards % ranks != 0) --ranks;
    return ranks;
}

bool hopeless(int code) {
    return code == 2 || code == 65 || code == 71 || code == 126 || code == 127;
}

RestartPolicy::RestartPolicy(Index ranks, std::vector<Host> hosts, Index step)
    : ranks_(ranks), hosts_(std::move(hosts)), step_(step) {}

bool RestartPolicy::drop(const std::string& name) {
    if (name.empty() || hosts_.size() < 2) return false;
    return std::erase_if(hosts_, [&](const Host& host) {
               return short_name(host.name) == short_name(name);
           }) > 0;
}

bool RestartPolicy::restarts_after(const Failure& failure) {
    if (hopeless(failure.code)) return false;
    failures_ = failure.step > step_ ? 1 : failures_ + 1;
    step_ = failure.step;
    if (failures_ >= kMostFailures) return false;
    if (drop(blamed_host(failure.report))) {
        Index places = 0;
        for (const Host& host : hosts_) places += host.slots;
        ranks_ = ranks_that_divide(failure.shards, std::min(ranks_, places));
    } else if (failures_ > 1) {
        ranks_ = ranks_that_divide(failure.shards, std::max<Index>(1, ranks_ - 1));
    }
    return true;
}

}  // namespace soma::cli
