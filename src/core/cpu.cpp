#include "soma/core/cpu.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

namespace soma {
namespace {

std::string first_line(const std::string& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return line;
}

// "48K", "2048K", "260M" as sysfs writes cache sizes.
Index parse_size(const std::string& text) {
    if (text.empty()) return 0;
    char* end = nullptr;
    const Index n = std::strtoll(text.c_str(), &end, 10);
    return *end == 'K' ? n << 10 : *end == 'M' ? n << 20 : n;
}

void read_caches(CpuInfo& info) {
    for (int i = 0; i < 8; ++i) {
        const std::string dir =
            "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/";
        const std::string level = first_line(dir + "level"), type = first_line(dir + "type");
        const Index bytes = parse_size(first_line(dir + "size"));
        if (bytes == 0 || type == "Instruction") continue;
        if (level == "1") info.l1d_bytes = bytes;
        if (level == "2") info.l2_bytes = bytes;
        if (level == "3") info.l3_bytes = bytes;
    }
}

std::string read_model() {
    std::ifstream in("/proc/cpuinfo");
    for (std::string line; std::getline(in, line);) {
        if (line.rfind("model name", 0) != 0) continue;
        const auto colon = line.find(": ");
        if (colon != std::string::npos) return line.substr(colon + 2);
    }
    return "unknown CPU";
}

std::vector<int> read_affinity() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<int> cores;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return cores;
    for (int i = 0; i < CPU_SETSIZE; ++i) {
        if (CPU_ISSET(i, &set)) cores.push_back(i);
    }
    return cores;
}

CpuInfo detect() {
    CpuInfo info;
    info.model = read_model();
#if defined(__x86_64__)
    // The builtins check XGETBV too: a set counts only when the system saves its registers.
    __builtin_cpu_init();
    info.avx2_fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    info.avx512 = info.avx2_fma && __builtin_cpu_supports("avx512f") &&
                  __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
#elif defined(__aarch64__)
    info.neon = true;
#endif
    read_caches(info);
    info.cores = static_cast<int>(std::thread::hardware_concurrency());
    info.affinity = read_affinity();
    return info;
}

}  // namespace

const CpuInfo& cpu() {
    static const CpuInfo info = detect();
    return info;
}

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::string host_name() {
    char name[256] = {};
    return gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

Index peak_resident_bytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return Index{usage.ru_maxrss} * 1024;
}

}  // namespace soma
