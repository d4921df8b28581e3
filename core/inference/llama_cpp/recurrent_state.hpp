// Recurrent and convolution state of llama.cpp: F32, per sequence, independent of the context.
// Source: llama-memory-recurrent.cpp and n_embd_r, n_embd_s of llama-hparams.cpp, release v0.5.0.
#pragma once

#include <vector>

#include "core/inference/llama_cpp/placement.hpp"

namespace meyasu {

struct StateLayer {
  int layer = 0;  // index into Model::layers
  int device = kHost;
  Bytes bytes_conv = 0;  // R, all sequences: last columns of the convolution, shifted tokens
  Bytes bytes_ssm = 0;   // S: the state matrices

  [[nodiscard]] Bytes bytes() const { return bytes_conv + bytes_ssm; }
};

[[nodiscard]] std::vector<StateLayer> recurrent_state_layers(const Model& model,
                                                             const LlamaCppContext& context,
                                                             const LlamaCppPlacement& placement);

}  // namespace meyasu
