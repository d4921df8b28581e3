#include "core/quick/precision.hpp"

#include "core/quick/text.hpp"

namespace meyasu {

std::string_view precision_name(Precision precision) {
  switch (precision) {
    case Precision::FP32:
      return "FP32";
    case Precision::FP16:
      return "FP16";
    case Precision::BF16:
      return "BF16";
    case Precision::INT8:
      return "INT8";
    case Precision::INT4:
      return "INT4";
  }
  return "";
}

std::optional<Precision> precision_from_name(std::string_view name) {
  const std::string wanted = ascii_lower(name);
  for (const Precision precision : kPrecisions) {
    if (ascii_lower(precision_name(precision)) == wanted) return precision;
  }
  return std::nullopt;
}

}  // namespace meyasu
