#pragma once
// What a rank can say about its host that decides how fast, and whether, MPI works there.

#include <string>
#include <vector>

#include "soma/core/types.h"
#include "soma/dist/comm.h"

namespace soma::cli {

inline constexpr Index kUnlimited = -1;

struct Interface {
    std::string name;     // "eth0"
    std::string network;  // "10.77.0.0/24"
};

struct HostFacts {
    std::string host;
    std::vector<Interface> interfaces;  // up, IPv4, without loopback; in the system's order
    std::string chosen;                 // OMPI_MCA_btl_tcp_if_include, "" when unset
    bool rdma = false;                  // there is an InfiniBand or RoCE device
    // Soft limits: bytes, files, bytes.
    Index locked_memory = kUnlimited, open_files = kUnlimited, stack = kUnlimited;
    std::string library;  // MPI's name and version
};

// Of this process, on the host of that name. Needs no MPI.
HostFacts this_host(const std::string& name);
// Of all ranks, by rank. Collective.
std::vector<HostFacts> gather_facts(dist::Comm& comm, const HostFacts& mine);

// "10.77.0.0/24" of the address 10.77.0.1 and the mask 255.255.255.0, in host byte order.
std::string network_text(std::uint32_t address, std::uint32_t mask);

// The library's name and version: the line of MPI_Get_library_version up to its first comma.
std::string library_name(const std::string& version);

// Whether MPI moves messages while nobody calls it: "yes" or "no" of the line "OMPI progress" of
// ompi_info's text; "unknown" without such a line.
std::string progress_from(const std::string& ompi_info);
// What ompi_info prints, "" when it is not installed. Starts a process: not after MPI has started,
// where a fork can break InfiniBand.
std::string ompi_info_text();

}  // namespace soma::cli
