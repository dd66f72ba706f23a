#include "cli/cluster.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <set>

#include "soma/core/error.h"
#include "soma/data/file.h"

namespace soma::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 1;

Json to_json(const std::vector<Timing>& timings) {
    Json list = Json::array();
    for (const Timing& t : timings) list.push_back({{"bytes", t.bytes}, {"us", 1e6 * t.seconds}});
    return list;
}

// Numbers of one JSON object; errors name the file and the field.
struct Reader {
    const std::string& name;

    double number(const Json& object, const char* field, double least) const {
        const auto at = object.is_object() ? object.find(field) : object.end();
        if (at == object.end() || !at->is_number()) {
            fail(ErrorCode::data, name, ": '", field, "' is missing or no number");
        }
        const double value = at->get<double>();
        if (!std::isfinite(value) || value < least) {
            fail(ErrorCode::data, name, ": '", field, "' is ", value, "; need at least ", least);
        }
        return value;
    }
    Index count(const Json& object, const char* field) const {
        constexpr double kMost = 1e15;  // whole in a double
        return static_cast<Index>(std::min(kMost, number(object, field, 1)));
    }
    std::vector<Timing> timings(const Json& object, const char* field) const {
        const auto at = object.find(field);
        if (at == object.end() || !at->is_array()) {
            fail(ErrorCode::data, name, ": '", field, "' is missing or no list");
        }
        std::vector<Timing> list;
        for (const Json& entry : *at) {
            list.push_back({count(entry, "bytes"), 1e-6 * number(entry, "us", 0)});
        }
        return list;
    }
};

}  // namespace

Cluster cluster_of(const dist::Comm& comm) {
    std::set<std::string> hosts;
    for (int r = 0; r < comm.size(); ++r) hosts.insert(comm.host_of(r));
    return {.ranks = comm.size(), .hosts = static_cast<Index>(hosts.size())};
}

nlohmann::ordered_json to_json(const Cluster& cluster) {
    return {{"schema", kSchema},
            {"ranks", cluster.ranks},
            {"hosts", cluster.hosts},
            {"latency_us", 1e6 * cluster.latency},
            {"ns_per_byte", 1e9 * cluster.seconds_per_byte},
            {"pingpong", to_json(cluster.pingpong)},
            {"allreduce", to_json(cluster.allreduce)}};
}

Cluster cluster_from(const std::string& text, const std::string& name) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) fail(ErrorCode::data, name, ": no JSON object");
    const Reader read{name};
    if (read.count(json, "schema") != kSchema) {
        fail(ErrorCode::data, name, ": schema ", json["schema"].dump(), "; need ", kSchema);
    }
    return {.ranks = read.count(json, "ranks"),
            .hosts = read.count(json, "hosts"),
            .latency = 1e-6 * read.number(json, "latency_us", 0),
            .seconds_per_byte = 1e-9 * read.number(json, "ns_per_byte", 0),
            .pingpong = read.timings(json, "pingpong"),
            .allreduce = read.timings(json, "allreduce")};
}

Cluster read_cluster(const std::string& path) {
    const data::Bytes bytes = data::read_file(path);
    return cluster_from({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

void write_cluster(const std::string& path, const Cluster& cluster) {
    const std::string text = to_json(cluster).dump(2) + "\n";
    data::write_file_atomically(path, data::as_bytes(text));
}

void check_writable(const std::string& path) {
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    const bool is_folder = std::filesystem::is_directory(path);
    if (!is_folder && access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) == 0) return;
    fail(ErrorCode::checkpoint, path,
         ": cannot be written: ", std::strerror(is_folder ? EISDIR : errno));
}

}  // namespace soma::cli
