// What autograd keeps of one block between forward and backward. Source: training.md, section 4
// (autograd's saved tensors of 411 settings); Korthikanti et al. 2022 (arXiv 2205.05198) for the
// GPT block and for tensor parallel.
#pragma once

#include <cstdint>

#include "core/training/settings.hpp"
#include "core/units/bytes.hpp"

namespace meyasu {

/// Sizes of a block. Widths are elements.
struct BlockShape {
  std::int64_t n_embd = 0;
  std::int64_t n_head = 0;
  std::int64_t n_head_kv = 0;
  std::int64_t q = 0;    // n_head x head_dim
  std::int64_t k = 0;    // n_head_kv x head_dim
  std::int64_t v = 0;    // n_head_kv x head_dim of V
  std::int64_t out = 0;  // n_head x head_dim of V
  std::int64_t n_ff = 0;
  std::int64_t n_expert = 0;
  std::int64_t n_expert_used = 0;
  std::int64_t n_ff_exp = 0;
  std::int64_t n_ff_shexp = 0;
  std::int64_t mixer = 0;  // inner width of a recurrent mixer; 0: none
  bool gpt = false;        // LayerNorm, plain MLP, softmax in the model's own type
  bool gated = true;
  bool qk_norm = false;
  int n_norm = 2;              // over n_embd: 2, sandwich 4, parallel blocks 1
  bool capped_scores = false;  // attention scores through tanh (Gemma 2)
  bool parallel = false;       // attention and MLP read the same residual, which is saved once
};
[[nodiscard]] BlockShape block_shape(const Model& model, std::size_t il);

struct SavedActivations {
  Bytes norms = 0;
  Bytes attention = 0;
  Bytes scores = 0;  // softmax and its dropout, eager attention only
  Bytes feed_forward = 0;
  Bytes adapters = 0;
  [[nodiscard]] Bytes total() const { return norms + attention + scores + feed_forward + adapters; }
};

/// Saved by one block on one rank for `tokens` = batch x sequence tokens (already divided by
/// context parallel), each attending over `sequence`, without checkpointing.
[[nodiscard]] SavedActivations saved_activations(const BlockShape& shape,
                                                 const TrainingSettings& settings,
                                                 std::int64_t tokens, std::int64_t sequence);

/// What the first block saves less: with a frozen base its input needs no gradient.
[[nodiscard]] Bytes first_block_saves_less(const BlockShape& shape,
                                           const TrainingSettings& settings, std::int64_t tokens,
                                           std::int64_t sequence);

/// Inputs of 4-bit products of the step before, held by a graph that is not replaced yet.
[[nodiscard]] Bytes outliving_inputs(const BlockShape& shape, const TrainingSettings& settings,
                                     std::int64_t tokens);

/// Kept on the GPU of one block under the settings' checkpointing.
[[nodiscard]] Bytes kept_activations(const BlockShape& shape, const TrainingSettings& settings,
                                     std::int64_t tokens, std::int64_t sequence);

/// Bytes of an element of activations, and of the residual stream (fp32 under autocast with fp32
/// weights).
[[nodiscard]] std::int64_t activation_element(const TrainingSettings& settings);
[[nodiscard]] std::int64_t residual_element(const TrainingSettings& settings);

}  // namespace meyasu
