#pragma once
// Where options come from: command line over environment over config file.
//
// Every long option --some-name of a verb may also stand as SOMA_SOME_NAME in the environment and
// as some-name in the file given by --config, at top level or in a section named after the verb.
// The three are merged into one argument list, the weakest first; the last value of an option wins.

#include <CLI/CLI.hpp>
#include <limits>
#include <string>
#include <vector>

#include "soma/core/types.h"
#include "soma/train/log.h"

namespace soma::cli {

inline constexpr Index kMaxIndex = std::numeric_limits<Index>::max();

// The arguments (without the program's name) with those of file and environment put behind the
// verb. Error(usage) for an unknown verb, option or key, with the nearest known ones; Error(data)
// for a file that cannot be read.
std::vector<std::string> merged_arguments(const CLI::App& program,
                                          const std::vector<std::string>& arguments);

// The variable of an option: "--num-threads" -> "SOMA_NUM_THREADS".
std::string variable_of(const std::string& option);

// All options of a parsed verb with their values, for run folders and --print-config.
train::Fields resolved_options(const CLI::App& verb);
// The same as the text of a config file.
std::string config_text(const train::Fields& fields);

// What follows every verb: config file, threads, an example behind the help text.
struct CommonOptions {
    std::string config;
    int threads = 0;
    bool quiet = false;
};
CLI::App* add_verb(CLI::App& program, const std::string& name, const std::string& what,
                   const std::string& example, CommonOptions& common);
// Applies what the common options say; called at the beginning of an action.
void apply(const CommonOptions& common);

// --set and --data, and where they and SOMA_DATA say that data sets are (data.md 2.1).
struct DataOptions {
    std::string set, path;

    // Error(usage) for a set that no system knows; Error(data) for a --data that is not there or a
    // folder that may not be read.
    void check() const;
    std::vector<std::string> roots() const;
    bool roots_given() const;  // by --data or SOMA_DATA
};
void add_data_options(CLI::App& verb, DataOptions& data);

// Checks of an option's value, with a message that says what it must be: a whole number that fits
// its type and is at least `least`; a finite number that is (`positive`: > 0, else >= 0).
CLI::Validator whole_number(Index least, Index most = kMaxIndex);
CLI::Validator seed_number();  // all of std::uint64_t
CLI::Validator finite_number(bool positive);

}  // namespace soma::cli
