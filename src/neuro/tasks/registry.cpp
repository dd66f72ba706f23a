#include "soma/neuro/tasks/registry.h"

#include <algorithm>
#include <vector>

#include "soma/core/error.h"
#include "soma/core/text.h"
#include "soma/neuro/tasks/dms.h"
#include "soma/neuro/tasks/flipflop.h"
#include "soma/neuro/tasks/integrator.h"
#include "soma/neuro/tasks/mante.h"
#include "soma/neuro/tasks/raposo.h"
#include "soma/neuro/tasks/rdm.h"
#include "soma/neuro/tasks/romo.h"
#include "soma/neuro/tasks/synthetic_sentiment.h"
#include "soma/neuro/tasks/waves.h"
#include "soma/neuro/tasks/yang.h"

namespace soma::neuro {

namespace {

constexpr const char* kYang = "Yang et al. 2019";

std::vector<TaskEntry> all_tasks() {
    std::vector<TaskEntry> entries = {
        {"rdm", "random-dot motion: perceptual decision", "Dubreuil, Valente et al. 2022",
         [] { return make_rdm(); }},
        {"mante", "context-dependent decision", "Mante & Sussillo 2013",
         [] { return make_mante(); }},
        {"raposo", "multisensory decision", "Raposo et al. 2014", [] { return make_raposo(); }},
        {"romo", "parametric working memory", "Romo et al. 1999", [] { return make_romo(); }},
        {"dms", "delayed match to sample", "Dubreuil, Valente et al. 2022",
         [] { return make_dms(); }},
        {"flipflop", "memory of 3 bits", "Sussillo & Barak 2013", [] { return make_flipflop(); }},
    };
    for (int r = 0; r < kYangRules; ++r) {
        const auto rule = static_cast<YangRule>(r);
        entries.push_back({name_of(rule), "one of the 20 rules", kYang,
                           [rule] { return make_yang({.rule = rule}); }});
    }
    entries.push_back(
        {"yang20", "the 20 rules, drawn by group", kYang, [] { return make_yang(); }});
    const std::vector<TaskEntry> curves = {
        {"integrator", "running sum of white noise", "computation-thru-dynamics",
         [] { return make_integrator(); }},
        {"contextual_integrator", "running sum of one of two noises", "computation-thru-dynamics",
         [] { return make_contextual_integrator(); }},
        {"sine", "sine wave from the initial state", "Song, Yang & Wang 2016",
         [] { return make_sine(); }},
        {"sum_of_sines", "sum of three sine waves", "Murray 2019",
         [] { return make_sum_of_sines(); }},
        {"synthetic_sentiment", "running sentiment of a toy language",
         "Maheswaranathan & Sussillo 2020", [] { return make_synthetic_sentiment(); }},
    };
    entries.insert(entries.end(), curves.begin(), curves.end());
    return entries;
}

}  // namespace

std::span<const TaskEntry> tasks() {
    static const std::vector<TaskEntry> entries = all_tasks();
    return entries;
}

const TaskEntry& find_task(const std::string& name) {
    std::string wanted = name;
    std::replace(wanted.begin(), wanted.end(), '-', '_');
    std::vector<std::string> names;
    for (const TaskEntry& entry : tasks()) {
        if (entry.name == wanted) return entry;
        names.push_back(entry.name);
    }
    fail(ErrorCode::usage, "unknown task '", name, "'", did_you_mean(name, names));
}

}  // namespace soma::neuro
