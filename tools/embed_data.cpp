// embed_data FILE OUT: writes OUT, a C++ unit that defines
//     soma::data::ByteView soma::data::embedded_<FILE's name>()
// over the bytes of FILE. Run by the build on the host. A string literal with octal escapes needs
// no assembler and no linker tricks, so it works with every compiler and cross target.

#include <cctype>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

namespace {

constexpr int kBytesPerLine = 22;  // "\ooo" each: lines of about 90 columns

std::string identifier(const std::string& path) {
    std::string name = path.substr(path.find_last_of('/') + 1);
    for (char& c : name) {
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    }
    return "embedded_" + name;
}

void write_literal(std::ostream& out, const std::string& bytes) {
    int column = 0;
    for (const char c : bytes) {
        const auto b = static_cast<unsigned char>(c);
        if (column == 0) out << "\n    \"";
        out << '\\' << (b >> 6) << (b >> 3 & 7) << (b & 7);
        column = (column + 1) % kBytesPerLine;
        if (column == 0) out << '"';
    }
    if (column != 0 || bytes.empty()) out << (bytes.empty() ? "\"\"" : "\"");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: embed_data FILE OUT\n";
        return 2;
    }
    std::ifstream in(argv[1], std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    std::ofstream out(argv[2], std::ios::binary);
    out << "// Written by tools/embed_data; do not edit.\n"
        << "#include \"soma/data/file.h\"\n\n"
        << "namespace soma::data {\n\n"
        << "ByteView " << identifier(argv[1]) << "();\n"
        << "ByteView " << identifier(argv[1]) << "() {\n"
        << "    static constexpr char kBytes[] =";
    write_literal(out, bytes);
    out << ";\n    return std::as_bytes(std::span(kBytes, " << bytes.size() << "));\n"
        << "}\n\n}  // namespace soma::data\n";
    out.close();
    if (!in || !out || bytes.empty()) {
        std::cerr << "embed_data: cannot read " << argv[1] << " or write " << argv[2] << "\n";
        return 1;
    }
    return 0;
}
