// The five precisions of the quick form.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace meyasu {

enum class Precision { FP32, FP16, BF16, INT8, INT4 };

inline constexpr std::array kPrecisions{Precision::FP32, Precision::FP16, Precision::BF16,
                                        Precision::INT8, Precision::INT4};

/// Bits per parameter: 32, 16, 16, 8, 4.
[[nodiscard]] constexpr int bits_of(Precision precision) {
  switch (precision) {
    case Precision::FP32:
      return 32;
    case Precision::FP16:
    case Precision::BF16:
      return 16;
    case Precision::INT8:
      return 8;
    case Precision::INT4:
      return 4;
  }
  return 0;
}

/// Bytes per parameter as the original form counts them: 4, 2, 2, 1, 0.5.
[[nodiscard]] constexpr double bytes_per_parameter(Precision precision) {
  return bits_of(precision) / 8.0;
}

/// "FP32", "FP16", "BF16", "INT8", "INT4".
[[nodiscard]] std::string_view precision_name(Precision precision);
/// The precision with this name; letter case does not matter.
[[nodiscard]] std::optional<Precision> precision_from_name(std::string_view name);

}  // namespace meyasu
