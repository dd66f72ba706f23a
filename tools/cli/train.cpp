// soma train: trains one system once, on any number of ranks. soma eval: tests a checkpoint.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/arguments.h"
#include "cli/exchange.h"
#include "cli/hang_watch.h"
#include "cli/names.h"
#include "cli/ranks.h"
#include "cli/signals.h"
#include "cli/supervise.h"
#include "cli/verbs.h"
#include "soma/core/error.h"
#include "soma/core/hash.h"
#include "soma/core/parallel.h"
#include "soma/dist/comm.h"
#include "soma/systems/registry.h"
#include "soma/train/checkpoint.h"
#include "soma/train/options.h"
#include "soma/train/progress.h"
#include "soma/train/report.h"

namespace soma::cli {
namespace {

struct Options {
    CommonOptions common;
    std::string name, named;  // positional, and --name of config files
    std::string out = "runs";
    std::string folder;      // the run folder; "": make a new one
    std::string supervisor;  // launcher to supervise; "": train here
    std::string hosts;
    Index ranks = 0;
    DataOptions data;
    train::TrainOptions train;
    ExchangeArguments exchange;
    bool json = false, print_config = false;
};

const systems::System& trainable_system(const std::string& name) {
    const systems::System& system = known_system(name);
    if (system.train) return system;
    std::string names;
    for (const systems::System& s : systems::all_systems()) {
        if (s.train) names += (names.empty() ? "" : ", ") + s.name;
    }
    fail(ErrorCode::usage, "soma train: ", system.name,
         " is not trained by gradient descent; soma reproduce ", system.name,
         " runs it; soma train knows ", names);
}

// The run folder that --resume names, to go on in it; "" when it names a file or another folder.
std::string continued_folder(const std::string& resume) {
    const bool continues = !resume.empty() && std::filesystem::is_directory(resume) &&
                           std::filesystem::exists(resume + "/log.jsonl");
    return continues ? resume : "";
}

std::string result_json(const std::string& system, const train::TrainResult& r,
                        const std::string& folder) {
    const nlohmann::ordered_json object = {{"schema", 1},
                                           {"system", system},
                                           {"weights", to_hex(r.weights)},
                                           {"steps", r.steps},
                                           {"epochs", r.epochs},
                                           {"samples", r.samples},
                                           {"train_loss", r.train_loss},
                                           {"train_error_percent", r.train_error},
                                           {"test_loss", r.test_loss},
                                           {"test_error_percent", r.test_error},
                                           {"test_wrong", r.test_wrong},
                                           {"test_samples", r.test_samples},
                                           {"seconds", r.seconds},
                                           {"exposed_seconds", r.exposed_seconds},
                                           {"flop", r.flop},
                                           {"interrupted", r.interrupted},
                                           {"checkpoint", r.checkpoint},
                                           {"folder", folder}};
    return object.dump(2);
}

void print_result(const train::TrainResult& r) {
    char line[160];
    if (r.seconds > 0 && r.samples > 0) {
        std::snprintf(line, sizeof line, "%lld updates, %lld samples in %s: %.0f samples/s",
                      static_cast<long long>(r.steps), static_cast<long long>(r.samples),
                      train::duration_text(r.seconds).c_str(),
                      static_cast<double>(r.samples) / r.seconds);
        std::cout << line << "\n";
    }
    if (r.exposed_seconds > 0) {
        std::snprintf(line, sizeof line, "communication exposed: %.1f %% of the time",
                      100 * r.exposed_seconds / r.seconds);
        std::cout << line << "\n";
    }
    if (r.test_samples > 0) {
        std::snprintf(line, sizeof line, "test error %.2f %% (%lld of %lld wrong), loss %.4g",
                      r.test_error, static_cast<long long>(r.test_wrong),
                      static_cast<long long>(r.test_samples), r.test_loss);
        std::cout << line << "\n";
    }
    if (!r.headline.empty()) std::cout << r.headline << "\n";
    if (r.interrupted) {
        std::cout << "stopped on request"
                  << (r.checkpoint.empty() ? "" : "; continue with --resume " + r.checkpoint)
                  << "\n";
    }
    std::cout << "weights: " << to_hex(r.weights) << std::endl;
}

int finish(const Options& options, const systems::System& system, train::RunFolder* folder,
           const train::TrainResult& result) {
    if (folder != nullptr) {
        if (!result.headline.empty()) folder->note(result.headline);
        folder->note("weights: " + to_hex(result.weights));
        folder->write_page(system.name + ": " + system.paper);
    }
    const std::string path = folder != nullptr ? folder->path() : "";
    if (options.json) {
        std::cout << result_json(system.name, result, path) << std::endl;
    } else {
        print_result(result);
        if (folder != nullptr) std::cout << "report: " << folder->page() << std::endl;
    }
    return result.interrupted ? stop_exit_code() : 0;
}

train::RunFolder run_folder(const Options& options, const std::string& system) {
    if (options.folder.empty()) return train::RunFolder::create(options.out, system);
    train::RunFolder folder = train::RunFolder::at(options.folder);
    std::error_code error;
    std::filesystem::create_directories(folder.checkpoints(), error);
    if (error) fail(ErrorCode::checkpoint, folder.checkpoints(), ": ", error.message());
    return folder;
}

// What one rank does; only rank 0 writes and prints.
int run_rank(Options& options, const systems::System& system, const train::Fields& config,
             bool writes, dist::Comm& comm) {
    const bool root = comm.rank() == 0;
    std::optional<train::RunFolder> folder;
    if (root && writes && !options.train.dry_run) {
        folder.emplace(run_folder(options, system.name));
        folder->set_config(config);
        options.train.folder = &*folder;
    }
    const bool logs = !options.train.log_dir.empty() && !options.train.dry_run;
    const HangWatch watch(comm, {.folder = logs     ? options.train.log_dir
                                           : folder ? folder->path()
                                                    : "",
                                 .alone = !logs});
    const dist::Mapping mapping = show_mapping(comm, {.threads = num_threads(),
                                                      .chosen = options.common.threads > 0,
                                                      .quiet = options.common.quiet,
                                                      .dry_run = options.train.dry_run});
    options.train.exchange = exchange_options(options.exchange, mapping, comm);
    options.train.deterministic = options.exchange.strict();
    if (!options.train.deterministic && options.train.shards == 0) {
        options.train.shards = comm.size();
    }
    options.train.progress = root && !options.common.quiet;
    options.train.set = options.data.set;
    options.train.data_roots = options.data.roots();
    options.train.roots_given = options.data.roots_given();
    options.train.stop_requested = stop_requested;
    const train::TrainResult result = [&] {
        try {
            return system.train(options.train, comm);
        } catch (...) {
            if (folder && options.folder.empty()) folder->discard_if_unused();
            throw;
        }
    }();
    if (!root || options.train.dry_run) return result.interrupted ? stop_exit_code() : 0;
    return finish(options, system, folder ? &*folder : nullptr, result);
}

// Trains on the ranks that the launcher started.
int train_on_ranks(Options& options, const systems::System& system, const train::Fields& config,
                   bool writes) {
    return run_on_ranks(options.train.comm_timeout, [&](dist::Comm& comm) {
        return run_rank(options, system, config, writes, comm);
    });
}

// What the launcher's ranks are told: all options that were given, wherever, so that they need
// neither the environment nor the config file of this process.
std::vector<std::string> rank_arguments(const CLI::App& verb, const std::string& system) {
    std::vector<std::string> arguments{"train", system};
    for (const CLI::Option* option : verb.get_options()) {
        if (option->count() == 0 || option->get_lnames().empty()) continue;
        const std::string& name = option->get_lnames()[0];
        const bool ours = name == "supervise" || name == "ranks" || name == "hosts" ||
                          name == "folder" || name == "resume" || name == "out" || name == "name" ||
                          name == "config";
        if (!ours) arguments.push_back("--" + name + "=" + option->as<std::string>());
    }
    return arguments;
}

int run_supervised(const Options& options, const systems::System& system, const CLI::App& verb) {
    SOMA_CHECK(launched_size() == 1,
               "soma train --supervise starts the ranks itself; run it without mpirun");
    // The ranks inherit the environment: none of them may supervise, nor resume elsewhere.
    for (const char* name : {"--supervise", "--ranks", "--hosts", "--folder", "--resume"}) {
        ::unsetenv(variable_of(name).c_str());
    }
    ::unsetenv("SOMA_CONFIG");
    const std::string folder = run_folder(options, system.name).path();
    const auto discard = [&] {
        if (options.folder.empty()) train::RunFolder::open(folder).discard_if_unused();
    };
    try {
        const int code =
            supervise({.command = options.supervisor,
                       .ranks = options.ranks,
                       .hosts = options.hosts,
                       .program = std::filesystem::read_symlink("/proc/self/exe").string(),
                       .training = rank_arguments(verb, system.name),
                       .folder = folder,
                       .resume = options.train.resume,
                       .shards = options.train.shards});
        if (hopeless(code) || options.train.dry_run) discard();
        return code;
    } catch (...) {
        discard();
        throw;
    }
}

int run_train(Options& options, const CLI::App& verb) {
    apply(options.common);
    options.data.check();
    const std::string& name = options.name.empty() ? options.named : options.name;
    SOMA_CHECK(!name.empty(), "soma train: name a system (soma list shows those that train)");
    const systems::System& system = trainable_system(name);
    train::Fields config = resolved_options(verb);
    for (auto& [key, value] : config) {
        if (key == "name") value = system.name;
    }
    if (options.print_config) {
        std::erase_if(config, [](const auto& field) {
            return field.first == "config" || field.first == "print-config";
        });
        std::cout << config_text(config);
        return 0;
    }
    const bool begun = !options.folder.empty() &&
                       !train::newest_valid_checkpoint(options.folder + "/checkpoints").empty();
    if (options.train.resume.empty() && begun) options.train.resume = options.folder;
    if (!options.train.resume.empty()) {
        if (options.folder.empty()) options.folder = continued_folder(options.train.resume);
        options.train.resume = known_checkpoint(options.train.resume);
    }
    install_signal_handlers();
    SOMA_CHECK(!options.supervisor.empty() || (options.ranks == 0 && options.hosts.empty()),
               "soma train: --ranks and --hosts go with --supervise COMMAND");
    if (!options.supervisor.empty()) return run_supervised(options, system, verb);
    return train_on_ranks(options, system, config, true);
}

int run_eval(Options& options) {
    apply(options.common);
    options.data.check();
    const std::string path = known_checkpoint(options.train.resume);
    const train::CheckpointInfo info = train::read_checkpoint_info(path);
    const systems::System& system = trainable_system(info.system);
    install_signal_handlers();
    // A run that is resumed at its last step and has no step left only evaluates.
    options.train.resume = path;
    options.train.steps = info.step;
    options.train.seed = info.seed;
    options.train.batch = info.batch;
    options.train.shards = info.shards;
    options.train.recipe = info.recipe;
    return train_on_ranks(options, system, {}, false);
}

void add_run_options(CLI::App& verb, Options& options) {
    add_data_options(verb, options.data);
    verb.add_option("--comm-timeout", options.train.comm_timeout,
                    "seconds a peer rank may stay silent")
        ->check(finite_number(true));
    verb.add_flag("--json", options.json, "one JSON object on standard output");
}

void add_recipe_options(CLI::App& verb, Options& options) {
    train::TrainOptions& t = options.train;
    verb.add_option("--seed", t.seed, "initial weights, order of samples")->check(seed_number());
    verb.add_option("--recipe", t.recipe, "one of the system's recipes, such as paper or modern");
    verb.add_option("--epochs", t.epochs, "passes over the training set; 0: the recipe's")
        ->check(whole_number(0));
    verb.add_option("--steps", t.steps, "stop after this many updates; 0: after the epochs")
        ->check(whole_number(0));
    verb.add_option("--batch", t.batch, "samples an update; 0: the recipe's")
        ->check(whole_number(0));
    verb.add_option("--shards", t.shards,
                    "virtual shards of a batch: the same bits on any number of ranks that divides "
                    "it; 0: the recipe's")
        ->check(whole_number(0));
    verb.add_option("--lr", t.lr, "learning rate; 0: the recipe's")->check(finite_number(false));
}

void add_checkpoint_options(CLI::App& verb, Options& options) {
    train::TrainOptions& t = options.train;
    verb.add_option("--resume", t.resume,
                    "continue from a checkpoint, or from a run folder's newest")
        ->type_name("PATH");
    verb.add_option("--checkpoint-every", t.checkpoint_every,
                    "updates between checkpoints; 0: at the end of every epoch")
        ->check(whole_number(0));
    verb.add_option("--keep", t.keep, "how many checkpoints stay")->check(whole_number(1));
    verb.add_option("--out", options.out, "folder for the run folder")->type_name("DIR");
    verb.add_option("--folder", options.folder,
                    "the run folder itself, continued from its newest checkpoint if it has one; "
                    "default: a new one in --out")
        ->type_name("DIR");
    verb.add_option("--log-dir", t.log_dir,
                    "folder for files of every rank: a timeline of the last 200 updates (soma "
                    "inspect DIR --trace), and whom it waited for in vain (--hang)")
        ->type_name("DIR");
    verb.add_flag("--dry-run", t.dry_run, "check everything, print the mapping of ranks, stop");
    verb.add_flag("--print-config", options.print_config, "print all options as a config file");
}

void add_supervisor_options(CLI::App& verb, Options& options) {
    verb.add_option("--supervise", options.supervisor,
                    "start this launcher, such as 'mpirun -np {P}', and after a failure start it "
                    "again from the newest valid checkpoint, on fewer ranks where that helps")
        ->type_name("COMMAND");
    verb.add_option("--ranks", options.ranks,
                    "{P} of the first start; 0: 2, or the power of two that the hosts hold")
        ->check(whole_number(0));
    verb.add_option("--hosts", options.hosts,
                    "host file with the names that the hosts give themselves; {hosts} in the "
                    "command is a file of those that have not failed")
        ->type_name("FILE");
}

}  // namespace

void add_train(CLI::App& program, Action& action) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb = add_verb(program, "train", "train one system, on one rank or under mpirun",
                              "soma train lecun1989\n"
                              "  mpirun -np 2 soma train lecun1989 --recipe modern\n"
                              "  soma train lecun1989 --supervise 'mpirun -np {P}' --ranks 2",
                              options->common);
    verb->add_option("system", options->name, "system (soma list)")->type_name("NAME");
    verb->add_option("--name", options->named, "the same, for config files")->type_name("NAME");
    add_recipe_options(*verb, *options);
    add_run_options(*verb, *options);
    add_exchange_options(*verb, options->exchange);
    add_checkpoint_options(*verb, *options);
    add_supervisor_options(*verb, *options);
    verb->callback([options, verb, &action] {
        action = [options, verb] { return run_train(*options, *verb); };
    });
}

void add_eval(CLI::App& program, Action& action) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb = add_verb(
        program, "eval", "test error of a checkpoint",
        "soma eval first/lecun1989-*   # after: soma train lecun1989 --out first", options->common);
    verb->add_option("checkpoint", options->train.resume, "a checkpoint, or a run folder")
        ->type_name("PATH")
        ->required();
    add_run_options(*verb, *options);
    verb->callback([options, &action] { action = [options] { return run_eval(*options); }; });
}

}  // namespace soma::cli
