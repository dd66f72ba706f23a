// The log of a sweep: what is appended comes back, whatever the end of the file looks like.

#include "soma/train/sweep_log.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "soma/core/error.h"
#include "support/temp_folder.h"

namespace soma::train {
namespace {

Fields identity_of(const std::string& sweep, Index numerics) {
    return {{"sweep", sweep}, {"system", "flipflop2013"}, {"numerics", numerics}};
}

const Fields kIdentity = identity_of("rates", 2);
const std::string kOne = R"({"id":"1","result":{"loss":0.5}})";
const std::string kTwo = R"({"id":"2","error":"diverged"})";

class SweepLogTest : public testing::Test {
protected:
    std::string content() const {
        std::ifstream in(path_, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    void append_text(const std::string& text) const {
        std::ofstream(path_, std::ios::binary | std::ios::app) << text;
    }
    void begin() const {
        SweepLog log(path_, kIdentity);
        log.append("1", kOne);
        log.append("2", kTwo);
    }
    // The message of the error with this code that opening the log throws.
    std::string refusal(ErrorCode code, const Fields& identity = kIdentity) const {
        try {
            SweepLog log(path_, identity);
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), code) << e.what();
            return e.what();
        }
        ADD_FAILURE() << "was opened";
        return "";
    }

    test::TempFolder folder_;
    std::string path_ = folder_.file("nets.jsonl");
};

TEST_F(SweepLogTest, RowsComeBackAndMoreAreAppended) {
    begin();
    SweepLog log(path_, kIdentity);
    EXPECT_EQ(log.rows().size(), 2u);
    EXPECT_EQ(log.rows().at("1"), kOne);
    log.append("3", R"({"id":"3"})");
    EXPECT_EQ(content(), to_json(kIdentity) + "\n" + kOne + "\n" + kTwo + "\n{\"id\":\"3\"}\n");
}

TEST_F(SweepLogTest, LastLineOfAnIdCounts) {
    begin();
    SweepLog(path_, kIdentity).append("2", R"({"id":"2","result":{}})");
    EXPECT_EQ(SweepLog(path_, kIdentity).rows().at("2"), R"({"id":"2","result":{}})");
}

// Wherever a crash cut the file: whole lines stay, the rest goes, and appending goes on.
TEST_F(SweepLogTest, EveryTruncationKeepsTheWholeLines) {
    begin();
    const std::string whole = content();
    const std::size_t header = to_json(kIdentity).size() + 1;
    for (std::size_t length = 0; length <= whole.size(); ++length) {
        std::ofstream(path_, std::ios::binary) << whole.substr(0, length);
        {
            SweepLog log(path_, kIdentity);
            const std::size_t rows = length < header + kOne.size() + 1 ? 0u
                                     : length < whole.size()           ? 1u
                                                                       : 2u;
            ASSERT_EQ(log.rows().size(), rows) << length;
            if (!log.rows().contains("1")) log.append("1", kOne);
            if (!log.rows().contains("2")) log.append("2", kTwo);
        }
        ASSERT_EQ(content(), whole) << length;
    }
}

TEST_F(SweepLogTest, LastLineOfZerosIsCutOff) {
    begin();
    const std::string whole = content();
    append_text(std::string(100, '\0') + "\n");
    EXPECT_EQ(SweepLog(path_, kIdentity).rows().size(), 2u);
    EXPECT_EQ(content(), whole);
}

TEST_F(SweepLogTest, DamagedLineBeforeTheLastIsNamedAndNothingIsChanged) {
    begin();
    append_text("{\"id\":3}\n{\"id\":\"4\"}\n");
    const std::string before = content();
    EXPECT_NE(refusal(ErrorCode::data).find("line 4 is damaged"), std::string::npos);
    EXPECT_EQ(content(), before);
}

TEST_F(SweepLogTest, LogOfAnotherSweepIsRefusedAndUntouched) {
    begin();
    append_text("{\"id\":\"half");
    const std::string before = content();
    const std::string name = refusal(ErrorCode::data, identity_of("widths", 2));
    EXPECT_NE(name.find("its sweep is \"rates\", need \"widths\""), std::string::npos) << name;
    const std::string bits = refusal(ErrorCode::data, identity_of("rates", 3));
    EXPECT_NE(bits.find("its numerics is 2, need 3"), std::string::npos) << bits;
    EXPECT_EQ(content(), before);
}

TEST_F(SweepLogTest, FileThatIsNoLogIsRefused) {
    for (const std::string text : {"id,seed,accuracy\n1,1,0.5\n", "no line"}) {
        std::ofstream(path_, std::ios::binary) << text;
        refusal(ErrorCode::data);
        EXPECT_EQ(content(), text);
    }
}

TEST_F(SweepLogTest, SecondWriterIsRefused) {
    const SweepLog first(path_, kIdentity);
    EXPECT_NE(refusal(ErrorCode::usage).find("running already"), std::string::npos);
}

TEST_F(SweepLogTest, FolderThatIsNotThereIsNamed) {
    path_ = folder_.file("absent/nets.jsonl");
    EXPECT_NE(refusal(ErrorCode::checkpoint).find(path_), std::string::npos);
}

}  // namespace
}  // namespace soma::train
