// The program: parsing, help, errors and exit codes.

#include <exception>
#include <iostream>
#include <new>

#include "cli/arguments.h"
#include "cli/build_info.h"
#include "cli/ranks.h"
#include "cli/verbs.h"
#include "soma/core/error.h"
#include "soma/core/version.h"

namespace soma::cli {
namespace {

constexpr int kUsage = static_cast<int>(ErrorCode::usage);
constexpr int kInternal = static_cast<int>(ErrorCode::internal);

std::string version_text() {
    return concat("soma ", kVersion, " (", kCommit, ", ", kCompiler, ", ", kBuildType, ")");
}

// One process of many speaks for all: the others would print the same.
void report(const std::string& message) {
    if (launched_rank() != 0) return;
    std::cerr << (message.starts_with("soma ") ? "" : "soma: ") << message << std::endl;
}

// Verbs that share their work among the ranks; the others run on the first rank only.
bool uses_ranks(const CLI::App& verb) {
    const std::string& name = verb.get_name();
    if (name == "bench") {
        const auto what = verb.get_option("what")->as<std::string>();
        return what == "comm" || what == "step";
    }
    if (name == "info") return verb.count("--mpi") > 0;
    return name == "train" || name == "eval" || name == "sweep";
}

int parse_and_run(CLI::App& program, Action& action, const std::vector<std::string>& arguments) {
    std::vector<std::string> merged = merged_arguments(program, arguments);
    std::reverse(merged.begin(), merged.end());  // CLI11 takes them from the back
    try {
        program.parse(merged);
    } catch (const CLI::Success& e) {  // --help, --version
        return launched_rank() == 0 ? program.exit(e) : 0;
    } catch (const CLI::ParseError& e) {
        report(e.what());
        return kUsage;
    }
    for (const CLI::App* verb : program.get_subcommands()) {
        if (launched_rank() != 0 && !uses_ranks(*verb)) return 0;
    }
    if (action) return action();
    if (launched_rank() == 0) std::cout << program.help();
    return kUsage;
}

}  // namespace

int run(int argc, const char* const* argv) {
    CLI::App program{"soma: neural networks on CPUs, and the papers they come from", "soma"};
    program.set_version_flag("--version", version_text());
    program.set_help_flag("--help", "print this help");
    program.require_subcommand(0, 1);
    program.footer(
        "Begin with:\n  soma list\n  soma reproduce xor\n  soma train lecun1989\n"
        "Each verb explains itself: soma VERB --help");
    Action action;
    add_info(program, action);
    add_list(program, action);
    add_train(program, action);
    add_eval(program, action);
    add_reproduce(program, action);
    add_sweep(program, action);
    add_task(program, action);
    add_analyze(program, action);
    add_inspect(program, action);
    add_export(program, action);
    add_plan(program, action);
    add_bench(program, action);
    try {
        return parse_and_run(program, action, {argv + 1, argv + argc});
    } catch (const Error& e) {
        report(e.what());
        return e.exit_code();
    } catch (const std::bad_alloc&) {
        report("out of memory");
        return kInternal;
    } catch (const std::exception& e) {
        report(concat("internal error: ", e.what()));
        return kInternal;
    }
}

}  // namespace soma::cli
