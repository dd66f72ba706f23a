#pragma once
// Stopping on request. The first SIGINT, SIGTERM or SIGUSR1 sets a flag that long work polls, so
// that it can save its state; a second SIGINT ends the process at once.

namespace soma::cli {

void install_signal_handlers();
bool stop_requested();
// 130 after SIGINT; 85 (preempted and saved: requeue) after SIGTERM or SIGUSR1; 0 otherwise.
int stop_exit_code();

}  // namespace soma::cli
