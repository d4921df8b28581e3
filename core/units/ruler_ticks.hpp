// Marks of a ruler for an amount of bytes.
#pragma once

#include <vector>

#include "core/units/bytes.hpp"

namespace meyasu {

/// `position` is the part of the whole, 0 to 1.
struct RulerTick {
  Bytes bytes = 0;
  double position = 0;
};

/// Multiples of 1, 2 or 5 x 10^n GiB (below 1 GiB: of 1, 2, 4, 8 ... MiB) from 0 up to `whole`, at
/// most `most` (>= 2) of them. Nothing for a `whole` below 1 MiB.
[[nodiscard]] inline std::vector<RulerTick> ruler_ticks(Bytes whole, int most = 6) {
  std::vector<RulerTick> ticks;
  if (whole < kMiB || most < 2) return ticks;
  Bytes step = kMiB;
  while (step < kGiB && whole / step >= most) step *= 2;
  Bytes decade = kGiB;
  for (int digit = 1; step >= kGiB && whole / step >= most;) {
    digit = digit == 1 ? 2 : digit == 2 ? 5 : 1;
    if (digit == 1) decade *= 10;
    step = decade * digit;
  }
  for (Bytes at = 0; at <= whole; at += step) {
    ticks.push_back({at, static_cast<double>(at) / static_cast<double>(whole)});
  }
  return ticks;
}

}  // namespace meyasu
