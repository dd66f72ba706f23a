#pragma once
// The verbs of `soma`: each adds its options to the program and leaves what to do in `action`.
//
// A verb's function is called once, before parsing; its action runs after all arguments were
// accepted, and returns the exit code (0 done, 1 a claim or comparison failed, 130 or 85 stopped);
// failures are soma::Error, whose code is the exit code (distributed.md 10.5).

#include <CLI/CLI.hpp>
#include <functional>

namespace soma::cli {

using Action = std::function<int()>;

void add_info(CLI::App& program, Action& action);
void add_list(CLI::App& program, Action& action);
void add_train(CLI::App& program, Action& action);
void add_eval(CLI::App& program, Action& action);
void add_reproduce(CLI::App& program, Action& action);
void add_sweep(CLI::App& program, Action& action);
void add_task(CLI::App& program, Action& action);
void add_analyze(CLI::App& program, Action& action);
void add_inspect(CLI::App& program, Action& action);
void add_export(CLI::App& program, Action& action);
void add_plan(CLI::App& program, Action& action);
void add_bench(CLI::App& program, Action& action);

// Parses, runs, reports errors on standard error: the whole of main().
int run(int argc, const char* const* argv);

}  // namespace soma::cli
