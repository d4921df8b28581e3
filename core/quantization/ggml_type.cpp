#include "core/quantization/ggml_type.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/units/text.hpp"

namespace meyasu {
namespace {

struct TypeRow {
  GgmlType type;
  std::string_view name;
  BlockLayout layout;
};

// Source: ggml/src/ggml.c (type_traits) and ggml-common.h of llama.cpp v0.5.0.
constexpr std::array kTypes = {
    TypeRow{GgmlType::F32, "f32", {1, 4}},
    TypeRow{GgmlType::F16, "f16", {1, 2}},
    TypeRow{GgmlType::BF16, "bf16", {1, 2}},
    TypeRow{GgmlType::F64, "f64", {1, 8}},
    TypeRow{GgmlType::I8, "i8", {1, 1}},
    TypeRow{GgmlType::I16, "i16", {1, 2}},
    TypeRow{GgmlType::I32, "i32", {1, 4}},
    TypeRow{GgmlType::I64, "i64", {1, 8}},
    TypeRow{GgmlType::Q4_0, "q4_0", {32, 18}},
    TypeRow{GgmlType::Q4_1, "q4_1", {32, 20}},
    TypeRow{GgmlType::Q5_0, "q5_0", {32, 22}},
    TypeRow{GgmlType::Q5_1, "q5_1", {32, 24}},
    TypeRow{GgmlType::Q8_0, "q8_0", {32, 34}},
    TypeRow{GgmlType::Q8_1, "q8_1", {32, 36}},
    TypeRow{GgmlType::Q2_K, "q2_K", {256, 84}},
    TypeRow{GgmlType::Q3_K, "q3_K", {256, 110}},
    TypeRow{GgmlType::Q4_K, "q4_K", {256, 144}},
    TypeRow{GgmlType::Q5_K, "q5_K", {256, 176}},
    TypeRow{GgmlType::Q6_K, "q6_K", {256, 210}},
    TypeRow{GgmlType::Q8_K, "q8_K", {256, 292}},
    TypeRow{GgmlType::IQ1_S, "iq1_s", {256, 50}},
    TypeRow{GgmlType::IQ1_M, "iq1_m", {256, 56}},
    TypeRow{GgmlType::IQ2_XXS, "iq2_xxs", {256, 66}},
    TypeRow{GgmlType::IQ2_XS, "iq2_xs", {256, 74}},
    TypeRow{GgmlType::IQ2_S, "iq2_s", {256, 82}},
    TypeRow{GgmlType::IQ3_XXS, "iq3_xxs", {256, 98}},
    TypeRow{GgmlType::IQ3_S, "iq3_s", {256, 110}},
    TypeRow{GgmlType::IQ4_XS, "iq4_xs", {256, 136}},
    TypeRow{GgmlType::IQ4_NL, "iq4_nl", {32, 18}},
    TypeRow{GgmlType::TQ1_0, "tq1_0", {256, 54}},
    TypeRow{GgmlType::TQ2_0, "tq2_0", {256, 66}},
    TypeRow{GgmlType::MXFP4, "mxfp4", {32, 17}},
    TypeRow{GgmlType::NVFP4, "nvfp4", {64, 36}},
    TypeRow{GgmlType::Q1_0, "q1_0", {128, 18}},
    TypeRow{GgmlType::Q2_0, "q2_0", {64, 18}},
};

// Rows by id, so that a sweep over all formats does not search; 0 (F32) for ids without a type.
constexpr std::size_t kIds = [] {
  std::size_t last = 0;
  for (const TypeRow& row : kTypes) last = std::max(last, static_cast<std::size_t>(row.type));
  return last + 1;
}();
constexpr std::array<std::uint8_t, kIds> kRowOfId = [] {
  std::array<std::uint8_t, kIds> rows{};
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    rows[static_cast<std::size_t>(kTypes[i].type)] = static_cast<std::uint8_t>(i);
  }
  return rows;
}();

const TypeRow& row_of(GgmlType type) {
  return kTypes[kRowOfId[static_cast<std::size_t>(type)]];
}

}  // namespace

std::optional<GgmlType> ggml_type_from_id(std::uint32_t id) {
  for (const TypeRow& row : kTypes) {
    if (static_cast<std::uint32_t>(row.type) == id) return row.type;
  }
  return std::nullopt;
}

std::optional<GgmlType> ggml_type_from_name(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (same_ignoring_case(row.name, name)) return row.type;
  }
  return std::nullopt;
}

std::string_view ggml_type_name(GgmlType type) {
  return row_of(type).name;
}

BlockLayout block_layout(GgmlType type) {
  return row_of(type).layout;
}

bool is_quantized(GgmlType type) {
  return block_layout(type).block > 1;
}

Bytes row_bytes(GgmlType type, std::int64_t elements) {
  const BlockLayout layout = block_layout(type);
  return elements / layout.block * layout.bytes;
}

}  // namespace meyasu
