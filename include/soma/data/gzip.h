#pragma once
// gzip and raw deflate through zlib, with a proven limit on the output.
//
// A deflate stream can claim a thousand times its size. Output grows only as data really arrive and
// stops at 64 MiB + 64 times the input, so a small bomb costs a small amount of memory.

#include <string>

#include "soma/core/types.h"
#include "soma/data/file.h"

namespace soma::data {

// The most that compressed bytes may become.
Index inflate_limit(ByteView compressed);

bool is_gzip(ByteView bytes);  // begins with 1f 8b

// Contents of a gzip file, all members. Error(data) on damage, truncation, trailing bytes or too
// much output.
Bytes gunzip(ByteView bytes, const std::string& name);

// Exactly `size` bytes from a raw deflate stream (a member of a zip file). Error(data) when it
// holds fewer or more.
Bytes inflate_raw(ByteView bytes, Index size, const std::string& name);

// zlib's level 6, as one gzip member without name or time: equal input gives equal bytes.
Bytes gzip(ByteView bytes);

// The bytes themselves, or their contents when they are gzip. Borrows `bytes` in the first case.
class PlainBytes {
public:
    PlainBytes(ByteView bytes, const std::string& name)
        : inflated_(is_gzip(bytes) ? gunzip(bytes, name) : Bytes{}),
          view_(is_gzip(bytes) ? ByteView(inflated_) : bytes) {}
    PlainBytes(const PlainBytes&) = delete;
    PlainBytes& operator=(const PlainBytes&) = delete;
    ByteView view() const { return view_; }

private:
    Bytes inflated_;
    ByteView view_;
};

}  // namespace soma::data
