// Command line over environment over config file, and help for what is misspelt.
#include "cli/arguments.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "soma/core/error.h"
#include "support/temp_folder.h"

namespace soma::cli {
namespace {

// A variable of the environment, for one test.
class Variable {
public:
    Variable(const char* name, const std::string& value) : name_(name) {
        setenv(name, value.c_str(), 1);
    }
    ~Variable() { unsetenv(name_); }

private:
    const char* name_;
};

class Arguments : public testing::Test {
protected:
    Arguments() {
        verb_ = add_verb(program_, "train", "train a net", "soma train x", common_);
        verb_->add_option("system", system_);
        verb_->add_option("--batch-size", batch_);
        verb_->add_option("--lr", lr_);
        verb_->add_option("--out", out_);
        verb_->add_flag("--json", json_);
        add_verb(program_, "list", "list things", "soma list", common_);
    }

    void parse(const std::vector<std::string>& arguments) {
        std::vector<std::string> merged = merged_arguments(program_, arguments);
        std::reverse(merged.begin(), merged.end());
        program_.parse(merged);
    }

    std::string config(const std::string& text) {
        std::ofstream(folder_.file("x.toml")) << text;
        return folder_.file("x.toml");
    }

    std::string error_of(const std::vector<std::string>& arguments) {
        try {
            merged_arguments(program_, arguments);
        } catch (const Error& e) {
            EXPECT_EQ(e.exit_code(), 2);
            return e.what();
        }
        return "no error";
    }

    test::TempFolder folder_;
    CLI::App program_{"soma"};
    CLI::App* verb_ = nullptr;
    CommonOptions common_;
    std::string system_, out_;
    int batch_ = 1;
    double lr_ = 0.5;
    bool json_ = false;
};

TEST_F(Arguments, FlagBeatsEnvironmentBeatsFile) {
    const std::string file = config("batch-size = 8\nlr = 0.25\nout = \"usps\"\n");
    const Variable batch("SOMA_BATCH_SIZE", "16"), lr("SOMA_LR", "0.125");

    parse({"train", "lecun1989", "--config", file, "--batch-size", "32"});

    EXPECT_EQ(system_, "lecun1989");
    EXPECT_EQ(batch_, 32);
    EXPECT_EQ(lr_, 0.125);
    EXPECT_EQ(out_, "usps");
}

TEST_F(Arguments, FlagsMayStandInTheEnvironmentAndInFiles) {
    const Variable json("SOMA_JSON", "1");
    parse({"train", "--config=" + config("quiet = true\n")});

    EXPECT_TRUE(json_);
    EXPECT_TRUE(common_.quiet);
}

TEST_F(Arguments, SectionsOfOtherVerbsAreIgnored) {
    parse({"train", "--config", config("[list]\nbatch-size = 8\n[train]\nlr = 0.25\n")});

    EXPECT_EQ(batch_, 1);
    EXPECT_EQ(lr_, 0.25);
}

TEST_F(Arguments, UnderscoresInFilesAreDashes) {
    parse({"train", "--config", config("batch_size = 8\n")});

    EXPECT_EQ(batch_, 8);
}

TEST_F(Arguments, UnknownVerbSuggestsTheNearest) {
    EXPECT_NE(error_of({"trian"}).find("unknown verb 'trian'; did you mean train?"),
              std::string::npos);
}

TEST_F(Arguments, UnknownOptionSuggestsTheNearest) {
    EXPECT_NE(error_of({"train", "--batchsize=3"})
                  .find("unknown option --batchsize; did you mean --batch-size?"),
              std::string::npos);
}

TEST_F(Arguments, UnknownKeyNamesFileAndSuggestsTheNearest) {
    const std::string file = config("batch-sise = 8\n");

    const std::string error = error_of({"train", "--config", file});

    EXPECT_NE(error.find(file), std::string::npos);
    EXPECT_NE(error.find("'batch-sise'; did you mean batch-size?"), std::string::npos);
}

TEST_F(Arguments, MissingConfigFileIsADataError) {
    try {
        merged_arguments(program_, {"train", "--config", "absent.toml"});
        FAIL() << "read a file that does not exist";
    } catch (const Error& e) {
        EXPECT_EQ(e.exit_code(), 65);
        EXPECT_NE(std::string(e.what()).find("absent.toml"), std::string::npos);
    }
}

TEST_F(Arguments, ResolvedOptionsGiveAConfigFileThatMeansTheSame) {
    parse({"train", "--batch-size", "32", "--out", "usps"});
    const std::string text = config_text(resolved_options(*verb_));

    EXPECT_NE(text.find("batch-size = 32\n"), std::string::npos);
    EXPECT_NE(text.find("lr = 0.5\n"), std::string::npos);
    EXPECT_NE(text.find("json = false\n"), std::string::npos);
    EXPECT_NE(text.find("out = \"usps\"\n"), std::string::npos);
}

TEST_F(Arguments, ThreadCountBelowZeroIsRefused) {
    EXPECT_THROW(parse({"train", "--threads", "-1"}), CLI::ValidationError);
}

TEST(ArgumentNames, VariableOfAnOption) {
    EXPECT_EQ(variable_of("--checkpoint-every"), "SOMA_CHECKPOINT_EVERY");
    EXPECT_EQ(variable_of("lr"), "SOMA_LR");
}

TEST_F(Arguments, DataOptionIsSearchedBeforeTheVariable) {
    DataOptions data;
    add_data_options(*verb_, data);
    const Variable roots("SOMA_DATA", "b:c");

    parse({"train", "--data", "a"});

    EXPECT_TRUE(data.roots_given());
    EXPECT_EQ(data.roots(), (std::vector<std::string>{"a", "b", "c", "data"}));
}

TEST_F(Arguments, ConfigFileErrorsNameTheLineOrTheSection) {
    EXPECT_NE(error_of({"train", "--config", config("[trian]\nlr = 1\n")}).find("[trian]"),
              std::string::npos);
    EXPECT_NE(error_of({"train", "--config", config("[train\nlr = 1\n")}).find("'[train'"),
              std::string::npos);
    EXPECT_EQ(error_of({"train", "--config", config("[list]\njson = true\n")}), "no error");
}

TEST_F(Arguments, ConfigThatIsAFolderIsADataError) {
    try {
        merged_arguments(program_, {"train", "--config", folder_.path()});
        FAIL() << "read a folder";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::data);
    }
}

}  // namespace
}  // namespace soma::cli
