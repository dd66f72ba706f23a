#include "cli/host_facts.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/resource.h>

#include <array>
#include <bit>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "soma/core/cpu.h"
#include "soma/core/error.h"

namespace soma::cli {
namespace {

using Json = nlohmann::json;

std::uint32_t host_order(const sockaddr* address) {
    return ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr);
}

std::vector<Interface> interfaces() {
    ifaddrs* first = nullptr;
    if (getifaddrs(&first) != 0) return {};
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(first, &freeifaddrs);
    std::vector<Interface> found;
    for (const ifaddrs* i = first; i != nullptr; i = i->ifa_next) {
        const bool up = (i->ifa_flags & IFF_UP) != 0 && (i->ifa_flags & IFF_LOOPBACK) == 0;
        if (!up || i->ifa_addr == nullptr || i->ifa_addr->sa_family != AF_INET) continue;
        const std::uint32_t mask = i->ifa_netmask == nullptr ? ~0U : host_order(i->ifa_netmask);
        found.push_back({i->ifa_name, network_text(host_order(i->ifa_addr), mask)});
    }
    return found;
}

Index soft_limit(__rlimit_resource what) {
    rlimit limit{};
    if (getrlimit(what, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnlimited;
    return static_cast<Index>(limit.rlim_cur);
}

bool has_rdma() {
    std::error_code error;
    const std::filesystem::directory_iterator devices("/sys/class/infiniband", error);
    return !error && devices != std::filesystem::directory_iterator();
}

std::string packed(const HostFacts& f) {
    Json list = Json::array();
    for (const Interface& i : f.interfaces) list.push_back({i.name, i.network});
    return Json{{"host", f.host},
                {"interfaces", list},
                {"chosen", f.chosen},
                {"rdma", f.rdma},
                {"stack", f.stack},
                {"locked_memory", f.locked_memory},
                {"open_files", f.open_files},
                {"library", f.library}}
        .dump();
}

HostFacts unpacked(const std::string& text) {
    const Json json = Json::parse(text);
    HostFacts f{.host = json["host"],
                .interfaces = {},
                .chosen = json["chosen"],
                .rdma = json["rdma"],
                .locked_memory = json["locked_memory"],
                .open_files = json["open_files"],
                .stack = json["stack"],
                .library = json["library"]};
    for (const Json& i : json["interfaces"]) f.interfaces.push_back({i[0], i[1]});
    return f;
}

}  // namespace

HostFacts this_host(const std::string& name) {
    return {.host = name,
            .interfaces = interfaces(),
            .chosen = environment("OMPI_MCA_btl_tcp_if_include"),
            .rdma = has_rdma(),
            .locked_memory = soft_limit(RLIMIT_MEMLOCK),
            .open_files = soft_limit(RLIMIT_NOFILE),
            .stack = soft_limit(RLIMIT_STACK),
            .library = library_name(dist::message_library().version)};
}

std::vector<HostFacts> gather_facts(dist::Comm& comm, const HostFacts& mine) {
    std::vector<HostFacts> facts;
    for (const std::string& text : comm.allgather(packed(mine))) facts.push_back(unpacked(text));
    return facts;
}

std::string network_text(std::uint32_t address, std::uint32_t mask) {
    const std::uint32_t a = address & mask;
    return concat(a >> 24, ".", a >> 16 & 255, ".", a >> 8 & 255, ".", a & 255, "/",
                  std::popcount(mask));
}

// MPICH separates by tabs: "MPICH Version:\t4.0.2\n...".
std::string library_name(const std::string& version) {
    std::string name = version.substr(0, version.find_first_of(",\n"));
    for (char& c : name) c = c == '\t' ? ' ' : c;
    return name;
}

std::string progress_from(const std::string& ompi_info) {
    const std::string label = "OMPI progress: ";
    const std::size_t at = ompi_info.find(label);
    if (at == std::string::npos) return "unknown";
    const std::size_t begin = at + label.size();
    return ompi_info.substr(begin, ompi_info.find_first_of(",)\n", begin) - begin);
}

std::string ompi_info_text() {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen("ompi_info 2>/dev/null", "r"), &pclose);
    if (pipe == nullptr) return "";
    std::string text;
    std::array<char, 4096> part{};
    while (const std::size_t got = fread(part.data(), 1, part.size(), pipe.get())) {
        text.append(part.data(), got);
    }
    return text;
}

}  // namespace soma::cli
