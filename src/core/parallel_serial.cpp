// parallel.h without OpenMP: everything runs on the calling thread.

#include "soma/core/error.h"
#include "soma/core/parallel.h"

namespace soma {

int num_threads() { return 1; }
void set_num_threads(int n) { SOMA_CHECK(n >= 1, "set_num_threads: n is ", n, "; need n >= 1"); }
bool in_parallel() { return false; }

SerialScope::SerialScope() = default;
SerialScope::~SerialScope() = default;

namespace detail {
void parallel_for(Index n, Index, RangeFunction f, void* context) { f(context, 0, n); }
}  // namespace detail

}  // namespace soma
