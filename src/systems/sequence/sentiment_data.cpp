#include "systems/sequence/sentiment_data.h"

#include <algorithm>
#include <filesystem>
#include <unordered_set>

#include "soma/core/error.h"
#include "soma/core/hash.h"
#include "soma/core/rng.h"
#include "soma/data/file.h"
#include "soma/data/sha256.h"

namespace soma::systems {
namespace {

// ---- grammar of polarity ----------------------------------------------------------------------

using List = std::vector<const char*>;

const List kNouns = {"plot",   "acting", "music", "script",  "ending", "camera",
                     "story",  "cast",   "sound", "pace",    "food",   "service",
                     "waiter", "room",   "price", "menu",    "staff",  "soup",
                     "phone",  "screen", "case",  "battery", "cable",  "keyboard"};
const List kCopulas = {"was", "is", "seemed", "felt"};
const List kPositive = {"good",      "great",   "lovely",   "excellent", "clever",
                        "wonderful", "fine",    "pleasant", "superb",    "charming",
                        "nice",      "perfect", "moving",   "solid",     "brilliant",
                        "decent",    "fun",     "fresh",    "reliable",  "impressive"};
const List kNegative = {"bad",    "awful", "dull",   "terrible", "stupid",  "horrible", "poor",
                        "nasty",  "weak",  "boring", "ugly",     "useless", "clumsy",   "shallow",
                        "dreary", "cheap", "sad",    "stale",    "flimsy",  "annoying"};
const List kWeak = {"slightly", "somewhat", "fairly"};
const List kStrong = {"very", "really", "extremely"};
const List kAffirm = {"i think that", "everybody says that", "it is true that"};
const List kDeny = {"i doubt that", "nobody says that", "it is untrue that"};

// How often; chosen so that naive Bayes finds about 62 % of the labels, with pairs of words 70 %.
constexpr float kJoined = 0.65f, kBut = 0.5f;  // two opinions; of these "but", else "and"
constexpr float kNot = 0.2f, kFrame = 0.2f;    // a frame denies as often as it affirms
constexpr float kIntensified = 0.4f;           // weak as often as strong

struct Opinion {
    std::string text;
    int value = 0;
};

const char* one_of(const List& list, RandomSequence& random) {
    return list[random.below(static_cast<std::uint32_t>(list.size()))];
}

Opinion draw_opinion(RandomSequence& random) {
    Opinion opinion;
    const bool framed = random.coin(kFrame), denied = framed && random.coin(0.5f);
    const bool negated = !framed && random.coin(kNot / (1 - kFrame));
    if (framed) opinion.text = std::string(one_of(denied ? kDeny : kAffirm, random)) + ' ';
    opinion.text += std::string("the ") + one_of(kNouns, random) + ' ' + one_of(kCopulas, random);
    if (negated) opinion.text += " not";
    int strength = 2;
    if (random.coin(kIntensified)) {
        const bool strong = random.coin(0.5f);
        strength = strong ? 3 : 1;
        opinion.text += std::string(" ") + one_of(strong ? kStrong : kWeak, random);
    }
    const bool positive = random.coin(0.5f);
    opinion.text += std::string(" ") + one_of(positive ? kPositive : kNegative, random);
    opinion.value = positive == (denied || negated) ? -strength : strength;
    return opinion;
}

Sentence draw_sentence(RandomSequence& random) {
    const Opinion first = draw_opinion(random);
    if (!random.coin(kJoined)) return {words_of(first.text), first.value > 0};
    const bool but = random.coin(kBut);
    Opinion second;
    do {
        second = draw_opinion(random);
    } while (but ? first.value * second.value > 0 : first.value + second.value == 0);
    const int value = but ? second.value : first.value + second.value;
    return {words_of(first.text + (but ? " but " : " and ") + second.text), value > 0};
}

// ---- file -------------------------------------------------------------------------------------

Sentence parse_line(const std::string& line, const std::string& path, Index number) {
    const auto first_tab = line.find('\t'), last_tab = line.rfind('\t');
    const std::string label = line.substr(0, first_tab);
    if (first_tab == std::string::npos || (label != "0" && label != "1")) {
        fail(ErrorCode::data, path, ":", number, ": '", line.substr(0, 40),
             "'; need label TAB text or label TAB source TAB text, label 0 or 1");
    }
    return {words_of(line.substr(last_tab + 1)), label == "1"};
}

}  // namespace

std::vector<Sentence> make_polarity(std::uint64_t seed, Index count) {
    const PhiloxKey key = make_key(seed, Purpose::data_generation);
    std::vector<Sentence> sentences;
    std::unordered_set<std::string> known;
    for (std::uint32_t i = 0; std::ssize(sentences) < count; ++i) {
        RandomSequence random(key, {.trial = i});
        Sentence sentence = draw_sentence(random);
        if (known.insert(text_of(sentence.words)).second) sentences.push_back(std::move(sentence));
    }
    return sentences;
}

SentenceFile read_sentences(const std::string& path) {
    const data::Bytes bytes = data::read_file(path);
    const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    SentenceFile file;
    file.name = std::filesystem::path(path).stem().string();
    if (file.name == "sentences") file.name = kSentimentSet;
    file.sha256 = data::sha256(bytes);
    Index counts[2] = {0, 0};
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        std::string line = text.substr(begin, end - begin);
        if (line.ends_with('\r')) line.pop_back();
        file.sentences.push_back(parse_line(line, path, std::ssize(file.sentences) + 1));
        ++counts[file.sentences.back().label];
        begin = end + 1;
    }
    if (counts[0] == 0 || counts[1] == 0) {
        fail(ErrorCode::data, path, ": ", counts[0], " sentences of label 0 and ", counts[1],
             " of label 1; need some of both");
    }
    return file;
}

std::string how_to_get_sentences() {
    return "put sentences.tsv (label TAB source TAB text; Kotzias et al. 2015, UCI \"Sentiment "
           "Labelled Sentences\") into ROOT/sentiment and pass --data ROOT, or pass --data "
           "YOURS.tsv";
}

std::optional<std::string> find_sentences(const std::vector<std::string>& roots) {
    for (const std::string& root : roots) {
        if (root.ends_with(".tsv") && std::filesystem::is_regular_file(root)) return root;
        for (const char* file : {"/sentiment/sentences.tsv", "/sentences.tsv"}) {
            if (std::filesystem::is_regular_file(root + file)) return root + file;
        }
    }
    return std::nullopt;
}

Index fold_of(const Sentence& sentence, Index folds) {
    return static_cast<Index>(hash64(text_of(sentence.words)) % static_cast<std::uint64_t>(folds));
}

}  // namespace soma::systems
