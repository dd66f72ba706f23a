#include "dist/text.h"

#include <algorithm>
#include <vector>

namespace soma::dist {

std::string ranges_text(std::span<const int> ascending) {
    std::string text;
    for (std::size_t i = 0; i < ascending.size();) {
        std::size_t last = i;
        while (last + 1 < ascending.size() && ascending[last + 1] == ascending[last] + 1) ++last;
        text += concat(text.empty() ? "" : ", ", ascending[i]);
        if (last > i) text += concat("-", ascending[last]);
        i = last + 1;
    }
    return text;
}

std::string ranks_text(const Comm& comm, std::span<const int> ascending) {
    std::vector<std::string> hosts;
    for (const int rank : ascending) {
        const std::string host = comm.host_of(rank);
        if (std::find(hosts.begin(), hosts.end(), host) == hosts.end()) hosts.push_back(host);
    }
    std::string text = ascending.size() == 1 ? "rank " : "ranks ";
    text += ranges_text(ascending) + " (";
    for (std::size_t i = 0; i < hosts.size(); ++i) text += (i == 0 ? "" : ", ") + hosts[i];
    return text + ")";
}

}  // namespace soma::dist
