#pragma once
// The two integer conventions of soma: sizes are signed 64-bit, integer data is 32-bit.

#include <cstddef>
#include <cstdint>

namespace soma {

// Every size, stride and loop counter. Signed, so that differences and reverse loops are safe.
using Index = std::int64_t;

// Element type of a tensor.
enum class DType : std::uint8_t { f32, f64 };

constexpr Index size_of(DType t) { return t == DType::f32 ? 4 : 8; }
constexpr const char* name_of(DType t) { return t == DType::f32 ? "f32" : "f64"; }

template <class T>
inline constexpr DType kDType = sizeof(T) == 4 ? DType::f32 : DType::f64;

constexpr Index ceil_div(Index a, Index b) { return (a + b - 1) / b; }
constexpr Index round_up(Index a, Index b) { return ceil_div(a, b) * b; }

}  // namespace soma
