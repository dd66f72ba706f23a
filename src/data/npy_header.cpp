#include "data/npy_header.h"

#include <charconv>
#include <set>
#include <string_view>

namespace soma::data {
namespace {

class LiteralParser {
public:
    LiteralParser(ByteReader& in, std::string_view text, Index begin)
        : in_(in), text_(text), begin_(begin) {}

    NpyHeader parse() {
        NpyHeader header;
        std::set<std::string> seen;
        expect('{');
        while (!accept('}')) {
            const std::string key = quoted();
            if (!seen.insert(key).second) bad("the key '", shown(key), "' occurs twice");
            expect(':');
            if (key == "descr") {
                header.descr = descr();
            } else if (key == "fortran_order") {
                header.fortran_order = boolean();
            } else if (key == "shape") {
                header.sizes = tuple();
            } else {
                bad("unknown key '", shown(key), "'");
            }
            if (!accept(',') && peek() != '}') bad("need ',' or '}'");
        }
        skip_blanks();
        if (at_ != text_.size()) bad("text after the closing brace");
        if (seen.size() != 3) bad("need descr, fortran_order and shape");
        return header;
    }

private:
    template <class... Parts>
    [[noreturn]] void bad(const Parts&... parts) {
        in_.seek(begin_ + static_cast<Index>(at_), "header");
        in_.bad("header", parts...);
    }
    void skip_blanks() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    }
    char peek() {
        skip_blanks();
        return at_ < text_.size() ? text_[at_] : '\0';
    }
    bool accept(char c) {
        if (peek() != c) return false;
        ++at_;
        return true;
    }
    void expect(char c) {
        if (!accept(c)) bad("need '", c, "'");
    }
    std::string quoted() {
        const char quote = peek();
        if (quote != '\'' && quote != '"') bad("need a quoted text");
        const std::size_t end = text_.find(quote, at_ + 1);
        if (end == std::string_view::npos) bad("the quote is not closed");
        const std::string value(text_.substr(at_ + 1, end - at_ - 1));
        at_ = end + 1;
        return value;
    }
    std::string descr() {
        if (peek() == '[') bad("structured types are refused");
        std::string value = quoted();
        if (value.find('O') != std::string::npos) bad("object types are refused: they hold code");
        return value;
    }
    bool boolean() {
        peek();
        for (const bool value : {true, false}) {
            const std::string_view word = value ? "True" : "False";
            if (text_.substr(at_, word.size()) != word) continue;
            at_ += word.size();
            return value;
        }
        bad("need True or False");
    }
    std::vector<Index> tuple() {
        std::vector<Index> sizes;
        expect('(');
        while (!accept(')')) {
            peek();
            Index value = 0;
            const char *first = text_.data() + at_, *last = text_.data() + text_.size();
            const auto [end, error] = std::from_chars(first, last, value);
            if (error != std::errc{} || value < 0) bad("need a size from 0 to 2^63 - 1");
            at_ += static_cast<std::size_t>(end - first);
            sizes.push_back(value);
            const bool comma = accept(',');
            if (!comma && (peek() != ')' || sizes.size() == 1)) bad("need ',' in the shape");
        }
        return sizes;
    }

    ByteReader& in_;
    std::string_view text_;
    Index begin_;  // offset of the text in the file
    std::size_t at_ = 0;
};

}  // namespace

NpyHeader parse_npy_header(ByteReader& in, std::uint32_t length) {
    const Index begin = in.offset();
    const ByteView bytes = in.take(length, "header");
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return LiteralParser(in, text, begin).parse();
}

}  // namespace soma::data
