// The nets of soma bench step: forward, backward, momentum SGD, on random images.

#include "bench/step.h"
#include "soma/autograd/ops/loss.h"
#include "soma/core/rng.h"
#include "soma/nn/linear.h"
#include "soma/nn/sequential.h"
#include "soma/optim/sgd.h"
#include "systems/vision/alexnet.h"

namespace soma::bench {
namespace {

class Mlp final : public train::Model {
public:
    Mlp()
        : fc1_(store_, "fc1", 784, 2048, kRelu),
          fc2_(store_, "fc2", 2048, 2048, kRelu),
          fc3_(store_, "fc3", 2048, 2048, kRelu),
          fc4_(store_, "fc4", 2048, 10) {}
    nn::ParameterStore& parameters() override { return store_; }
    Output forward(Tape& tape, const data::Batch& batch, const nn::Context&) override {
        const Var scores = fc4_(fc3_(fc2_(fc1_(tape.constant(batch.x)))));
        return {softmax_cross_entropy(scores, batch.labels, {.weights = batch.weight}), scores};
    }

private:
    static inline const nn::LinearOptions kRelu{.activation = Activation::relu};
    nn::ParameterStore store_;
    nn::Linear fc1_, fc2_, fc3_, fc4_;
};

class NetProgram final : public StepProgram {
public:
    NetProgram(std::unique_ptr<train::Model> net, const Shape& shape, Index classes)
        : net_(std::move(net)), store_(net_->parameters()) {
        store_.freeze(1);
        optimizer_ = std::make_unique<optim::Sgd>(store_, optim::SgdOptions{.momentum = 0.9});
        RandomSequence random(make_key(1, Purpose::data_generation));
        batch_.x = Tensor(shape, DType::f32);
        for (float& value : batch_.x.data<float>()) value = random.uniform(-1, 1);
        for (Index i = 0; i < shape[0]; ++i) {
            batch_.labels.push_back(
                static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(classes))));
            batch_.weight.push_back(1);
            batch_.ids.push_back(i);
        }
    }

    std::string what() const override { return "the net itself and momentum SGD"; }
    std::span<float> gradient() override { return store_.gradients().data<float>(); }
    std::vector<Index> starts() const override { return store_.gradient_starts(); }
    void compute(const dist::DataParallel::Ready& ready) override {
        const float* flat = gradient().data();
        tape_.reset();
        tape_.on_gradient_ready(
            [&](const void* at) { ready(static_cast<const float*>(at) - flat); });
        const train::Model::Output out = net_->forward(
            tape_, batch_, nn::Context{.seed = 1, .step = step_++, .ids = batch_.ids});
        tape_.backward(out.loss);
    }
    void update() override { optimizer_->step(1e-6, 1); }

private:
    std::unique_ptr<train::Model> net_;
    nn::ParameterStore& store_;
    std::unique_ptr<optim::Sgd> optimizer_;
    data::Batch batch_;
    Tape tape_;
    Index step_ = 0;
};

}  // namespace

std::unique_ptr<StepProgram> make_net_program(const StepModel& model, Index samples) {
    if (model.name == "mlp") {
        return std::make_unique<NetProgram>(std::make_unique<Mlp>(), Shape{samples, 784}, 10);
    }
    if (model.name == "alexnet") {
        systems::AlexNetOptions options;
        options.size = systems::kAlexNetFull;
        return std::make_unique<NetProgram>(std::make_unique<systems::AlexNet>(options),
                                            Shape{samples, 227, 227, 3}, 1000);
    }
    return nullptr;
}

}  // namespace soma::bench
