#include "soma/neuro/task_net.h"

#include <algorithm>
#include <cmath>

#include "soma/autograd/ops/loss.h"
#include "soma/autograd/ops/math.h"
#include "soma/autograd/ops/shape.h"
#include "soma/tensor/as_doubles.h"

namespace soma::neuro {
namespace {

nn::CtrnnLayerOptions layer_options(const Task& task, nn::CtrnnLayerOptions options) {
    options.alpha = task.dt() / task.tau();
    return options;
}

// Weight of every squared error: e = mask (z - y) stands inside the square.
std::vector<float> error_weights(const TaskBatch& batch) {
    const Tensor mask = batch.mask();  // [T, B, O]
    const auto m = mask.data<float>();
    const auto outputs = static_cast<std::size_t>(batch.task().outputs());
    const auto trials = static_cast<std::size_t>(batch.size());
    std::vector<double> share(trials, 0);  // of a trial's errors
    if (batch.task().loss() == TaskLoss::per_element) {
        std::fill(share.begin(), share.end(), 1 / static_cast<double>(m.size()));
    } else {
        for (std::size_t i = 0; i < m.size();) {
            for (std::size_t b = 0; b < trials; ++b) {
                for (std::size_t o = 0; o < outputs; ++o, ++i) share[b] += m[i];
            }
        }
        for (double& s : share) s = s > 0 ? 1 / (s * static_cast<double>(trials)) : 0;
    }
    std::vector<double> share_of_column;  // [B, O]
    for (const double s : share) share_of_column.insert(share_of_column.end(), outputs, s);
    const std::size_t columns = share_of_column.size();
    std::vector<float> weights(m.size());
    for (std::size_t row = 0; row < m.size(); row += columns) {
        for (std::size_t c = 0; c < columns; ++c) {
            const double mask_value = m[row + c];
            weights[row + c] = static_cast<float>(share_of_column[c] * mask_value * mask_value);
        }
    }
    return weights;
}

}  // namespace

TaskNet::TaskNet(const Task& task, const TaskNetOptions& options)
    : options_(options),
      store_(std::make_unique<nn::ParameterStore>()),
      training_noise_(make_key(options.seed, Purpose::recurrent_noise)),
      evaluation_noise_(make_key(options.seed, Purpose::evaluation_noise)) {
    options_.layer = layer_options(task, options.layer);
    layer_ =
        std::make_unique<nn::Ctrnn>(*store_, "rnn", task.inputs(), options.units, options_.layer);
    const double sd = 1 / std::sqrt(static_cast<double>(options.units));
    const Shape shape{options.units, task.outputs()};
    const nn::Init init = options.output.value_or(nn::Init::normal(sd));
    w_out_ = options.train_output ? store_->add("out.weight", shape, init)
                                  : store_->add_buffer("out.weight", shape, init);
    if (options.output_bias) {
        b_out_ = store_->add("out.bias", {task.outputs()}, nn::Init::zeros(), false);
    }
    store_->freeze(options.seed);
}

TaskNet::Pass TaskNet::run(Tape& tape, const TaskBatch& batch, NoiseStream noise,
                           std::uint32_t visit) {
    std::vector<std::uint32_t> trials;
    for (const Trial& trial : batch.trials()) trials.push_back(trial.index);
    const bool sorted =
        std::is_sorted(batch.lengths().begin(), batch.lengths().end(), std::greater<>());
    const Var rates =
        (*layer_)(tape.constant(batch.u()),
                  {.noise = noise != NoiseStream::none,
                   .key = noise == NoiseStream::evaluation ? evaluation_noise_ : training_noise_,
                   .visit = visit,
                   .trials = trials,
                   .lengths = sorted ? batch.lengths() : std::span<const Index>()});
    const Var bias = b_out_ < 0 ? Var{} : store_->var(tape, b_out_);
    Var outputs = linear(rates, store_->var(tape, w_out_), bias);
    if (options_.mean_readout) outputs = scale(outputs, 1 / static_cast<double>(options_.units));
    if (options_.sigmoid_output) outputs = sigmoid(outputs);
    return {rates, outputs};
}

Var TaskNet::loss(Var outputs, const TaskBatch& batch) {
    const Shape flat{outputs.shape().count()};
    const std::vector<float> weights = error_weights(batch);
    const Var target = reshape(outputs.tape().constant(batch.y()), flat);
    return squared_error(reshape(outputs, flat), target, {.weights = weights, .scale = 2});
}

std::unique_ptr<Dynamics> TaskNet::dynamics() const {
    const auto values = [&](nn::ParameterId id) {
        return id < 0 ? std::vector<double>() : as_doubles(store_->value(id));
    };
    return std::make_unique<CtrnnDynamics>(
        CtrnnWeights{.units = layer_->units(),
                     .inputs = layer_->inputs(),
                     .rank = options_.layer.rank,
                     .w_rec = options_.layer.rank > 0 ? std::vector<double>()
                                                      : as_doubles(layer_->recurrent_weights()),
                     .m = values(layer_->m()),
                     .n = values(layer_->n()),
                     .w_in = as_doubles(layer_->input_weights()),
                     .bias = values(layer_->bias())},
        CtrnnOptions{.convention = options_.layer.convention,
                     .f = options_.layer.f,
                     .time = {.dt = options_.layer.alpha, .tau = 1}});
}

linalg::Matrix TaskNet::readout() const {
    const Tensor w = store_->value(w_out_);
    linalg::Matrix m(w.shape()[0], w.shape()[1], as_doubles(w));
    if (options_.mean_readout) {
        for (double& v : m.values) v /= static_cast<double>(options_.units);
    }
    return linalg::transpose(m);
}

linalg::Matrix sample_states(const TaskNet& net, const Task& task, Index trials) {
    const std::unique_ptr<Dynamics> d = net.dynamics();
    TaskBatch batch(task, trials);
    batch.fill(TrialSource(net.options().seed, Stream::analysis), 0);
    const Tensor input = batch.u();
    const auto u = input.data<float>();
    const Index units = d->size(), inputs = d->inputs();
    Index count = 0;
    for (const Index length : batch.lengths()) count += length;
    linalg::Matrix states(count, units);
    double* row = states.row(0);
    const std::vector<double> start = net.start();
    for (Index b = 0; b < trials; ++b) {
        const double* x = start.data();
        for (Index t = 0; t < batch.lengths()[static_cast<std::size_t>(b)]; ++t, row += units) {
            const auto at = u.begin() + (t * trials + b) * inputs;
            const std::vector<double> now(at, at + inputs);
            const auto n = static_cast<std::size_t>(units);
            d->step({x, n}, now, {row, n});
            x = row;
        }
    }
    return states;
}

std::vector<double> TaskNet::start() const { return as_doubles(store_->value(layer_->start())); }

}  // namespace soma::neuro
