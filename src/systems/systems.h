#pragma once
// The functions that registry.cpp lists: one `reproduce` a system, and `train` or `sweep` where
// there is one.

#include "soma/systems/registry.h"

namespace soma::systems {

// neurons/
Reproduction reproduce_mcculloch_pitts(const ReproduceContext& context);
Reproduction reproduce_perceptron(const ReproduceContext& context);
Reproduction reproduce_xor(const ReproduceContext& context);
Reproduction reproduce_cybenko1989(const ReproduceContext& context);
Reproduction reproduce_backprop1986(const ReproduceContext& context);
// vision/
Reproduction reproduce_alexnet2012(const ReproduceContext& context);
train::TrainResult train_alexnet2012(const train::TrainOptions& options, dist::Comm& comm);
Reproduction reproduce_lecun1989(const ReproduceContext& context);
train::TrainResult train_lecun1989(const train::TrainOptions& options, dist::Comm& comm);
Reproduction reproduce_fashion_cnn(const ReproduceContext& context);
train::TrainResult train_fashion_cnn(const train::TrainOptions& options, dist::Comm& comm);
Reproduction reproduce_resnet18(const ReproduceContext& context);
train::TrainResult train_resnet18(const train::TrainOptions& options, dist::Comm& comm);
// brain/
Reproduction reproduce_decision_making(const ReproduceContext& context);
train::TrainResult train_decision_making(const train::TrainOptions& options, dist::Comm& comm);
NetRecipe decision_making_net(const std::string& recipe);
Reproduction reproduce_flipflop2013(const ReproduceContext& context);
NetSweep sweep_flipflop2013();
train::TrainResult train_flipflop2013(const train::TrainOptions& options, dist::Comm& comm);
NetRecipe flipflop2013_net(const std::string& recipe);
Reproduction reproduce_lowrank2022(const ReproduceContext& context);
train::TrainResult train_lowrank2022(const train::TrainOptions& options, dist::Comm& comm);
NetRecipe lowrank2022_net(const std::string& recipe);
Reproduction reproduce_mante2013(const ReproduceContext& context);
train::TrainResult train_mante2013(const train::TrainOptions& options, dist::Comm& comm);
NetRecipe mante2013_net(const std::string& recipe);
Reproduction reproduce_yang2019(const ReproduceContext& context);
train::TrainResult train_yang2019(const train::TrainOptions& options, dist::Comm& comm);
NetRecipe yang2019_net(const std::string& recipe);
// sequence/
Reproduction reproduce_bptt(const ReproduceContext& context);
Reproduction reproduce_doya1993(const ReproduceContext& context);
Reproduction reproduce_lstm1997(const ReproduceContext& context);
Reproduction reproduce_char_rnn2015(const ReproduceContext& context);
Reproduction reproduce_sentiment_rnn(const ReproduceContext& context);
train::TrainResult train_sentiment_rnn(const train::TrainOptions& options, dist::Comm& comm);
Reproduction reproduce_rnn_universality(const ReproduceContext& context);

}  // namespace soma::systems
