#include "bench/outcome.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"

namespace soma::bench {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr Index kProbeRounds = 1024;

// The probe on all threads; flop of a call in `flop`.
template <class T>
Contender probe(int threads, double& flop) {
    const kernels::TypedKernels<T>& table = kernels::table<T>();
    flop = 2.0 * static_cast<double>(kernels::kProbeChains * table.width * kProbeRounds * threads);
    return {"peak", [&table, threads](Index repeats) {
                parallel_for(threads, 1, [&](Index begin, Index end) {
                    for (Index t = begin; t < end; ++t) table.probe.fma(kProbeRounds * repeats);
                });
            }};
}

std::string two_digits(double x) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", x);
    return text;
}

// Below 1 by more than it is uncertain; nearer to 1 it is a tie.
bool lost(const Spread& ratio) { return ratio.median * (1 + ratio.uncertainty()) < 1; }

GroupSummary summarise_group(const std::string& group, const std::vector<const Outcome*>& rows) {
    GroupSummary s{.group = group, .worst = {}};
    std::vector<double> shares, ratios;
    double worst = std::numeric_limits<double>::infinity();
    for (const Outcome* row : rows) {
        const std::size_t rival = row->best_rival();
        const double share = row->peak_share().median;
        const double ratio = rival == 0 ? kNone : row->ratio(rival).median;
        shares.push_back(share);
        if (rival != 0) ratios.push_back(ratio);
        if (!row->conclusive()) s.inconclusive.push_back(row->name);
        const double rank = rival == 0 ? share : ratio;
        if (rank < worst) {
            worst = rank;
            s.worst = row->name;
            s.worst_ratio = ratio;
        }
        if (rival != 0 && row->conclusive() && lost(row->ratio(rival))) {
            s.losses.push_back(
                concat(row->name, " (", two_digits(ratio), " ", row->timings[rival].name, ")"));
        }
    }
    s.peak_share = geometric_mean(shares);
    s.ratio = geometric_mean(ratios);
    return s;
}

}  // namespace

double Outcome::gflops(std::size_t contender) const {
    return 1e-9 * flop / spread_of(timings[contender].seconds).median;
}

Spread Outcome::peak_share() const {
    std::vector<double> shares;
    for (std::size_t r = 0; r < peak.size(); ++r)
        shares.push_back(flop / timings[0].seconds[r] / peak[r]);
    return spread_of(std::move(shares));
}

std::size_t Outcome::best_rival() const {
    std::size_t best = 0;
    for (std::size_t i = 1; i < timings.size(); ++i) {
        if (best == 0 || gflops(i) > gflops(best)) best = i;
    }
    return best;
}

Spread Outcome::ratio(std::size_t contender, std::size_t to) const {
    std::vector<double> ratios;
    for (std::size_t r = 0; r < timings[to].seconds.size(); ++r)
        ratios.push_back(timings[contender].seconds[r] / timings[to].seconds[r]);
    return spread_of(std::move(ratios));
}

bool Outcome::conclusive() const {
    const std::size_t rival = best_rival();
    return peak_share().conclusive() && (rival == 0 || ratio(rival).conclusive());
}

template <class T>
Outcome hold_contest(const std::string& group, const std::string& name, double flop, double bytes,
                     std::vector<Contender> contenders, const MeasureOptions& options) {
    double probe_flop = 0;
    contenders.push_back(probe<T>(options.threads, probe_flop));
    Contest contest(std::move(contenders), options);
    contest.run();
    Outcome out{
        .group = group, .name = name, .flop = flop, .bytes = bytes, .timings = {}, .peak = {}};
    const std::size_t rivals_end = contest.size() - 1;
    for (std::size_t i = 0; i < rivals_end; ++i)
        out.timings.push_back({contest.name(i), contest.repeats(i), contest.seconds(i)});
    for (const double s : contest.seconds(rivals_end)) out.peak.push_back(probe_flop / s);
    return out;
}

template Outcome hold_contest<float>(const std::string&, const std::string&, double, double,
                                     std::vector<Contender>, const MeasureOptions&);
template Outcome hold_contest<double>(const std::string&, const std::string&, double, double,
                                      std::vector<Contender>, const MeasureOptions&);

std::vector<GroupSummary> summarise(const std::vector<Outcome>& outcomes) {
    std::vector<std::string> groups;
    for (const Outcome& o : outcomes) {
        if (std::find(groups.begin(), groups.end(), o.group) == groups.end())
            groups.push_back(o.group);
    }
    std::vector<GroupSummary> out;
    for (const std::string& group : groups) {
        std::vector<const Outcome*> rows;
        for (const Outcome& o : outcomes) {
            if (o.group == group) rows.push_back(&o);
        }
        out.push_back(summarise_group(group, rows));
    }
    return out;
}

std::string refusal(const std::vector<Outcome>& outcomes) {
    std::vector<double> peaks;
    std::size_t inconclusive = 0;
    for (const Outcome& o : outcomes) {
        peaks.insert(peaks.end(), o.peak.begin(), o.peak.end());
    }
    if (peaks.empty()) return "nothing was measured";
    for (const Outcome& o : outcomes) inconclusive += o.conclusive() ? 0 : 1;
    const Spread peak = spread_of(peaks);
    const double span = (peak.upper - peak.lower) / peak.median;
    if (span > kMostProbeSpan) {
        return concat("the FMA peak of this machine varied by ", std::lround(100 * span),
                      " % between the quartiles of the rounds (more than ",
                      std::lround(100 * kMostProbeSpan), " %)");
    }
    if (static_cast<double>(inconclusive) >
        kMostInconclusive * static_cast<double>(outcomes.size())) {
        return concat(inconclusive, " of ", outcomes.size(), " rows are known to no better than ",
                      std::lround(100 * kMostUncertainty), " %");
    }
    return "";
}

}  // namespace soma::bench
