#include "cli/signals.h"

#include <signal.h>

#include <csignal>
#include <initializer_list>

namespace soma::cli {
namespace {

constexpr int kPreemptedCode = 85;
constexpr int kInterruptedCode = 128 + SIGINT;

volatile std::sig_atomic_t received = 0;

void on_signal(int signal) {
    if (received == SIGINT && signal == SIGINT) {
        std::signal(SIGINT, SIG_DFL);
        raise(SIGINT);
        return;
    }
    received = signal;
}

}  // namespace

void install_signal_handlers() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;  // reads and writes go on; only the flag tells
    sigemptyset(&action.sa_mask);
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaction(signal, &action, nullptr);
}

bool stop_requested() { return received != 0; }

int stop_exit_code() {
    if (received == 0) return 0;
    return received == SIGINT ? kInterruptedCode : kPreemptedCode;
}

}  // namespace soma::cli
