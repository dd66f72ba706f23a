#include "systems/vision/alexnet_halves.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "soma/dist/comm.h"
#include "soma/dist/thread_ranks.h"
#include "soma/train/report.h"

namespace soma::systems {
namespace {

// Copies `rows` of `cols` numbers between arrays whose rows are `from_stride` and `to_stride` long.
void copy_rows(const float* from, Index from_stride, float* to, Index to_stride, Index rows,
               Index cols) {
    for (Index r = 0; r < rows; ++r) std::copy_n(from + r * from_stride, cols, to + r * to_stride);
}

// f(parameter of the whole, of the half, rows, columns of the half) for every parameter.
template <class F>
void for_each_pair(const nn::ParameterStore& whole, const nn::ParameterStore& half, F&& f) {
    for (std::size_t i = 0; i < half.entries().size(); ++i) {
        const nn::ParameterStore::Entry& e = half.entries()[i];
        const nn::ParameterId id = whole.find(e.name);
        const Shape& shape = whole.entry(id).shape;
        SOMA_CHECK(shape.cols() == 2 * e.shape.cols() && shape.rows() == e.shape.rows(),
                   "halves of AlexNet: '", e.name, "' is ", shape, " of the whole net and ",
                   e.shape, " of a half; need half as many kernels");
        f(id, static_cast<nn::ParameterId>(i), e.shape.rows(), e.shape.cols());
    }
}

// One pass over a batch: the logits, with gradients in the net's store.
std::vector<float> pass(AlexNet& net, const data::Batch& batch, std::uint64_t seed) {
    Tape tape;
    const train::Model::Output out = net.forward(tape, batch, {.seed = seed, .ids = batch.ids});
    tape.backward(out.loss);
    const auto scores = out.scores.value<float>();
    return {scores.begin(), scores.end()};
}

float largest_difference(std::span<const float> a, std::span<const float> b) {
    float most = 0;
    for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
    return most;
}

float largest(std::span<const float> a) {
    float most = 0;
    for (const float v : a) most = std::max(most, std::abs(v));
    return most;
}

// The worst parameter's largest difference between gradients, in units of the largest gradient of
// that parameter in this half.
double gradient_difference(const nn::ParameterStore& whole, const nn::ParameterStore& half,
                           int rank) {
    double worst = 0;
    for_each_pair(whole, half,
                  [&](nn::ParameterId in_whole, nn::ParameterId in_half, Index rows, Index cols) {
                      std::vector<float> part(static_cast<std::size_t>(rows * cols));
                      copy_rows(whole.gradient(in_whole).data<float>().data() + rank * cols,
                                2 * cols, part.data(), cols, rows, cols);
                      const Tensor own = half.gradient(in_half);
                      const float scale = largest(part);
                      const float difference = largest_difference(part, own.data<float>());
                      if (difference > 0) worst = std::max<double>(worst, difference / scale);
                  });
    return worst;
}

}  // namespace

void take_half(const nn::ParameterStore& whole, nn::ParameterStore& half, int rank) {
    for_each_pair(whole, half,
                  [&](nn::ParameterId from, nn::ParameterId to, Index rows, Index cols) {
                      copy_rows(whole.value(from).data<float>().data() + rank * cols, 2 * cols,
                                half.value(to).data<float>().data(), cols, rows, cols);
                  });
}

void put_half(const nn::ParameterStore& half, nn::ParameterStore& whole, int rank) {
    for_each_pair(
        whole, half, [&](nn::ParameterId to, nn::ParameterId from, Index rows, Index cols) {
            copy_rows(half.value(from).data<float>().data(), cols,
                      whole.value(to).data<float>().data() + rank * cols, 2 * cols, rows, cols);
        });
}

HalvesDifference compare_halves(const AlexNetOptions& options, const data::Batch& batch,
                                std::uint64_t seed) {
    AlexNet whole(options);
    whole.parameters().freeze(seed);
    const std::vector<float> scores = pass(whole, batch, seed);
    HalvesDifference worst;
    std::mutex lock;
    dist::run_thread_ranks(2, [&](dist::Comm& comm) {
        AlexNet half(options, comm);
        half.parameters().freeze(seed);
        take_half(whole.parameters(), half.parameters(), comm.rank());
        const std::vector<float> own = pass(half, batch, seed);
        const double difference =
            gradient_difference(whole.parameters(), half.parameters(), comm.rank());
        const std::lock_guard hold(lock);
        worst.scores = std::max<double>(worst.scores, largest_difference(scores, own));
        worst.gradients = std::max(worst.gradients, difference);
    });
    return worst;
}

train::TrainResult train_halves(const ImageRecipe& recipe, const AlexNetOptions& net,
                                const ImageData& data, const train::TrainOptions& options,
                                dist::Comm& comm) {
    SOMA_CHECK(comm.size() == 2, recipe.system, ": recipe ", recipe.name, " on ", comm.size(),
               " ranks; it needs two: mpirun -np 2 soma train ", recipe.system, " --recipe ",
               recipe.name);
    SOMA_CHECK(options.resume.empty(), recipe.system, ": recipe ", recipe.name,
               " has no checkpoints to resume");
    AlexNet whole(net), half(net, comm);
    whole.parameters().freeze(options.seed);
    half.parameters().freeze(options.seed);
    take_half(whole.parameters(), half.parameters(), comm.rank());

    // Each rank trains its half on every sample; the exchange inside the net keeps them in step.
    train::TrainOptions own = options;
    own.folder = nullptr;
    own.log_dir.clear();        // a timeline shows sums over ranks, and here are none
    own.stop_requested = [&] {  // either rank stops both
        const char mine = options.stop_requested && options.stop_requested();
        char theirs = 0;
        comm.exchange(&mine, &theirs, 1, 1 - comm.rank(), comm.collective_tag());
        return mine != 0 || theirs != 0;
    };
    const std::unique_ptr<dist::Comm> alone = dist::make_self_comm();
    train::TrainResult result = train_images(recipe, half, data, own, *alone);

    put_half(half.parameters(), whole.parameters(), comm.rank());
    const Tensor mine = half.parameters().values().clone();
    Tensor theirs = half.parameters().values();
    comm.exchange(mine.raw(), theirs.raw(), mine.bytes(), 1 - comm.rank(), comm.collective_tag());
    put_half(half.parameters(), whole.parameters(), 1 - comm.rank());
    result.weights = whole.parameters().hash();
    if (options.folder != nullptr && !options.dry_run) {
        draw_images(*options.folder, whole, data, result);
    }
    return result;
}

}  // namespace soma::systems
