// ggml tensor types: identifiers as stored in GGUF files, block sizes in elements and bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/units/bytes.hpp"

namespace meyasu {

/// Values are the ids in GGUF files (ggml/include/ggml.h, enum ggml_type).
enum class GgmlType : std::uint8_t {
  F32 = 0,
  F16 = 1,
  Q4_0 = 2,
  Q4_1 = 3,
  Q5_0 = 6,
  Q5_1 = 7,
  Q8_0 = 8,
  Q8_1 = 9,
  Q2_K = 10,
  Q3_K = 11,
  Q4_K = 12,
  Q5_K = 13,
  Q6_K = 14,
  Q8_K = 15,
  IQ2_XXS = 16,
  IQ2_XS = 17,
  IQ3_XXS = 18,
  IQ1_S = 19,
  IQ4_NL = 20,
  IQ3_S = 21,
  IQ2_S = 22,
  IQ4_XS = 23,
  I8 = 24,
  I16 = 25,
  I32 = 26,
  I64 = 27,
  F64 = 28,
  IQ1_M = 29,
  BF16 = 30,
  TQ1_0 = 34,
  TQ2_0 = 35,
  MXFP4 = 39,
  NVFP4 = 40,
  Q1_0 = 41,
  Q2_0 = 42,
};

/// `block` elements of one row are stored together in `bytes` bytes.
struct BlockLayout {
  int block = 1;
  int bytes = 0;
};

/// The type with this GGUF id; nothing for unknown and retired ids (4, 5, 31-33, 36-38).
[[nodiscard]] std::optional<GgmlType> ggml_type_from_id(std::uint32_t id);
/// The type with this name as llama.cpp prints it ("q4_K", "f16"); letter case does not matter.
[[nodiscard]] std::optional<GgmlType> ggml_type_from_name(std::string_view name);
[[nodiscard]] std::string_view ggml_type_name(GgmlType type);
[[nodiscard]] BlockLayout block_layout(GgmlType type);
/// Whether values share a scale in blocks: not F32, F16, BF16 and the integers.
[[nodiscard]] bool is_quantized(GgmlType type);
/// Bytes of one row of `elements` elements; `elements` must be a multiple of the block.
[[nodiscard]] Bytes row_bytes(GgmlType type, std::int64_t elements);

}  // namespace meyasu
