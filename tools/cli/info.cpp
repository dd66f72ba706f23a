// soma info: what the machine is and what this program makes of it; the first thing asked for in a
// bug report.

#include <cmath>
#include <iostream>

#include "cli/arguments.h"
#include "cli/build_info.h"
#include "cli/info.h"
#include "cli/ranks.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "soma/core/cpu.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/core/version.h"
#include "soma/kernels/backend.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/peak.h"
#include "soma/systems/registry.h"
#include "soma/train/log.h"

namespace soma::cli {
namespace {

struct Options {
    CommonOptions common;
    std::string cluster;
    bool json = false, measure = false, variables = false, mpi = false;
};

struct Variable {
    const char* name;
    const char* meaning;
};

// Variables that are not the mirror of an option.
constexpr Variable kVariables[] = {
    {"SOMA_ISA", "instruction set of the kernels: generic, avx2, avx512, neon; default: the best"},
    {"SOMA_GEMM", "matrix product: native, openblas (bits then depend on the machine), reference"},
    {"SOMA_NUM_THREADS", "threads of this process; default: all cores it may use"},
    {"SOMA_DATA", "folders that hold data sets, separated by ':'"},
    {"SOMA_CONFIG", "file that options are read from, as --config"},
    {"NO_COLOR", "any value: no colours in the progress bar"},
};

std::string or_none(const std::string& text) { return text.empty() ? "not built in" : text; }

// "0-3,8": the processors as ranges.
std::string ranges(const std::vector<int>& numbers) {
    std::string out;
    for (std::size_t i = 0; i < numbers.size();) {
        std::size_t end = i + 1;
        while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
        out += concat(out.empty() ? "" : ",", numbers[i]);
        if (end - i > 1) out += concat("-", numbers[end - 1]);
        i = end;
    }
    return out;
}

std::string tables_text() {
    std::string out;
    for (const kernels::KernelTable* table : kernels::available()) {
        out += concat(out.empty() ? "" : " ", table->isa);
    }
    return out;
}

train::Fields machine() {
    const CpuInfo& info = cpu();
    return {{"version", std::string(kVersion)},
            {"build", concat(kCommit, ", ", kCompiler, ", ", kBuildType)},
            {"numerics", Index{kNumericsVersion}},
            {"host", host_name()},
            {"cpu", info.model},
            {"cores", Index{info.cores}},
            {"affinity", ranges(info.affinity)},
            {"l1d", size_text(info.l1d_bytes)},
            {"l2", size_text(info.l2_bytes)},
            {"l3", size_text(info.l3_bytes)},
            {"isa", std::string(kernels::active().isa)},
            {"isa_available", tables_text()},
            {"gemm", kernels::gemm_backend()},
            {"threads", Index{num_threads()}},
            {"openmp", or_none(kOpenmp)},
            {"mpi", or_none(kMpi)},
            {"ranks", Index{launched_size()}},
            {"openblas", or_none(kOpenblas)},
            {"lapack", or_none(kLapack)},
            {"systems", static_cast<Index>(systems::all_systems().size())}};
}

double rounded(double value) { return std::round(10 * value) / 10; }

int print_variables(bool json) {
    std::vector<std::vector<std::string>> rows = {{"variable", "value", "meaning"}};
    train::Fields fields;
    for (const Variable& v : kVariables) {
        const std::string value = environment(v.name);
        rows.push_back({v.name, value.empty() ? "-" : value, v.meaning});
        fields.emplace_back(v.name, value);
    }
    if (json) {
        std::cout << train::to_json(fields) << "\n";
    } else {
        std::cout << text_table(rows)
                  << "\nEvery option --some-name of a verb may also stand as SOMA_SOME_NAME.\n";
    }
    return 0;
}

int run_info(const Options& options) {
    apply(options.common);
    if (options.variables) return print_variables(options.json);
    if (options.mpi) {
        return run_mpi_info({.cluster = options.cluster,
                             .threads_chosen = options.common.threads > 0,
                             .json = options.json});
    }
    train::Fields fields = machine();
    if (options.measure) {
        const kernels::Peak peak = kernels::measure_peak(kernels::active());
        fields.insert(fields.end(), {{"peak_f32_gflops_one_core", rounded(peak.f32_gflops)},
                                     {"peak_f64_gflops_one_core", rounded(peak.f64_gflops)},
                                     {"l1_read_gb_per_s", rounded(peak.l1_read_gbs)},
                                     {"l2_read_gb_per_s", rounded(peak.l2_read_gbs)},
                                     {"l3_read_gb_per_s", rounded(peak.l3_read_gbs)},
                                     {"ram_read_gb_per_s", rounded(peak.ram_read_gbs)},
                                     {"ram_copy_gb_per_s", rounded(peak.ram_copy_gbs)}});
    }
    if (options.json) {
        fields.insert(fields.begin(), {"schema", Index{1}});
        std::cout << train::to_json(fields) << "\n";
        return 0;
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& [key, value] : fields) rows.push_back({key, train::to_text(value)});
    std::cout << text_table(rows);
    return 0;
}

}  // namespace

void add_info(CLI::App& program, Action& action) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb = add_verb(program, "info", "the machine, the build and what they can do",
                              "soma info --measure\n  soma info --json\n"
                              "  mpirun -np 2 soma info --mpi --cluster cluster.json",
                              options->common);
    verb->add_flag("--measure", options->measure,
                   "measure peak and bandwidths of one core (a few seconds)");
    verb->add_flag("--env", options->variables, "the environment variables and their values");
    CLI::Option* mpi = verb->add_flag("--mpi", options->mpi,
                                      "under mpirun: where the ranks run, what hinders them and "
                                      "what messages cost, each with its repair");
    verb->add_option("--cluster", options->cluster,
                     "with --mpi: compare with what soma bench comm --tune FILE wrote; exit code 1 "
                     "when something is slower")
        ->type_name("FILE")
        ->needs(mpi);
    verb->add_flag("--json", options->json, "one JSON object on standard output");
    verb->callback([options, &action] { action = [options] { return run_info(*options); }; });
}

}  // namespace soma::cli
