// The systems of the course, by year: one row each. A new system adds its row here and its
// functions to systems.h.

#include "soma/systems/registry.h"

#include <fnmatch.h>

#include <algorithm>

#include "soma/core/text.h"
#include "soma/systems/net_recipe.h"
#include "soma/train/options.h"
#include "systems/systems.h"

namespace soma::systems {
namespace {

std::string folded(std::string name) {
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

}  // namespace

bool ReproduceContext::wants(const std::string& claim_id) const {
    return fnmatch(claims_glob.c_str(), claim_id.c_str(), 0) == 0;
}

std::span<const System> all_systems() {
    static const std::vector<System> systems = {
        {.name = "mcculloch_pitts",
         .aliases = {"mp"},
         .year = 1943,
         .title = "A logical calculus of the ideas immanent in nervous activity",
         .paper = "McCulloch & Pitts 1943, Bulletin of Mathematical Biophysics 5",
         .slide = "McCulloch-Pitts neuron",
         .data = "generated",
         .minutes = 0.1,
         .reproduce = reproduce_mcculloch_pitts,
         .train = nullptr},
        {.name = "perceptron",
         .aliases = {"pc", "rosenblatt1958"},
         .year = 1958,
         .title = "The perceptron: a probabilistic model for information storage",
         .paper = "Rosenblatt 1958, Psychological Review 65(6)",
         .slide = "Perceptron",
         .data = "generated",
         .minutes = 0.1,
         .reproduce = reproduce_perceptron,
         .train = nullptr},
        {.name = "xor",
         .aliases = {},
         .year = 1969,
         .title = "Perceptrons: what one layer cannot do, and two can",
         .paper = "Minsky & Papert 1969; Rumelhart, Hinton & Williams 1986",
         .slide = "XOR problem",
         .data = "generated",
         .minutes = 0.1,
         .reproduce = reproduce_xor,
         .train = nullptr},
        {.name = "backprop1986",
         .aliases = {"bp"},
         .year = 1986,
         .title = "Learning representations by back-propagating errors",
         .paper = "Rumelhart, Hinton & Williams 1986, Nature 323",
         .slide = "Backpropagation",
         .data = "generated",
         .minutes = 1,
         .reproduce = reproduce_backprop1986,
         .train = nullptr},
        {.name = "cybenko1989",
         .aliases = {"ua", "universal_approximation"},
         .year = 1989,
         .title = "Approximation by superpositions of a sigmoidal function",
         .paper = "Cybenko 1989, Mathematics of Control, Signals and Systems 2",
         .slide = "Universal approximation",
         .data = "generated",
         .minutes = 1,
         .reproduce = reproduce_cybenko1989,
         .train = nullptr},
        {.name = "lecun1989",
         .aliases = {"l89", "digits"},
         .year = 1989,
         .title = "Backpropagation applied to handwritten zip code recognition",
         .paper = "LeCun et al. 1989, Neural Computation 1(4)",
         .slide = "LeCun 1989",
         .data = "usps, mnist16, digits8x8 (embedded)",
         .minutes = 3,
         .reproduce = reproduce_lecun1989,
         .train = train_lecun1989},
        {.name = "bptt",
         .aliases = {"tt", "bptt_rtrl", "rtrl"},
         .year = 1989,
         .title = "Gradients through time: BPTT, its truncations, and RTRL",
         .paper = "Williams & Zipser 1989, Neural Computation 1(2); Williams & Peng 1990",
         .slide = "Backpropagation through time",
         .data = "generated",
         .minutes = 2,
         .reproduce = reproduce_bptt,
         .train = nullptr},
        {.name = "decision_making",
         .aliases = {"rdm", "motion_discrimination"},
         .year = 1992,
         .title = "The decision about the direction of noisy motion",
         .paper = "Britten, Shadlen, Newsome & Movshon 1992, Journal of Neuroscience 12",
         .slide = "Perceptual decisions",
         .data = "generated",
         .minutes = 1,
         .reproduce = reproduce_decision_making,
         .train = train_decision_making,
         .net = decision_making_net},
        {.name = "doya1993",
         .aliases = {"doya", "bifurcations"},
         .year = 1993,
         .title = "Bifurcations of recurrent neural networks in gradient descent learning",
         .paper = "Doya 1993; Doya 1992, ISCAS",
         .slide = "Bifurcations in learning",
         .data = "generated",
         .minutes = 1,
         .reproduce = reproduce_doya1993,
         .train = nullptr},
        {.name = "rnn_universality",
         .aliases = {"universality", "tomita1982", "lorenz"},
         .year = 1993,
         .title = "Universality of fully connected recurrent neural networks",
         .paper = "Doya 1993; Tomita 1982",
         .slide = "What recurrent networks can do",
         .data = "generated",
         .minutes = 1,
         .reproduce = reproduce_rnn_universality,
         .train = nullptr},
        {.name = "alexnet2012",
         .aliases = {"ax", "alexnet", "krizhevsky2012"},
         .year = 2012,
         .title = "ImageNet classification with deep convolutional neural networks",
         .paper = "Krizhevsky, Sutskever & Hinton 2012, NIPS 25",
         .slide = "AlexNet",
         .data = "fashion-mnist, mnist, digits8x8 (embedded)",
         .minutes = 5,
         .reproduce = reproduce_alexnet2012,
         .train = train_alexnet2012},
        {.name = "flipflop2013",
         .aliases = {"flipflop", "sussillo_barak2013"},
         .year = 2013,
         .title = "Opening the black box: low-dimensional dynamics in recurrent networks",
         .paper = "Sussillo & Barak 2013, Neural Computation 25(3)",
         .slide = "Fixed points of recurrent networks",
         .data = "generated",
         .minutes = 1,
         .reproduce = reproduce_flipflop2013,
         .train = train_flipflop2013,
         .sweep = sweep_flipflop2013,
         .net = flipflop2013_net},
        {.name = "mante2013",
         .aliases = {"mante", "context_integration"},
         .year = 2013,
         .title = "Context-dependent computation by recurrent dynamics in prefrontal cortex",
         .paper = "Mante, Sussillo, Shenoy & Newsome 2013, Nature 503",
         .slide = "Line attractors and selection vectors",
         .data = "generated",
         .minutes = 2,
         .reproduce = reproduce_mante2013,
         .train = train_mante2013,
         .net = mante2013_net},
        {.name = "lstm1997",
         .aliases = {"lg", "lstm", "gru2014", "adding"},
         .year = 1997,
         .title = "Long short-term memory",
         .paper = "Hochreiter & Schmidhuber 1997, Neural Computation 9(8); Cho et al. 2014",
         .slide = "LSTM and GRU",
         .data = "generated",
         .minutes = 2,
         .reproduce = reproduce_lstm1997,
         .train = nullptr},
        {.name = "char_rnn2015",
         .aliases = {"cr", "char_rnn"},
         .year = 2015,
         .title = "The unreasonable effectiveness of recurrent neural networks",
         .paper = "Karpathy 2015, repository karpathy/char-rnn",
         .slide = "Char-RNN",
         .data = "tinyshakespeare",
         .minutes = 5,
         .reproduce = reproduce_char_rnn2015,
         .train = nullptr},
        {.name = "sentiment_rnn",
         .aliases = {"rs", "sentiment"},
         .year = 2015,
         .title = "A sentence as a sequence: is it positive?",
         .paper = "Elman 1990, Cognitive Science 14(2); Kotzias et al. 2015, KDD",
         .slide = "RNN: sequence to label",
         .data = "polarity (generated), sentiment",
         .minutes = 1,
         .reproduce = reproduce_sentiment_rnn,
         .train = train_sentiment_rnn},
        {.name = "resnet18",
         .aliases = {"resnet", "he2015"},
         .year = 2015,
         .title = "Deep residual learning for image recognition",
         .paper = "He, Zhang, Ren & Sun 2015, arXiv:1512.03385",
         .slide = "Residual networks",
         .data = "fashion-mnist, mnist, digits8x8 (embedded)",
         .minutes = 6,
         .reproduce = reproduce_resnet18,
         .train = train_resnet18},
        {.name = "fashion_cnn",
         .aliases = {"fashion"},
         .year = 2017,
         .title = "A small convolutional net on Fashion-MNIST",
         .paper = "Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747",
         .slide = "Convolutional networks",
         .data = "fashion-mnist",
         .minutes = 10,
         .reproduce = reproduce_fashion_cnn,
         .train = train_fashion_cnn},
        {.name = "yang2019",
         .aliases = {"yang", "yang20", "multitask"},
         .year = 2019,
         .title = "Task representations in neural networks trained to perform many cognitive tasks",
         .paper = "Yang, Joglekar, Song, Newsome & Wang 2019, Nature Neuroscience 22",
         .slide = "One network, 20 cognitive tasks",
         .data = "generated",
         .minutes = 6,
         .reproduce = reproduce_yang2019,
         .train = train_yang2019,
         .net = yang2019_net},
        {.name = "lowrank2022",
         .aliases = {"low_rank", "dubreuil2022"},
         .year = 2022,
         .title = "The role of population structure in computations through neural dynamics",
         .paper = "Dubreuil, Valente et al. 2022, Nature Neuroscience 25",
         .slide = "Low-rank recurrent networks",
         .data = "generated",
         .minutes = 15,
         .reproduce = reproduce_lowrank2022,
         .train = train_lowrank2022,
         .net = lowrank2022_net},
    };
    return systems;
}

const System* find(const std::string& name) {
    const std::string wanted = folded(name);
    for (const System& system : all_systems()) {
        const auto& aliases = system.aliases;
        const bool alias = std::any_of(aliases.begin(), aliases.end(),
                                       [&](const std::string& a) { return folded(a) == wanted; });
        if (alias || folded(system.name) == wanted) return &system;
    }
    return nullptr;
}

std::vector<std::string> nearest_names(const std::string& name) {
    std::vector<std::string> known;
    for (const System& system : all_systems()) {
        known.push_back(system.name);
        known.insert(known.end(), system.aliases.begin(), system.aliases.end());
    }
    return nearest(name, known);
}

}  // namespace soma::systems
