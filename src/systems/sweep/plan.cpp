#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "soma/core/error.h"
#include "soma/core/hash.h"
#include "soma/core/text.h"
#include "soma/core/version.h"
#include "soma/data/file.h"
#include "soma/systems/registry.h"
#include "soma/systems/sweep_plan.h"

namespace soma::systems {
namespace {

using Json = nlohmann::ordered_json;  // axes keep the order of the file

template <class... Parts>
[[noreturn]] void refuse(const std::string& source, const Parts&... parts) {
    fail(ErrorCode::usage, "sweep plan ", source, ": ", parts...);
}

// The parser keeps the last of two equal keys; a user who wrote both means neither.
Json parse_without_duplicates(const std::string& text, const std::string& source) {
    std::vector<std::set<std::string>> keys;  // of the objects that are open
    const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
        if (event == Json::parse_event_t::object_start) keys.emplace_back();
        if (event == Json::parse_event_t::object_end) keys.pop_back();
        if (event == Json::parse_event_t::key &&
            !keys.back().insert(parsed.get<std::string>()).second) {
            refuse(source, "key ", parsed.dump(), " stands twice");
        }
        return true;
    };
    try {
        return Json::parse(text, watch, true, true);
    } catch (const Json::exception& e) {
        const std::string what = e.what();  // "[json.exception...] parse error at line 3, ..."
        fail(ErrorCode::data, "sweep plan ", source, ": ", what.substr(what.find("] ") + 2));
    }
}

class Parser {
public:
    Parser(const std::string& text, const std::string& source)
        : source_(source), json_(parse_without_duplicates(text, source)) {}

    SweepPlan parse() {
        if (!json_.is_object()) refuse(source_, "need an object {\"name\": ...}");
        check_keys(json_, {"name", "system", "options", "axes", "seeds"}, "the plan");
        plan_.name = text_at("name");
        check_name();
        read_system();
        read_options();
        read_axes();
        make_settings();
        make_nets(seeds());
        return std::move(plan_);
    }

private:
    void check_keys(const Json& object, const std::vector<std::string>& known,
                    const std::string& where) const {
        for (const auto& [key, value] : object.items()) {
            if (std::find(known.begin(), known.end(), key) != known.end()) continue;
            std::string names;
            for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
            refuse(source_, where, " has no key '", key, "'", did_you_mean(key, known),
                   "; it knows ", names);
        }
    }

    std::string text_at(const char* key) const {
        if (json_.contains(key) && json_[key].is_string()) return json_[key].get<std::string>();
        refuse(source_, "need a text for '", key, "'");
    }

    void check_name() const {
        const auto plain = [](unsigned char c) {
            return (c < 128 && std::isalnum(c) != 0) || c == '-' || c == '_';
        };
        const bool good = !plan_.name.empty() && plan_.name[0] != '-' &&
                          std::all_of(plan_.name.begin(), plan_.name.end(), plain);
        if (!good) {
            refuse(source_, "name '", plan_.name,
                   "' becomes a folder: it may hold only letters, digits, '-' and '_'");
        }
    }

    void read_system() {
        const std::string name = text_at("system");
        const System* system = find(name);
        if (system == nullptr) {
            refuse(source_, "unknown system '", name, "'", suggestion(nearest_names(name)));
        }
        if (!system->sweep) {
            std::string names;
            for (const System& s : all_systems()) {
                if (s.sweep) names += (names.empty() ? "" : ", ") + s.name;
            }
            refuse(source_, system->name, " has no nets to sweep over; there are ", names);
        }
        plan_.system = system->name;
        plan_.sweep = system->sweep();
        options_ = plan_.sweep.options;
    }

    // The part of the plan under `key`, an object, or an empty one.
    Json object_at(const char* key) const {
        if (!json_.contains(key)) return Json::object();
        if (!json_[key].is_object()) refuse(source_, "need an object {...} for '", key, "'");
        return json_[key];
    }

    std::size_t position_of(const std::string& option) const {
        std::vector<std::string> known;
        for (const auto& [name, value] : options_) known.push_back(name);
        const auto found = std::find(known.begin(), known.end(), option);
        if (found != known.end()) return static_cast<std::size_t>(found - known.begin());
        refuse(source_, plan_.system, " has no option '", option, "'", did_you_mean(option, known),
               "; soma sweep --options ", plan_.system, " lists them");
    }

    // A value of an option, as the type of its default.
    train::Value value_of(const std::string& option, const Json& json) const {
        const train::Value& like = options_[position_of(option)].second;
        const char* need = nullptr;
        if (std::holds_alternative<bool>(like)) {
            if (json.is_boolean()) return json.get<bool>();
            need = "true or false";
        } else if (std::holds_alternative<Index>(like)) {
            const bool fits = json.is_number_integer() && (!json.is_number_unsigned() ||
                                                           json.get<std::uint64_t>() <= INT64_MAX);
            if (fits) return json.get<Index>();
            need = "a whole number";
        } else if (std::holds_alternative<double>(like)) {
            // + 0.0: minus zero is zero.
            if (json.is_number()) return json.get<double>() + 0.0;
            need = "a number";
        } else {
            if (json.is_string()) return json.get<std::string>();
            need = "a text";
        }
        refuse(source_, "option ", option, " is ", json.dump(), "; need ", need);
    }

    void read_options() {
        const Json fixed = object_at("options");
        for (const auto& [option, json] : fixed.items()) {
            const std::size_t at = position_of(option);
            options_[at].second = value_of(option, json);
        }
    }

    void read_axes() {
        const Json fixed = object_at("options"), axes = object_at("axes");
        for (const auto& [option, json] : axes.items()) {
            position_of(option);
            if (fixed.contains(option)) {
                refuse(source_, "option ", option, " stands in both 'options' and 'axes'");
            }
            if (!json.is_array() || json.empty()) {
                refuse(source_, "axis ", option, " is ", json.dump(), "; need a list of values");
            }
            SweepAxis axis{option, {}};
            for (const Json& value : json) {
                axis.values.push_back(value_of(option, value));
                check_once(axis.values, "axis " + option);
            }
            plan_.axes.push_back(std::move(axis));
        }
    }

    template <class T>
    void check_once(const std::vector<T>& values, const std::string& where) const {
        if (std::find(values.begin(), values.end() - 1, values.back()) == values.end() - 1) return;
        refuse(source_, where, " lists ", train::to_text(train::Value(values.back())), " twice");
    }

    void make_settings() {
        Index count = 1;
        for (const SweepAxis& axis : plan_.axes) {
            count *= std::ssize(axis.values);
            check_size(count);
        }
        for (Index i = 0; i < count; ++i) {
            train::Fields options = options_;
            Index rest = i;
            for (std::size_t a = plan_.axes.size(); a-- > 0;) {
                const SweepAxis& axis = plan_.axes[a];
                const Index n = std::ssize(axis.values);
                options[position_of(axis.option)].second =
                    axis.values[static_cast<std::size_t>(rest % n)];
                rest /= n;
            }
            plan_.settings.push_back(std::move(options));
        }
    }

    void check_size(Index nets) const {
        if (nets <= kMaxSweepNets) return;
        refuse(source_, "more than ", kMaxSweepNets, " nets");
    }

    std::vector<std::uint64_t> seeds() const {
        if (!json_.contains("seeds"))
            refuse(source_, "need 'seeds': {\"first\": 1, \"count\": 10}");
        const Json& json = json_["seeds"];
        std::vector<std::uint64_t> out;
        if (json.is_object()) {
            check_keys(json, {"first", "count"}, "'seeds'");
            const std::uint64_t first = seed_of(json.value("first", Json(1u)));
            const std::uint64_t count = seed_of(json.value("count", Json()));
            check_size(static_cast<Index>(std::min<std::uint64_t>(count, kMaxSweepNets + 1)));
            for (std::uint64_t i = 0; i < count; ++i) out.push_back(first + i);
        } else if (json.is_array()) {
            std::set<std::uint64_t> once;
            for (const Json& seed : json) {
                out.push_back(seed_of(seed));
                if (!once.insert(out.back()).second)
                    refuse(source_, "'seeds' lists ", seed, " twice");
            }
        }
        if (out.empty()) {
            refuse(source_, "'seeds' is ", json.dump(),
                   "; need {\"first\": 1, \"count\": 10} or a list of seeds");
        }
        return out;
    }

    std::uint64_t seed_of(const Json& json) const {
        if (json.is_number_unsigned()) return json.get<std::uint64_t>();
        refuse(source_, "'seeds' holds ", json.dump(), "; need whole numbers from 0 to 2^64 - 1");
    }

    void make_nets(const std::vector<std::uint64_t>& seeds) {
        const Index settings = std::ssize(plan_.settings);
        check_size(std::ssize(seeds) > kMaxSweepNets / settings ? kMaxSweepNets + 1 : settings);
        std::set<std::string> ids;
        for (const std::uint64_t seed : seeds) {
            for (Index setting = 0; setting < settings; ++setting) {
                SweepNet net{"", setting, seed};
                net.id = to_hex(hash64(plan_.spec(net)));
                if (!ids.insert(net.id).second) {
                    refuse(source_, "two nets share the id ", net.id, "; change one of the seeds");
                }
                plan_.nets.push_back(std::move(net));
            }
        }
    }

    const std::string& source_;
    const Json json_;
    SweepPlan plan_;
    train::Fields options_;  // of every net, but for the axes
};

}  // namespace

std::string SweepPlan::spec(const SweepNet& net) const {
    nlohmann::json options = nlohmann::json::object();  // keys sorted
    for (const auto& [option, value] : settings[static_cast<std::size_t>(net.setting)]) {
        std::visit([&, &key = option](const auto& v) { options[key] = v; }, value);
    }
    return nlohmann::json{{"system", system}, {"seed", net.seed}, {"options", options}}.dump();
}

train::Fields SweepPlan::identity() const {
    return {{"sweep", name}, {"system", system}, {"numerics", Index{kNumericsVersion}}};
}

std::string SweepPlan::label(Index setting) const {
    const train::Fields& options = settings[static_cast<std::size_t>(setting)];
    std::string text;
    for (const SweepAxis& axis : axes) {
        const auto found = std::find_if(options.begin(), options.end(),
                                        [&](const auto& o) { return o.first == axis.option; });
        text += (text.empty() ? "" : ", ") + axis.option + " " + train::to_text(found->second);
    }
    return text.empty() ? "all" : text;
}

SweepPlan parse_sweep_plan(const std::string& text, const std::string& source) {
    return Parser(text, source).parse();
}

SweepPlan read_sweep_plan(const std::string& path) {
    const data::Bytes bytes = data::read_file(path);
    return parse_sweep_plan({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

}  // namespace soma::systems
