// ExLlamaV2 and V3: weights at their bits, a cache for the whole length at once, and a scratch
// that follows the longest input. Page size 256 tokens.
// Source: exllamav2 cache.py, config.py; exllamav3 cache/quant.py, model/model_ls.py; serving.md of
// our references.
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

/// One card, and what a program can have of it (0: unknown, taken as enough).
struct ExllamaGpu {
  PyTorchDevice card;
  Bytes usable = 0;
};

struct ExllamaSettings {
  std::int64_t max_seq_len = 0;  // tokens of one conversation; 0: the model's training length
  std::int64_t users = 1;        // conversations that share the cache, each as long
  /// Bits of a cached value: 16, or 2 to 8 quantized with one fp16 scale for 32 values. V2 offers
  /// 4, 6 and 8 for both, V3 any pair.
  int k_bits = 16;
  int v_bits = 16;
  /// The token table may stay in RAM: a row is read per token.
  bool embeddings_on_host = true;
  /// Bytes of the head that the converter makes of a tied table; 0: the table itself serves.
  Bytes tied_head = 0;
  /// Filled one after the other, a block goes to the next card when the last is full ("autosplit").
  /// Empty: one card of unknown kind. Names are replaced by "gpu0", "gpu1", ...
  std::vector<ExllamaGpu> gpus = {};
};

struct ExllamaEstimate {
  std::int64_t max_seq_len = 0;  // of one conversation, as allocated: a multiple of 256
  /// Per card: weights, kv_cache, recurrent_state, kv_scratch (K and V of one layer in 16 bit, for
  /// a quantized cache), scratch, runtime_context, runtime_overhead; on "host" the token table.
  std::vector<Term> terms;
  LayerCosts layers;            // the token table among what is outside
  std::vector<Error> warnings;  // "ctx_over"
};

/// Bytes of so many cached values, a multiple of 32: 2 each with 16 bits, else 4 * bits + 2 for 32.
[[nodiscard]] Bytes exllama_cache_bytes(std::int64_t n_value, int bits);

/// `tensor_bytes`: bytes of each of Model::tensors, normally in an EXL format.
/// Errors (code, field): arch_unknown model; runtime_arch model (latent attention);
/// ctx_range max_seq_len; users_range
/// users; kv_bits k_bits or v_bits.
[[nodiscard]] Result<ExllamaEstimate> estimate_exllama(const Model& model,
                                                       std::span<const Bytes> tensor_bytes,
                                                       const ExllamaSettings& settings);

}  // namespace meyasu
