// The table of known sets and the search for them; image_files.cpp reads what is found.

#include "soma/data/sets.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "data/image_files.h"
#include "soma/core/error.h"
#include "soma/core/text.h"

namespace soma::data {
namespace {

namespace fs = std::filesystem;

const std::vector<SetInfo>& table() {
    static const std::vector<SetInfo> sets = {
        {.name = "digits8x8",
         .content = "handwritten digits, 8x8, 17 grey levels",
         .train = 1297,
         .test = 500,
         .licence = "CC BY 4.0 (UCI, Alpaydin & Kaynak 1998)",
         .how = "embedded",
         .embedded = true},
        {.name = "fashion-mnist",
         .content = "articles of clothing, 28x28 grey, 10 classes",
         .train = 60000,
         .test = 10000,
         .licence = "MIT (Zalando)",
         .how = "tools/fetch_data.sh fashion-mnist"},
        {.name = "mnist",
         .content = "handwritten digits, 28x28 grey",
         .train = 60000,
         .test = 10000,
         .licence = "commonly stated CC BY-SA 3.0",
         .how = "put the four IDX files (.gz or not) into ROOT/mnist and pass --data ROOT"},
        {.name = "mnist16",
         .content = "a keyed subset of mnist for 16x16 nets, the size of usps",
         .train = kUspsTrain,
         .test = kUspsTest,
         .licence = "as mnist",
         .how = "made from mnist: put its IDX files into ROOT/mnist and pass --data ROOT"},
        {.name = "usps",
         .content = "zip-code digits, 16x16 grey, the split of LeCun 1989",
         .train = kUspsTrain,
         .test = kUspsTest,
         .licence = "unclear",
         .how = "put its IDX files, or zip.train and zip.test (.gz or not), into ROOT/usps and "
                "pass --data ROOT"}};
    return sets;
}

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

// Name of the folder that holds a set's files.
std::string folder_name(const std::string& set) { return set == "mnist16" ? "mnist" : set; }

// Last component of a path, a trailing slash aside.
std::string last_component(const std::string& path) {
    const fs::path p(path);
    return (p.has_filename() ? p : p.parent_path()).filename().string();
}

std::optional<SetLocation> find_in_root(const std::string& name, const std::string& root) {
    const std::string wanted = folder_name(name);
    const std::string below = (fs::path(root) / wanted).string();
    if (has_image_files(below)) return SetLocation{name, below};
    if (lower(last_component(root)) == wanted && has_image_files(root)) {
        return SetLocation{name, root};
    }
    return std::nullopt;
}

SetLocation forced_set(const SetChoice& choice) {
    if (choice.forced == "embedded") return {choice.preferred.back(), ""};
    if (const auto found = find_set(choice.forced, choice.roots)) return *found;
    fail(ErrorCode::data, "set ", choice.forced, ": not found in ", joined(choice.roots),
         "; to get it: ", set_info(choice.forced).how);
}

}  // namespace

std::span<const SetInfo> known_sets() { return table(); }

const SetInfo& set_info(const std::string& name) {
    std::vector<std::string> names;
    for (const SetInfo& set : table()) {
        if (set.name == name) return set;
        names.push_back(set.name);
    }
    fail(ErrorCode::usage, "set ", name, ": unknown", did_you_mean(name, names),
         "; known sets: ", joined(names));
}

std::vector<std::string> data_roots(const std::string& data_option, const std::string& soma_data) {
    std::vector<std::string> roots;
    if (!data_option.empty()) roots.push_back(data_option);
    for (std::size_t begin = 0; begin < soma_data.size();) {
        const std::size_t end = std::min(soma_data.find(':', begin), soma_data.size());
        if (end > begin) roots.push_back(soma_data.substr(begin, end - begin));
        begin = end + 1;
    }
    roots.push_back("data");
    return roots;
}

std::optional<SetLocation> find_set(const std::string& name, std::span<const std::string> roots) {
    if (set_info(name).embedded) return SetLocation{name, ""};
    for (const std::string& root : roots) {
        if (auto found = find_in_root(name, root)) return found;
    }
    return std::nullopt;
}

SetLocation choose_set(const SetChoice& choice, std::string* note) {
    SOMA_CHECK(!choice.preferred.empty() && set_info(choice.preferred.back()).embedded,
               "choose_set: preferred is [", joined(choice.preferred),
               "]; need the last to be an embedded set");
    if (!choice.forced.empty()) return forced_set(choice);
    for (const std::string& name : choice.preferred) {
        const auto found = find_set(name, choice.roots);
        if (!found || found->embedded()) continue;
        if (choice.roots_given) return *found;
        if (note) *note = concat("found ", found->folder, "; use --set ", name);
        break;
    }
    return {choice.preferred.back(), ""};
}

}  // namespace soma::data
