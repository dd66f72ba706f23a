// soma task: the tasks that recurrent nets are trained on, and what a trial of one looks like.

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "soma/core/error.h"
#include "soma/neuro/tasks/registry.h"
#include "soma/systems/trial_figures.h"
#include "soma/train/report.h"

namespace soma::cli {
namespace {

constexpr Index kMostTrials = Index{1} << 32;  // trials are numbered with 32 bits

struct Options {
    CommonOptions common;
    std::string name, mode = "drawn", out = "runs";
    std::uint64_t seed = 1;
    Index trial = 0, observed = 2000;
    bool csv = false, json = false;
};

int list_tasks(const Options& options) {
    using Json = nlohmann::ordered_json;
    std::vector<std::vector<std::string>> rows = {
        {"task", "what", "source", "inputs", "outputs", "longest (ms)", "dt (ms)"}};
    Json list = Json::array();
    for (const neuro::TaskEntry& entry : neuro::tasks()) {
        const auto task = entry.make();
        const double longest = static_cast<double>(task->max_steps()) * task->dt();
        rows.push_back({entry.name, entry.title, entry.source, concat(task->inputs()),
                        concat(task->outputs()), concat(longest), concat(task->dt())});
        list.push_back(
            {{"name", entry.name},
             {"title", entry.title},
             {"source", entry.source},
             {"inputs", task->inputs()},
             {"outputs", task->outputs()},
             {"longest_ms", longest},
             {"dt_ms", task->dt()},
             {"labels", std::vector<std::string>(task->labels().begin(), task->labels().end())}});
    }
    if (options.json) {
        std::cout << Json{{"schema", 1}, {"tasks", list}}.dump(2) << "\n";
    } else {
        std::cout << text_table(rows) << "\nsoma task NAME draws one of its trials\n";
    }
    return 0;
}

neuro::Mode mode_of(const std::string& name) {
    if (name == "grid") return neuro::Mode::grid;
    return name == "psychometric" ? neuro::Mode::psychometric : neuro::Mode::drawn;
}

// How often the best observer is right, over the trials 0 ... count - 1; none where nobody knows.
std::optional<double> ceiling_of(const neuro::Task& task, const neuro::TrialSource& source,
                                 Index count) {
    double sum = 0;
    Index known = 0;
    for (Index k = 0; k < count; ++k) {
        const neuro::Trial trial = task.plan(source, static_cast<std::uint32_t>(k));
        if (const std::optional<double> p = task.ideal_score(trial)) {
            sum += *p;
            ++known;
        }
    }
    if (known == 0) return std::nullopt;
    return sum / static_cast<double>(known);
}

std::string about(const Options& options, const neuro::Task& task,
                  const neuro::TrialSource& source) {
    const std::optional<double> ceiling = ceiling_of(task, source, options.observed);
    if (!ceiling) return "best observer: not known for this task";
    char percent[16];
    std::snprintf(percent, sizeof percent, "%.1f", 100 * *ceiling);
    return concat("best observer: right in ", percent, " % of the first ", options.observed,
                  " trials");
}

int draw_trial(const Options& options, const train::Fields& config) {
    const neuro::TaskEntry& entry = neuro::find_task(options.name);
    const auto task = entry.make();
    const neuro::TrialSource source(options.seed, neuro::Stream::training, mode_of(options.mode));
    const auto index = static_cast<std::uint32_t>(options.trial);
    if (options.csv) {
        std::cout << systems::trial_csv(*task, source, index);
        return 0;
    }
    train::RunFolder folder = train::RunFolder::create(options.out, "task-" + entry.name);
    folder.set_config(config);
    folder.note(entry.title + " (" + entry.source + ")");
    const std::string observer = about(options, *task, source);
    folder.note(observer);
    systems::add_trial(folder, *task, source, index);
    folder.write_page(entry.name + ": trial " + std::to_string(index));
    std::cout << entry.name << ": " << entry.title << " (" << entry.source << ")\n"
              << observer << "\nreport: " << folder.page() << std::endl;
    return 0;
}

}  // namespace

void add_task(CLI::App& program, Action& action) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb =
        add_verb(program, "task", "the tasks of recurrent nets, and their trials drawn",
                 "soma task\n  soma task mante --trial 3\n"
                 "  soma task rdm --mode psychometric --csv",
                 options->common);
    verb->add_option("name", options->name, "a task; without: list them")->type_name("NAME");
    verb->add_option("--trial", options->trial, "number of the trial")
        ->check(whole_number(0, kMostTrials - 1));
    verb->add_option("--seed", options->seed, "seed of the trials")->check(seed_number());
    verb->add_option("--mode", options->mode, "conditions: as in training, all in turn, or finer")
        ->check(CLI::IsMember({"drawn", "grid", "psychometric"}));
    verb->add_option("--observed", options->observed, "trials shown to the best observer")
        ->check(whole_number(1, kMostTrials));
    verb->add_option("--out", options->out, "folder for the run folder")->type_name("DIR");
    verb->add_flag("--csv", options->csv, "the trial as CSV on standard output, nothing else");
    verb->add_flag("--json", options->json, "the list as one JSON object");
    verb->callback([options, verb, &action] {
        action = [options, verb] {
            apply(options->common);
            if (options->name.empty()) return list_tasks(*options);
            return draw_trial(*options, resolved_options(*verb));
        };
    });
}

}  // namespace soma::cli
