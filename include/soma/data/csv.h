#pragma once
// CSV by RFC 4180: fields separated by commas, optionally quoted ("" is a quote inside quotes),
// lines ended by LF or CRLF. Numbers are read by std::from_chars, independent of the locale.

#include <string>
#include <vector>

#include "soma/core/types.h"
#include "soma/data/file.h"

namespace soma::data {

// Fields of one line after another. Borrows the text.
class CsvReader {
public:
    CsvReader(ByteView text, std::string name);
    // Reads the next line into `fields`; false at the end. Error(data) on a quote that is not
    // closed, or stands where RFC 4180 has none.
    bool next(std::vector<std::string>& fields);
    Index line() const { return line_; }  // of the record just read, from 1
    Index offset() const { return begin_; }

private:
    char at(std::size_t i) const { return static_cast<char>(text_[i]); }
    bool end_of_line(std::size_t i) const;
    std::string quoted_field();
    std::string plain_field();

    ByteView text_;
    std::string name_;
    std::size_t next_ = 0;
    Index begin_ = 0, line_ = 0, next_line_ = 1;
};

struct NumberTable {
    std::vector<std::string> header;  // column names; empty without a header
    Index rows = 0, cols = 0;
    std::vector<double> values;  // row-major
};

struct CsvOptions {
    bool header = false;  // the first line holds column names
};

// A table of finite numbers from CSV or gzipped CSV; `name` appears in messages. Error(data) when a
// field is not a number, or a line has another number of fields than the first.
NumberTable read_csv_numbers(ByteView bytes, const std::string& name, CsvOptions options = {});

}  // namespace soma::data
