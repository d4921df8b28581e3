// Byte counts and the two families of units that must never be mixed: GiB = 2^30, GB = 10^9.
#pragma once

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

/// Smallest multiple of `step` (> 0) that is >= `value` (>= 0).
template <class Integer>
[[nodiscard]] constexpr Integer round_up(Integer value, Integer step) {
  return (value + step - 1) / step * step;
}

}  // namespace meyasu
