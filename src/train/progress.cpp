#include "soma/train/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

#include "soma/core/cpu.h"

namespace soma::train {
namespace {

constexpr int kBarWidth = 24;
constexpr double kRedrawSeconds = 0.1;
constexpr const char* kEraseLine = "\r\x1b[K";

bool stderr_is_terminal() { return isatty(STDERR_FILENO) != 0 && environment("TERM") != "dumb"; }

std::string percent_text(double fraction) {
    char text[16];
    std::snprintf(text, sizeof text, "%3d %%", static_cast<int>(fraction * 100));
    return text;
}

std::string bar_text(double fraction, bool color) {
    const int full = static_cast<int>(fraction * kBarWidth);
    const std::string done(static_cast<std::size_t>(full), '#');
    const std::string rest(static_cast<std::size_t>(kBarWidth - full), '.');
    return color ? "\x1b[32m" + done + "\x1b[0m" + rest : done + rest;
}

}  // namespace

ProgressStyle terminal_style() {
    return stderr_is_terminal() ? ProgressStyle::bar : ProgressStyle::lines;
}

bool terminal_color() { return stderr_is_terminal() && environment("NO_COLOR").empty(); }

std::string duration_text(double seconds) {
    const auto whole = static_cast<long>(std::llround(std::max(seconds, 0.0)));
    char text[48];
    if (whole < 60) {
        std::snprintf(text, sizeof text, "%ld s", whole);
    } else if (whole < 3600) {
        std::snprintf(text, sizeof text, "%ld min %02ld s", whole / 60, whole % 60);
    } else {
        std::snprintf(text, sizeof text, "%ld h %02ld min", whole / 3600, whole / 60 % 60);
    }
    return text;
}

Progress::Progress(std::ostream& out, ProgressStyle style, bool color)
    : out_(out), style_(style), color_(color) {}

Progress::Progress() : Progress(std::cerr, terminal_style(), terminal_color()) {}

Progress::~Progress() { clear(); }

void Progress::update(const std::string& what, double done, double total, const std::string& note) {
    if (style_ == ProgressStyle::quiet || !(total > 0)) return;
    if (what != what_ || done < done_) {
        clear();
        what_ = what;
        first_done_ = done;
        last_tenth_ = static_cast<int>(std::floor(10 * done / total));
        last_drawn_ = -1;
        clock_.restart();
    }
    done_ = done;
    const double fraction = std::clamp(done / total, 0.0, 1.0);
    const double now = clock_.seconds();
    const int tenth = static_cast<int>(std::floor(10 * fraction));
    const bool due = style_ == ProgressStyle::bar
                         ? last_drawn_ < 0 || now - last_drawn_ >= kRedrawSeconds || done >= total
                         : tenth > last_tenth_;
    if (!due) return;
    last_tenth_ = tenth;
    last_drawn_ = now;

    std::string text = what;
    if (style_ == ProgressStyle::bar) text += "  " + bar_text(fraction, color_);
    text += "  " + percent_text(fraction);
    if (!note.empty()) text += "  " + note;
    const double since = done - first_done_;
    if (done >= total) {
        text += "  " + duration_text(now);
    } else if (since > 0) {
        text += "  " + duration_text(now * (total - done) / since) + " left";
    }
    draw(text);
}

void Progress::draw(const std::string& text) {
    if (style_ == ProgressStyle::bar) {
        out_ << kEraseLine << text << std::flush;
        drawn_ = true;
    } else {
        out_ << text << std::endl;
    }
}

void Progress::clear() {
    if (!drawn_) return;
    out_ << kEraseLine << std::flush;
    drawn_ = false;
    last_drawn_ = -1;
}

}  // namespace soma::train
