#include "soma/data/csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "data/byte_reader.h"
#include "soma/core/error.h"
#include "soma/data/gzip.h"

namespace soma::data {
namespace {

// A field as a finite number; blanks around it do not count. False when it is none.
bool parse_number(const std::string& field, double& value) {
    const std::size_t begin = field.find_first_not_of(" \t");
    if (begin == std::string::npos) return false;
    const char* last = field.data() + field.find_last_not_of(" \t") + 1;
    const auto [end, error] = std::from_chars(field.data() + begin, last, value);
    return error == std::errc{} && end == last && std::isfinite(value);
}

}  // namespace

CsvReader::CsvReader(ByteView text, std::string name) : text_(text), name_(std::move(name)) {}

bool CsvReader::end_of_line(std::size_t i) const {
    return i == text_.size() || at(i) == '\n' ||
           (at(i) == '\r' && i + 1 < text_.size() && at(i + 1) == '\n');
}

std::string CsvReader::quoted_field() {
    std::string field;
    const std::size_t open = next_++;
    for (; next_ < text_.size(); ++next_) {
        if (at(next_) == '\n') ++next_line_;
        if (at(next_) != '"') {
            field += at(next_);
            continue;
        }
        if (next_ + 1 < text_.size() && at(next_ + 1) == '"') {
            field += at(next_++);
            continue;
        }
        ++next_;
        if (end_of_line(next_) || at(next_) == ',') return field;
        fail(ErrorCode::data, "csv: ", name_, ": offset ", next_, ": line ", line_,
             ": text after a closing quote");
    }
    fail(ErrorCode::data, "csv: ", name_, ": offset ", open, ": line ", line_,
         ": the quote is not closed");
}

std::string CsvReader::plain_field() {
    std::string field;
    for (; !end_of_line(next_) && at(next_) != ','; ++next_) {
        if (at(next_) == '"') {
            fail(ErrorCode::data, "csv: ", name_, ": offset ", next_, ": line ", line_,
                 ": a quote inside an unquoted field");
        }
        field += at(next_);
    }
    return field;
}

bool CsvReader::next(std::vector<std::string>& fields) {
    fields.clear();
    if (next_ == text_.size()) return false;
    begin_ = static_cast<Index>(next_);
    line_ = next_line_++;
    while (true) {
        const bool quoted = next_ < text_.size() && at(next_) == '"';
        fields.push_back(quoted ? quoted_field() : plain_field());
        if (end_of_line(next_)) break;
        ++next_;  // the comma
    }
    if (next_ < text_.size() && at(next_) == '\r') ++next_;
    if (next_ < text_.size()) ++next_;
    return true;
}

NumberTable read_csv_numbers(ByteView bytes, const std::string& name, CsvOptions options) {
    const PlainBytes plain(bytes, name);
    CsvReader lines(plain.view(), name);
    NumberTable table;
    std::vector<std::string> fields;
    if (options.header && lines.next(table.header)) {
        table.cols = static_cast<Index>(table.header.size());
    }
    while (lines.next(fields)) {
        if (table.cols == 0) table.cols = static_cast<Index>(fields.size());
        if (static_cast<Index>(fields.size()) != table.cols) {
            fail(ErrorCode::data, "csv: ", name, ": offset ", lines.offset(), ": line ",
                 lines.line(), ": ", fields.size(), " fields; the first line has ", table.cols);
        }
        for (std::size_t i = 0; i < fields.size(); ++i) {
            double value = 0;
            if (!parse_number(fields[i], value)) {
                fail(ErrorCode::data, "csv: ", name, ": offset ", lines.offset(), ": line ",
                     lines.line(), ", field ", i + 1, ": '", shown(fields[i]),
                     "' is not a finite number");
            }
            table.values.push_back(value);
        }
        ++table.rows;
    }
    if (lines.line() == 0) fail(ErrorCode::data, "csv: ", name, ": offset 0: the file is empty");
    return table;
}

}  // namespace soma::data
