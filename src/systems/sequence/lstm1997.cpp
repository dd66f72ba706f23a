// LG: the adding problem, which a plain recurrent net cannot learn and gated nets can (Hochreiter &
// Schmidhuber 1997, Neural Computation 9(8), experiment 4; forget gates: Gers, Schmidhuber &
// Cummins 2000; GRU: Cho et al. 2014).
//
// T = 100 pairs (value, marker): values U(0, 1), markers 1 at two steps, one in either half, else
// 0. The target, read from the last state, is the sum of the two marked values. Answering 1 always
// has an error of 1/6 = .167. The gradient has to cross up to 100 steps: a tanh net forgets on the
// way.
//
//     lstm, gru    64 units -> 1, gates as nn/lstm.h and nn/gru.h
//     rnn          the same with tanh units h' = tanh(h w_rec + u w_in + b): the control
//
// Adam, batch 32 of new trials in each update, gradient norm clipped at 1, until 25 updates have a
// mean error below .002, but at most 3,000.
//
// Deviations: Adam for on-line descent; forget gates; values U(0, 1) for U(-1, 1); T = 100 for all
// trials (the paper draws it from [T, 1.1 T]).

#include <cmath>
#include <functional>

#include "soma/autograd/ops/ctrnn.h"
#include "soma/autograd/ops/loss.h"
#include "soma/autograd/ops/shape.h"
#include "soma/nn/gru.h"
#include "soma/nn/linear.h"
#include "soma/nn/lstm.h"
#include "soma/optim/adam.h"
#include "soma/optim/clip.h"
#include "soma/train/report.h"
#include "systems/claim_run.h"
#include "systems/systems.h"

namespace soma::systems {
namespace {

struct Options {
    Index steps = 100, units = 64, batch = 32, updates = 3000, test_trials = 1000;
    double lr = 5e-3, clip = 1, enough = 2e-3;
    int seeds = 3;
};

enum class Kind { lstm, gru, rnn };

// ---- task -------------------------------------------------------------------------------------

struct Trials {
    Tensor u;       // [T, B, 2]: value, marker
    Tensor target;  // [B, 1]
};

enum class Use : std::uint32_t { training, test };

Trials draw_trials(const Options& o, std::uint64_t seed, Use use, Index update, Index batch) {
    const PhiloxKey key =
        make_key(seed, Purpose::data_generation, 0, static_cast<std::uint32_t>(use));
    Trials trials{Tensor::zeros({o.steps, batch, 2}), Tensor::zeros({batch, 1})};
    const auto u = trials.u.data<float>(), target = trials.target.data<float>();
    const auto half = static_cast<std::uint32_t>(o.steps / 2);
    for (Index b = 0; b < batch; ++b) {
        RandomSequence random(key, {.step = static_cast<std::uint32_t>(update),
                                    .trial = static_cast<std::uint32_t>(b)});
        const auto at = [&](Index t) { return static_cast<std::size_t>((t * batch + b) * 2); };
        for (Index t = 0; t < o.steps; ++t) u[at(t)] = random.uniform();
        for (const Index t : {Index{random.below(half)}, Index{half + random.below(half)}}) {
            u[at(t) + 1] = 1;
            target[static_cast<std::size_t>(b)] += u[at(t)];
        }
    }
    return trials;
}

// ---- net --------------------------------------------------------------------------------------

class AddingNet {
public:
    AddingNet(Kind kind, const Options& o, std::uint64_t seed)
        : layer_(make_layer(kind, o)), output_(store_, "output", o.units, 1) {
        store_.freeze(seed);
    }

    nn::ParameterStore& parameters() { return store_; }

    // Mean squared error of the answers after the last step.
    Var error(Tape& tape, const Trials& trials) const {
        const Var h = layer_(tape.constant(trials.u));
        const Index steps = h.shape()[0], batch = h.shape()[1], units = h.shape()[2];
        const Var last = reshape(slice(h, 0, steps - 1, steps), {batch, units});
        return squared_error(output_(last), tape.constant(trials.target),
                             {.scale = 2 / static_cast<double>(batch)});
    }

private:
    std::function<Var(Var)> make_layer(Kind kind, const Options& o) {
        if (kind == Kind::lstm) {
            return [net = nn::Lstm(store_, "lstm", 2, o.units)](Var u) { return net(u); };
        }
        if (kind == Kind::gru) {
            return [net = nn::Gru(store_, "gru", 2, o.units)](Var u) { return net(u); };
        }
        const nn::Init init = nn::Init::uniform(1 / std::sqrt(static_cast<double>(o.units)));
        const auto w_rec = store_.add("rnn.w_rec", {o.units, o.units}, init);
        const auto w_in = store_.add("rnn.w_in", {2, o.units}, init);
        const auto bias = store_.add("rnn.bias", {o.units}, nn::Init::zeros());
        const Tensor start = Tensor::zeros({o.units});
        return [=, this](Var u) {
            Tape& tape = u.tape();
            return ctrnn(tape.constant(start), u,
                         {.w_rec = store_.var(tape, w_rec),
                          .w_in = store_.var(tape, w_in),
                          .bias = store_.var(tape, bias)},
                         {.convention = Convention::rate, .alpha = 1});
        };
    }

    nn::ParameterStore store_;
    std::function<Var(Var)> layer_;
    nn::Linear output_;
};

// ---- training ---------------------------------------------------------------------------------

struct Run {
    train::Series errors;  // of training batches, means of 25 updates
    double test_error = 0;
    double flop = 0;
};

Run train(const Options& o, Kind kind, std::uint64_t seed,
          const std::function<bool(Index)>& go_on) {
    AddingNet net(kind, o, seed);
    optim::Adam optimizer(net.parameters());
    Run run;
    Tape tape;
    constexpr Index kMean = 25;
    double sum = 0;
    for (Index update = 0; update < o.updates && go_on(update); ++update) {
        tape.reset();
        const Var error = net.error(tape, draw_trials(o, seed, Use::training, update, o.batch));
        net.parameters().zero_gradients();
        tape.backward(error);
        const double norm = optim::gradient_norm(net.parameters());
        optimizer.step(o.lr, optim::clip_scale(norm, o.clip));
        sum += error.item();
        if ((update + 1) % kMean == 0) {
            run.errors.x.push_back(static_cast<double>(update + 1));
            run.errors.y.push_back(sum / kMean);
            if (run.errors.y.back() < o.enough) break;
            sum = 0;
        }
    }
    run.flop = tape.flop();
    Tape evaluation(Tape::Mode::no_grad);
    run.test_error =
        net.error(evaluation, draw_trials(o, seed, Use::test, 0, o.test_trials)).item();
    return run;
}

// ---- claims -----------------------------------------------------------------------------------

Claim make(const Options& o, const std::string& id, const std::string& text, const char* kind,
           Gate gate) {
    Claim c =
        stated(id, text, kind, "systems.md 4.9; Hochreiter & Schmidhuber 1997, experiment 4", gate);
    c.paper_unit = "mean squared error";
    c.set = "adding problem";
    c.split = "test";
    c.samples = o.test_trials;
    return c;
}

class Experiment {
public:
    Experiment(ClaimRun& run, const Options& o) : run_(run), o_(o) {}

    void learns(Kind kind, Claim claim) {
        run_.claim(std::move(claim), [&](Claim& c) {
            const auto seeds = static_cast<Index>(run_.seeds().size());
            for (Index i = 0; i < seeds && !run_.stopped(); ++i) {
                Run r =
                    train(o_, kind, run_.seeds()[static_cast<std::size_t>(i)], [&](Index update) {
                        run_.context().progress(c.id, static_cast<double>(i * o_.updates + update),
                                                static_cast<double>(seeds * o_.updates));
                        return !run_.stopped();
                    });
                c.values.push_back(r.test_error);
                c.flop += r.flop;
                r.errors.label = c.id;
                if (i == 0) errors_.push_back(std::move(r.errors));
            }
            c.seeds = run_.seeds();
        });
    }

    void draw() const {
        train::RunFolder* folder = run_.context().folder;
        if (folder == nullptr || errors_.empty()) return;
        folder->add(train::LinePlot{
            .text = {"learning", "The adding problem over 100 steps",
                     "Error of training batches, first seed; .167 is the error of always "
                     "answering 1."},
            .x_label = "updates",
            .y_label = "mean squared error",
            .series = errors_,
            .log_y = true});
    }

private:
    ClaimRun& run_;
    const Options& o_;
    std::vector<train::Series> errors_;
};

}  // namespace

Reproduction reproduce_lstm1997(const ReproduceContext& context) {
    const Options o;
    ClaimRun run(context, "lstm1997", o.seeds);
    run.headline(
        "adding problem, 100 steps: 64 units, gated or not, at most 3,000 updates of 32 trials");
    run.deviation("Adam, forget gates, values U(0, 1), T = 100 for all trials");
    Claim count = make(o, "parameters", "parameters of the LSTM net", "count", Gate::equal(17217));
    count.source = "4 N (I + N + 1) + N + 1";
    count.paper_unit = "";
    count.paper_tag = "A";
    run.claim(count, [&](Claim& c) {
        c.values = {
            static_cast<double>(AddingNet(Kind::lstm, o, 1).parameters().parameter_count())};
    });
    Experiment experiment(run, o);
    experiment.learns(Kind::lstm,
                      make(o, "lstm", "error of an LSTM", "accuracy", Gate::at_most(0.01)));
    experiment.learns(Kind::gru,
                      make(o, "gru", "error of a GRU (2014)", "accuracy", Gate::at_most(0.01)));
    experiment.learns(Kind::rnn, make(o, "rnn", "error of a tanh net, without gates", "control",
                                      Gate::at_least(0.15)));
    experiment.draw();
    return run.finish();
}

}  // namespace soma::systems
