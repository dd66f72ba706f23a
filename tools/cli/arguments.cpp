#include "cli/arguments.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "soma/core/cpu.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/core/text.h"
#include "soma/data/file.h"
#include "soma/data/sets.h"

namespace soma::cli {
namespace {

std::vector<std::string> verb_names(const CLI::App& program) {
    std::vector<std::string> names;
    for (const CLI::App* verb : program.get_subcommands({})) names.push_back(verb->get_name());
    return names;
}

std::vector<std::string> long_options(const CLI::App& verb) {
    std::vector<std::string> names;
    for (const CLI::Option* option : verb.get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back(name);
    }
    return names;
}

bool knows(const CLI::App& verb, const std::string& name) {
    const std::vector<std::string> names = long_options(verb);
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string dashed(std::vector<std::string> names, const std::string& word) {
    for (std::string& name : names) name = "--" + name;
    return did_you_mean("--" + word, names);
}

const CLI::App& find_verb(const CLI::App& program, const std::string& name) {
    for (const CLI::App* verb : program.get_subcommands({})) {
        if (verb->get_name() == name) return *verb;
    }
    fail(ErrorCode::usage, "unknown verb '", name, "'", did_you_mean(name, verb_names(program)),
         " (soma --help lists them)");
}

// The value of --name in a list of arguments; "" when absent. The last one counts.
std::string value_of(const std::vector<std::string>& arguments, const std::string& name) {
    std::string value;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& a = arguments[i];
        if (a == name && i + 1 < arguments.size()) value = arguments[i + 1];
        if (a.starts_with(name + "=")) value = a.substr(name.size() + 1);
    }
    return value;
}

void check_options(const CLI::App& verb, const std::vector<std::string>& arguments) {
    for (const std::string& a : arguments) {
        if (a == "--") return;
        if (!a.starts_with("--")) continue;
        const std::string name = a.substr(2, a.find('=') - 2);
        if (!knows(verb, name)) {
            fail(ErrorCode::usage, "soma ", verb.get_name(), ": unknown option --", name,
                 dashed(long_options(verb), name));
        }
        // The parser would take the next option for the value.
        SOMA_CHECK(a != "--" + name + "=", "soma ", verb.get_name(), ": ", a, " needs a value");
    }
}

std::vector<CLI::ConfigItem> read_config(const std::string& path) {
    const data::Bytes bytes = data::read_file(path);
    std::istringstream in(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    try {
        return CLI::ConfigTOML().from_config(in);
    } catch (const CLI::Error& e) {
        fail(ErrorCode::data, "config file ", path, ": ", e.what());
    }
}

// A name as the file has it: letters, digits, '-' and '_'; anything else is no line of options.
void check_item(const CLI::ConfigItem& item, const std::string& path) {
    const auto plain = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; };
    if (std::all_of(item.name.begin(), item.name.end(), plain)) return;
    std::string shown = item.name.substr(0, 40);
    std::replace_if(
        shown.begin(), shown.end(), [](unsigned char c) { return c < 32 || c > 126; }, '?');
    fail(ErrorCode::usage, "config file ", path, ": '", shown,
         "' is no name of an option; need lines NAME = VALUE and [VERB]");
}

std::vector<std::string> from_config(const CLI::App& program, const CLI::App& verb,
                                     const std::string& path) {
    std::vector<std::string> out;
    const std::vector<std::string> verbs = verb_names(program);
    for (const CLI::ConfigItem& item : read_config(path)) {
        const std::string section = item.parents.empty() ? "" : item.parents.front();
        if (!section.empty() && std::find(verbs.begin(), verbs.end(), section) == verbs.end()) {
            fail(ErrorCode::usage, "config file ", path, ": no verb is called [", section, "]",
                 did_you_mean(section, verbs));
        }
        const bool marker = item.name == "++" || item.name == "--";  // a section begins or ends
        const bool ours = item.parents.empty() || item.parents == std::vector{verb.get_name()};
        if (marker || !ours) continue;
        check_item(item, path);
        std::string name = item.name;
        std::replace(name.begin(), name.end(), '_', '-');
        if (!knows(verb, name) || name == "config" || name == "help") {
            fail(ErrorCode::usage, "config file ", path, ": soma ", verb.get_name(),
                 " has no option '", item.name, "'", did_you_mean(item.name, long_options(verb)));
        }
        for (const std::string& input : item.inputs) {
            if (!input.empty()) out.push_back("--" + name + "=" + input);  // "": the default
        }
    }
    return out;
}

std::vector<std::string> from_environment(const CLI::App& verb) {
    std::vector<std::string> out;
    for (const std::string& name : long_options(verb)) {
        // SOMA_DATA is a list that is searched after --data, not its default.
        if (name == "config" || name == "help" || name == "data") continue;
        const std::string value = environment(variable_of(name).c_str());
        if (!value.empty()) out.push_back("--" + name + "=" + value);
    }
    return out;
}

// Whether all of the text is a number of type T, and then which.
template <class T>
bool parsed(const std::string& text, T& value) {
    const char *begin = text.data(), *end = begin + text.size();
    const auto result = std::from_chars(begin, end, value);
    return !text.empty() && result.ec == std::errc{} && result.ptr == end;
}

// The value as the type its text has: boolean, integer, number or string.
train::Value typed(const std::string& text) {
    if (text == "true" || text == "false") return text == "true";
    Index whole = 0;
    if (parsed(text, whole)) return whole;
    double real = 0;
    if (parsed(text, real)) return real;
    return text;
}

}  // namespace

std::vector<std::string> merged_arguments(const CLI::App& program,
                                          const std::vector<std::string>& arguments) {
    if (arguments.empty() || arguments[0].starts_with("-")) return arguments;
    const CLI::App& verb = find_verb(program, arguments[0]);
    const std::vector<std::string> own(arguments.begin() + 1, arguments.end());
    check_options(verb, own);

    std::vector<std::string> merged{arguments[0]};
    const auto append = [&](const std::vector<std::string>& more) {
        merged.insert(merged.end(), more.begin(), more.end());
    };
    std::string config = value_of(own, "--config");
    if (config.empty()) config = environment("SOMA_CONFIG");
    if (!config.empty()) append(from_config(program, verb, config));
    append(from_environment(verb));
    append(own);
    return merged;
}

std::string variable_of(const std::string& option) {
    std::string out = "SOMA_";
    for (const char c : option.substr(option.starts_with("--") ? 2 : 0)) {
        out += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return out;
}

train::Fields resolved_options(const CLI::App& verb) {
    train::Fields fields;
    for (const CLI::Option* option : verb.get_options()) {
        if (option->get_lnames().empty() || option->get_lnames()[0] == "help") continue;
        std::string value;
        for (const std::string& result : option->reduced_results()) {
            value += (value.empty() ? "" : " ") + result;
        }
        const bool flag = option->get_expected_max() == 0;
        if (option->count() == 0) value = flag ? "false" : option->get_default_str();
        fields.emplace_back(option->get_lnames()[0], typed(value));
    }
    return fields;
}

std::string config_text(const train::Fields& fields) {
    std::string out;
    for (const auto& [key, value] : fields) {
        const bool text = std::holds_alternative<std::string>(value);
        out += key + " = " + (text ? "\"" + train::to_text(value) + "\"" : train::to_text(value)) +
               "\n";
    }
    return out;
}

CLI::App* add_verb(CLI::App& program, const std::string& name, const std::string& what,
                   const std::string& example, CommonOptions& common) {
    CLI::App* verb = program.add_subcommand(name, what);
    verb->footer("Example:\n  " + example +
                 "\n\nEvery option --some-name may also stand as SOMA_SOME_NAME in the environment "
                 "or as\nsome-name in the config file (flag > environment > file).");
    verb->option_defaults()->always_capture_default();
    verb->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    verb->add_option("--config", common.config, "read options from this file (TOML syntax)")
        ->type_name("FILE");
    verb->add_option("--num-threads,--threads", common.threads,
                     "threads of this process; 0: all cores it may use")
        ->check(whole_number(0, 4096));
    verb->add_flag("--quiet", common.quiet, "no progress on standard error");
    return verb;
}

void apply(const CommonOptions& common) {
    if (common.threads > 0) set_num_threads(common.threads);
}

CLI::Validator whole_number(Index least, Index most) {
    return {[least, most](const std::string& text) {
                Index value = 0;
                if (parsed(text, value) && value >= least && value <= most) return std::string();
                return concat("'", text, "'; need a whole number >= ", least,
                              most < kMaxIndex ? concat(" and <= ", most) : "");
            },
            least > 0 ? "POSITIVE" : "NONNEGATIVE"};
}

CLI::Validator seed_number() {
    return {[](const std::string& text) {
                std::uint64_t value = 0;
                if (parsed(text, value)) return std::string();
                return concat("'", text, "'; need a whole number from 0 to 2^64 - 1");
            },
            ""};
}

CLI::Validator finite_number(bool positive) {
    return {[positive](const std::string& text) {
                double value = 0;
                const bool number = parsed(text, value) && std::isfinite(value);
                if (number && (positive ? value > 0 : value >= 0)) return std::string();
                return concat("'", text, "'; need a finite number ", positive ? "> 0" : ">= 0");
            },
            positive ? "POSITIVE" : "NONNEGATIVE"};
}

void DataOptions::check() const {
    if (!set.empty() && set != "embedded") data::set_info(set);
    std::error_code error;
    if (!path.empty() && !std::filesystem::exists(path, error)) {
        fail(ErrorCode::data, "--data ", path, ": ",
             error ? error.message() : "no such file or folder");
    }
    for (const std::string& root : roots()) {
        const bool folder = std::filesystem::is_directory(root, error);
        if (folder && ::access(root.c_str(), R_OK | X_OK) != 0) {
            fail(ErrorCode::data, "data folder ", root, ": ", std::strerror(errno));
        }
    }
}

std::vector<std::string> DataOptions::roots() const {
    return data::data_roots(path, environment("SOMA_DATA"));
}

bool DataOptions::roots_given() const { return !path.empty() || !environment("SOMA_DATA").empty(); }

void add_data_options(CLI::App& verb, DataOptions& data) {
    verb.add_option("--set", data.set, "force a data set; `embedded` forces the default");
    verb.add_option("--data", data.path,
                    "folder that holds data sets, or a set's own; searched before SOMA_DATA")
        ->type_name("PATH");
}

}  // namespace soma::cli
