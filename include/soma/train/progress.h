#pragma once
// Progress: how far a long job is and how long it will take.
//
// On a terminal one line that redraws itself, at most ten times a second:
//     lecun1989 epoch 3/23  ############........   61 %  loss 0.012  12 s left
// elsewhere (a file, a pipe, a batch system) one plain line for each 10 %; quiet: nothing.

#include <ostream>
#include <string>

#include "soma/core/timer.h"

namespace soma::train {

enum class ProgressStyle { quiet, lines, bar };

// What standard error can show: `bar` on a terminal that is not "dumb", else `lines`.
ProgressStyle terminal_style();
// Whether standard error may be coloured: a terminal, and NO_COLOR unset or empty (no-color.org).
bool terminal_color();

class Progress {
public:
    // `out` is borrowed and must outlive the object.
    Progress(std::ostream& out, ProgressStyle style, bool color = false);
    // To standard error, in the style it can show.
    Progress();
    ~Progress();  // removes an unfinished bar
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    // `done` of `total` units of `what`. A new `what`, or a smaller `done`, starts a new job and
    // its clock: after a resume the time left is estimated from the units done since then. `note`
    // stands behind the percentage. total <= 0 is ignored.
    void update(const std::string& what, double done, double total, const std::string& note = "");
    // Removes the bar, so that a line can be printed; the next update draws it again.
    void clear();

private:
    void draw(const std::string& text);

    std::ostream& out_;
    ProgressStyle style_;
    bool color_;
    std::string what_;
    double done_ = 0, first_done_ = 0;
    int last_tenth_ = -1;
    double last_drawn_ = -1;
    bool drawn_ = false;
    Timer clock_;
};

// "7 s", "3 min 20 s", "2 h 05 min".
std::string duration_text(double seconds);

}  // namespace soma::train
