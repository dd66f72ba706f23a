#include <algorithm>

#include "soma/systems/sweep.h"

namespace soma::systems {
namespace {

std::string csv_line(const std::vector<std::string>& fields) {
    std::string line;
    for (const std::string& field : fields) line += (line.empty() ? "" : ",") + csv_field(field);
    return line + "\n";
}

}  // namespace

std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

const train::Value* find_value(const train::Fields& fields, const std::string& name) {
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [&](const auto& field) { return field.first == name; });
    return found == fields.end() ? nullptr : &found->second;
}

std::vector<std::string> measures_of(const std::vector<SweepRow>& rows) {
    std::vector<std::string> names;
    for (const SweepRow& row : rows) {
        for (const auto& [name, value] : row.result) {
            if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
        }
    }
    return names;
}

std::string results_jsonl(const std::vector<SweepRow>& rows) {
    std::string text;
    for (const SweepRow& row : rows) text += row.line + "\n";
    return text;
}

std::string results_csv(const SweepPlan& plan, const std::vector<SweepRow>& rows) {
    const std::vector<std::string> measures = measures_of(rows);
    std::vector<std::string> fields{"id", "seed"};
    for (const auto& [name, value] : plan.sweep.options) fields.push_back(name);
    fields.insert(fields.end(), measures.begin(), measures.end());
    fields.push_back("error");
    std::string text = csv_line(fields);
    for (const SweepRow& row : rows) {
        const SweepNet& net = plan.nets[static_cast<std::size_t>(row.net)];
        fields = {net.id, std::to_string(net.seed)};
        for (const auto& [name, value] : plan.settings[static_cast<std::size_t>(net.setting)]) {
            fields.push_back(train::to_text(value));
        }
        for (const std::string& name : measures) {
            const train::Value* value = find_value(row.result, name);
            fields.push_back(value == nullptr ? "" : train::to_text(*value));
        }
        fields.push_back(row.error.value_or(""));
        text += csv_line(fields);
    }
    return text;
}

}  // namespace soma::systems
