// The KV pool of server runtimes: how it is cut, tokens and concurrent requests that it holds.
// PagedAttention: arXiv 2309.06180.
#pragma once

#include <vector>

#include "core/serving/cache_entry.hpp"

namespace meyasu {

/// Entries that take pages together; a layer has several where attention and a mixer run side by
/// side. `n_layer` includes padding that rounds groups of a stage up to one common size.
struct KvGroup {
  KvGroupKind kind = KvGroupKind::full;
  std::int64_t n_layer = 0;
  std::int64_t n_padding = 0;
};

/// What one request takes in one layer.
struct LayerPages {
  Bytes cells = 0;
  Bytes state = 0;
};

/// How a pool is cut into pages on one rank.
struct KvPool {
  std::vector<KvGroup> groups;    // vLLM's; one for the others
  std::int64_t block_tokens = 0;  // tokens of one page, raised for hybrid models with states
  Bytes page_bytes = 0;           // of one page of one group
  /// Pages that one request of `max_model_len` tokens needs, over all groups.
  std::int64_t pages_per_request = 0;
  /// The part of each block of the stage in them, with what its pages leave empty. Padding of the
  /// groups takes the rest.
  std::vector<LayerPages> request;
  std::int64_t n_pages = 0;
  /// "GPU KV cache size", max_total_num_tokens: where all is kept for the whole length, what the
  /// pool holds; otherwise that of max_concurrency requests.
  std::int64_t n_tokens = 0;
  double max_concurrency = 0;
};

/// Cuts `pool` bytes of one rank of the given pipeline stage. `settings` must have its defaults
/// filled in. A pool too small for one page holds none.
/// - vLLM: pages of groups, see page_groups.hpp
/// - SGLang: windows have a pool of 0.8 (Gemma 4: 0.15, DeepSeek V4: 0.1) of the tokens of the full
///   layers; states get 0.9 of what tokens get, and a request takes three (radix cache)
/// - TensorRT-LLM: blocks of the layers that keep the whole length; what windows and states take is
///   counted in them
[[nodiscard]] KvPool kv_pool(const Model& model, const ServingSettings& settings, Bytes pool,
                             std::int64_t stage);

}  // namespace meyasu
