#include "soma/dist/fingerprint.h"

#include <algorithm>

#include "dist/text.h"
#include "soma/core/error.h"
#include "soma/core/hash.h"

namespace soma::dist {
namespace {

constexpr std::size_t kShownLetters = 60;

// "length:text", so that no separator can occur in a field.
std::string packed(const FingerprintFields& fields) {
    std::string text;
    for (const auto& [name, value] : fields) {
        text += concat(name.size(), ":", name, value.size(), ":", value);
    }
    return text;
}

std::string take_text(std::string_view& rest) {
    const std::size_t colon = rest.find(':');
    const std::size_t size = std::stoul(std::string(rest.substr(0, colon)));
    const std::string text(rest.substr(colon + 1, size));
    rest.remove_prefix(colon + 1 + size);
    return text;
}

FingerprintFields unpacked(std::string_view text) {
    FingerprintFields fields;
    while (!text.empty()) {
        std::string name = take_text(text);
        fields.emplace_back(std::move(name), take_text(text));
    }
    return fields;
}

// What a rank says about a field; "(absent)" when nothing.
std::string value_of(const FingerprintFields& fields, const std::string& name) {
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [&](const auto& field) { return field.first == name; });
    return found == fields.end() ? "(absent)" : found->second;
}

// A long value from a little before the first letter in which it differs from another.
std::string shown(const std::string& value, std::size_t first_difference) {
    if (value.size() <= kShownLetters) return value;
    const std::size_t begin = first_difference - std::min<std::size_t>(first_difference, 20);
    const std::string part = value.substr(std::min(begin, value.size()), kShownLetters);
    return concat(begin > 0 ? "..." : "", part, begin + part.size() < value.size() ? "..." : "");
}

std::size_t common_prefix(const std::string& a, const std::string& b) {
    const std::size_t n = std::min(a.size(), b.size());
    std::size_t i = 0;
    while (i < n && a[i] == b[i]) ++i;
    return i;
}

// "\n  seed: 1 on ranks 0-1 (node1); 2 on rank 2 (node2)", or "" when all ranks agree.
std::string difference(const Comm& comm, const std::vector<FingerprintFields>& all,
                       const std::string& name) {
    std::vector<std::pair<std::string, std::vector<int>>> groups;  // by first rank
    for (int rank = 0; rank < comm.size(); ++rank) {
        const std::string value = value_of(all[static_cast<std::size_t>(rank)], name);
        auto group = std::find_if(groups.begin(), groups.end(),
                                  [&](const auto& g) { return g.first == value; });
        if (group == groups.end()) group = groups.insert(group, {value, {}});
        group->second.push_back(rank);
    }
    if (groups.size() == 1) return "";
    std::string text = "\n  " + name + ": ";
    const std::size_t first = common_prefix(groups[0].first, groups[1].first);
    for (std::size_t g = 0; g < groups.size(); ++g) {
        text += concat(g == 0 ? "" : "; ", shown(groups[g].first, first), " on ",
                       ranks_text(comm, groups[g].second));
    }
    return text;
}

}  // namespace

void check_fingerprint(Comm& comm, const FingerprintFields& fields) {
    const std::string mine = packed(fields);
    const std::uint64_t hash = hash64(mine);
    std::vector<std::uint64_t> hashes(static_cast<std::size_t>(comm.size()));
    comm.allgather(&hash, sizeof hash, hashes.data());
    const auto differs = [&](std::uint64_t h) { return h != hashes[0]; };
    if (std::none_of(hashes.begin(), hashes.end(), differs)) return;

    std::vector<FingerprintFields> all;
    for (const std::string& text : comm.allgather(mine)) all.push_back(unpacked(text));
    std::vector<std::string> names;  // of any rank, in the order of the first that has it
    for (const FingerprintFields& of_rank : all) {
        for (const auto& [name, value] : of_rank) {
            if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
        }
    }
    std::string message = "fingerprint: ranks were started with different configurations";
    for (const std::string& name : names) message += difference(comm, all, name);
    fail(ErrorCode::fingerprint, message);
}

}  // namespace soma::dist
