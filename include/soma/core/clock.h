#pragma once
// The monotonic clock of everything that waits or measures, and sleeping. One place, because a
// simulator of many nodes replaces both (distributed.md 19).

namespace soma {

// Seconds since some moment before the program began; never runs backwards.
double now_seconds();
void sleep_seconds(double seconds);

}  // namespace soma
