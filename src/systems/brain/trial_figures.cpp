#include "soma/systems/trial_figures.h"

#include <charconv>

#include "soma/core/error.h"
#include "soma/neuro/tasks/batch.h"
#include "soma/train/report.h"

namespace soma::systems {
namespace {

constexpr Index kMostCurves = 8;

// The shortest decimal that reads back to the same float or double.
template <class T>
std::string shortest(T value) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    return {text, end};
}

// Channels of a batch of one trial: x is [T, 1, C].
struct Channels {
    const Tensor x;
    Index steps() const { return x.shape()[0]; }
    Index count() const { return x.shape()[2]; }
    float at(Index t, Index c) const {
        return x.data<float>()[static_cast<std::size_t>(t * count() + c)];
    }
};

const char* epoch_at(const neuro::Trial& trial, Index t) {
    for (int e = 0; e < trial.epoch_count; ++e) {
        const neuro::Epoch& epoch = trial.epochs[static_cast<std::size_t>(e)];
        if (t >= epoch.begin && t < epoch.end) return epoch.name;
    }
    return "";
}

std::string caption_of(const neuro::Task& task, const neuro::Trial& trial) {
    std::string text = concat("Trial ", trial.index, ". ");
    for (std::size_t i = 0; i < task.labels().size(); ++i) {
        text += concat(i == 0 ? "" : ", ", task.labels()[i], " ", shortest(trial.labels[i]));
    }
    text += task.labels().empty() ? "Epochs from ms: " : ". Epochs from ms: ";
    for (int e = 0; e < trial.epoch_count; ++e) {
        const neuro::Epoch& epoch = trial.epochs[static_cast<std::size_t>(e)];
        if (epoch.steps() == 0) continue;
        const double ms = static_cast<double>(epoch.begin) * task.dt();
        text += concat(e == 0 ? "" : ", ", epoch.name, " ", shortest(ms));
    }
    return text + ".";
}

void add_curves(train::RunFolder& folder, const train::FigureText& text, const Channels& channels,
                const std::string& letter, double dt) {
    train::LinePlot plot{.text = text, .x_label = "time (ms)", .y_label = letter, .series = {}};
    for (Index c = 0; c < channels.count(); ++c) {
        train::Series series{.label = concat(letter, "_", c), .x = {}, .y = {}};
        for (Index t = 0; t < channels.steps(); ++t) {
            series.x.push_back(static_cast<double>(t) * dt);
            series.y.push_back(static_cast<double>(channels.at(t, c)));
        }
        plot.series.push_back(std::move(series));
    }
    folder.add(plot);
}

void add_colours(train::RunFolder& folder, const train::FigureText& text, const Channels& channels,
                 const std::string& letter, double dt) {
    train::HeatMap map{.text = text,
                       .x_label = concat("step of ", dt, " ms"),
                       .y_label = concat("channel of ", letter),
                       .value_label = letter,
                       .rows = channels.count(),
                       .cols = channels.steps(),
                       .values = {}};
    map.equal_cells = false;
    for (Index c = 0; c < channels.count(); ++c) {
        for (Index t = 0; t < channels.steps(); ++t) {
            map.values.push_back(static_cast<double>(channels.at(t, c)));
        }
    }
    folder.add(map);
}

void add_figure(train::RunFolder& folder, const train::FigureText& text, const Channels& channels,
                const std::string& letter, double dt) {
    if (channels.count() <= kMostCurves) {
        add_curves(folder, text, channels, letter, dt);
    } else {
        add_colours(folder, text, channels, letter, dt);
    }
}

neuro::TaskBatch one_trial(const neuro::Task& task, const neuro::TrialSource& source,
                           std::uint32_t index) {
    neuro::TaskBatch batch(task, 1);
    batch.fill(source, index);
    return batch;
}

}  // namespace

std::string trial_csv(const neuro::Task& task, const neuro::TrialSource& source,
                      std::uint32_t index) {
    const neuro::TaskBatch batch = one_trial(task, source, index);
    const struct {
        const char* letter;
        Channels channels;
    } groups[] = {{"u", {batch.u()}}, {"y", {batch.y()}}, {"mask", {batch.mask()}}};
    std::string text = "step,ms,epoch";
    for (const auto& group : groups) {
        for (Index c = 0; c < group.channels.count(); ++c)
            text += concat(",", group.letter, "_", c);
    }
    text += "\n";
    for (Index t = 0; t < batch.steps(); ++t) {
        const double ms = static_cast<double>(t) * task.dt();
        text += concat(t, ",", shortest(ms), ",", epoch_at(batch.trials()[0], t));
        for (const auto& group : groups) {
            for (Index c = 0; c < group.channels.count(); ++c) {
                text += "," + shortest(group.channels.at(t, c));
            }
        }
        text += "\n";
    }
    return text;
}

void add_trial(train::RunFolder& folder, const neuro::Task& task, const neuro::TrialSource& source,
               std::uint32_t index) {
    const neuro::TaskBatch batch = one_trial(task, source, index);
    const std::string name = concat(task.name(), "-trial-", index);
    const std::string caption = caption_of(task, batch.trials()[0]);
    folder.write(name + ".csv", trial_csv(task, source, index));
    add_figure(folder, {name + "-inputs", task.name() + ": input", caption}, {batch.u()}, "u",
               task.dt());
    add_figure(folder, {name + "-targets", task.name() + ": target", caption}, {batch.y()}, "y",
               task.dt());
}

}  // namespace soma::systems
