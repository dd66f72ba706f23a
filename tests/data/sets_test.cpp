// Known sets: facts of the data themselves (data.md 9), the order of search, the errors.

#include "soma/data/sets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "data/image_files.h"
#include "data/support.h"
#include "soma/data/embedded.h"
#include "soma/data/gzip.h"
#include "soma/data/idx.h"
#include "soma/data/sha256.h"

namespace soma::data {
namespace {

using test::error_of;
using test::TemporaryFolder;

std::vector<Index> sum(std::vector<Index> a, const std::vector<Index>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
}

TEST(Digits8x8, HasTheFactsOfItsSource) {
    EXPECT_EQ(sha256(embedded("digits8x8.csv.gz")),
              "46abec6b12486ad9e51943373abcf22bbea1b5a51a1619b361570d8893f1464a");
    const auto [train, test] = load_image_split({"digits8x8", ""});
    EXPECT_EQ(train.size(), 1297);
    EXPECT_EQ(test.size(), 500);
    EXPECT_EQ(sum(train.class_counts(), test.class_counts()),
              (std::vector<Index>{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}));
    std::set<std::vector<std::uint8_t>> rows;
    for (const ImageSet* half : {&train, &test}) {
        for (Index i = 0; i < half->size(); ++i) {
            const auto image = half->image(i);
            rows.insert({image.begin(), image.end()});
            EXPECT_LE(*std::max_element(image.begin(), image.end()), 16);
        }
    }
    EXPECT_EQ(rows.size(), 1797u);
    const auto per_class = test.class_counts();
    EXPECT_EQ(*std::min_element(per_class.begin(), per_class.end()), 46);
    EXPECT_EQ(*std::max_element(per_class.begin(), per_class.end()), 51);
}

TEST(Usps, HasTheFactsOfItsSource) {
    const auto where = test::find_optional_set("usps");
    if (!where) GTEST_SKIP() << "set usps is absent";
    const auto [train, test] = load_image_split(*where);
    EXPECT_EQ(train.class_counts(),
              (std::vector<Index>{1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644}));
    EXPECT_EQ(test.class_counts(),
              (std::vector<Index>{359, 264, 198, 166, 200, 160, 170, 147, 166, 177}));
    EXPECT_EQ(train.height, 16);
}

TEST(Mnist, HasTheFactsOfItsSource) {
    const auto where = test::find_optional_set("mnist");
    if (!where) GTEST_SKIP() << "set mnist is absent";
    const auto [train, test] = load_image_split(*where);
    EXPECT_EQ(train.class_counts(),
              (std::vector<Index>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}));
    EXPECT_EQ(test.class_counts(),
              (std::vector<Index>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}));
}

TEST(FashionMnist, HasTheFactsOfItsSource) {
    const auto where = test::find_optional_set("fashion-mnist");
    if (!where) GTEST_SKIP() << "set fashion-mnist is absent";
    const std::pair<const char*, const char*> sums[] = {
        {"train-images-idx3", "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7"},
        {"train-labels-idx1", "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056"},
        {"t10k-images-idx3", "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"},
        {"t10k-labels-idx1", "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"}};
    for (const auto& [file, sum_of_file] : sums) {
        EXPECT_EQ(sha256(read_file(where->folder + "/" + file + "-ubyte.gz")), sum_of_file);
    }
    const auto [train, test] = load_image_split(*where);
    EXPECT_EQ(train.class_counts(), std::vector<Index>(10, 6000));
    EXPECT_EQ(test.class_counts(), std::vector<Index>(10, 1000));
}

TEST(Mnist16, IsAFixedSubsetOfTheSizeOfUsps) {
    const auto where = test::find_optional_set("mnist16");
    if (!where) GTEST_SKIP() << "set mnist is absent";
    const auto [train, test] = load_image_split(*where);
    EXPECT_EQ(train.size(), 7291);
    EXPECT_EQ(test.size(), 2007);
    EXPECT_EQ(train.sha256(), load_image_split(*where).train.sha256());
}

// A root with a tiny set of `side` x side images under ROOT/<folder>.
void write_tiny_set(const TemporaryFolder& root, const std::string& folder, Index side,
                    const std::string& test_prefix, bool gzipped) {
    for (const std::string& prefix : {std::string("train"), test_prefix}) {
        IdxArray images{
            IdxType::u8, {3, side, side}, Bytes(static_cast<std::size_t>(3 * side * side))};
        const IdxArray labels{IdxType::u8, {3}, {std::byte{0}, std::byte{9}, std::byte{4}}};
        images.elements[0] = std::byte{200};
        const std::string base = root / (folder + "/" + prefix);
        const std::string end = gzipped ? ".gz" : "";
        const Bytes image_file = write_idx(images), label_file = write_idx(labels);
        test::write(base + "-images-idx3-ubyte" + end, gzipped ? gzip(image_file) : image_file);
        test::write(base + "-labels-idx1-ubyte" + end, gzipped ? gzip(label_file) : label_file);
    }
}

TEST(FindSet, ReadsBothPrefixesWithAndWithoutGzip) {
    for (const bool gzipped : {false, true}) {
        for (const char* prefix : {"t10k", "test"}) {
            const TemporaryFolder root;
            write_tiny_set(root, "mnist", 28, prefix, gzipped);
            const std::string roots[] = {root.path()};
            const auto where = find_set("mnist", roots);
            ASSERT_TRUE(where.has_value());
            const auto [train, test] = load_image_split(*where);
            EXPECT_EQ(test.labels, (std::vector<std::int32_t>{0, 9, 4}));
            EXPECT_EQ(train.pixels[0], 200);
        }
    }
}

TEST(FindSet, TakesTheFirstRootAndTheFolderOfTheSetItself) {
    const TemporaryFolder a, b;
    write_tiny_set(b, "usps", 16, "test", false);
    EXPECT_FALSE(find_set("usps", std::vector<std::string>{a.path()}).has_value());
    EXPECT_EQ(find_set("usps", std::vector<std::string>{a.path(), b.path()})->folder, b / "usps");
    EXPECT_EQ(find_set("usps", std::vector<std::string>{b / "usps/"})->folder, b / "usps/");
    EXPECT_FALSE(find_set("mnist", std::vector<std::string>{b / "usps"}).has_value());
}

TEST(DataRoots, AreTheOptionThenTheVariableThenTheDefault) {
    EXPECT_EQ(data_roots("a", "b::c:"), (std::vector<std::string>{"a", "b", "c", "data"}));
    EXPECT_EQ(data_roots("", ""), (std::vector<std::string>{"data"}));
}

TEST(ChooseSet, PrefersFoundSetsOnlyWhenRootsWereGiven) {
    const TemporaryFolder root;
    write_tiny_set(root, "usps", 16, "test", true);
    SetChoice choice{.preferred = {"mnist", "usps", "digits8x8"}, .roots = {root.path()}};
    std::string note;
    EXPECT_EQ(choose_set(choice, &note).name, "digits8x8");
    EXPECT_EQ(note, "found " + (root / "usps") + "; use --set usps");
    choice.roots_given = true;
    EXPECT_EQ(choose_set(choice).name, "usps");
    choice.forced = "embedded";
    EXPECT_TRUE(choose_set(choice).embedded());
}

TEST(ChooseSet, SaysHowToGetAForcedSetThatIsAbsent) {
    const SetChoice choice{
        .preferred = {"digits8x8"}, .roots = {"/nonexistent"}, .forced = "fashion-mnist"};
    const std::string message = error_of(ErrorCode::data, [&] { choose_set(choice); });
    EXPECT_NE(message.find("tools/fetch_data.sh fashion-mnist"), std::string::npos) << message;
    const SetChoice misspelt{.preferred = {"digits8x8"}, .forced = "fashon-mnist"};
    EXPECT_NE(error_of(ErrorCode::usage, [&] { choose_set(misspelt); }).find("did you mean"),
              std::string::npos);
}

TEST(LoadImageSplit, NamesTheFileAndFieldOfASetThatDoesNotFit) {
    const TemporaryFolder root;
    write_tiny_set(root, "usps", 28, "test", false);
    const SetLocation where{"usps", root / "usps"};
    EXPECT_NE(error_of(ErrorCode::data, [&] { load_image_split(where); })
                  .find("train-images-idx3-ubyte: offset 8: size: images are 28x28"),
              std::string::npos);
    write_tiny_set(root, "usps", 16, "test", false);
    test::write(root / "usps/train-labels-idx1-ubyte",
                write_idx({IdxType::u8, {3}, {std::byte{0}, std::byte{10}, std::byte{4}}}));
    EXPECT_NE(error_of(ErrorCode::data, [&] { load_image_split(where); }).find("offset 9: label"),
              std::string::npos);
    test::write(root / "usps/train-labels-idx1-ubyte",
                write_idx({IdxType::u8, {2}, {std::byte{0}, std::byte{1}}}));
    EXPECT_NE(error_of(ErrorCode::data, [&] { load_image_split(where); }).find("2 labels for 3"),
              std::string::npos);
}

std::string usps_line(const std::string& label, const std::string& pixel, int pixels = 256) {
    std::string line = label;
    for (int p = 0; p < pixels; ++p) line += " " + pixel;
    return line + " \n";
}

TEST(UspsText, ReadsLabelsAndPixelsOfEitherEnd) {
    const std::string text = usps_line("6.0000", "-1.000") + usps_line("3", "1.0");
    for (const Bytes& bytes : {test::to_bytes(text), gzip(as_bytes(text))}) {
        const ImageSet set = parse_usps_text(bytes, "zip.train");
        EXPECT_EQ(set.labels, (std::vector<std::int32_t>{6, 3}));
        EXPECT_EQ(set.image(0)[255], 0);
        EXPECT_EQ(set.image(1)[0], 255);
    }
}

TEST(UspsText, RefusesLinesThatAreNotSamples) {
    for (const std::string& text :
         {std::string(), usps_line("6.5", "0"), usps_line("10", "0"), usps_line("1", "1.5"),
          usps_line("1", "nan"), usps_line("1", "x"), usps_line("1", "0", 255),
          usps_line("1", "0", 257)}) {
        EXPECT_NE(error_of(ErrorCode::data, [&] { parse_usps_text(as_bytes(text), "zip.test"); })
                      .find("zip.test: offset"),
                  std::string::npos);
    }
}

}  // namespace
}  // namespace soma::data
