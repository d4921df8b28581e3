// Byte counts and the two families of units that must never be mixed: GiB = 2^30, GB = 10^9.
#pragma once

#include <cmath>
#include <cstdint>

namespace meyasu {

/// An exact number of bytes. Signed, so that margins (usable - needed) can be negative.
using Bytes = std::int64_t;

inline constexpr Bytes kKiB = Bytes{1} << 10;
inline constexpr Bytes kMiB = Bytes{1} << 20;
inline constexpr Bytes kGiB = Bytes{1} << 30;
inline constexpr Bytes kGB = 1'000'000'000;

[[nodiscard]] constexpr double to_gib(Bytes bytes) {
  return static_cast<double>(bytes) / static_cast<double>(kGiB);
}
[[nodiscard]] constexpr double to_gb(Bytes bytes) {
  return static_cast<double>(bytes) / static_cast<double>(kGB);
}

/// The nearest whole number of bytes.
[[nodiscard]] inline Bytes to_bytes(double bytes) {
  return static_cast<Bytes>(std::llround(bytes));
}

/// value / parts, rounded up; for value >= 0 and parts > 0.
template <class Integer>
[[nodiscard]] constexpr Integer divide_up(Integer value, Integer parts) {
  return (value + parts - 1) / parts;
}

/// Smallest multiple of `step` (> 0) that is >= `value` (>= 0).
template <class Integer>
[[nodiscard]] constexpr Integer round_up(Integer value, Integer step) {
  return (value + step - 1) / step * step;
}

}  // namespace meyasu
