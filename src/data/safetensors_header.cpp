#include "data/safetensors_header.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "data/byte_reader.h"
#include "soma/core/error.h"

namespace soma::data {
namespace {

using nlohmann::json;

constexpr const char* kTypeNames[] = {"BOOL", "U8",  "I8",  "F8_E5M2", "F8_E4M3",
                                      "I16",  "U16", "F16", "BF16",    "I32",
                                      "U32",  "F32", "I64", "U64",     "F64"};
constexpr Index kTypeSizes[] = {1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 8, 8, 8};

std::optional<StoredType> type_named(const std::string& name) {
    const auto* found = std::find(std::begin(kTypeNames), std::end(kTypeNames), name);
    if (found == std::end(kTypeNames)) return std::nullopt;
    return static_cast<StoredType>(found - std::begin(kTypeNames));
}

// Characters of the header, counted as the parser takes them, so that a message can say where.
class CountedCharacter {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    CountedCharacter(const char* at, const char*& furthest) : at_(at), furthest_(&furthest) {}
    reference operator*() const { return *at_; }
    CountedCharacter& operator++() {
        *furthest_ = ++at_;
        return *this;
    }
    CountedCharacter operator++(int) {
        CountedCharacter before = *this;
        ++*this;
        return before;
    }
    bool operator==(const CountedCharacter& other) const { return at_ == other.at_; }
    bool operator!=(const CountedCharacter& other) const { return at_ != other.at_; }

private:
    const char* at_;
    const char** furthest_;
};

// Where in the grammar the next event belongs.
enum class Place { start, top, metadata, tensor, shape, offsets, end };

// Receives the parser's events; every method returns true to go on and throws on a broken rule.
class HeaderHandler final : public json::json_sax_t {
public:
    HeaderHandler(SafetensorsHeader& out, const std::string& file, const char* first,
                  const char* const& at)
        : out_(out), file_(file), first_(first), at_(at) {}

    bool null() override { bad("null is not allowed"); }
    bool boolean(bool) override { bad("true and false are not allowed"); }
    bool number_integer(number_integer_t) override { bad("a negative number is not allowed"); }
    bool number_float(number_float_t, const string_t& text) override {
        bad(shown(text), " is not a whole number below 2^63");
    }
    bool binary(binary_t&) override { bad("binary is not allowed"); }

    bool number_unsigned(number_unsigned_t value) override {
        if (place_ != Place::shape && place_ != Place::offsets) bad("a number is not allowed here");
        if (value > static_cast<number_unsigned_t>(INT64_MAX)) bad(value, " is above 2^63 - 1");
        if (place_ == Place::shape) {
            if (tensor_.sizes.size() == kMaxRank) bad("rank is above ", kMaxRank);
            tensor_.sizes.push_back(static_cast<Index>(value));
            return true;
        }
        if (offsets_ == 2) bad("more than two data_offsets");
        (offsets_++ == 0 ? tensor_.begin : tensor_.end) = static_cast<Index>(value);
        return true;
    }

    bool string(string_t& value) override {
        if (place_ == Place::metadata) {
            if (!out_.metadata.emplace(key_, value).second) bad("the key occurs twice");
            return true;
        }
        if (place_ != Place::tensor || field_ != "dtype") bad("a string is not allowed here");
        const auto type = type_named(value);
        if (!type) bad("unknown dtype '", shown(value), "'");
        tensor_.type = *type;
        return true;
    }

    bool start_object(std::size_t) override {
        if (place_ == Place::start) {
            place_ = Place::top;
        } else if (place_ != Place::top) {
            bad("an object is not allowed here");
        } else if (key_ == kMetadataKey) {
            if (std::exchange(has_metadata_, true)) bad("the key occurs twice");
            place_ = Place::metadata;
        } else {
            start_tensor();
        }
        return true;
    }

    bool end_object() override {
        if (place_ == Place::tensor) finish_tensor();
        place_ = place_ == Place::top ? Place::end : Place::top;
        return true;
    }

    bool start_array(std::size_t) override {
        if (place_ != Place::tensor || (field_ != "shape" && field_ != "data_offsets")) {
            bad("an array is not allowed here");
        }
        place_ = field_ == "shape" ? Place::shape : Place::offsets;
        return true;
    }

    bool end_array() override {
        if (place_ == Place::offsets && offsets_ != 2) bad("need two data_offsets");
        place_ = Place::tensor;
        return true;
    }

    bool key(string_t& name) override {
        if (place_ == Place::tensor) {
            start_field(name);
            return true;
        }
        key_ = name;
        field_.clear();
        if (place_ == Place::top && name.size() > kMaxNameBytes) {
            bad("the name has ", name.size(), " bytes; the limit is ", kMaxNameBytes);
        }
        return true;
    }

    bool parse_error(std::size_t, const std::string&, const json::exception& e) override {
        bad(e.what());
    }

private:
    void start_tensor() {
        if (out_.tensors.size() == static_cast<std::size_t>(kMaxTensors)) {
            bad("more than ", kMaxTensors, " tensors");
        }
        place_ = Place::tensor;
        tensor_ = StoredTensor{};
        tensor_.name = key_;
        offsets_ = 0;
        seen_[0] = seen_[1] = seen_[2] = false;
    }

    void start_field(const std::string& name) {
        field_ = name;
        const char* const fields[] = {"dtype", "shape", "data_offsets"};
        for (int i = 0; i < 3; ++i) {
            if (name != fields[i]) continue;
            if (std::exchange(seen_[i], true)) bad("the field occurs twice");
            return;
        }
        bad("unknown field");
    }

    void finish_tensor() {
        field_.clear();
        if (!seen_[0] || !seen_[1] || !seen_[2]) bad("need dtype, shape and data_offsets");
        out_.tensors.push_back(std::move(tensor_));
    }

    template <class... Parts>
    [[noreturn]] void bad(const Parts&... parts) const {
        const std::string where = key_.empty() ? "header" : "'" + shown(key_) + "'";
        fail(ErrorCode::data, "safetensors: ", file_, ": offset ", kPrefixBytes + (at_ - first_),
             ": ", where, field_.empty() ? "" : ", ", shown(field_), ": ", parts...);
    }

    SafetensorsHeader& out_;
    const std::string& file_;
    const char* first_;
    const char* const& at_;
    Place place_ = Place::start;
    std::string key_, field_;
    StoredTensor tensor_;
    int offsets_ = 0;
    bool seen_[3] = {}, has_metadata_ = false;
};

}  // namespace

const char* name_of(StoredType type) { return kTypeNames[static_cast<std::size_t>(type)]; }
Index size_of(StoredType type) { return kTypeSizes[static_cast<std::size_t>(type)]; }

SafetensorsHeader parse_safetensors_header(const std::string& text, const std::string& file) {
    if (text.empty() || text.front() != '{') {
        fail(ErrorCode::data, "safetensors: ", file, ": offset ", kPrefixBytes,
             ": header: need '{' as its first byte");
    }
    const std::size_t last = text.find_last_not_of(' ');
    const char *first = text.data(), *furthest = first;
    SafetensorsHeader header;
    HeaderHandler handler(header, file, first, furthest);
    json::sax_parse(CountedCharacter(first, furthest), CountedCharacter(first + last + 1, furthest),
                    &handler);
    std::sort(header.tensors.begin(), header.tensors.end(),
              [](const StoredTensor& a, const StoredTensor& b) { return a.name < b.name; });
    const auto twice = std::adjacent_find(
        header.tensors.begin(), header.tensors.end(),
        [](const StoredTensor& a, const StoredTensor& b) { return a.name == b.name; });
    if (twice != header.tensors.end()) {
        fail(ErrorCode::data, "safetensors: ", file, ": offset ", kPrefixBytes, ": '",
             shown(twice->name), "': the name occurs twice");
    }
    return header;
}

}  // namespace soma::data
