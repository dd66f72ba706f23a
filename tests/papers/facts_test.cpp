// Tier 0: numbers that follow from a paper's definition, compared with the built models
// (systems.md 6). Each runs one counting claim of a system; none trains anything.

#include <gtest/gtest.h>

#include "soma/systems/registry.h"

namespace soma::systems {
namespace {

struct Fact {
    const char* system;
    const char* claim;
    double value;
};

class PaperFact : public testing::TestWithParam<Fact> {};

TEST_P(PaperFact, HoldsForTheBuiltModel) {
    const Fact& fact = GetParam();
    ReproduceContext context;
    context.claims_glob = fact.claim;
    const Reproduction r = find(fact.system)->reproduce(context);
    ASSERT_EQ(r.claims.size(), 1u);
    EXPECT_EQ(r.claims[0].own_value, fact.value);
    EXPECT_EQ(r.claims[0].verdict, Verdict::pass);
}

INSTANTIATE_TEST_SUITE_P(
    Systems, PaperFact,
    testing::Values(
        Fact{"mcculloch_pitts", "one-neuron", 14}, Fact{"mcculloch_pitts", "two-layers", 16},
        Fact{"perceptron", "separable-2", 14}, Fact{"perceptron", "separable-3", 104},
        Fact{"perceptron", "separable-4", 1882}, Fact{"backprop1986", "symmetry-parameters", 17},
        Fact{"backprop1986", "family-parameters", 630}, Fact{"backprop1986", "family-triples", 112},
        Fact{"backprop1986", "family-cases", 104}, Fact{"lecun1989", "units", 1256},
        Fact{"lecun1989", "connections", 64660}, Fact{"lecun1989", "parameters", 9760},
        Fact{"alexnet2012", "parameters", 60965224}, Fact{"alexnet2012", "connections", 724406816},
        Fact{"alexnet2012", "units", 659272}, Fact{"alexnet2012", "parameters-one-gpu", 62378344},
        Fact{"resnet18", "parameters", 11689512}, Fact{"resnet18", "connections", 1814073344},
        Fact{"resnet18", "parameters-identity", 11515688},
        Fact{"fashion_cnn", "parameters", 421642}, Fact{"lstm1997", "parameters", 17217},
        Fact{"char_rnn2015", "parameters", 239297}));

}  // namespace
}  // namespace soma::systems
