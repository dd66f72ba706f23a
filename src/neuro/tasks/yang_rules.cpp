#include "neuro/tasks/yang_rules.h"

namespace soma::neuro {

const char* name_of(YangRule rule) { return yang::info_of(rule).name; }

namespace yang {
namespace {

constexpr Evidence kAttended = Evidence::attended_ring, kBoth = Evidence::both_rings;

constexpr RuleInfo kRules[kYangRules] = {
    {.name = "fdgo", .family = Family::fd},
    {.name = "reactgo", .family = Family::react},
    {.name = "delaygo", .family = Family::delay},
    {.name = "fdanti", .family = Family::fd, .anti = true},
    {.name = "reactanti", .family = Family::react, .anti = true},
    {.name = "delayanti", .family = Family::delay, .anti = true},
    {.name = "dm1", .family = Family::dm},
    {.name = "dm2", .family = Family::dm, .ring = 1},
    {.name = "contextdm1", .family = Family::dm, .evidence = kAttended},
    {.name = "contextdm2", .family = Family::dm, .evidence = kAttended, .ring = 1},
    {.name = "multidm", .family = Family::dm, .evidence = kBoth},
    {.name = "delaydm1", .family = Family::delaydm},
    {.name = "delaydm2", .family = Family::delaydm, .ring = 1},
    {.name = "contextdelaydm1", .family = Family::delaydm, .evidence = kAttended},
    {.name = "contextdelaydm2", .family = Family::delaydm, .evidence = kAttended, .ring = 1},
    {.name = "multidelaydm", .family = Family::delaydm, .evidence = kBoth},
    {.name = "dmsgo", .family = Family::dms, .answer_match = true},
    {.name = "dmsnogo", .family = Family::dms},
    {.name = "dmcgo", .family = Family::dmc, .answer_match = true},
    {.name = "dmcnogo", .family = Family::dmc},
};

constexpr double kEarly[] = {200, 400, 600}, kMiddle[] = {300, 500, 700};
constexpr double kShow[] = {200, 400, 600}, kLongShow[] = {400, 800, 1600};
constexpr double kDelay[] = {200, 400, 800, 1600}, kGo[] = {500}, kShortGo[] = {200, 400, 600};
constexpr double kFd[] = {300, 700}, kFdShow[] = {500, 1500}, kReact[] = {500, 2500};
constexpr double kDm[] = {100, 400}, kSecondDelay[] = {100, 300};

constexpr Duration kFdTimes[] = {
    {"fixation", kFd, 500, true}, {"stimulus_1", kFdShow, 1000, true}, {"go", kGo, 500}};
constexpr Duration kReactTimes[] = {{"fixation", kReact, 2000, true}, {"go", kGo, 500}};
constexpr Duration kDelayTimes[] = {{"fixation", kMiddle, 500},
                                    {"stimulus_1", kShow, 500},
                                    {"delay_1", kDelay, 1000},
                                    {"go", kGo, 500}};
constexpr Duration kDmTimes[] = {
    {"fixation", kDm, 500, true}, {"stimulus_1", kLongShow, 1500}, {"go", kGo, 500}};
constexpr Duration kDelaydmTimes[] = {
    {"fixation", kEarly, 500},  {"stimulus_1", kShow, 500},           {"delay_1", kDelay, 1000},
    {"stimulus_2", kShow, 500}, {"delay_2", kSecondDelay, 200, true}, {"go", kGo, 500}};
constexpr Duration kDmsTimes[] = {{"fixation", kEarly, 500},
                                  {"stimulus_1", kShow, 500},
                                  {"delay_1", kDelay, 1200},
                                  {"go", kGo, 500}};
constexpr Duration kDmcTimes[] = {{"fixation", kEarly, 500},
                                  {"stimulus_1", kShow, 500},
                                  {"delay_1", kDelay, 1200},
                                  {"go", kShortGo, 500}};

}  // namespace

const RuleInfo& info_of(YangRule rule) { return kRules[static_cast<std::size_t>(rule)]; }

double Duration::draw(RandomSequence& random) const noexcept {
    if (!uniform) return choices[random.below(static_cast<std::uint32_t>(choices.size()))];
    return choices[0] + (choices[1] - choices[0]) * double{random.uniform()};
}

std::span<const Duration> durations_of(Family family) {
    switch (family) {
        case Family::fd:
            return kFdTimes;
        case Family::react:
            return kReactTimes;
        case Family::delay:
            return kDelayTimes;
        case Family::dm:
            return kDmTimes;
        case Family::delaydm:
            return kDelaydmTimes;
        case Family::dms:
            return kDmsTimes;
        case Family::dmc:
            return kDmcTimes;
    }
    return {};
}

}  // namespace yang
}  // namespace soma::neuro
