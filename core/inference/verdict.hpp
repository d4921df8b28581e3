// Does an amount fit a device? The verdicts of the page: shape, word and colour come from these.
#pragma once

#include <string_view>

#include "core/units/bytes.hpp"

namespace meyasu {

enum class Verdict {
  fits,   // even the upper end of the range, and 5 % of the device stay free
  tight,  // the likely amount
  over,   // not even the likely amount
};

[[nodiscard]] std::string_view verdict_name(Verdict verdict);

/// An amount with its range against what a device can give. Compares bytes, never rounded text.
struct Fit {
  Bytes usable = 0;
  Bytes low = 0;
  Bytes likely = 0;
  Bytes high = 0;

  /// Negative when it does not fit.
  [[nodiscard]] Bytes margin() const { return usable - likely; }
  [[nodiscard]] Verdict verdict() const;
};

/// The least favourable of two.
[[nodiscard]] constexpr Verdict worse(Verdict a, Verdict b) {
  return a > b ? a : b;
}

}  // namespace meyasu
