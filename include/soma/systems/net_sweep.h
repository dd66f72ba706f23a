#pragma once
// NetSweep: what a system tells `soma sweep`: the options of one net, and how it is trained.
//
// A system with a struct of options adds a sweep in one call, and `.sweep = sweep_NAME` to its row
// of registry.cpp:
//
//   NetSweep sweep_flipflop2013() {
//       return make_net_sweep<Options>({{"units", &Options::units}, {"rate", &Options::rate}},
//                                      [](const Options& o, std::uint64_t seed, const auto& stop)
//                                          -> std::optional<train::Fields> {
//           ... train; if (stop()) return std::nullopt;
//           return train::Fields{{"accuracy", accuracy}, {"solved", accuracy > 0.95}};
//       });
//   }

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "soma/train/log.h"

namespace soma::systems {

struct NetSweep {
    // What a plan may set, with the values of the recipe. A value has the type of the default.
    train::Fields options;
    // Trains one net, on the calling thread alone, and measures it: names and values, the same
    // names for every net; numbers are averaged over seeds, booleans counted. A pure function of
    // options (all of them, in the order above) and seed. Nothing when `stop()` became true. Errors
    // are recorded for this net; the sweep goes on.
    std::function<std::optional<train::Fields>(const train::Fields& options, std::uint64_t seed,
                                               const std::function<bool()>& stop)>
        train;
};

// The options of a sweep as members of a struct.
template <class Options>
using OptionMembers =
    std::vector<std::pair<std::string, std::variant<bool Options::*, Index Options::*,
                                                    double Options::*, std::string Options::*>>>;

// train_net(const Options&, seed, stop) as in NetSweep; the defaults are those of Options{}.
template <class Options, class TrainNet>
NetSweep make_net_sweep(const OptionMembers<Options>& members, TrainNet train_net) {
    NetSweep sweep;
    for (const auto& [name, member] : members) {
        const train::Value value =
            std::visit([](auto m) { return train::Value(Options{}.*m); }, member);
        sweep.options.emplace_back(name, value);
    }
    sweep.train = [members, train_net](const train::Fields& values, std::uint64_t seed,
                                       const std::function<bool()>& stop) {
        Options options;
        for (std::size_t i = 0; i < members.size(); ++i) {
            const train::Value& value = values.at(i).second;
            std::visit(
                [&](auto m) {
                    auto& target = options.*m;
                    target = std::get<std::decay_t<decltype(target)>>(value);
                },
                members[i].second);
        }
        return train_net(options, seed, stop);
    };
    return sweep;
}

}  // namespace soma::systems
