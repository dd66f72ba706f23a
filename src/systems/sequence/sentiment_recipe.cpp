#include "systems/sequence/sentiment_recipe.h"

#include "soma/core/error.h"
#include "soma/core/text.h"
#include "soma/data/file.h"
#include "soma/data/sha256.h"
#include "soma/dist/comm.h"
#include "soma/optim/adam.h"
#include "soma/optim/schedule.h"
#include "soma/train/trainer.h"

namespace soma::systems {
namespace {

constexpr Index kPolarityTrain = 5000, kPolarityTest = 1000;

constexpr RecurrentUnit kUnitsByMerit[] = {RecurrentUnit::gru, RecurrentUnit::lstm,
                                           RecurrentUnit::rnn};

SentimentRecipe make(bool polarity, RecurrentUnit unit) {
    SentimentRecipe r{.name = concat(polarity ? "polarity-" : "sentiment-", name_of(unit)),
                      .polarity = polarity,
                      .net = {.unit = unit}};
    if (polarity) return r;
    r.net.embedding_sd = 0.05;
    r.net.dropout = 0.5;
    r.epochs = 10;
    r.min_count = 2;
    if (unit != RecurrentUnit::rnn) r.lr = 2e-3;
    return r;
}

const std::vector<SentimentRecipe>& recipes() {
    static const std::vector<SentimentRecipe> list = [] {
        std::vector<SentimentRecipe> all;
        for (const bool polarity : {true, false}) {
            for (const RecurrentUnit unit : kUnitsByMerit) all.push_back(make(polarity, unit));
        }
        return all;
    }();
    return list;
}

}  // namespace

const SentimentRecipe& sentiment_recipe(const std::string& name) {
    if (name.empty()) return recipes().front();
    std::vector<std::string> known;
    for (const SentimentRecipe& recipe : recipes()) {
        if (recipe.name == name) return recipe;
        known.push_back(recipe.name);
    }
    fail(ErrorCode::usage, "sentiment_rnn: recipe '", name, "' is unknown; it has ", joined(known));
}

const SentimentRecipe& sentiment_recipe(bool polarity, RecurrentUnit unit) {
    return sentiment_recipe(concat(polarity ? "polarity-" : "sentiment-", name_of(unit)));
}

SentimentSplit polarity_split(std::uint64_t seed) {
    std::vector<Sentence> all = make_polarity(seed, kPolarityTrain + kPolarityTest);
    const auto border = all.begin() + kPolarityTrain;
    std::string text;
    for (const Sentence& s : all) text += concat(s.label, '\t', text_of(s.words), '\n');
    return {
        "polarity", data::sha256(data::as_bytes(text)), {all.begin(), border}, {border, all.end()}};
}

SentimentSplit fold_split(const SentenceFile& file, Index fold) {
    SentimentSplit split{file.name, file.sha256, {}, {}};
    for (const Sentence& sentence : file.sentences) {
        (fold_of(sentence, kFolds) == fold ? split.test : split.train).push_back(sentence);
    }
    SOMA_CHECK(!split.train.empty() && !split.test.empty(), "sentiment_rnn: fold ", fold, " of ",
               file.sentences.size(), " sentences of ", file.name, " has ", split.test.size(),
               ", the others ", split.train.size(), "; need some of both");
    return split;
}

TrainedSentimentNet train_sentiment_net(const SentimentRecipe& recipe, const SentimentSplit& split,
                                        const train::TrainOptions& options, dist::Comm& comm) {
    const Vocabulary vocabulary(split.train, recipe.min_count);
    const Index epochs = options.epochs > 0 ? options.epochs : recipe.epochs;
    const data::Loader loader(token_set(split.train, vocabulary),
                              {.batch = options.batch > 0 ? options.batch : recipe.batch,
                               .shards = options.shards > 0 ? options.shards : 1,
                               .seed = options.seed});
    const data::Loader test(token_set(split.test, vocabulary), {.batch = 100, .shuffle = false});
    TrainedSentimentNet trained{
        vocabulary,
        std::make_unique<SentimentNet>(recipe.net, vocabulary.size(), options.seed),
        test,
        {}};
    optim::Adam adam(trained.net->parameters());
    const auto schedule = optim::Schedule::cosine(options.lr > 0 ? options.lr : recipe.lr, 0,
                                                  epochs * loader.batches());
    trained.result =
        train::run_training({.system = "sentiment_rnn",
                             .recipe = recipe.name,
                             .model = trained.net.get(),
                             .optimizer = &adam,
                             .train = &loader,
                             .test = &trained.test,
                             .epochs = epochs,
                             .learning_rate = [&](Index step) { return schedule.at(step); },
                             .clip_norm = recipe.clip_norm,
                             .data = split.name + " " + split.sha256},
                            options, comm);
    return trained;
}

}  // namespace soma::systems
