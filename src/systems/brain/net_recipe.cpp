#include "soma/systems/net_recipe.h"

#include <cstdio>
#include <optional>

#include "soma/core/error.h"
#include "soma/dist/comm.h"
#include "soma/systems/registry.h"
#include "soma/train/checkpoint.h"
#include "soma/train/progress.h"
#include "soma/train/report.h"

namespace soma::systems {
namespace {

void check_options(const NetRecipe& recipe, const train::TrainOptions& o, const dist::Comm& comm) {
    const std::string who = concat("soma train ", recipe.system, ": ");
    SOMA_CHECK(comm.size() == 1 && o.shards <= 1, who, comm.size(), " ranks, ", o.shards,
               " shards; a net of ", recipe.net.units,
               " units is trained by one thread; soma sweep trains many of them side by side");
    SOMA_CHECK(o.set.empty(), who, "--set ", o.set, "; its trials are generated");
    SOMA_CHECK(o.checkpoint_every == 0, who, "--checkpoint-every ", o.checkpoint_every,
               "; it takes minutes and writes one checkpoint, at the end");
    SOMA_CHECK(o.epochs == 0 || recipe.training.fixed_trials > 0, who, "--epochs ", o.epochs,
               "; every update draws new trials: need --steps");
}

neuro::TaskTraining training_of(const NetRecipe& recipe, const train::TrainOptions& o) {
    neuro::TaskTraining t = recipe.training;
    if (o.batch > 0) t.batch = o.batch;
    if (o.lr > 0) t.rate = o.lr;
    if (o.epochs > 0) t.updates = o.epochs * std::max<Index>(t.fixed_trials / t.batch, 1);
    if (o.steps > 0) t.updates = o.steps;
    t.stop_requested = o.stop_requested;
    return t;
}

// Loss of the evaluations; the figure and the log of a run.
class Curve {
public:
    Curve(const NetRecipe& recipe, const train::TrainOptions& o, Index updates)
        : recipe_(recipe), folder_(o.folder), updates_(updates) {
        if (o.progress) progress_.emplace();
    }

    void add(Index update, double loss) {
        x_.push_back(static_cast<double>(update));
        y_.push_back(loss);
        if (folder_ != nullptr) {
            folder_->log().write("evaluation", {{"update", update}, {"loss", loss}});
        }
        char note[32];
        std::snprintf(note, sizeof note, "loss %.3g", loss);
        if (progress_) {
            progress_->update(concat(recipe_.system, " ", recipe_.name),
                              static_cast<double>(update), static_cast<double>(updates_), note);
        }
    }

    void draw() const {
        if (folder_ == nullptr || x_.size() < 2) return;
        folder_->add(train::LinePlot{
            .text = {"loss", "Loss while it learned",
                     concat("Mean squared error on ", recipe_.training.eval_trials,
                            " trials that were not trained on, with recurrent noise.")},
            .x_label = "update",
            .y_label = "loss",
            .series = {{"evaluation", x_, y_}},
            .log_y = true});
    }

private:
    const NetRecipe& recipe_;
    train::RunFolder* folder_;
    Index updates_;
    std::optional<train::Progress> progress_;
    std::vector<double> x_, y_;
};

// Tests a net and fills in what train and eval print.
void evaluate(const NetRecipe& recipe, neuro::TaskNet& net, train::TrainResult& result) {
    const neuro::TaskEvaluation e = neuro::evaluate_task(net, *recipe.task, recipe.test_trials);
    result.weights = net.store().hash();
    result.test_loss = e.loss;
    result.test_error = 100 * (1 - e.score);
    char text[160];
    std::snprintf(text, sizeof text, "%s: %.2f %% right, loss %.4g, on %lld trials with noise",
                  recipe.task->name().c_str(), 100 * e.score, e.loss,
                  static_cast<long long>(e.trials));
    result.headline = text;
}

}  // namespace

neuro::TaskNetOptions NetRecipe::options(std::uint64_t seed) const {
    neuro::TaskNetOptions o = net;
    o.seed = seed;
    return o;
}

TrainedNet train_new(const NetRecipe& recipe, std::uint64_t seed,
                     const std::function<bool()>& stop) {
    TrainedNet trained{std::make_unique<neuro::TaskNet>(*recipe.task, recipe.options(seed)), {}};
    neuro::TaskTraining training = recipe.training;
    training.stop_requested = stop;
    trained.result = neuro::train_task(*trained.net, *recipe.task, training);
    return trained;
}

train::Fields describe(const NetRecipe& recipe) {
    const neuro::Task& task = *recipe.task;
    const nn::CtrnnLayerOptions& layer = recipe.net.layer;
    return {{"task", task.name()},
            {"convention", std::string(name_of(layer.convention))},
            {"nonlinearity", std::string(name_of(layer.f))},
            {"units", recipe.net.units},
            {"inputs", task.inputs()},
            {"outputs", task.outputs()},
            {"rank", layer.rank},
            {"dt_ms", task.dt()},
            {"tau_ms", task.tau()},
            {"sigma", layer.sigma},
            {"bias", layer.bias},
            {"mean_readout", recipe.net.mean_readout}};
}

train::TrainResult train_net(NetRecipe recipe, const train::TrainOptions& o, dist::Comm& comm) {
    check_options(recipe, o, comm);
    train::TrainResult result;
    if (!o.resume.empty()) {
        RestoredNet restored = restore_net(o.resume);
        SOMA_CHECK(o.steps == restored.updates, "soma train ", recipe.system, ": --resume ",
                   o.resume, ", which is at update ", restored.updates,
                   "; nets that train in minutes start anew; soma eval tests it");
        evaluate(restored.recipe, *restored.net, result);
        result.steps = restored.updates;
        return result;
    }
    neuro::TaskTraining training = training_of(recipe, o);
    neuro::TaskNet net(*recipe.task, recipe.options(o.seed));
    if (o.dry_run) return result;
    Curve curve(recipe, o, training.updates);
    training.on_eval = [&](Index update, double loss) { curve.add(update, loss); };
    const neuro::TaskResult trained = neuro::train_task(net, *recipe.task, training);
    evaluate(recipe, net, result);
    result.steps = trained.updates;
    result.samples = trained.updates * training.batch;
    result.train_loss = trained.train_loss;
    result.seconds = trained.seconds;
    result.interrupted = trained.interrupted;
    if (o.folder == nullptr) return result;
    result.checkpoint = o.folder->checkpoints() + "/" + train::checkpoint_name(trained.updates);
    train::save_parameters(result.checkpoint,
                           {.system = recipe.system,
                            .recipe = recipe.name,
                            .step = trained.updates,
                            .seed = o.seed,
                            .batch = training.batch,
                            .shards = 1,
                            .data = "generated",
                            .config = train::to_json(describe(recipe))},
                           net.store());
    curve.draw();
    return result;
}

RestoredNet restore_net(const std::string& checkpoint) {
    const train::CheckpointInfo info = train::read_checkpoint_info(checkpoint);
    const System* system = find(info.system);
    if (system == nullptr || !system->net) {
        std::string names;
        for (const System& s : all_systems()) {
            if (s.net) names += (names.empty() ? "" : ", ") + s.name;
        }
        fail(ErrorCode::usage, checkpoint, ": system ", info.system,
             " has no recurrent net to analyze; those that have are ", names);
    }
    RestoredNet restored{system->net(info.recipe), nullptr, info.seed, info.step};
    const std::string config = train::to_json(describe(restored.recipe));
    if (info.config != config) {
        fail(ErrorCode::data, checkpoint, ": its net is ", info.config, "; this version's ",
             info.system, " ", info.recipe, " is ", config);
    }
    restored.net =
        std::make_unique<neuro::TaskNet>(*restored.recipe.task, restored.recipe.options(info.seed));
    train::load_parameters(checkpoint, restored.net->store());
    return restored;
}

}  // namespace soma::systems
