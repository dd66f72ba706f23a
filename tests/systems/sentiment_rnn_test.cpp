// The recipes of sentiment_rnn, what its folds are, and that it trains on a user's sentences.

#include <gtest/gtest.h>

#include <set>

#include "soma/core/error.h"
#include "soma/data/file.h"
#include "soma/dist/comm.h"
#include "soma/systems/registry.h"
#include "soma/train/report.h"
#include "support/temp_folder.h"
#include "systems/sequence/sentiment_study.h"

namespace soma::systems {
namespace {

TEST(SentimentRecipe, IsFoundByNameAndElseNamed) {
    EXPECT_EQ(sentiment_recipe("").name, "polarity-gru");
    EXPECT_EQ(sentiment_recipe(false, RecurrentUnit::lstm).name, "sentiment-lstm");
    try {
        sentiment_recipe("gru");
        FAIL();
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find("sentiment-rnn"), std::string::npos) << e.what();
    }
}

TEST(SentimentRecipe, UnseenSentencesAreNotAmongThoseToTrainOn) {
    const SentimentSplit split = polarity_split(4);
    EXPECT_EQ(split.train.size(), 5000u);
    EXPECT_EQ(split.test.size(), 1000u);
    std::set<Words> known;
    for (const Sentence& s : split.train) known.insert(s.words);
    for (const Sentence& s : split.test) EXPECT_FALSE(known.contains(s.words));
    EXPECT_NE(split.sha256, polarity_split(5).sha256);
}

TEST(SentimentStudy, FoldsTestEachSentenceOnceAndValidateInsideTheRest) {
    const SentenceFile file{"mine", "", make_polarity(2, 300)};
    const SentimentStudy folds = study_of_folds(file, 1), validation = validation_of(folds);
    EXPECT_EQ(folds.test_samples(), 300);
    for (std::size_t i = 0; i < folds.splits.size(); ++i) {
        const SentimentSplit &outer = folds.splits[i], &inner = validation.splits[i];
        EXPECT_EQ(outer.train.size() + outer.test.size(), 300u);
        EXPECT_EQ(inner.train.size() + inner.test.size(), outer.train.size());
        std::set<Words> tested;
        for (const Sentence& s : outer.test) tested.insert(s.words);
        for (const Sentence& s : inner.test) EXPECT_FALSE(tested.contains(s.words));
        for (const Sentence& s : inner.train) EXPECT_FALSE(tested.contains(s.words));
    }
}

TEST(SentimentStudy, TheBestUnitIsTheBestOfTheValidationSplit) {
    SentimentStudy folds{.splits = std::vector<SentimentSplit>(2)}, validation;
    folds.nets[RecurrentUnit::rnn];
    folds.nets[RecurrentUnit::gru];
    folds.accuracy = {{"rnn", {1, 2}}, {"gru", {3, 4}}, {"naive-bayes", {9, 9}}};
    validation.accuracy = {{"rnn", {50, 70}}, {"gru", {60, 60}}};
    EXPECT_EQ(accuracy_of_best(folds, validation), (std::vector<double>{3, 2}));
}

// ---- soma train -------------------------------------------------------------------------------

train::TrainResult train_briefly(train::TrainOptions options) {
    options.steps = 3;
    options.batch = 8;
    return find("sentiment_rnn")->train(options, *dist::make_self_comm());
}

TEST(SentimentTraining, AUsersFileNeedsNoRecipe) {
    const test::TempFolder temp;
    std::string lines;
    for (const Sentence& s : make_polarity(2, 60)) {
        lines += concat(s.label, '\t', text_of(s.words), '\n');
    }
    data::write_file_atomically(temp.file("my own.tsv"), data::as_bytes(lines));
    train::RunFolder folder = train::RunFolder::create(temp.path(), "run");
    const train::TrainResult result =
        train_briefly({.data_roots = {temp.file("my own.tsv")}, .folder = &folder});
    EXPECT_EQ(result.steps, 3);
    EXPECT_EQ(result.test_samples, std::ssize(fold_split({"", "", make_polarity(2, 60)}, 0).test));
    EXPECT_NE(result.headline.find("naive Bayes"), std::string::npos);
    EXPECT_FALSE(data::read_file(folder.figures() + "/learning-sentiment.dat").empty());
    EXPECT_EQ(
        train_briefly({.recipe = "sentiment-gru", .data_roots = {temp.file("my own.tsv")}}).weights,
        result.weights);
}

TEST(SentimentTraining, AnAbsentFileIsAnErrorThatSaysHowToGetIt) {
    const test::TempFolder temp;
    try {
        train_briefly({.recipe = "sentiment-rnn", .data_roots = {temp.path()}});
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::data);
        EXPECT_NE(std::string(e.what()).find("ROOT/sentiment"), std::string::npos) << e.what();
    }
    EXPECT_THROW(train_briefly({.set = "usps"}), Error);
}

TEST(SentimentReproduction, SkipsRealSentencesThatAreAbsent) {
    ReproduceContext context;
    context.claims_glob = "sentiment-*";
    const Reproduction r = find("sentiment_rnn")->reproduce(context);
    ASSERT_EQ(r.claims.size(), 7u);
    for (const Claim& c : r.claims) {
        EXPECT_EQ(c.verdict, Verdict::skipped) << c.id;
        EXPECT_NE(c.reason.find("UCI"), std::string::npos) << c.reason;
    }
}

// The quickest of its nets; the others read the same sentences.
TEST(SentimentReproduction, ATanhNetLearnsPolarity) {
    ReproduceContext context;
    context.claims_glob = "polarity-rnn";
    context.seeds = 1;
    const Reproduction r = find("sentiment_rnn")->reproduce(context);
    ASSERT_EQ(r.claims.size(), 1u);
    EXPECT_EQ(r.claims.front().verdict, Verdict::pass) << r.claims.front().own_value.value_or(-1);
}

}  // namespace
}  // namespace soma::systems
