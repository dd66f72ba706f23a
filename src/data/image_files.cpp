#include "data/image_files.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>

#include "soma/core/error.h"
#include "soma/data/csv.h"
#include "soma/data/embedded.h"
#include "soma/data/gzip.h"
#include "soma/data/idx.h"
#include "soma/data/permutation.h"
#include "soma/data/sets.h"

namespace soma::data {
namespace {

namespace fs = std::filesystem;

constexpr Index kClasses = 10;
constexpr Index kUspsSide = 16, kMnistSide = 28, kDigitsSide = 8;
constexpr Index kDigitsTrain = 1297;  // of 1,797 lines; the last 500 are the test half
constexpr int kDigitsLevels = 17;
constexpr std::uint64_t kMnist16Seed = 1989;

struct IdxPair {
    std::string images, labels;
};

std::optional<std::string> plain_or_gzip(const fs::path& path) {
    for (const fs::path& candidate : {path, fs::path(path.string() + ".gz")}) {
        std::error_code ignored;
        if (fs::is_regular_file(candidate, ignored)) return candidate.string();
    }
    return std::nullopt;
}

std::optional<IdxPair> find_idx(const fs::path& folder, const std::string& split) {
    const std::vector<std::string> prefixes = split == "train"
                                                  ? std::vector<std::string>{"train"}
                                                  : std::vector<std::string>{"t10k", "test"};
    for (const std::string& prefix : prefixes) {
        const auto images = plain_or_gzip(folder / (prefix + "-images-idx3-ubyte"));
        const auto labels = plain_or_gzip(folder / (prefix + "-labels-idx1-ubyte"));
        if (images && labels) return IdxPair{*images, *labels};
    }
    return std::nullopt;
}

std::optional<std::string> find_usps_text(const fs::path& folder, const std::string& split) {
    return plain_or_gzip(folder / ("zip." + split));
}

IdxArray read_bytes_of_rank(const std::string& path, std::size_t rank, const char* what) {
    IdxArray array = read_idx(read_file(path), path);
    if (array.type != IdxType::u8 || array.sizes.size() != rank) {
        fail(ErrorCode::data, "idx: ", path, ": offset 2: type and rank: ", what,
             " need type 8 (uint8) and rank ", rank, "; got type ", static_cast<int>(array.type),
             " and rank ", array.sizes.size());
    }
    return array;
}

std::vector<std::uint8_t> to_uint8(const Bytes& bytes) {
    const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
    return {first, first + bytes.size()};
}

ImageSet read_idx_pair(const IdxPair& files, Index side) {
    const IdxArray images = read_bytes_of_rank(files.images, 3, "images");
    const IdxArray labels = read_bytes_of_rank(files.labels, 1, "labels");
    if (images.sizes[1] != side || images.sizes[2] != side) {
        fail(ErrorCode::data, "idx: ", files.images, ": offset 8: size: images are ",
             images.sizes[1], "x", images.sizes[2], "; this set has ", side, "x", side);
    }
    if (images.sizes[0] != labels.sizes[0] || images.sizes[0] == 0) {
        fail(ErrorCode::data, "idx: ", files.labels, ": offset 4: count: ", labels.sizes[0],
             " labels for ", images.sizes[0], " images; need as many, and at least one");
    }
    ImageSet set{.source = files.images, .height = side, .width = side};
    set.pixels = to_uint8(images.elements);
    constexpr std::size_t kLabelHeader = 8;
    for (std::size_t i = 0; i < labels.elements.size(); ++i) {
        const auto label = static_cast<std::int32_t>(labels.elements[i]);
        if (label >= kClasses) {
            fail(ErrorCode::data, "idx: ", files.labels, ": offset ", kLabelHeader + i,
                 ": label: ", label, "; need 0 to ", kClasses - 1);
        }
        set.labels.push_back(label);
    }
    return set;
}

// Blank-separated numbers of one line of USPS text.
class NumberLine {
public:
    NumberLine(ByteView text, const std::string& name)
        : first_(reinterpret_cast<const char*>(text.data())),
          at_(first_),
          end_(first_ + text.size()),
          name_(name) {}

    // Skips blanks; whether the file ends here.
    bool at_end() {
        while (at_ != end_ && (*at_ == '\n' || blank())) ++at_;
        return at_ == end_;
    }
    void expect_end_of_line() {
        while (at_ != end_ && blank()) ++at_;
        if (at_ != end_ && *at_ != '\n') bad("more numbers than a sample has");
    }
    double number(double low, double high) {
        while (at_ != end_ && blank()) ++at_;
        double value = 0;
        const auto [next, error] = std::from_chars(at_, end_, value);
        if (error != std::errc{} || !(value >= low && value <= high)) {
            bad("need a number in [", low, ", ", high, "]");
        }
        at_ = next;
        return value;
    }
    template <class... Parts>
    [[noreturn]] void bad(const Parts&... parts) const {
        fail(ErrorCode::data, "usps text: ", name_, ": offset ", at_ - first_, ": ", parts...);
    }

private:
    bool blank() const { return *at_ == ' ' || *at_ == '\t' || *at_ == '\r'; }

    const char *first_, *at_, *end_;
    const std::string& name_;
};

ImageSet digits8x8() {
    const NumberTable table = read_csv_numbers(embedded("digits8x8.csv.gz"), "digits8x8.csv.gz");
    ImageSet set{
        .source = "embedded", .height = kDigitsSide, .width = kDigitsSide, .levels = kDigitsLevels};
    const Index pixels = kDigitsSide * kDigitsSide;
    for (Index row = 0; row < table.rows; ++row) {
        const double* line = table.values.data() + row * table.cols;
        for (Index p = 0; p < pixels; ++p) set.pixels.push_back(static_cast<std::uint8_t>(line[p]));
        set.labels.push_back(static_cast<std::int32_t>(line[pixels]));
    }
    return set;
}

ImageSet keyed_subset(const ImageSet& set, Index count) {
    if (set.size() < count) {
        fail(ErrorCode::data, "mnist16: ", set.source, " has ", set.size(), " images; need ",
             count);
    }
    const Permutation order(set.size(), kMnist16Seed, 0);
    std::vector<Index> samples;
    for (Index i = 0; i < count; ++i) samples.push_back(order(i));
    return set.select(samples);
}

}  // namespace

bool has_image_files(const std::string& folder) {
    const auto has = [&](const std::string& split) {
        return find_idx(folder, split) || find_usps_text(folder, split);
    };
    return has("train") && has("test");
}

ImageSet parse_usps_text(ByteView bytes, const std::string& name) {
    const PlainBytes plain(bytes, name);
    NumberLine in(plain.view(), name);
    ImageSet set{.source = name, .height = kUspsSide, .width = kUspsSide};
    while (!in.at_end()) {
        const double label = in.number(0, kClasses - 1);
        if (label != std::floor(label)) in.bad("label ", label, " is not a whole number");
        set.labels.push_back(static_cast<std::int32_t>(label));
        for (Index p = 0; p < kUspsSide * kUspsSide; ++p) {
            const double level = std::round((in.number(-1, 1) + 1) * 127.5);
            set.pixels.push_back(static_cast<std::uint8_t>(level));
        }
        in.expect_end_of_line();
    }
    if (set.labels.empty()) in.bad("no sample");
    return set;
}

ImageSet read_image_files(const std::string& folder, const std::string& split, Index side) {
    if (const auto files = find_idx(folder, split)) return read_idx_pair(*files, side);
    const auto text = find_usps_text(folder, split);
    if (!text || side != kUspsSide) {
        fail(ErrorCode::data, folder, ": no ", split, " images and labels in IDX format");
    }
    return parse_usps_text(read_file(*text), *text);
}

ImageSplit load_image_split(const SetLocation& where) {
    ImageSplit both;
    if (where.name == "digits8x8") {
        const ImageSet all = digits8x8();
        both = {all.slice(0, kDigitsTrain), all.slice(kDigitsTrain, all.size())};
    } else {
        const Index side = where.name == "usps" ? kUspsSide : kMnistSide;
        both.train = read_image_files(where.folder, "train", side);
        both.test = read_image_files(where.folder, "test", side);
    }
    if (where.name == "mnist16") {
        both = {keyed_subset(both.train, kUspsTrain), keyed_subset(both.test, kUspsTest)};
    }
    both.train.name = both.test.name = where.name;
    both.train.split = "train";
    both.test.split = "test";
    return both;
}

}  // namespace soma::data
