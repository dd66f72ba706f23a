#include "soma/train/trainer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>

#include "soma/core/hash.h"
#include "soma/core/text.h"
#include "soma/core/timer.h"
#include "soma/core/version.h"
#include "soma/dist/data_parallel.h"
#include "soma/dist/fingerprint.h"
#include "soma/dist/replica_check.h"
#include "soma/kernels/backend.h"
#include "soma/kernels/elementwise.h"
#include "soma/optim/clip.h"
#include "soma/train/checkpoint_writer.h"
#include "soma/train/progress.h"
#include "soma/train/report.h"
#include "soma/train/timeline.h"

namespace soma::train {
namespace {

constexpr Index kReplicaCheckSteps = 100;
constexpr double kReportSeconds = 0.05;  // between updates of the progress bar
constexpr Index kLogLines = 1000;        // about this many step lines in the log of a whole run

// Places in ControlRecord::metrics.
enum Metric { kWrong, kComputedShards };

// Column of the largest of each row.
std::vector<std::int32_t> answers(Var scores) {
    const auto classes = static_cast<std::size_t>(scores.shape().cols());
    const auto value = scores.value<float>();
    std::vector<std::int32_t> best(value.size() / classes);
    for (std::size_t i = 0; i < best.size(); ++i) {
        const auto row = value.subspan(i * classes, classes);
        best[i] = static_cast<std::int32_t>(std::max_element(row.begin(), row.end()) - row.begin());
    }
    return best;
}

struct BatchScore {
    double loss = 0, wrong = 0, samples = 0;
};

BatchScore evaluate_batch(Model& model, Tape& tape, const data::Batch& batch,
                          std::vector<std::int32_t>* predictions) {
    tape.reset();
    const Model::Output out =
        model.forward(tape, batch, nn::Context{.training = false, .ids = batch.ids});
    BatchScore score{.loss = out.loss.item()};
    const std::vector<std::int32_t> answered = answers(out.scores);
    for (std::size_t i = 0; i < answered.size(); ++i) {
        if (batch.weight[i] == 0) continue;
        score.wrong += answered[i] != batch.labels[i];
        score.samples += 1;
        if (predictions != nullptr)
            (*predictions)[static_cast<std::size_t>(batch.ids[i])] = answered[i];
    }
    return score;
}

// Ranks share the batches; the sum runs over batches in order, so it does not depend on P.
Evaluation evaluate_together(Model& model, const data::Loader& loader, dist::Comm& comm) {
    const Index ranks = comm.size(), share = ceil_div(loader.batches(), ranks);
    std::vector<BatchScore> mine(static_cast<std::size_t>(share));
    Tape tape(Tape::Mode::no_grad);
    data::Batch batch;
    for (Index i = 0; i < share && comm.rank() * share + i < loader.batches(); ++i) {
        loader.load(0, comm.rank() * share + i, batch);
        mine[static_cast<std::size_t>(i)] = evaluate_batch(model, tape, batch, nullptr);
    }
    std::vector<BatchScore> all(static_cast<std::size_t>(share * ranks));
    comm.allgather(mine.data(), share * static_cast<Index>(sizeof(BatchScore)), all.data());
    BatchScore sum;
    for (const BatchScore& s : all) {
        sum.loss += s.loss;
        sum.wrong += s.wrong;
        sum.samples += s.samples;
    }
    return {.loss = sum.loss / sum.samples,
            .wrong = static_cast<Index>(sum.wrong),
            .samples = static_cast<Index>(sum.samples)};
}

dist::ShardPlan make_plan(const data::Loader& loader, bool strict, const dist::Comm& comm) {
    if (strict)
        return dist::make_shard_plan(loader.shards(), loader.batch(), comm.size(), comm.rank());
    SOMA_CHECK(loader.shards() == comm.size(), "--deterministic off: one shard a rank, of ",
               comm.size(), "; --shards is ", loader.shards());
    return dist::make_fast_plan(loader.batch(), comm.size(), comm.rank());
}

class Run {
public:
    Run(const Training& training, const TrainOptions& options, dist::Comm& comm)
        : t_(training),
          o_(options),
          comm_(comm),
          store_(training.model->parameters()),
          plan_(make_plan(*training.train, options.deterministic, comm)),
          parallel_(comm, plan_, store_.gradients().data<float>(), store_.gradient_starts(),
                    options.exchange, kernels::add<float>),
          steps_per_epoch_(training.train->batches()),
          total_steps_(training.epochs * steps_per_epoch_) {
        if (o_.steps > 0) total_steps_ = std::min(total_steps_, o_.steps);
        if (o_.progress && comm.rank() == 0) progress_ = std::make_unique<Progress>();
        if (o_.folder != nullptr && root()) {
            writer_.emplace(o_.folder->checkpoints(), o_.keep, store_, *training.optimizer);
        }
    }

    TrainResult run() {
        check();
        if (!o_.resume.empty()) resume();
        check_fingerprint();
        if (o_.dry_run) return finish();
        if (!o_.log_dir.empty()) timeline_.emplace(o_.log_dir, comm_);
        first_step_ = step_;
        while (step_ < total_steps_ && !stopped_) {
            if (step_ % steps_per_epoch_ == 0) begin_epoch();
            update();
            const bool epoch_ends = step_ % steps_per_epoch_ == 0 || step_ == total_steps_;
            if (epoch_ends) end_epoch();
            const Index every = o_.checkpoint_every > 0 ? o_.checkpoint_every : steps_per_epoch_;
            if (step_ % every == 0 || step_ == total_steps_ || stopped_) save();
        }
        // A run that was resumed at its end only says how good the net is (soma eval).
        if (step_ == first_step_ && t_.test != nullptr) evaluate_test();
        result_.samples = (step_ - first_step_) * t_.train->batch();
        return finish();
    }

private:
    bool root() const { return comm_.rank() == 0; }

    void check() const {
        SOMA_CHECK(store_.dtype() == DType::f32, t_.system, ": the trainer works in f32");
        SOMA_CHECK(t_.train->batch() <= round_up(t_.train->samples(), plan_.shards), t_.system,
                   ": batch is ", t_.train->batch(), "; the training set has ", t_.train->samples(),
                   " samples");
        SOMA_CHECK(
            !o_.deterministic || kernels::gemm_backend() == "native",
            "SOMA_GEMM=", kernels::gemm_backend(),
            " has no fixed order of summation; use SOMA_GEMM=native, or --deterministic off");
    }

    // ---- start ----
    void resume() {
        std::string path = o_.resume, warnings;
        if (std::filesystem::is_directory(path)) {
            const std::string inside = path + "/checkpoints";
            const std::string folder = std::filesystem::is_directory(inside) ? inside : path;
            path = newest_valid_checkpoint(folder, &warnings);
            if (path.empty()) {
                fail(ErrorCode::data, o_.resume, ": no valid checkpoint in it\n", warnings);
            }
        }
        const CheckpointInfo info = read_checkpoint_info(path);
        const auto same = [&](const char* field, const auto& file, const auto& run) {
            SOMA_CHECK(file == run, path, ": ", field, " is ", file, ", this run has ", run);
        };
        same("system", info.system, t_.system);
        same("recipe", info.recipe, t_.recipe);
        same("seed", info.seed, o_.seed);
        same("batch", info.batch, t_.train->batch());
        if (o_.deterministic) same("shards", info.shards, t_.train->shards());
        same("data", info.data, t_.data);
        load_checkpoint(path, store_, *t_.optimizer);
        step_ = info.step;
        epoch_ = info.epoch;
        log("resume", {{"checkpoint", path}, {"step", step_}, {"warnings", warnings}});
    }

    void check_fingerprint() {
        std::string shapes;
        for (const nn::ParameterStore::Entry& e : store_.entries())
            shapes += concat(e.name, e.shape);
        dist::check_fingerprint(comm_,
                                {{"version", concat(kVersion, ", numerics ", kNumericsVersion)},
                                 {"gemm", kernels::gemm_backend()},
                                 {"system", t_.system + "/" + t_.recipe},
                                 {"parameters", to_hex(hash64(shapes))},
                                 {"optimizer", t_.optimizer->describe()},
                                 {"data", t_.data},
                                 {"seed", std::to_string(o_.seed)},
                                 {"batch", std::to_string(plan_.batch)},
                                 {"shards", std::to_string(plan_.shards)},
                                 {"buckets", concat(parallel_.buckets().size(), ", the first of ",
                                                    o_.exchange.buckets.first_bytes, " bytes")},
                                 {"all-reduce", std::string(name_of(o_.exchange.algorithm))},
                                 {"steps", std::to_string(total_steps_)},
                                 {"first step", std::to_string(step_)},
                                 {"weights", to_hex(store_.hash())},
                                 {"config", t_.config}});
    }

    // ---- one update ----
    void begin_epoch() {
        const Timer timer;
        epoch_ = {};
        if (t_.before_epoch) t_.before_epoch(step_ / steps_per_epoch_);
        result_.seconds += timer.seconds();
    }

    void compute_shard(Index shard, dist::ControlRecord& record,
                       const dist::DataParallel::Ready& ready) {
        record.stop = o_.stop_requested && o_.stop_requested();
        t_.train->load_shard(step_ / steps_per_epoch_, step_ % steps_per_epoch_, shard, batch_);
        for (const float w : batch_.weight) record.weight += static_cast<double>(w);
        tape_.reset();
        if (record.weight == 0) return;  // padding only: contributes zeros
        if (timeline_) timeline_->mark();
        const Model::Output out = t_.model->forward(
            tape_, batch_, nn::Context{.seed = o_.seed, .step = step_, .ids = batch_.ids});
        record.loss = out.loss.item();
        record.non_finite = !std::isfinite(record.loss);
        record.metrics[kComputedShards] = 1;
        const std::vector<std::int32_t> answered = answers(out.scores);
        for (std::size_t i = 0; i < answered.size(); ++i) {
            record.metrics[kWrong] += batch_.weight[i] != 0 && answered[i] != batch_.labels[i];
        }
        if (timeline_) timeline_->lap(Lane::forward);
        const float* flat = store_.gradients().data<float>().data();
        tape_.on_gradient_ready(
            [&](const void* gradient) { ready(static_cast<const float*>(gradient) - flat); });
        tape_.backward(out.loss);
        if (timeline_) timeline_->lap(Lane::backward);
    }

    void update() {
        const Timer timer;
        if (timeline_) timeline_->begin(step_);
        const dist::ControlRecord sum = parallel_.step(
            [&](Index shard, dist::ControlRecord& record, const dist::DataParallel::Ready& ready) {
                compute_shard(shard, record, ready);
            });
        if (comm_.size() > 1) result_.exposed_seconds += parallel_.exposed_seconds();
        if (timeline_) timeline_->exchanged(parallel_.exposed_seconds(), parallel_.times());
        if (sum.non_finite > 0) {
            fail(ErrorCode::non_finite, t_.system, ": the loss of update ", step_,
                 " is not finite in ", sum.non_finite, " of ", plan_.shards, " shards");
        }
        double scale = 1 / sum.weight;
        if (t_.clip_norm > 0) {
            scale *= optim::clip_scale(optim::gradient_norm(store_) * scale, t_.clip_norm);
        }
        t_.optimizer->step(t_.learning_rate(step_), scale);
        store_.update_statistics(t_.statistics_momentum,
                                 static_cast<Index>(sum.metrics[kComputedShards]));
        if (timeline_) timeline_->lap(Lane::optimizer);
        if (step_ == first_step_) check_unused();
        ++step_;
        stopped_ = sum.stop > 0;
        epoch_.weight += sum.weight;
        epoch_.loss += sum.loss;
        epoch_.wrong += sum.metrics[kWrong];
        if (comm_.size() > 1 && step_ % kReplicaCheckSteps == 0) check_replicas();
        result_.seconds += timer.seconds();
        report(sum);
    }

    // Parameters that the forward pass of the first update did not reach: their gradient is zero.
    void check_unused() {
        std::vector<std::string> names;
        for (const Index start : parallel_.unannounced()) {
            for (const nn::ParameterStore::Entry& e : store_.entries()) {
                if (e.trainable && e.tied_to < 0 && e.offset == start) names.push_back(e.name);
            }
        }
        const bool computed = tape_.size() > 0;  // its last shard was not padding alone
        const std::vector<std::string> all =
            comm_.allgather(computed ? "[" + joined(names) + "]" : "");
        int first = 0;
        while (first + 1 < comm_.size() && all[static_cast<std::size_t>(first)].empty()) ++first;
        const std::string& expected = all[static_cast<std::size_t>(first)];
        for (int r = first + 1; r < comm_.size(); ++r) {
            const std::string& other = all[static_cast<std::size_t>(r)];
            if (other.empty() || other == expected) continue;
            fail(ErrorCode::fingerprint, t_.system, ": the parameters without a gradient are ",
                 expected, " on ", comm_.name_of(first), " and ", other, " on ", comm_.name_of(r));
        }
        if (expected.size() > 2) log("unused", {{"parameters", expected}});
    }

    void check_replicas() {
        std::vector<dist::NamedBytes> tensors;
        for (std::size_t i = 0; i < store_.entries().size(); ++i) {
            const Tensor v = store_.value(static_cast<nn::ParameterId>(i));
            tensors.push_back(
                {store_.entries()[i].name,
                 {static_cast<const std::byte*>(v.raw()), static_cast<std::size_t>(v.bytes())}});
        }
        dist::check_replicas(comm_, step_, tensors);
    }

    // ---- reporting ----
    void log(const char* event, const Fields& fields) {
        if (root() && o_.folder != nullptr) o_.folder->log().write(event, fields);
    }

    void report(const dist::ControlRecord& sum) {
        const Index every = std::max<Index>(1, total_steps_ / kLogLines);
        if (step_ % every == 0) {
            log("step", {{"step", step_},
                         {"loss", sum.loss / sum.weight},
                         {"lr", t_.learning_rate(step_ - 1)}});
        }
        if (progress_ == nullptr || clock_.seconds() < next_report_) return;
        next_report_ = clock_.seconds() + kReportSeconds;
        progress_->update(t_.system, static_cast<double>(step_), static_cast<double>(total_steps_),
                          concat("epoch ", 1 + (step_ - 1) / steps_per_epoch_, "/", t_.epochs,
                                 "  loss ", std::round(1e4 * epoch_.mean_loss()) / 1e4));
    }

    void evaluate_test() {
        const Evaluation e = evaluate_together(*t_.model, *t_.test, comm_);
        result_.test_wrong = e.wrong;
        result_.test_samples = e.samples;
        result_.test_loss = e.loss;
        result_.test_error = e.error_percent();
    }

    void end_epoch() {
        const Index epoch = ceil_div(step_, steps_per_epoch_);
        constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
        EpochRecord record{epoch, epoch_.mean_loss(), epoch_.error_percent(), kNone, kNone};
        const bool last = step_ == total_steps_;
        if (t_.test != nullptr && (last || epoch % t_.eval_every == 0)) {
            evaluate_test();
            record.test_loss = result_.test_loss;
            record.test_error = result_.test_error;
        }
        result_.train_loss = record.train_loss;
        result_.train_error = record.train_error;
        result_.history.push_back(record);
        log("epoch", {{"epoch", epoch},
                      {"step", step_},
                      {"train_loss", record.train_loss},
                      {"train_error", record.train_error},
                      {"test_loss", record.test_loss},
                      {"test_error", record.test_error}});
    }

    // ---- end ----
    // A finite loss can have an infinite gradient: no checkpoint of ruined weights is written.
    void check_weights() const {
        constexpr std::uint32_t kMagnitude = 0x7FFFFFFF, kInfinity = 0x7F800000;
        std::uint32_t largest = 0;
        for (const float v : store_.values().data<float>()) {
            largest = std::max(largest, std::bit_cast<std::uint32_t>(v) & kMagnitude);
        }
        if (largest < kInfinity) return;
        fail(ErrorCode::non_finite, t_.system, ": a weight is not finite after update ", step_);
    }

    void save() {
        if (!writer_) return;
        const Timer timer;
        check_weights();
        await_checkpoint();
        writer_->save({.system = t_.system,
                       .recipe = t_.recipe,
                       .step = step_,
                       .seed = o_.seed,
                       .batch = plan_.batch,
                       .shards = plan_.shards,
                       .data = t_.data,
                       .config = t_.config,
                       .epoch = epoch_});
        stall_seconds_ = timer.seconds();
    }

    // Until the checkpoint in flight is on disk.
    void await_checkpoint() {
        if (!writer_) return;
        const std::optional<CheckpointWriter::Written> written = writer_->wait();
        if (!written) return;
        result_.checkpoint = written->path;
        log("checkpoint", {{"path", written->path},
                           {"step", written->step},
                           {"stall_seconds", stall_seconds_},
                           {"write_seconds", written->seconds}});
    }

    TrainResult finish() {
        check_weights();
        await_checkpoint();
        if (timeline_) timeline_->write();
        result_.weights = store_.hash();
        result_.steps = step_;
        result_.epochs = step_ / steps_per_epoch_;
        result_.flop = tape_.flop();
        result_.interrupted = stopped_;
        if (progress_ != nullptr) progress_->clear();
        log("end", {{"step", step_},
                    {"weights", to_hex(result_.weights)},
                    {"seconds", result_.seconds},
                    {"exposed_seconds", result_.exposed_seconds},
                    {"interrupted", stopped_}});
        return result_;
    }

    const Training& t_;
    const TrainOptions& o_;
    dist::Comm& comm_;
    nn::ParameterStore& store_;
    dist::ShardPlan plan_;
    dist::DataParallel parallel_;
    Index steps_per_epoch_, total_steps_;
    Index step_ = 0, first_step_ = 0;  // updates done, in all and before this run
    bool stopped_ = false;
    Tape tape_;
    data::Batch batch_;
    EpochSums epoch_;
    TrainResult result_;
    std::optional<CheckpointWriter> writer_;  // on the rank that has a folder
    double stall_seconds_ = 0;                // that the last save() kept the training waiting
    std::optional<Timeline> timeline_;        // where a log folder is given
    std::unique_ptr<Progress> progress_;
    Timer clock_;
    double next_report_ = 0;
};

}  // namespace

double Evaluation::error_percent() const {
    return samples == 0 ? 0 : 100 * static_cast<double>(wrong) / static_cast<double>(samples);
}

TrainResult run_training(const Training& training, const TrainOptions& options, dist::Comm& comm) {
    return Run(training, options, comm).run();
}

Evaluation evaluate(Model& model, const data::Loader& loader) {
    Evaluation e;
    e.predictions.assign(static_cast<std::size_t>(loader.samples()), -1);
    Tape tape(Tape::Mode::no_grad);
    data::Batch batch;
    double loss = 0;
    for (Index k = 0; k < loader.batches(); ++k) {
        loader.load(0, k, batch);
        const BatchScore score = evaluate_batch(model, tape, batch, &e.predictions);
        loss += score.loss;
        e.wrong += static_cast<Index>(score.wrong);
        e.samples += static_cast<Index>(score.samples);
    }
    e.loss = loss / static_cast<double>(e.samples);
    return e;
}

}  // namespace soma::train
