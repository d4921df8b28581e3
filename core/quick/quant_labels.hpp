// The quantization labels that appear in names of models, and what they mean for the form.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "core/quick/precision.hpp"

namespace meyasu {

struct QuantLabel {
  std::string_view label;       // as usually written: "Q4_K_M"
  double bits = 0;              // bits per weight; 0: the label does not determine it
  int nominal_bits = 0;         // the number in the label: 4
  bool form_precision = false;  // a precision of the form under another spelling (F16, Q8, 4bit)
  bool bf16 = false;
};

/// The label that `key` spells: lower-case tokens joined by '_' ("q4_k_m", "q4km", "int_8").
[[nodiscard]] std::optional<QuantLabel> quant_label_from_key(std::string_view key);
/// Tokens of the longest label: Q4_0_4_4.
inline constexpr std::size_t kMaxQuantTokens = 4;

/// A quantization method that names no bits itself: "GPTQ", "AWQ", "bnb", "EXL2".
struct QuantMethod {
  std::string_view label;
  std::string_view key;
  int usual_bits = 0;  // 0: no custom
};
[[nodiscard]] std::optional<QuantMethod> quant_method_from_key(std::string_view key);

/// The form's precision with the nearest bits; a tie goes to the larger, which does not promise
/// too little memory.
[[nodiscard]] Precision nearest_precision(double bits);

}  // namespace meyasu
