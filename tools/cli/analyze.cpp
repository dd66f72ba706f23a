// soma analyze: takes a trained recurrent net apart: fixed points, selection vectors, flow,
// Lyapunov exponents.

#include "cli/analyze.h"

#include <iostream>

#include "cli/arguments.h"
#include "cli/names.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "soma/core/error.h"
#include "soma/core/text.h"
#include "soma/linalg/linalg.h"
#include "soma/neuro/ctrnn_dynamics.h"

namespace soma::cli {
namespace {

struct Options {
    CommonOptions common;
    AnalyzeOptions analysis;
    std::string what, path, out = "runs";
    bool json = false;
};

struct Kind {
    std::string name;
    Analyze analyze;
};

const std::vector<Kind>& kinds() {
    static const std::vector<Kind> list = {{"fixed-points", analyze_fixed_points},
                                           {"selection", analyze_selection},
                                           {"flow", analyze_flow},
                                           {"lyapunov", analyze_lyapunov}};
    return list;
}

const Kind& known_kind(const std::string& what) {
    std::vector<std::string> names;
    std::string all;
    for (const Kind& kind : kinds()) {
        if (kind.name == what) return kind;
        names.push_back(kind.name);
        all += (all.empty() ? "" : ", ") + kind.name;
    }
    fail(ErrorCode::usage, "soma analyze: unknown analysis '", what, "'", did_you_mean(what, names),
         "; there are ", all);
}

std::string list_text(const std::vector<double>& values) {
    std::string text;
    for (const double v : values) text += (text.empty() ? "" : ",") + short_number(v);
    return text;
}

Subject make_subject(const Options& options) {
    const std::string checkpoint = known_checkpoint(options.path);
    Subject s{systems::restore_net(checkpoint), nullptr, options.analysis.input, {}, {}};
    const neuro::Task& task = *s.restored.recipe.task;
    const auto inputs = static_cast<std::size_t>(task.inputs());
    if (s.input.empty()) s.input.assign(inputs, 0.0);
    SOMA_CHECK(s.input.size() == inputs, "soma analyze: --input ", list_text(s.input), " has ",
               s.input.size(), " values; task ", task.name(), " has ", inputs, " inputs");
    SOMA_CHECK(options.analysis.output <= task.outputs(), "soma analyze: --output ",
               options.analysis.output, "; task ", task.name(), " has ", task.outputs(),
               " outputs");
    s.dynamics = s.restored.net->dynamics();
    s.readout = s.restored.net->readout();
    s.states = neuro::sample_states(*s.restored.net, task, options.analysis.trajectories);
    return s;
}

AnalysisJson json_of(const train::Fields& fields) {
    return AnalysisJson::parse(train::to_json(fields));
}

std::string csv_text(const std::vector<std::vector<std::string>>& table) {
    std::string text;
    for (const auto& row : table) {
        for (std::size_t k = 0; k < row.size(); ++k) text += (k == 0 ? "" : ",") + row[k];
        text += "\n";
    }
    return text;
}

std::string headline(const Subject& s) {
    const systems::NetRecipe& r = s.restored.recipe;
    return concat(r.system, r.name.empty() ? "" : " " + r.name, ", seed ", s.restored.seed, ", ",
                  s.restored.updates, " updates: ", r.net.units, " ", name_of(r.net.layer.f),
                  " units, convention ", name_of(r.net.layer.convention), ", input ",
                  list_text(s.input));
}

int run_analyze(const Options& options, const train::Fields& config) {
    apply(options.common);
    const Kind& kind = known_kind(options.what);
    SOMA_CHECK(linalg::available(), "soma analyze: needs LAPACK; soma info says how to get it");
    const Subject subject = make_subject(options);
    const std::string& system = subject.restored.recipe.system;
    train::RunFolder folder = train::RunFolder::create(options.out, kind.name + "-" + system);
    folder.set_config(config);
    const Analysis a = [&] {
        try {
            return kind.analyze(subject, options.analysis, folder);
        } catch (...) {
            folder.discard_if_unused();
            throw;
        }
    }();
    const AnalysisJson object = {{"schema", 1},
                                 {"what", kind.name},
                                 {"run", options.path},
                                 {"system", system},
                                 {"recipe", subject.restored.recipe.name},
                                 {"seed", subject.restored.seed},
                                 {"updates", subject.restored.updates},
                                 {"net", json_of(systems::describe(subject.restored.recipe))},
                                 {"input", subject.input},
                                 {"analysis_seed", options.analysis.seed},
                                 {"result", a.result},
                                 {"folder", folder.path()}};
    folder.write("result.json", object.dump(2) + "\n");
    folder.write("result.csv", csv_text(a.table));
    folder.note(headline(subject));
    for (const std::string& note : a.notes) folder.note(note);
    folder.add(train::Table{.title = kind.name,
                            .header = a.table.front(),
                            .rows = {a.table.begin() + 1, a.table.end()}});
    folder.write_page(kind.name + " of " + headline(subject));
    if (options.json) {
        std::cout << object.dump(2) << std::endl;
        return 0;
    }
    std::cout << headline(subject) << "\n" << text_table(a.table);
    for (const std::string& note : a.notes) std::cout << note << "\n";
    std::cout << "report: " << folder.page() << std::endl;
    return 0;
}

void add_search_options(CLI::App& verb, AnalyzeOptions& o) {
    verb.add_option("--seeds", o.seeds, "states from which fixed points are searched")
        ->check(whole_number(1, 1000000));
    verb.add_option("--seed", o.seed, "of these states, and of the first directions of lyapunov")
        ->check(seed_number());
    verb.add_option("--tolerance", o.tolerance, "q = |F(x) - x|^2 / 2 below which a point is fixed")
        ->check(finite_number(true));
    verb.add_option("--slow", o.slow, "q below which it is slow, and kept")
        ->check(finite_number(true));
    verb.add_option("--modes", o.modes, "eigenvectors a point in fixed_points.npz")
        ->check(whole_number(1, 1000000));
    verb.add_option("--output", o.output, "selection: the output along which points are ordered")
        ->check(whole_number(1, 1000000));
}

}  // namespace

std::vector<double> Subject::outputs(const std::vector<double>& x) const {
    const nn::CtrnnLayerOptions& layer = restored.recipe.net.layer;
    std::vector<double> rates = x;
    if (keeps_current(layer.convention)) {
        neuro::apply(layer.f, std::ssize(x), x.data(), rates.data());
    }
    return linalg::product(readout, linalg::Matrix(std::ssize(x), 1, std::move(rates))).values;
}

void add_analyze(CLI::App& program, Action& action) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb = add_verb(
        program, "analyze",
        "take a trained recurrent net apart: fixed-points, selection, flow, lyapunov",
        "soma analyze fixed-points runs/flipflop2013-*   # after: soma train flipflop2013\n"
        "  soma analyze selection runs/lowrank2022-* --input 0,0,0.5,0 --slow 1e-5   # after: "
        "soma train lowrank2022 --recipe mante",
        options->common);
    verb->add_option("what", options->what, "fixed-points, selection, flow or lyapunov")
        ->type_name("WHAT")
        ->required();
    verb->add_option("run", options->path, "a run folder, or a checkpoint")
        ->type_name("RUN")
        ->required();
    AnalyzeOptions& o = options->analysis;
    verb->add_option("--input", o.input, "input that is held, a value each; absent: zeros")
        ->type_name("LIST")
        ->delimiter(',');
    verb->add_option("--trajectories", o.trajectories, "trials whose states are the data")
        ->check(whole_number(1, 100000));
    add_search_options(*verb, o);
    verb->add_option("--exponents", o.exponents, "lyapunov: how many")
        ->check(whole_number(1, 1000000));
    verb->add_option("--steps", o.steps, "lyapunov: steps of the average")->check(whole_number(10));
    verb->add_option("--transient", o.transient, "lyapunov: steps before them")
        ->check(whole_number(0));
    verb->add_option("--grid", o.grid, "flow: points along each axis")
        ->check(whole_number(2, 1000));
    verb->add_option("--out", options->out, "folder for the run folder")->type_name("DIR");
    verb->add_flag("--json", options->json, "one JSON object on standard output");
    verb->callback([options, verb, &action] {
        action = [options, verb] { return run_analyze(*options, resolved_options(*verb)); };
    });
}

}  // namespace soma::cli
