// The host buffer that logits are copied to: F32, one row of the vocabulary per output.
// Source: output_reserve in llama-context.cpp, release v0.5.0.
#pragma once

#include "core/inference/llama_cpp/settings.hpp"

namespace meyasu {

/// What is reserved at start: a row per sequence. It grows when a batch asks for more rows.
[[nodiscard]] inline Bytes output_buffer_bytes(const Model& model, const LlamaCppContext& context) {
  constexpr Bytes kLogitBytes = 4;
  return context.n_seq * model.n_vocab * kLogitBytes;
}

/// After a batch with logits for every token (perplexity runs): n_batch rows.
[[nodiscard]] inline Bytes output_buffer_bytes_all_logits(const Model& model,
                                                          const LlamaCppContext& context) {
  return output_buffer_bytes(model, context) / context.n_seq *
         (context.n_batch > context.n_seq ? context.n_batch : context.n_seq);
}

}  // namespace meyasu
