// Hugging Face Transformers, generate(): weights, a cache that grows token by token, and the peaks
// of reading the prompt. The total is the larger of two moments; the terms are those of that one.
// Source: transformers cache_utils.py (DynamicCache, StaticCache), modeling_llama.py (logits,
// eager attention); serving.md of our references, section 6.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/model/layer_cost.hpp"
#include "core/model/model.hpp"
#include "core/serving/pytorch_context.hpp"
#include "core/units/result.hpp"
#include "core/units/term.hpp"

namespace meyasu {

enum class TransformersAttention {
  fused,  // sdpa, flash_attention_2: no matrix of scores
  eager,  // scores of one layer exist whole, in 16 bit, in fp32 and again in 16 bit
};
enum class TransformersCache {
  dynamic,      // grows by concatenation: one layer's K and V exist twice for a moment
  static_full,  // StaticCache: the whole length at once
};

struct TransformersSettings {
  std::int64_t batch = 1;
  std::int64_t prompt = 1;   // tokens read at once
  std::int64_t context = 0;  // tokens at the end, prompt included; 0: the prompt's
  std::int64_t n_gpu = 1;    // device_map="auto": whole layers per GPU, one after the other
  TransformersAttention attention = TransformersAttention::fused;
  TransformersCache cache = TransformersCache::dynamic;
  /// Before num_logits_to_keep (4.45, end of 2024) logits of every prompt token were made.
  bool all_logits = false;
  /// Window layers keep their window only (since 4.56; before, the whole length).
  bool window_cache = true;
  bool on_cpu = false;        // device_map="cpu": all on "host", no CUDA
  PyTorchDevice device = {};  // of each GPU; its name is replaced by "gpu0", "gpu1", ...
};

/// The moment of the peak on a GPU.
enum class TransformersStage { prefill, decode };

struct TransformersEstimate {
  /// weights, kv_cache, recurrent_state; prefill: activations, attention_scores, logits; decode:
  /// kv_copy; allocator_slack (5-20 % of what comes and goes); runtime_context,
  /// runtime_overhead. On "host": load_shard, the one shard that loading holds in RAM.
  std::vector<Term> terms;
  std::vector<TransformersStage> stages;  // one per GPU, or one for the CPU
  LayerCosts layers;                      // each at the peak of its GPU
  std::vector<Error> warnings;            // "ctx_over"
};

/// Bytes of K and V that one token of one sequence takes in a layer, 16 bit, with the key of a
/// sparse-attention indexer. MLA models store the expanded heads here, not the latent.
[[nodiscard]] Bytes transformers_kv_bytes_per_token(const Layer& layer);

/// Logits in 16 bit and their fp32 copy: n_token * n_vocab * (2 + 4).
[[nodiscard]] Bytes transformers_logits_bytes(const Model& model, std::int64_t n_token);

/// `tensor_bytes`: bytes of each of Model::tensors in the checkpoint's format.
/// Errors (code, field): arch_unknown model; batch_zero batch; ctx_range prompt or context;
/// gpu_count n_gpu.
[[nodiscard]] Result<TransformersEstimate> estimate_transformers(
    const Model& model, std::span<const Bytes> tensor_bytes, const TransformersSettings& settings);

}  // namespace meyasu
