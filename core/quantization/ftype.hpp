// llama.cpp file types: the named quantization mixes that llama-quantize offers ("Q4_K_M").
// A mix is more than a tensor type: which tensor gets which type is decided in mix.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/quantization/ggml_type.hpp"

namespace meyasu {

/// Values are those of `general.file_type` in GGUF files (include/llama.h, enum llama_ftype).
enum class Ftype : std::uint8_t {
  F32 = 0,
  F16 = 1,
  Q4_0 = 2,
  Q4_1 = 3,
  Q8_0 = 7,
  Q5_0 = 8,
  Q5_1 = 9,
  Q2_K = 10,
  Q3_K_S = 11,
  Q3_K_M = 12,
  Q3_K_L = 13,
  Q4_K_S = 14,
  Q4_K_M = 15,
  Q5_K_S = 16,
  Q5_K_M = 17,
  Q6_K = 18,
  IQ2_XXS = 19,
  IQ2_XS = 20,
  Q2_K_S = 21,
  IQ3_XS = 22,
  IQ3_XXS = 23,
  IQ1_S = 24,
  IQ4_NL = 25,
  IQ3_S = 26,
  IQ3_M = 27,
  IQ2_S = 28,
  IQ2_M = 29,
  IQ4_XS = 30,
  IQ1_M = 31,
  BF16 = 32,
  TQ1_0 = 36,
  TQ2_0 = 37,
  MXFP4_MOE = 38,
  Q1_0 = 40,
  Q2_0 = 41,
};

/// `default_type` is what a tensor gets when no rule of the mix says otherwise.
/// `requires_imatrix`: llama-quantize refuses to make this mix without an importance matrix.
struct FtypeInfo {
  Ftype ftype;
  std::string_view name;  // as llama-quantize spells it
  GgmlType default_type;
  bool requires_imatrix;
};

/// Every mix, from few bits to many.
[[nodiscard]] std::span<const FtypeInfo> all_ftypes();
[[nodiscard]] const FtypeInfo& ftype_info(Ftype ftype);
[[nodiscard]] std::optional<Ftype> ftype_from_id(std::uint32_t file_type);
/// Accepts llama-quantize's names and aliases ("Q4_K_M", "q4_k" = Q4_K_M) and the spelling of
/// load logs ("Q4_K - Medium"); letter case does not matter.
[[nodiscard]] std::optional<Ftype> ftype_from_name(std::string_view name);

}  // namespace meyasu
