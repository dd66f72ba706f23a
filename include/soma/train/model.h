#pragma once
// Model: what the trainer needs to know about a network.

#include <string>

#include "soma/autograd/tape.h"
#include "soma/data/loader.h"
#include "soma/nn/context.h"
#include "soma/nn/parameter_store.h"

namespace soma::train {

class Model {
public:
    struct Output {
        Var loss;    // one element: the SUM over the batch of weight_i * loss_i
        Var scores;  // [N, classes]: the largest is the answer
    };

    virtual ~Model() = default;
    virtual nn::ParameterStore& parameters() = 0;
    // Rows of weight 0 are padding: they must not enter the loss.
    virtual Output forward(Tape& tape, const data::Batch& batch, const nn::Context& context) = 0;
};

}  // namespace soma::train
