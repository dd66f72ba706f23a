#include "systems/sequence/char_ngram.h"

#include <algorithm>
#include <cmath>

#include "soma/core/error.h"

namespace soma::systems {

CharNgram::CharNgram(std::span<const std::int32_t> text, Index vocabulary, int order)
    : vocabulary_(static_cast<double>(vocabulary)) {
    SOMA_CHECK(vocabulary >= 1 && vocabulary <= 256 && order >= 0 && order <= 7,
               "CharNgram: vocabulary is ", vocabulary, ", order is ", order,
               "; need 1..256 and 0..7");
    followers_.resize(static_cast<std::size_t>(order) + 1);
    for (std::size_t i = 0; i < text.size(); ++i) {
        for (std::size_t length = 0; length < followers_.size() && length <= i; ++length) {
            Followers& f = followers_[length][context(text, i, length)];
            const auto at = std::find_if(f.counts.begin(), f.counts.end(),
                                         [&](const auto& c) { return c.first == text[i]; });
            if (at == f.counts.end()) {
                f.counts.emplace_back(text[i], 1);
            } else {
                ++at->second;
            }
            ++f.total;
        }
    }
}

std::uint64_t CharNgram::context(std::span<const std::int32_t> text, std::size_t i,
                                 std::size_t length) {
    std::uint64_t code = 0;
    for (std::size_t k = i - length; k < i; ++k) {
        code = code << 8 | static_cast<std::uint64_t>(text[k]);
    }
    return code;
}

double CharNgram::probability(std::span<const std::int32_t> text, std::size_t i) const {
    double p = 1 / vocabulary_;
    for (std::size_t length = 0; length < followers_.size() && length <= i; ++length) {
        const auto found = followers_[length].find(context(text, i, length));
        if (found == followers_[length].end()) break;  // nor was a longer one seen
        const Followers& f = found->second;
        const auto distinct = static_cast<double>(f.counts.size());
        double count = 0;
        for (const auto& [c, n] : f.counts) {
            if (c == text[i]) count = n;
        }
        p = (count + distinct * p) / (f.total + distinct);
    }
    return p;
}

double CharNgram::nats(std::span<const std::int32_t> text) const {
    double sum = 0;
    for (std::size_t i = 0; i < text.size(); ++i) sum -= std::log(probability(text, i));
    return text.empty() ? 0 : sum / static_cast<double>(text.size());
}

}  // namespace soma::systems
