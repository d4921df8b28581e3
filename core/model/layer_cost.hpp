// What each block costs in one runtime: the per-layer view of every runtime's answer.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/model/model.hpp"
#include "core/units/bytes.hpp"

namespace meyasu {

/// How a block remembers the conversation. The block is what it is in every runtime; whether a
/// window layer keeps only its window, or MLA its latent, is the runtime's and shows in the cost.
enum class LayerClass {
  full,
  sliding,
  chunked,
  mla,
  shared,     // reads an earlier layer's cells
  recurrent,  // a state of fixed size
  none,       // no mixer
  mtp,        // predicts further tokens; loaded, if at all, beside the model
};
[[nodiscard]] LayerClass layer_class(const Layer& layer);
/// "full", ...: the name of the enumerator.
[[nodiscard]] std::string_view layer_class_name(LayerClass kind);

struct LayerCost {
  int layer = 0;    // index into Model::layers
  int device = -1;  // number of the GPU, 0 for a rank of a server; -1: the host
  Bytes weights = 0;
  Bytes kv_cache = 0;
  Bytes recurrent_state = 0;

  /// For the conversation.
  [[nodiscard]] Bytes kept() const { return kv_cache + recurrent_state; }
};

/// With what lies outside the blocks: the terms of the weights and of the cache.
struct LayerCosts {
  std::vector<LayerCost> blocks;  // in order; a server's rank holds those of its pipeline stage
  Bytes outside_weights = 0;      // token table, head, final norm, their second copies
  Bytes outside_cache = 0;        // pages taken that no layer fills
};

struct LeastMost {
  Bytes least = 0;
  Bytes most = 0;
};
/// Blocks of one class, in the order in which the classes first appear.
struct LayerClassCost {
  LayerClass kind = LayerClass::full;
  std::int64_t n_layer = 0;
  LeastMost weights;  // of one block
  LeastMost kept;
};
[[nodiscard]] std::vector<LayerClassCost> cost_by_class(const Model& model,
                                                        std::span<const LayerCost> blocks);

}  // namespace meyasu
