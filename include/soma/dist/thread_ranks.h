#pragma once
// Ranks as threads of this process: for tests, sanitizers and fault injection, without a launcher.

#include <functional>

#include "soma/dist/comm.h"

namespace soma::dist {

// Runs body(comm) on `ranks` threads, each with its own Comm, and joins them. When a rank throws,
// the waits of the others end with an error that quotes it, and the first error is rethrown here.
void run_thread_ranks(int ranks, const std::function<void(Comm&)>& body);

}  // namespace soma::dist
