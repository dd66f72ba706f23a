// The output contract of `soma reproduce`: table layout, and JSON with every field.
#include "cli/claims.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/text_table.h"

namespace soma::cli {
namespace {

using systems::Claim;
using systems::Gate;
using systems::Verdict;

Claim count_claim() {
    Claim c;
    c.system = "lecun1989";
    c.id = "parameters";
    c.text = "parameters";
    c.kind = "count";
    c.paper_value = 9760;
    c.tolerance = Gate::equal(9760);
    c.decide(9760);
    return c;
}

Claim error_claim() {
    Claim c;
    c.system = "lecun1989";
    c.id = "test-error";
    c.text = "test error, paper recipe";
    c.kind = "accuracy";
    c.paper_value = 5.0;
    c.paper_unit = "% test error";
    c.tolerance = Gate::at_most(5.8);
    c.values = {5.25, 5.5, 5.75};
    c.seeds = {1, 2, 3, 7};
    c.seconds = 2;
    c.flop = 65e9;
    c.deviations = {"H2 scheme unpublished"};
    c.decide();
    return c;
}

TEST(Claims, TableHasTheColumnsOfTheContract) {
    systems::Reproduction result;
    result.headline = "9,760 parameters";
    result.claims = {count_claim(), error_claim()};

    EXPECT_EQ(reproduction_text("lecun1989", result),
              "lecun1989  9,760 parameters\n"
              "claim                     paper  soma (sd, n)      gate    verdict  s    GFLOP  "
              "GFLOP/s  seeds\n"
              "parameters                9760   9760              = 9760  pass     0.0  -      "
              "-        -\n"
              "test error, paper recipe  5.0 %  5.50 % (0.25, 3)  <= 5.8  pass     2.0  65     "
              "32.5     1-3,7\n"
              "deviations: H2 scheme unpublished\n");
}

TEST(Claims, CountsOfSeedsReadAsKOfN) {
    Claim c = count_claim();
    c.paper_value.reset();
    c.tolerance = Gate::at_least(56, 100);
    c.decide(70);

    EXPECT_EQ(claim_rows({c})[1][2], "70/100");
    EXPECT_EQ(claim_rows({c})[1][3], ">= 56/100");
}

TEST(Claims, ValuesFromMemoryAreMarked) {
    Claim c = count_claim();
    c.paper_tag = "R";

    EXPECT_EQ(claim_rows({c})[1][1], "9760 (to be checked)");
}

TEST(Claims, SkippedClaimsSayWhy) {
    Claim c = error_claim();
    c.skip("set usps not found");
    systems::Reproduction result;
    result.claims = {c};

    EXPECT_NE(reproduction_text("x", result).find("skipped: test error, paper recipe: set usps"),
              std::string::npos);
    EXPECT_FALSE(any_failed(result));
}

TEST(Claims, FailedClaimFailsTheReproduction) {
    Claim c = count_claim();
    c.decide(9761);
    systems::Reproduction result;
    result.claims = {c};

    EXPECT_EQ(c.verdict, Verdict::fail);
    EXPECT_TRUE(any_failed(result));
}

TEST(Claims, JsonHasEveryFieldAndNullWhereEmpty) {
    const auto json = nlohmann::json::parse(claim_json(Claim{}));

    for (const char* field :
         {"schema",      "system",     "id",        "text",      "kind",   "source",
          "paper_value", "paper_unit", "paper_tag", "set",       "split",  "samples",
          "sha256",      "own_value",  "own_sd",    "n",         "values", "tolerance",
          "goal",        "verdict",    "reason",    "seconds",   "flop",   "flop_per_s",
          "rss_bytes",   "seeds",      "dtype",     "threads",   "ranks",  "shards",
          "isa",         "gemm",       "version",   "deviations"}) {
        EXPECT_TRUE(json.contains(field)) << field;
    }
    EXPECT_TRUE(json.at("paper_value").is_null());
    EXPECT_TRUE(json.at("seeds").is_null());
    EXPECT_EQ(json.at("schema"), systems::kClaimSchema);
}

TEST(Claims, JsonBeginsWithSchema) {
    EXPECT_TRUE(claim_json(count_claim()).starts_with("{\"schema\":1,"));
    EXPECT_TRUE(results_json({}).starts_with("{\n  \"schema\": 1,"));
}

TEST(Claims, JsonCarriesRateAndGate) {
    const auto json = nlohmann::json::parse(claim_json(error_claim()));

    EXPECT_EQ(json.at("flop_per_s"), 32.5e9);
    EXPECT_EQ(json.at("tolerance"), "<= 5.8");
    EXPECT_EQ(json.at("n"), 3);
    EXPECT_EQ(json.at("verdict"), "pass");
}

TEST(TextTable, ColumnsAreAsWideAsTheirWidestCell) {
    EXPECT_EQ(text_table({{"a", "bb"}, {"ccc", "d"}}), "a    bb\nccc  d\n");
}

TEST(TextTable, WidthCountsCharactersNotBytes) {
    EXPECT_EQ(text_table({{"\u00e9", "x"}, {"ab", "y"}}), "\u00e9   x\nab  y\n");
}

}  // namespace
}  // namespace soma::cli
