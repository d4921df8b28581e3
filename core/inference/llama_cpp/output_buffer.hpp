// The host buffer that logits are copied to: F32, one row of the vocabulary per output; of encoders
// a vector per output besides (the row of logits is reserved all the same).
// Source: output_reserve in llama-context.cpp, release v0.5.0.
#pragma once

#include <algorithm>

#include "core/inference/llama_cpp/settings.hpp"

namespace meyasu {

/// Elements of the vectors that an encoder gives out; 0 if the model has none.
[[nodiscard]] inline std::int64_t embedding_width(const Model& model) {
  if (!model.is_encoder && !model.has_encoder) return 0;
  return static_cast<std::int64_t>(
      model.hparam("embedding_length_out", static_cast<double>(model.n_embd)));
}

/// What is reserved at start: a row per sequence. It grows when a batch asks for more rows.
[[nodiscard]] inline Bytes output_buffer_bytes(const Model& model, const LlamaCppContext& context) {
  constexpr Bytes kFloat = 4;
  return context.n_seq * (model.n_vocab + embedding_width(model)) * kFloat;
}

/// After a batch with outputs for every token (perplexity runs; any batch of an encoder): n_batch
/// rows.
[[nodiscard]] inline Bytes output_buffer_bytes_all_rows(const Model& model,
                                                        const LlamaCppContext& context) {
  return output_buffer_bytes(model, context) / context.n_seq *
         std::max(context.n_batch, context.n_seq);
}

}  // namespace meyasu
