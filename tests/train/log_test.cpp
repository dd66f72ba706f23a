// The log survives restarts and crashes, and every line is JSON.
#include "soma/train/log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "soma/core/error.h"
#include "support/temp_folder.h"

namespace soma::train {
namespace {

std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream in(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

TEST(JsonLog, FirstLineOpensWithSchema) {
    const test::TempFolder folder;
    JsonLog log(folder.file("log.jsonl"));

    const auto lines = lines_of(folder.file("log.jsonl"));

    ASSERT_EQ(lines.size(), 1u);
    const auto open = nlohmann::json::parse(lines[0]);
    EXPECT_EQ(open.at("event"), "open");
    EXPECT_EQ(open.at("schema"), kLogSchema);
}

TEST(JsonLog, LineIsOnDiskBeforeWriteReturns) {
    const test::TempFolder folder;
    JsonLog log(folder.file("log.jsonl"));

    log.write("step", {{"step", 3}, {"loss", 0.5}, {"set", "a \"b\""}});

    const auto line = nlohmann::json::parse(lines_of(folder.file("log.jsonl")).at(1));
    EXPECT_EQ(line.at("step"), 3);
    EXPECT_EQ(line.at("loss"), 0.5);
    EXPECT_EQ(line.at("set"), "a \"b\"");
}

TEST(JsonLog, NotANumberIsNull) {
    EXPECT_EQ(to_json({{"loss", std::nan("")}, {"up", HUGE_VAL}}), R"({"loss":null,"up":null})");
}

TEST(JsonLog, RestartAppendsBehindAMarker) {
    const test::TempFolder folder;
    { JsonLog first(folder.file("log.jsonl")); }

    JsonLog second(folder.file("log.jsonl"));

    const auto lines = lines_of(folder.file("log.jsonl"));
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(nlohmann::json::parse(lines[1]).at("event"), "reopen");
}

TEST(JsonLog, MarkerStandsOnItsOwnLineAfterACrash) {
    const test::TempFolder folder;
    std::ofstream(folder.file("log.jsonl")) << "{\"event\":\"open\"}\n{\"event\":\"st";

    JsonLog log(folder.file("log.jsonl"));

    const auto lines = lines_of(folder.file("log.jsonl"));
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(nlohmann::json::parse(lines[2]).at("event"), "reopen");
}

TEST(JsonLog, UnwritablePathIsAWriteErrorThatNamesIt) {
    try {
        JsonLog log("/nonexistent-folder/log.jsonl");
        FAIL() << "opened a log in a folder that does not exist";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::checkpoint);
        EXPECT_NE(std::string(e.what()).find("/nonexistent-folder/log.jsonl"), std::string::npos);
    }
}

}  // namespace
}  // namespace soma::train
