// What single parts of a model's name look like, before anything is decided about the whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/quick/quant_labels.hpp"

namespace meyasu {

enum class FindingKind {
  size,       // 7B, 1.5B, 1_6b, 7b1, 1T: `amount` in billions
  millions,   // 135M or 1M: a size or a context, `amount` in millions
  times,      // 8x7B: `count` = 8, `amount` = 7
  active,     // A3B, A400M: `amount` in billions
  effective,  // E4B
  experts,    // 16E, right after a size: `count`
  context,    // 4k: `count` tokens
  quant,      // Q4_K_M, FP8, 4bit: `label`, `text` with its prefix (UD-, i1-)
  method,     // GPTQ, AWQ, EXL2: `text`, `label.nominal_bits` = the usual bits
  bits,       // 4.65bpw: `amount`
  group,      // 128g: `count`
  shard,      // 00001-of-00002: `count` of `total`
  variant,    // instruct
  not_model,  // mmproj
};

/// Why a size is doubtful. `joined`: its number may belong to the word or version before it.
enum class SizeDoubt { none, underscore, joined };

struct Finding {
  FindingKind kind = FindingKind::size;
  std::size_t begin = 0;  // offsets in the name
  std::size_t end = 0;
  double amount = 0;
  std::int64_t count = 0;
  std::int64_t total = 0;
  char unit = 0;  // of a size: 'b' or 't'
  SizeDoubt doubt = SizeDoubt::none;
  QuantLabel label;
  std::string text;
};

/// All findings in the order of the name. Figures that are known to count something else (training
/// tokens: "100B-tokens"; steps: "step-50K") are left out.
[[nodiscard]] std::vector<Finding> find_in_name(std::string_view name);

}  // namespace meyasu
