// Gated nets against golden/gated.npz, which tools/make_golden.py wrote with PyTorch: values and
// gradients. Both sides compute in f64 with numbers of order 1 and fewer than 1,000 roundings in a
// chain, so they agree to 1,000 * 2^-53 times the largest value (below 10): 1e-12.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "soma/data/file.h"
#include "soma/data/npy.h"
#include "soma/nn/bidirectional.h"
#include "soma/nn/lstm.h"

namespace soma {
namespace {

// The arrays of one case by name.
class Golden {
public:
    explicit Golden(const std::string& name) {
        const std::string path = std::string(SOMA_GOLDEN) + "/gated.npz", prefix = name + ".";
        for (data::NpzMember& m : data::read_npz(data::read_file(path), path)) {
            if (m.name.starts_with(prefix)) arrays_[m.name.substr(prefix.size())] = m.array;
        }
    }

    Tensor operator[](const std::string& name) const { return arrays_.at(name).to_tensor(); }
    std::vector<Index> integers(const std::string& name) const {
        const auto list = arrays_.at(name).to_integers();
        return {list.begin(), list.end()};
    }

    void expect(const std::string& name, const Tensor& actual) const {
        const Tensor expected = (*this)[name];
        ASSERT_EQ(actual.shape(), expected.shape()) << name;
        for (Index i = 0; i < actual.count(); ++i) {
            ASSERT_NEAR(actual.at(i), expected.at(i), 1e-12) << name << ", element " << i;
        }
    }

private:
    std::map<std::string, data::NpyArray> arrays_;
};

// Inputs of a tape by name, and their gradients beside PyTorch's.
class GoldenCase {
public:
    explicit GoldenCase(const std::string& name) : golden_(name) {}

    Var operator()(const std::string& name) { return inputs_[name] = tape_.input(golden_[name]); }

    void expect(Var h) {
        golden_.expect("h", h.tensor());
        tape_.backward(h, golden_["d_h"]);
        for (const auto& [name, v] : inputs_) golden_.expect("d_" + name, v.gradient());
    }

private:
    Golden golden_;
    Tape tape_;
    std::map<std::string, Var> inputs_;
};

TEST(GoldenGated, LstmIsPyTorchs) {
    GoldenCase x("lstm");
    x.expect(lstm({x("h0"), x("c0")}, x("u"),
                  {.w_in = x("w_in"), .w_rec = x("w_rec"), .bias = x("bias")}));
}

TEST(GoldenGated, GruWithResetAfterIsPyTorchs) {
    GoldenCase x("gru");
    x.expect(
        gru(x("h0"), x("u"),
            {.w_in = x("w_in"), .w_rec = x("w_rec"), .bias = x("bias"), .bias_rec = x("bias_rec")},
            GruForm::reset_after));
}

TEST(GoldenGated, BothDirectionsOfPaddedTrialsArePyTorchs) {
    const Golden golden("bidirectional");
    nn::ParameterStore store(DType::f64);
    const nn::Lstm ahead(store, "ahead", 4, 5), back(store, "back", 4, 5);
    store.freeze(1);
    for (const auto& entry : store.entries()) {
        const Tensor from = golden[entry.name];
        Tensor to = store.value(store.find(entry.name));
        std::copy_n(from.data<double>().begin(), from.count(), to.data<double>().begin());
    }
    const std::vector<Index> lengths = golden.integers("lengths");
    Tape tape;
    const Var u = tape.input(golden["u"]);

    const Var h = nn::bidirectional(u, ahead, back, lengths);
    tape.backward(h, golden["d_h"]);

    golden.expect("h", h.tensor());
    golden.expect("d_u", u.gradient());
    for (const auto& entry : store.entries()) {
        const std::size_t dot = entry.name.find('.') + 1;
        golden.expect(entry.name.substr(0, dot) + "d_" + entry.name.substr(dot),
                      store.gradient(store.find(entry.name)));
    }
}

}  // namespace
}  // namespace soma
