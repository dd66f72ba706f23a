#pragma once
// hang.<rank>.json: what a rank waits for that has waited long; and who is to blame, from those of
// all ranks (soma inspect DIR --hang).

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "soma/dist/comm.h"

namespace soma::cli {

struct HangReport {
    struct Peer {
        int rank = 0;
        std::string host = {};
        Index bytes = 0;
        bool sends = false;  // to the peer
    };

    int rank = 0, ranks = 1;
    std::string host = {};
    bool alone = false;                         // this rank only may write a report
    bool failed = false;                        // it gave up
    double seconds = 0;                         // that nothing moved
    double began = 0;                           // when, in seconds since 1970
    std::string waits = {};                     // in words
    Index update = -1, bucket = -1, step = -1;  // of a sum over ranks; -1: of none
    std::vector<Peer> peers = {};  // empty: nobody, or whoever a call of the library waits for
};

HangReport hang_report(const dist::Comm& comm, const dist::Wait& wait, double seconds);

std::string hang_text(const HangReport& report);
// Error(data) naming `path` when the text is no such file.
HangReport parse_hang(std::string_view text, const std::string& path);
std::string hang_path(const std::string& folder, int rank);
// Those of a folder, by rank. Error(data) when there is none, or they are of different runs.
std::vector<HangReport> read_hangs(const std::string& folder);

// Whom the others wait for in the end.
struct HangVerdict {
    std::vector<int> culprits;  // ascending
    std::string why;            // a sentence
};
// Ranks without a report are to blame, first those that a rank waits for; else ranks that wait for
// nobody; else those that wait for each other in a circle. What began to wait only when another
// rank gave up is no report: the launcher wakes a stopped rank to end it.
HangVerdict hang_verdict(std::span<const HangReport> reports);

// Who waits for whom, a row per report.
std::string hang_table(std::span<const HangReport> reports);

}  // namespace soma::cli
