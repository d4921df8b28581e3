// What is loaded beside the model, as the page asks for it: a draft model of the catalog, a vision
// tower of some size, adapters of some rank.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/catalog/catalog.hpp"
#include "core/inference/llama_cpp/parts.hpp"
#include "core/units/result.hpp"

namespace meyasu {

struct PartsQuestion {
  double mmproj_mib = 0;  // size of the projector's file; 0: none
  bool mmproj_on_gpu = true;
  std::int64_t lora_rank = 0;  // 0: none
  std::int64_t n_lora = 1;
  LoraTargets lora_targets = LoraTargets::linear;
  std::string draft;      // id in the catalog; empty: none
  std::string draft_mix;  // "Q8_0"

  friend bool operator==(const PartsQuestion&, const PartsQuestion&) = default;
  [[nodiscard]] bool empty() const { return mmproj_mib == 0 && lora_rank == 0 && draft.empty(); }
};

/// Errors (code, field): not_positive mmproj_mib; value_range lora_rank (detail: the range) or
/// n_lora; draft_unknown draft; mix_unknown draft_mix; those of quantize_mix.
[[nodiscard]] Result<LlamaCppParts> make_parts(const Model& model, const PartsQuestion& question,
                                               const Catalog& catalog);

/// Models of the catalog that could propose tokens for `model`: vocabularies of a size (the runtime
/// allows 128 more or less), at most a third of its parameters; the largest first.
[[nodiscard]] std::vector<const CatalogEntry*> draft_candidates(const Model& model,
                                                                const Catalog& catalog);

}  // namespace meyasu
