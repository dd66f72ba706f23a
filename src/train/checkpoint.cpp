#include "soma/train/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "soma/core/hash.h"
#include "soma/core/version.h"
#include "soma/data/file.h"
#include "soma/data/safetensors.h"

namespace soma::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFormat = "soma-checkpoint";
constexpr int kSchema = 1;
constexpr const char* kOptimizer = "opt.";

std::string slot_name(const std::string& slot, const std::string& parameter) {
    return kOptimizer + slot + "." + parameter;
}

// A parameter's part of a flat slot, in the parameter's shape; shares the buffer.
Tensor part(const Tensor& flat, const nn::ParameterStore::Entry& e) {
    return flat.slice(e.offset, e.offset + e.shape.count()).reshape(e.shape);
}

// Exact decimal text of a double, and back.
std::string exact(double v) {
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, v).ptr};
}

// What a state consists of, by the names of the file.
std::vector<data::NamedTensor> tensors_of(const nn::ParameterStore& store,
                                          const TrainingState& state) {
    std::vector<data::NamedTensor> list;
    for (const nn::ParameterStore::Entry& e : store.entries()) {
        if (e.tied_to >= 0) continue;
        list.push_back({e.name, part(state.values, e)});
        if (!e.trainable) continue;
        for (const optim::Optimizer::Slot& slot : state.slots) {
            list.push_back({slot_name(slot.name, e.name), part(slot.values, e)});
        }
    }
    return list;
}

// A checkpoint file, read whole and verified.
class File {
public:
    explicit File(const std::string& path) : path_(path), file_(data::SafetensorsFile::read(path)) {
        if (!file_.metadata().contains("format") || text("format") != kFormat) {
            fail(ErrorCode::data, path, ": not a checkpoint of soma: no metadata format=", kFormat);
        }
        if (number("schema") != kSchema) {
            fail(ErrorCode::data, path, ": checkpoint schema is ", text("schema"),
                 ", this version reads ", kSchema);
        }
        file_.verify();
    }

    const std::string& text(const std::string& key) const { return file_.metadata(key); }
    template <class T = Index>
    T number(const std::string& key) const {
        const std::string& t = text(key);
        T value{};
        const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), value);
        if (error != std::errc{} || end != t.data() + t.size()) {
            fail(ErrorCode::data, path_, ": metadata '", key, "' is '", t, "'; need a number");
        }
        return value;
    }
    CheckpointInfo info() const {
        return {.system = text("system"),
                .recipe = text("recipe"),
                .step = number("step"),
                .seed = number<std::uint64_t>("seed"),
                .batch = number("batch"),
                .shards = number("shards"),
                .data = text("data"),
                .config = text("config"),
                .epoch = {.weight = number<double>("epoch.weight"),
                          .loss = number<double>("epoch.loss"),
                          .wrong = number<double>("epoch.wrong")}};
    }

    // All tensors but the state of the optimizer: opt.<slot>.<name> beside <name>.
    std::vector<data::NamedTensor> parameters() const {
        std::vector<data::NamedTensor> list;
        for (const data::StoredTensor& t : file_.tensors()) {
            const std::size_t dot = t.name.find('.', std::strlen(kOptimizer));
            const bool is_state = t.name.starts_with(kOptimizer) && dot != std::string::npos &&
                                  file_.find(t.name.substr(dot + 1)) != nullptr;
            if (!is_state) list.push_back({t.name, file_.load(t.name)});
        }
        return list;
    }

    // The file's values of the wanted tensors, in their order. Error(data) on the first that is
    // missing or has another shape or type.
    std::vector<Tensor> matching(const std::vector<data::NamedTensor>& wanted) const {
        std::vector<Tensor> found;
        for (const data::NamedTensor& w : wanted) {
            Tensor value = file_.load(w.name);
            if (value.shape() != w.tensor.shape() || value.dtype() != w.tensor.dtype()) {
                fail(ErrorCode::data, path_, ": tensor '", w.name, "' is ", name_of(value.dtype()),
                     " ", value.shape(), "; the model has ", name_of(w.tensor.dtype()), " ",
                     w.tensor.shape());
            }
            found.push_back(std::move(value));
        }
        return found;
    }

private:
    std::string path_;
    data::SafetensorsFile file_;
};

void restore(const File& file, std::vector<data::NamedTensor> targets) {
    const std::vector<Tensor> values = file.matching(targets);
    for (std::size_t i = 0; i < targets.size(); ++i) targets[i].tensor.copy_from(values[i]);
}

std::vector<fs::path> checkpoints_newest_first(const std::string& folder) {
    std::vector<fs::path> found;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
        const std::string name = entry.path().filename();
        if (name.starts_with("step-") && name.ends_with(".safetensors"))
            found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end(), std::greater<>());
    return found;
}

// What a killed run left of a checkpoint that it was writing: step-N.safetensors.XXXXXX.
void remove_half_written(const std::string& folder) {
    std::error_code ignored;
    std::vector<fs::path> left;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
        const std::string name = entry.path().filename();
        if (name.starts_with("step-") && name.find(".safetensors.") != std::string::npos)
            left.push_back(entry.path());
    }
    for (const fs::path& path : left) fs::remove(path, ignored);
}

// `optimizer`: what describes it.
void save(const std::string& path, const CheckpointInfo& info, const nn::ParameterStore& store,
          const std::string& optimizer, const TrainingState& state) {
    data::Metadata meta = {{"format", kFormat},
                           {"schema", std::to_string(kSchema)},
                           {"soma", kVersion},
                           {"numerics", std::to_string(kNumericsVersion)},
                           {"system", info.system},
                           {"recipe", info.recipe},
                           {"step", std::to_string(info.step)},
                           {"seed", std::to_string(info.seed)},
                           {"batch", std::to_string(info.batch)},
                           {"shards", std::to_string(info.shards)},
                           {"data", info.data},
                           {"config", info.config},
                           {"epoch.weight", exact(info.epoch.weight)},
                           {"epoch.loss", exact(info.epoch.loss)},
                           {"epoch.wrong", exact(info.epoch.wrong)},
                           {"optimizer", optimizer},
                           {"weights", to_hex(store.hash(state.values))}};
    for (const optim::Optimizer::Scalar& s : state.scalars) meta["opt." + s.name] = exact(s.value);
    data::write_safetensors_file(path, tensors_of(store, state), meta);
}

}  // namespace

TrainingState state_of(const nn::ParameterStore& store, const optim::Optimizer& optimizer) {
    return {store.values(), optimizer.slots(), optimizer.scalars()};
}

void save_checkpoint(const std::string& path, const CheckpointInfo& info,
                     const nn::ParameterStore& store, const optim::Optimizer& optimizer) {
    save_checkpoint(path, info, store, optimizer, state_of(store, optimizer));
}

void save_checkpoint(const std::string& path, const CheckpointInfo& info,
                     const nn::ParameterStore& store, const optim::Optimizer& optimizer,
                     const TrainingState& state) {
    save(path, info, store, optimizer.describe(), state);
}

void save_parameters(const std::string& path, const CheckpointInfo& info,
                     const nn::ParameterStore& store) {
    save(path, info, store, "none", {store.values()});
}

CheckpointInfo load_checkpoint(const std::string& path, nn::ParameterStore& store,
                               optim::Optimizer& optimizer) {
    const File file(path);
    if (file.number("numerics") != kNumericsVersion) {
        fail(ErrorCode::data, path, ": written with numerics ", file.text("numerics"),
             ", this version has ", kNumericsVersion, "; it cannot continue with the same bits");
    }
    if (file.text("optimizer") != optimizer.describe()) {
        fail(ErrorCode::data, path, ": optimizer is '", file.text("optimizer"), "'; the run has '",
             optimizer.describe(), "'");
    }
    std::vector<double> scalars;
    for (const optim::Optimizer::Scalar& s : optimizer.scalars()) {
        scalars.push_back(file.number<double>("opt." + s.name));
    }
    const CheckpointInfo info = file.info();
    restore(file, tensors_of(store, state_of(store, optimizer)));
    for (std::size_t i = 0; i < scalars.size(); ++i) optimizer.scalars()[i].value = scalars[i];
    return info;
}

CheckpointInfo load_parameters(const std::string& path, nn::ParameterStore& store) {
    const File file(path);
    const CheckpointInfo info = file.info();
    restore(file, tensors_of(store, {store.values()}));
    return info;
}

CheckpointInfo read_checkpoint_info(const std::string& path) { return File(path).info(); }

CheckpointInfo export_parameters(const std::string& path, const std::string& out) {
    const File file(path);
    const CheckpointInfo info = file.info();
    data::write_safetensors_file(out, file.parameters(),
                                 {{"format", "pt"},  // what loaders of other frameworks look for
                                  {"system", info.system},
                                  {"recipe", info.recipe},
                                  {"step", file.text("step")},
                                  {"weights", file.text("weights")}});
    return info;
}

std::string checkpoint_name(Index step) {
    const std::string digits = std::to_string(step);
    return "step-" + std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits +
           ".safetensors";
}

std::string newest_valid_checkpoint(const std::string& folder, std::string* warning) {
    for (const fs::path& path : checkpoints_newest_first(folder)) {
        try {
            read_checkpoint_info(path);
            return path;
        } catch (const Error& e) {
            if (warning != nullptr) *warning += std::string(e.what()) + "\n";
        }
    }
    return "";
}

void prune_checkpoints(const std::string& folder, Index keep, const std::string& newest) {
    const std::vector<fs::path> found = checkpoints_newest_first(folder);
    for (std::size_t i = static_cast<std::size_t>(std::max<Index>(keep, 1)); i < found.size();
         ++i) {
        std::error_code ignored;  // a file that stays costs space, not correctness
        if (found[i] != newest) fs::remove(found[i], ignored);
    }
    remove_half_written(folder);
}

}  // namespace soma::train
