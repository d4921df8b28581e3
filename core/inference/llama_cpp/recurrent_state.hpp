// Recurrent and convolution state of llama.cpp: F32, per sequence, independent of the context.
// Source: llama-memory-recurrent.cpp and n_embd_r, n_embd_s of llama-hparams.cpp, release v0.5.0.
#pragma once

#include <vector>

#include "core/inference/llama_cpp/placement.hpp"

namespace meyasu {

/// Elements that one sequence keeps in one layer.
struct StateElements {
  std::int64_t conv = 0;  // R: the last columns of the convolution (RWKV: shifted tokens)
  std::int64_t ssm = 0;   // S: the state matrix
};
/// Zero for layers with attention or without a mixer.
[[nodiscard]] StateElements state_elements(const Model& model, const Layer& layer);

struct StateLayer {
  int layer = 0;  // index into Model::layers
  int device = kHost;
  Bytes bytes_conv = 0;  // all sequences
  Bytes bytes_ssm = 0;

  [[nodiscard]] Bytes bytes() const { return bytes_conv + bytes_ssm; }
};

[[nodiscard]] std::vector<StateLayer> recurrent_state_layers(const Model& model,
                                                             const LlamaCppContext& context,
                                                             const LlamaCppPlacement& placement);

}  // namespace meyasu
