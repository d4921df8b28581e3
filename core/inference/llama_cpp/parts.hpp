// What llama.cpp may load beside the model: a vision tower (mmproj), LoRA adapters, a draft model.
// Files that were opened are Models like any other; where only a size or a rank is known, the two
// functions below make the tensors that such a file would hold.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/inference/llama_cpp/settings.hpp"

namespace meyasu {

struct LlamaCppParts {
  std::shared_ptr<const Model> mmproj;
  bool mmproj_on_gpu = true;  // false: --no-mmproj-offload
  /// Tensors "NAME.lora_a" and "NAME.lora_b".
  std::vector<std::shared_ptr<const Model>> adapters;
  /// Runs in a context of its own, on the target's devices, with its slots and its -c.
  std::shared_ptr<const Model> draft;
  std::int64_t draft_n_gpu_layers = -1;  // -ngld; negative: all
  GgmlType draft_type_k = GgmlType::F16;
  GgmlType draft_type_v = GgmlType::F16;
};

/// A projector file of so many bytes.
[[nodiscard]] Model mmproj_of_bytes(Bytes bytes);

/// Which matrices an adapter changes.
enum class LoraTargets {
  attention,  // q, k, v and the output of attention
  linear,     // these and the feed-forward matrices; routed experts stay as they are
};

/// An F16 adapter of `rank` for `base`, as convert_lora_to_gguf.py writes it: for every matrix of k
/// inputs and n outputs k x rank and rank x n.
[[nodiscard]] Model lora_of_rank(const Model& base, std::int64_t rank, LoraTargets targets);

}  // namespace meyasu
