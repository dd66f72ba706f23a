// soma reproduce: runs the claims of systems and judges them (systems.md 8).

#include <fstream>
#include <iostream>

#include "cli/arguments.h"
#include "cli/claims.h"
#include "cli/names.h"
#include "cli/signals.h"
#include "cli/verbs.h"
#include "soma/core/error.h"
#include "soma/systems/registry.h"
#include "soma/train/progress.h"
#include "soma/train/report.h"

namespace soma::cli {
namespace {

struct Options {
    CommonOptions common;
    DataOptions data;
    std::vector<std::string> names;
    std::string tier, claims = "*", out = "runs";
    int seeds = 0;
    std::optional<std::uint64_t> seed;
    bool json = false;
};

std::vector<const systems::System*> chosen_systems(const std::vector<std::string>& names) {
    std::vector<const systems::System*> chosen;
    for (const std::string& name : names) {
        if (name == "all") {
            for (const systems::System& system : systems::all_systems()) {
                chosen.push_back(&system);
            }
        } else {
            chosen.push_back(&known_system(name));
        }
    }
    return chosen;
}

// Runs one system in its own folder; prints its claims as they are decided unless `json`.
SystemResult reproduce(const systems::System& system, const Options& options,
                       const train::Fields& config) {
    train::RunFolder folder = train::RunFolder::create(options.out, system.name);
    folder.set_config(config);
    std::ofstream lines(folder.file("claims.jsonl"));
    train::Progress progress(
        std::cerr, options.common.quiet ? train::ProgressStyle::quiet : train::terminal_style(),
        train::terminal_color());

    systems::ReproduceContext context;
    context.seeds = options.seeds;
    context.seed = options.seed;
    context.set = options.data.set;
    context.data_roots = options.data.roots();
    context.roots_given = options.data.roots_given();
    context.tier = options.tier;
    context.claims_glob = options.claims;
    context.folder = &folder;
    context.stop_requested = stop_requested;
    context.on_progress = [&](const std::string& what, double done, double total) {
        progress.update(what, done, total);
    };
    context.on_claim = [&](const systems::Claim& claim) {
        progress.clear();
        lines << claim_json(claim) << std::endl;
        if (!options.json) std::cout << claim_line(claim) << std::endl;
    };

    SystemResult result{system.name, {}, folder.path()};
    try {
        result.reproduction = system.reproduce(context);
    } catch (...) {
        folder.discard_if_unused();
        throw;
    }
    progress.clear();
    if (result.reproduction.claims.empty()) {
        folder.discard_if_unused();
        return result;
    }
    folder.note(result.reproduction.headline);
    folder.add(claim_table(result.reproduction));
    folder.write_page(system.name + ": " + system.paper);
    if (!options.json) {
        std::cout << "\n"
                  << reproduction_text(system.name, result.reproduction)
                  << "report: " << folder.page() << std::endl;
    }
    return result;
}

// Error(usage) listing the ids when the pattern of --claims left out every claim.
void check_any_matched(const std::vector<SystemResult>& results, const std::string& pattern) {
    std::string ids;
    for (const SystemResult& r : results) {
        if (!r.reproduction.claims.empty()) return;
        for (const std::string& id : r.reproduction.unwanted) {
            ids += (ids.empty() ? "" : ", ") + id;
        }
    }
    SOMA_CHECK(ids.empty(), "soma reproduce: no claim matches --claims '", pattern, "'; there are ",
               ids);
}

int run_reproduce(const Options& options, const train::Fields& config) {
    apply(options.common);
    options.data.check();
    SOMA_CHECK(!options.names.empty(), "soma reproduce: name a system, or all");
    SOMA_CHECK(!(options.seed && options.seeds > 0),
               "soma reproduce: --seed and --seeds exclude each other");
    const std::vector<const systems::System*> chosen = chosen_systems(options.names);
    install_signal_handlers();

    std::vector<SystemResult> results;
    bool failed = false;
    for (const systems::System* system : chosen) {
        if (stop_requested()) break;
        results.push_back(reproduce(*system, options, config));
        failed = failed || any_failed(results.back().reproduction);
    }
    if (!stop_requested()) check_any_matched(results, options.claims);
    if (options.json) std::cout << results_json(results) << std::endl;
    if (stop_requested()) return stop_exit_code();
    return failed ? 1 : 0;
}

}  // namespace

void add_reproduce(CLI::App& program, Action& action) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb = add_verb(
        program, "reproduce", "run the claims of a paper and print its figures beside soma's own",
        "soma reproduce xor\n  soma reproduce lecun1989 --tier 1 --json", options->common);
    verb->add_option("names", options->names, "systems (soma list), or all")
        ->type_name("NAME")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    verb->add_option("--seeds", options->seeds, "number of seeds; 0: the recipe's own")
        ->check(whole_number(0, 1000000));
    verb->add_option("--seed", options->seed, "only this seed")->check(seed_number());
    add_data_options(*verb, options->data);
    verb->add_option("--tier", options->tier,
                     "1: the short form of claims that have one, such as fewer passes or seeds")
        ->check(CLI::IsMember({"0", "1", "1s", "2", "3"}));
    verb->add_option("--claims", options->claims, "only claims whose id matches this pattern")
        ->type_name("GLOB");
    verb->add_option("--out", options->out, "folder for the run folders")->type_name("DIR");
    verb->add_flag("--json", options->json, "one JSON object on standard output");
    verb->callback([options, verb, &action] {
        action = [options, verb] { return run_reproduce(*options, resolved_options(*verb)); };
    });
}

}  // namespace soma::cli
