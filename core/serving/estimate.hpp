// What a server runtime takes on each GPU, and how many tokens and users its KV pool then holds.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/model/layer_cost.hpp"
#include "core/serving/kv_pool.hpp"
#include "core/serving/settings.hpp"
#include "core/units/term.hpp"

namespace meyasu {

/// The answer for one GPU, of the pipeline stage whose pool holds the fewest tokens: it bounds all.
struct ServingEstimate {
  ServingSettings settings;  // with defaults filled in
  std::int64_t stage = 0;
  Bytes budget = 0;         // what the runtime allows itself on the GPU
  std::vector<Term> terms;  // weights, activations, ..., kv_pool: the budget, then what is
                            // outside it (device context, graphs)
  KvPool pool;
  LayerCosts layers;            // of the stage, with the cache of one request of max_model_len
  bool starts = false;          // one request of max_model_len fits
  std::vector<Error> warnings;  // "ctx_over": beyond the trained length
};

/// `tensor_bytes`: bytes of each of Model::tensors in the checkpoint's format.
/// Errors: those of with_defaults; arch_unknown (field "model") when the model has no layers.
[[nodiscard]] Result<ServingEstimate> estimate_serving(const Model& model,
                                                       std::span<const Bytes> tensor_bytes,
                                                       const ServingSettings& settings);

}  // namespace meyasu
