#pragma once
// The version of soma, and of the numbers it computes.

namespace soma {

inline constexpr const char* kVersion = "0.1.0";

// Raised whenever a canonical order of summation, a polynomial or a random mapping changes: two
// runs can give the same bits only when they agree on it. Part of the fingerprint and of
// checkpoints.
inline constexpr int kNumericsVersion = 2;

}  // namespace soma
