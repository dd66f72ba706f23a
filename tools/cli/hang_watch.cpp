#include "cli/hang_watch.h"

#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "cli/hang_report.h"
#include "cli/text_table.h"
#include "soma/core/error.h"
#include "soma/data/file.h"

namespace soma::cli {
namespace {

constexpr int kTimeout = static_cast<int>(ErrorCode::timeout);

// At once: lines of several ranks come together.
void say(const dist::Comm& comm, const std::string& words) {
    std::cerr << concat("soma: [", comm.name_of(comm.rank()), "] ", words, "\n") << std::flush;
}

void write(const HangWatch::Place& place, HangReport report, bool failed) {
    if (place.folder.empty()) return;
    report.alone = place.alone;
    report.failed = failed;
    try {
        data::write_file_atomically(hang_path(place.folder, report.rank),
                                    data::as_bytes(hang_text(report)));
    } catch (const std::exception& e) {
        std::cerr << concat("soma: warning: ", e.what(), "\n");
    }
}

void tell(const HangWatch::Place& place, const dist::Comm& comm, dist::WaitEvent event,
          const dist::Wait& wait, double seconds) {
    if (event == dist::WaitEvent::ended) {
        say(comm, "goes on");
        std::error_code ignored;
        std::filesystem::remove(hang_path(place.folder, comm.rank()), ignored);
        return;
    }
    write(place, hang_report(comm, wait, seconds), event == dist::WaitEvent::failed);
    if (event == dist::WaitEvent::failed) return;  // the error says it
    say(comm,
        concat("warning: nothing has moved for ", fixed(seconds, 1), " s ", comm.describe(wait)));
}

void remove_old_reports(const std::string& folder) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        const std::string name = entry.path().filename();
        if (name.starts_with("hang.") && name.ends_with(".json")) {
            std::filesystem::remove(entry.path(), error);
        }
    }
}

}  // namespace

HangWatch::HangWatch(dist::Comm& comm, const Place& place) : comm_(comm) {
    if (comm.size() == 1) return;
    if (!place.folder.empty()) {
        std::error_code error;
        std::filesystem::create_directories(place.folder, error);
        if (error) fail(ErrorCode::checkpoint, "log folder ", place.folder, ": ", error.message());
        if (comm.rank() == 0) remove_old_reports(place.folder);
    }
    comm.set_wait_handler([place](const dist::Comm& waiting, dist::WaitEvent event,
                                  const dist::Wait& wait,
                                  double seconds) { tell(place, waiting, event, wait, seconds); });
    const auto stuck = [place, &comm](const char* call, double seconds) {
        const dist::Wait wait{.what = concat(call, ", which does not return")};
        say(comm, concat("dist: ", comm.name_of(comm.rank()), " waited ", fixed(seconds, 1), " s ",
                         comm.describe(wait)));
        write(place, hang_report(comm, wait, seconds), true);
        _exit(kTimeout);
    };
    watchdog_ = std::make_unique<dist::Watchdog>(comm.calls(), comm.timeout(), stuck);
}

HangWatch::~HangWatch() { comm_.set_wait_handler({}); }

}  // namespace soma::cli
