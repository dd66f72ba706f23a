#pragma once
// HangWatch: what a rank says and leaves behind when a peer stays silent.

#include <memory>
#include <string>

#include "soma/dist/comm.h"
#include "soma/dist/watchdog.h"

namespace soma::cli {

// While it lives, waits of `comm`, and of what is split from it meanwhile, that last 60 s or a
// fifth of the timeout are told on standard error and stand in a report (hang_report.h) until they
// end. A call of the message library that does not return within the timeout ends the process with
// 74: no exception can leave it. Nothing happens on one rank.
class HangWatch {
public:
    struct Place {
        std::string folder = {};  // of the report; "": none is written
        bool alone = false;       // the other ranks have none
    };
    // Rank 0 removes the reports of an earlier run. Error(checkpoint) when the folder cannot be
    // made.
    HangWatch(dist::Comm& comm, const Place& place);
    ~HangWatch();
    HangWatch(const HangWatch&) = delete;
    HangWatch& operator=(const HangWatch&) = delete;

private:
    dist::Comm& comm_;
    std::unique_ptr<dist::Watchdog> watchdog_;
};

}  // namespace soma::cli
