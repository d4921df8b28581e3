#include "core/quick/quant_labels.hpp"

#include <array>
#include <cstddef>

#include "core/quick/text.hpp"

namespace meyasu {
namespace {

// llama.cpp mixes: bits of the whole Llama-3.1-8B file, tools/quantize/README.md. Where that table
// has no row: the block layout of the single type (Q4_0: 18 bytes for 32 weights).
// Vendor formats: MXFP4 and NVFP4 with their scales (32 weights share 8 bits, 16 share 8 bits);
// MLC q4f16_1: 32 weights share an fp16 scale.
constexpr std::array kLabels{
    // The form's precisions in all their spellings.
    QuantLabel{"FP32", 32, 32, true},
    QuantLabel{"F32", 32, 32, true},
    QuantLabel{"Float32", 32, 32, true},
    QuantLabel{"FP16", 16, 16, true},
    QuantLabel{"F16", 16, 16, true},
    QuantLabel{"Float16", 16, 16, true},
    QuantLabel{"16bit", 16, 16, true},
    QuantLabel{"BF16", 16, 16, true, true},
    QuantLabel{"BFloat16", 16, 16, true, true},
    QuantLabel{"INT8", 8, 8, true},
    QuantLabel{"UINT8", 8, 8, true},
    QuantLabel{"8bit", 8, 8, true},
    QuantLabel{"8bits", 8, 8, true},
    QuantLabel{"Q8", 0, 8, true},
    QuantLabel{"INT4", 4, 4, true},
    QuantLabel{"UINT4", 4, 4, true},
    QuantLabel{"4bit", 4, 4, true},
    QuantLabel{"4bits", 4, 4, true},
    QuantLabel{"Q4", 0, 4, true},
    // Weights and activations: W4A16 stores 4 bits.
    QuantLabel{"W8A8", 8, 8, true},
    QuantLabel{"W8A16", 8, 8, true},
    QuantLabel{"W4A16", 4, 4, true},
    QuantLabel{"W4A8", 4, 4, true},
    QuantLabel{"W4A4", 4, 4, true},
    QuantLabel{"W4AFP8", 4, 4},
    // Near a precision of the form.
    QuantLabel{"FP8", 8, 8},
    QuantLabel{"F8", 8, 8},
    QuantLabel{"Float8", 8, 8},
    QuantLabel{"E4M3", 8, 8},
    QuantLabel{"E5M2", 8, 8},
    QuantLabel{"FP8_E4M3", 8, 8},
    QuantLabel{"FP8_E4M3FN", 8, 8},
    QuantLabel{"FP8_E5M2", 8, 8},
    QuantLabel{"MXFP8", 8.25, 8},
    QuantLabel{"FP6", 6, 6},
    QuantLabel{"MXFP6", 6.25, 6},
    QuantLabel{"FP4", 4, 4},
    QuantLabel{"NF4", 4, 4},
    QuantLabel{"MXFP4", 4.25, 4},
    QuantLabel{"MXFP4_MOE", 0, 4},
    QuantLabel{"NVFP4", 4.5, 4},
    QuantLabel{"INT2", 2, 2},
    QuantLabel{"INT3", 3, 3},
    QuantLabel{"INT5", 5, 5},
    QuantLabel{"INT6", 6, 6},
    QuantLabel{"1bit", 1, 1},
    QuantLabel{"2bit", 2, 2},
    QuantLabel{"3bit", 3, 3},
    QuantLabel{"5bit", 5, 5},
    QuantLabel{"6bit", 6, 6},
    QuantLabel{"2bits", 2, 2},
    QuantLabel{"3bits", 3, 3},
    QuantLabel{"5bits", 5, 5},
    QuantLabel{"6bits", 6, 6},
    QuantLabel{"1.58bit", 1.58, 2},
    QuantLabel{"b1.58", 1.58, 2},
    // MLC.
    QuantLabel{"q0f16", 16, 16},
    QuantLabel{"q0f32", 32, 32},
    QuantLabel{"q0bf16", 16, 16, false, true},
    QuantLabel{"q3f16_1", 0, 3},
    QuantLabel{"q4f16", 4.5, 4},
    QuantLabel{"q4f16_0", 4.5, 4},
    QuantLabel{"q4f16_1", 4.5, 4},
    QuantLabel{"q4bf16_1", 4.5, 4},
    QuantLabel{"q4f32_1", 5, 4},
    // llama.cpp.
    QuantLabel{"Q2", 0, 2},
    QuantLabel{"Q3", 0, 3},
    QuantLabel{"Q5", 0, 5},
    QuantLabel{"Q6", 0, 6},
    QuantLabel{"Q1_0", 0, 1},
    QuantLabel{"Q2_0", 0, 2},
    QuantLabel{"Q4_0", 4.5, 4},
    QuantLabel{"Q4_1", 5, 4},
    QuantLabel{"Q5_0", 5.5, 5},
    QuantLabel{"Q5_1", 6, 5},
    QuantLabel{"Q8_0", 8.5008, 8},
    QuantLabel{"Q4_0_4_4", 4.5, 4},
    QuantLabel{"Q4_0_4_8", 4.5, 4},
    QuantLabel{"Q4_0_8_8", 4.5, 4},
    QuantLabel{"Q2_K", 3.1593, 2},
    QuantLabel{"Q2_K_S", 2.9697, 2},
    QuantLabel{"Q2_K_L", 0, 2},
    QuantLabel{"Q2_K_XL", 0, 2},
    QuantLabel{"Q3_K", 0, 3},
    QuantLabel{"Q3_K_XS", 0, 3},
    QuantLabel{"Q3_K_S", 3.6429, 3},
    QuantLabel{"Q3_K_M", 3.996, 3},
    QuantLabel{"Q3_K_L", 4.2979, 3},
    QuantLabel{"Q3_K_XL", 0, 3},
    QuantLabel{"Q4_K", 0, 4},
    QuantLabel{"Q4_K_S", 4.6672, 4},
    QuantLabel{"Q4_K_M", 4.8944, 4},
    QuantLabel{"Q4_K_L", 0, 4},
    QuantLabel{"Q4_K_XL", 0, 4},
    QuantLabel{"Q5_K", 0, 5},
    QuantLabel{"Q5_K_S", 5.5704, 5},
    QuantLabel{"Q5_K_M", 5.7036, 5},
    QuantLabel{"Q5_K_L", 0, 5},
    QuantLabel{"Q5_K_XL", 0, 5},
    QuantLabel{"Q6_K", 6.5633, 6},
    QuantLabel{"Q6_K_L", 0, 6},
    QuantLabel{"Q6_K_XL", 0, 6},
    QuantLabel{"Q8_K", 0, 8},
    QuantLabel{"Q8_K_XL", 0, 8},
    QuantLabel{"IQ1_S", 2.0042, 1},
    QuantLabel{"IQ1_M", 2.146, 1},
    QuantLabel{"IQ2_XXS", 2.3824, 2},
    QuantLabel{"IQ2_XS", 2.5882, 2},
    QuantLabel{"IQ2_S", 2.7403, 2},
    QuantLabel{"IQ2_M", 2.9294, 2},
    QuantLabel{"IQ3_XXS", 3.2548, 3},
    QuantLabel{"IQ3_XS", 3.4977, 3},
    QuantLabel{"IQ3_S", 3.6606, 3},
    QuantLabel{"IQ3_M", 3.7628, 3},
    QuantLabel{"IQ4_XS", 4.4597, 4},
    QuantLabel{"IQ4_NL", 4.6818, 4},
    QuantLabel{"TQ1_0", 0, 1},
    QuantLabel{"TQ2_0", 0, 2},
};

constexpr std::array kMethods{
    QuantMethod{"GPTQ", "gptq", 4}, QuantMethod{"AWQ", "awq", 4},   QuantMethod{"bnb", "bnb", 0},
    QuantMethod{"EXL2", "exl2", 0}, QuantMethod{"EXL3", "exl3", 0}, QuantMethod{"HQQ", "hqq", 0},
    QuantMethod{"AQLM", "aqlm", 0}, QuantMethod{"EETQ", "eetq", 8}, QuantMethod{"QuIP", "quip", 0},
    QuantMethod{"SPQR", "spqr", 0}, QuantMethod{"VPTQ", "vptq", 0},
};

constexpr char kSeparator = '_';

/// Whether `label` is `key` but for letter case and separators. The key may lack the label's
/// separators ("q4km"); its own must stand where the label has one, or between a letter and a digit
/// ("int_8", "8_bit"): "2b_it" of an instruction-tuned 2B model is not "2bit".
bool has_key(std::string_view label, std::string_view key) {
  std::size_t at = 0;
  char previous = 0;
  for (const char c : label) {
    const bool label_separates = c == '_' || c == '.';
    if (at < key.size() && key[at] == kSeparator) {
      if (!label_separates && is_ascii_digit(previous) == is_ascii_digit(c)) return false;
      ++at;
    }
    if (label_separates) continue;
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (at == key.size() || key[at] != lower) return false;
    ++at;
    previous = c;
  }
  return at == key.size();
}

}  // namespace

std::optional<QuantLabel> quant_label_from_key(std::string_view key) {
  for (const QuantLabel& label : kLabels) {
    if (has_key(label.label, key)) return label;
  }
  return std::nullopt;
}

std::optional<QuantMethod> quant_method_from_key(std::string_view key) {
  for (const QuantMethod& method : kMethods) {
    if (method.key == key) return method;
  }
  return std::nullopt;
}

Precision nearest_precision(double bits) {
  if (bits < 6) return Precision::INT4;
  if (bits < 12) return Precision::INT8;
  return bits < 24 ? Precision::FP16 : Precision::FP32;
}

}  // namespace meyasu
