#include "cli/launcher.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

#include "cli/signals.h"
#include "soma/core/error.h"

namespace soma::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kPoll{50};
constexpr seconds kEndsByItself{3};    // after a rank has reported its failure
constexpr seconds kEndsOnRequest{10};  // after SIGTERM
constexpr seconds kReaping{10};
constexpr std::size_t kReportBytes = 1 << 16;
constexpr int kNotStarted = 127;
constexpr const char* kRankReport = "soma: [rank ";  // how a rank begins that ends all (ranks.cpp)

int exit_code(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Children of this process, orphans that it adopted included.
std::vector<pid_t> children() {
    std::vector<pid_t> found;
    DIR* folder = ::opendir("/proc");
    if (folder == nullptr) return found;
    while (const dirent* entry = ::readdir(folder)) {
        const int pid = std::atoi(entry->d_name);  // 0: no process
        std::ifstream in(concat("/proc/", pid, "/stat"));
        std::string text;
        if (pid == 0 || !std::getline(in, text)) continue;
        // "PID (name) state PPID ...", where the name may hold anything.
        const std::size_t behind_name = text.rfind(") ");
        if (behind_name == std::string::npos) continue;
        if (std::atoi(text.c_str() + behind_name + 4) == ::getpid()) found.push_back(pid);
    }
    ::closedir(folder);
    return found;
}

// The child's part: never returns, and calls nothing that is unsafe after fork.
[[noreturn]] void become_launcher(char* const* words, int error_pipe) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int nothing = ::open("/dev/null", O_RDONLY);
    if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
    ::dup2(error_pipe, STDERR_FILENO);
    ::execvp(words[0], words);
    const char* cause = ::strerror(errno);
    for (const char* part :
         {"soma: cannot start ", static_cast<const char*>(words[0]), ": ", cause, "\n"}) {
        if (::write(STDERR_FILENO, part, std::strlen(part)) < 0) break;
    }
    ::_exit(kNotStarted);
}

class Launcher {
public:
    explicit Launcher(const std::vector<std::string>& words) {
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            fail(ErrorCode::internal, "pipe: ", std::strerror(errno));
        }
        std::vector<char*> argv;
        argv.reserve(words.size() + 1);
        for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
        argv.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) become_launcher(argv.data(), ends[1]);
        ::setpgid(pid_, pid_);  // here and in the child: whoever comes first
        ::close(ends[1]);
        errors_ = ends[0];
        if (pid_ < 0) fail(ErrorCode::internal, "fork: ", std::strerror(errno));
        ::fcntl(errors_, F_SETFL, O_NONBLOCK);
    }
    ~Launcher() {
        if (errors_ >= 0) ::close(errors_);
    }
    Launcher(const Launcher&) = delete;
    Launcher& operator=(const Launcher&) = delete;

    LauncherResult run() {
        int status = 0;
        while (::waitpid(pid_, &status, WNOHANG) == 0) {
            pass_errors_on();
            pass_stop_on();
            end_what_hangs();
        }
        result_.code = exit_code(status);
        kill_what_is_left();
        pass_errors_on();
        return result_;
    }

private:
    // Waits a moment for text of the launcher and hands it on.
    void pass_errors_on() {
        pollfd ready{.fd = errors_, .events = POLLIN, .revents = 0};
        ::poll(&ready, 1, static_cast<int>(kPoll.count()));
        std::array<char, 4096> text;
        for (ssize_t n = 0; (n = ::read(errors_, text.data(), text.size())) > 0;) {
            if (::write(STDERR_FILENO, text.data(), static_cast<std::size_t>(n)) < 0) {
                // Nobody reads standard error; the report is kept all the same.
            }
            result_.report.append(text.data(), static_cast<std::size_t>(n));
        }
        const std::string& report = result_.report;
        if (!reported_ && report.find(kRankReport) != std::string::npos) {
            reported_ = true;
            next_kill_ = Clock::now() + kEndsByItself;
        }
        if (report.size() > 2 * kReportBytes) {
            result_.report.erase(0, report.size() - kReportBytes);
        }
        if ((ready.revents & POLLHUP) != 0) std::this_thread::sleep_for(kPoll);
    }

    void pass_stop_on() {
        if (stop_passed_on_ || !stop_requested()) return;
        stop_passed_on_ = true;
        ::kill(pid_, SIGUSR1);
    }

    void end_what_hangs() {
        if (!reported_ || Clock::now() < next_kill_) return;
        ::kill(-pid_, result_.killed ? SIGKILL : SIGTERM);
        result_.killed = true;
        next_kill_ = Clock::now() + kEndsOnRequest;
    }

    // A killed process hands its own children to us, hence the repetition.
    static void kill_what_is_left() {
        const auto give_up = Clock::now() + kReaping;
        while (Clock::now() < give_up) {
            for (const pid_t child : children()) ::kill(child, SIGKILL);
            if (::waitpid(-1, nullptr, WNOHANG) < 0) return;  // no child left
            std::this_thread::sleep_for(milliseconds(1));
        }
    }

    pid_t pid_ = -1;
    int errors_ = -1;  // what the launcher writes to its standard error
    LauncherResult result_;
    bool reported_ = false, stop_passed_on_ = false;
    Clock::time_point next_kill_;
};

}  // namespace

LauncherResult run_launcher(const std::vector<std::string>& words) { return Launcher(words).run(); }

}  // namespace soma::cli
