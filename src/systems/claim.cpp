#include "soma/systems/claim.h"

#include <cmath>

#include "soma/core/error.h"

namespace soma::systems {

const char* name_of(Verdict v) {
    switch (v) {
        case Verdict::pass:
            return "pass";
        case Verdict::fail:
            return "fail";
        case Verdict::reported:
            return "reported";
        case Verdict::skipped:
            return "skipped";
    }
    return "unknown";
}

bool Gate::holds(double value) const {
    switch (kind) {
        case Kind::none:
            return true;
        case Kind::at_most:
            return value <= bound;
        case Kind::at_least:
            return value >= bound;
        case Kind::equal:
            return value == bound;
    }
    return false;
}

namespace {

// Counts in full, other numbers to six digits.
std::string number_text(double v) {
    const bool whole = v == std::floor(v) && std::abs(v) < 1e15;
    return whole ? concat(static_cast<Index>(v)) : concat(v);
}

}  // namespace

std::string Gate::text() const {
    if (kind == Kind::none) return "";
    const char* sign = kind == Kind::at_most ? "<= " : kind == Kind::at_least ? ">= " : "= ";
    return sign + number_text(bound) + (of > 0 ? "/" + number_text(of) : "");
}

void Claim::decide() {
    if (values.empty()) return;
    double sum = 0;
    for (const double v : values) sum += v;
    const double n = static_cast<double>(values.size());
    own_value = sum / n;
    if (values.size() > 1) {
        double squares = 0;
        for (const double v : values) squares += (v - *own_value) * (v - *own_value);
        own_sd = std::sqrt(squares / (n - 1));
    }
    const bool gated = tolerance.kind != Gate::Kind::none;
    verdict = !gated                        ? Verdict::reported
              : tolerance.holds(*own_value) ? Verdict::pass
                                            : Verdict::fail;
}

void Claim::decide(double value) {
    values = {value};
    decide();
}

void Claim::skip(const std::string& why) {
    verdict = Verdict::skipped;
    reason = why;
}

Claim stated(const std::string& id, const std::string& text, const std::string& kind,
             const std::string& source, Gate tolerance) {
    Claim c;
    c.id = id;
    c.text = text;
    c.kind = kind;
    c.source = source;
    c.tolerance = tolerance;
    return c;
}

}  // namespace soma::systems
