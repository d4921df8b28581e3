// How far to trust a figure of a catalog.
#pragma once

#include <string_view>

namespace meyasu {

/// How sure the figures are, from checked against an exact count down to recalled.
enum class Confidence { low, medium, medium_high, high };

/// "low", "medium", "medium-high"; everything else, such as a field left out, is high.
[[nodiscard]] constexpr Confidence confidence_from(std::string_view text) {
  if (text == "low") return Confidence::low;
  if (text == "medium") return Confidence::medium;
  if (text == "medium-high") return Confidence::medium_high;
  return Confidence::high;
}

/// The name that the page uses.
[[nodiscard]] constexpr std::string_view confidence_name(Confidence confidence) {
  switch (confidence) {
    case Confidence::low:
      return "low";
    case Confidence::medium:
      return "medium";
    case Confidence::medium_high:
      return "medium_high";
    case Confidence::high:
      return "high";
  }
  return "";
}

}  // namespace meyasu
