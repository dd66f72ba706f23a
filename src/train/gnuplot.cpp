// From a Plot to its images: the frame of every script, and running gnuplot.

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "soma/core/error.h"
#include "train/plot.h"

extern char** environ;

namespace soma::train {
namespace {

// Colours that people with any colour vision can tell apart (Okabe & Ito 2008), darkest first.
constexpr const char* kStyle =
    "set style line 1 lc rgb '#0072b2' lw 2 pt 7 ps 0.6\n"
    "set style line 2 lc rgb '#d55e00' lw 2 pt 5 ps 0.6\n"
    "set style line 3 lc rgb '#009e73' lw 2 pt 9 ps 0.7\n"
    "set style line 4 lc rgb '#cc79a7' lw 2 pt 11 ps 0.7\n"
    "set style line 5 lc rgb '#e69f00' lw 2 pt 13 ps 0.7\n"
    "set style line 6 lc rgb '#56b4e9' lw 2 pt 4 ps 0.6\n"
    "set style line 7 lc rgb '#000000' lw 2 pt 6 ps 0.6\n"
    "set style increment userstyles\n"
    "set border 3 lc rgb '#555555'\n"
    "set tics nomirror out textcolor rgb '#222222'\n"
    "set grid lc rgb '#e4e4e4' lt 1 lw 1\n";

// Runs gnuplot in `folder` with its messages in `messages`; its wait status, or -errno.
int run_gnuplot(const std::string& folder, const std::string& script, const std::string& messages) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, messages.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                     0644);
    posix_spawn_file_actions_adddup2(&actions, 2, 1);
    std::string program = "gnuplot", argument = script;
    char* arguments[] = {program.data(), argument.data(), nullptr};
    pid_t child = 0;
    const int error = posix_spawnp(&child, program.c_str(), &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return -error;
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return -errno;
    }
    return status;
}

std::string last_line(const std::string& path) {
    std::ifstream in(path);
    std::string line, last;
    while (std::getline(in, line)) {
        if (line.find_first_not_of(" \t^") != std::string::npos) last = line;
    }
    return last;
}

}  // namespace

std::string quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') out += '\'';
        out += c == '\n' || c == '\r' ? ' ' : c;
    }
    return out + "'";
}

std::string number(double value) {
    if (!std::isfinite(value)) return "NaN";
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    return {text, end};
}

std::string script_of(const Plot& plot, const std::string& name) {
    const std::string size = concat(plot.width, ",", plot.height);
    const std::string size2 = concat(2 * plot.width, ",", 2 * plot.height);
    std::string body = plot.body;
    const std::string data_file = quoted(name + ".dat");
    for (auto at = body.find(kDataFile); at != std::string::npos; at = body.find(kDataFile, at)) {
        body.replace(at, std::strlen(kDataFile), data_file);
        at += data_file.size();
    }
    return concat("# gnuplot ", name, ".gp draws ", name, ".png and ", name, ".svg\n",
                  "set terminal pngcairo noenhanced size ", size2,
                  " font 'sans,11' fontscale 2 linewidth 2 pointscale 2 background '#ffffff'\n",
                  "set output ", quoted(name + ".png"), "\n", kStyle, body,
                  "set terminal svg noenhanced standalone size ", size,
                  " font 'sans,12' background '#ffffff'\n", "set output ", quoted(name + ".svg"),
                  "\nreplot\nset output\n");
}

std::string render(const std::string& folder, const std::string& name) {
    namespace fs = std::filesystem;
    const fs::path base = fs::absolute(folder) / name;
    const std::string messages = base.string() + ".err";
    const int status = run_gnuplot(folder, name + ".gp", messages);
    std::string problem;
    if (status == -ENOENT) {
        problem = "gnuplot is not installed";
    } else if (status < 0) {
        problem = concat("gnuplot could not be started: ", std::strerror(-status));
    } else if (status != 0 || !fs::exists(base.string() + ".png") ||
               !fs::exists(base.string() + ".svg")) {
        problem = "gnuplot failed: " + last_line(messages);
    }
    std::error_code ignored;
    fs::remove(messages, ignored);
    return problem;
}

}  // namespace soma::train
