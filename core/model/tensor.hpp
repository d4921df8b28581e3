// One weight of a model: name, shape, stored type. Names are llama.cpp's ("blk.0.attn_q.weight").
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/quantization/ggml_type.hpp"
#include "core/units/bytes.hpp"

namespace meyasu {

/// What a tensor is for. Decides where runtimes put it, what stays 16 bit in quantized formats,
/// and how the page groups it.
enum class TensorRole {
  embedding,      // token table
  position,       // learned positions
  output_head,    // lm_head
  norm,           // norms and their biases
  attention,      // projections of attention, MLA, indexers
  recurrent,      // Mamba, delta net, RWKV, short convolution
  feed_forward,   // dense MLP
  shared_expert,  // MLP that every token passes beside the routed experts
  routed_expert,  // stacked experts, ne[2] (or ne[1] for biases) = n_expert
  router,         // gate of the experts and its bias
  mtp,            // multi-token prediction heads
  vision,         // vision or audio towers and projectors
  other,
};

struct Tensor {
  std::string name;
  std::array<std::int64_t, 4> ne = {1, 1, 1, 1};  // ne[0] is the row length, as in GGUF
  int n_dims = 1;
  GgmlType type = GgmlType::F16;
  TensorRole role = TensorRole::other;
  int layer = -1;  // block number; -1 outside the blocks

  [[nodiscard]] std::int64_t elements() const { return ne[0] * ne[1] * ne[2] * ne[3]; }
  [[nodiscard]] Bytes bytes() const { return row_bytes(type, ne[0]) * ne[1] * ne[2] * ne[3]; }
};

}  // namespace meyasu
