#pragma once
// Which sets exist, where they are found, and how they become images.
//
// Order of search (data.md 2.1): the root given by --data, each root of SOMA_DATA, ./data, then the
// embedded set. A root is a folder with one sub-folder a set, or the folder of the set itself
// (recognised by its name). The library reads no environment: the tool passes both strings in.
//
//   auto roots = data_roots(option, variable);
//   auto where = choose_set({.preferred = {"usps", "mnist16", "digits8x8"}, .roots = roots, ...});
//   auto [train, test] = load_image_split(where);

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "soma/data/image_set.h"

namespace soma::data {

struct SetInfo {
    std::string name;
    std::string content;  // one phrase
    Index train = 0, test = 0;
    std::string licence;
    std::string how;        // how to obtain it: a command, or what the user supplies
    bool embedded = false;  // compiled in, always there
};

// Every set this version can read, by name.
std::span<const SetInfo> known_sets();

// Throws Error(usage), with a suggestion, when no set has that name.
const SetInfo& set_info(const std::string& name);

struct SetLocation {
    std::string name;
    std::string folder;  // "" when embedded
    bool embedded() const { return folder.empty(); }
};

// The roots in order of search: `data_option` (--data, may be ""), the entries of `soma_data`
// (SOMA_DATA, separated by colons, may be ""), then "data".
std::vector<std::string> data_roots(const std::string& data_option, const std::string& soma_data);

// Where a set's files are: the first root that has them, or the embedded copy; nullopt when it is
// nowhere. Error(usage) on an unknown name.
std::optional<SetLocation> find_set(const std::string& name, std::span<const std::string> roots);

struct SetChoice {
    std::vector<std::string> preferred = {};  // best first; the last is embedded: the default
    std::vector<std::string> roots = {};      // data_roots()
    bool roots_given = false;                 // --data or SOMA_DATA was given
    std::string forced = {};                  // --set NAME, or "embedded", or "": none
};

// The set to use: the forced one; else, when roots were given, the first preferred one found; else
// the embedded default, with one line in `note` about what else is there. Error(usage) on an
// unknown name, Error(data) when the forced set is absent, saying how to obtain it.
SetLocation choose_set(const SetChoice& choice, std::string* note = nullptr);

struct ImageSplit {
    ImageSet train, test;
};

// Reads both halves.
//   digits8x8      first 1,297 and last 500 lines of the embedded file, 17 levels
//   usps           16x16, from IDX or the text files zip.{train,test}[.gz]
//   mnist, fashion-mnist   28x28, IDX
//   mnist16        7,291 and 2,007 images of mnist drawn by Permutation(N, 1989, 0), still 28x28:
//                  reduce them with resize_bilinear(to_floats(...), 16, 16) (systems.md 4.7)
// Error(data) naming file, offset and field on malformed files, other image sizes, counts of images
// and labels that differ, or a label out of range.
ImageSplit load_image_split(const SetLocation& where);

}  // namespace soma::data
