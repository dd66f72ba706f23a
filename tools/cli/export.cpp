// soma export: the parameters of a checkpoint as a plain safetensors file for other frameworks.

#include <filesystem>
#include <iostream>

#include "cli/arguments.h"
#include "cli/names.h"
#include "cli/verbs.h"
#include "soma/core/error.h"
#include "soma/train/checkpoint.h"

namespace soma::cli {
namespace {

struct Options {
    CommonOptions common;
    std::string checkpoint, out;
};

int run_export(const Options& options) {
    apply(options.common);
    const std::string path = known_checkpoint(options.checkpoint);
    std::error_code ignored;
    SOMA_CHECK(!std::filesystem::equivalent(path, options.out, ignored),
               "soma export: ", options.out,
               " is the checkpoint itself; it would lose its optimizer");
    const train::CheckpointInfo info = train::export_parameters(path, options.out);
    std::cout << options.out << ": parameters of " << info.system << " after " << info.step
              << " updates\n";
    return 0;
}

}  // namespace

void add_export(CLI::App& program, Action& action) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb =
        add_verb(program, "export", "the parameters of a checkpoint, for other frameworks",
                 "soma export first/lecun1989-* net.safetensors   # after: soma train lecun1989 "
                 "--out first\n  python: safetensors.torch.load_file('net.safetensors')",
                 options->common);
    verb->add_option("checkpoint", options->checkpoint, "a checkpoint, or a run folder")
        ->type_name("PATH")
        ->required();
    verb->add_option("out", options->out, "safetensors file to write; replaced when it is there")
        ->type_name("FILE")
        ->required();
    verb->callback([options, &action] { action = [options] { return run_export(*options); }; });
}

}  // namespace soma::cli
