#pragma once
// Wall clock for progress and reports.

#include "soma/core/clock.h"

namespace soma {

class Timer {
public:
    double seconds() const { return now_seconds() - start_; }
    void restart() { start_ = now_seconds(); }

private:
    double start_ = now_seconds();
};

}  // namespace soma
