// The KV pool of server runtimes: bytes per token and layer, page groups of hybrid models, tokens
// and concurrent requests that a pool holds. Source: vllm/v1/kv_cache_interface.py (page sizes),
// vllm/v1/core/kv_cache_utils.py (groups); PagedAttention, arXiv 2309.06180.
#pragma once

#include <vector>

#include "core/serving/settings.hpp"

namespace meyasu {

/// Bytes that one token takes in one layer of one rank; 0 for layers that keep no cells.
///   GQA, MQA, MHA: max(1, n_head_kv / tp) x (head_dim_k + head_dim_v) x element
///   MLA:           (kv_lora_rank + qk_rope_head_dim) x element, on every rank
[[nodiscard]] Bytes kv_bytes_per_token(const Layer& layer, KvCacheType type, std::int64_t tp);

/// Bytes of recurrent and convolution state of one request in one layer of one rank; the state
/// of Mamba-like layers is fp32, their convolution window 16 bit.
[[nodiscard]] Bytes state_bytes_per_request(const Layer& layer, std::int64_t tp);

enum class KvGroupKind { full, window, chunked, state };

/// Layers that take pages together. `n_layer` includes padding layers that round groups up to one
/// common size.
struct KvGroup {
  KvGroupKind kind = KvGroupKind::full;
  std::int64_t n_layer = 0;
  std::int64_t n_padding = 0;
};

/// How a pool is cut into pages on one rank.
struct KvPool {
  std::vector<KvGroup> groups;
  std::int64_t block_tokens = 0;  // tokens of one page, raised for hybrid models with states
  Bytes page_bytes = 0;           // of one page of one group
  /// Pages that one request of `max_model_len` tokens needs, over all groups.
  std::int64_t pages_per_request = 0;
  /// The part of each block of the stage in them, with what its pages leave empty; 0 for blocks
  /// that keep nothing. Padding layers of the groups take the rest.
  std::vector<Bytes> request_bytes;
  std::int64_t n_pages = 0;
  std::int64_t n_tokens = 0;  // "GPU KV cache size"
  double max_concurrency = 0;
};

/// Cuts `pool` bytes of one rank of the given pipeline stage. `settings` must have its defaults
/// filled in. A pool too small for one page holds none.
[[nodiscard]] KvPool kv_pool(const Model& model, const ServingSettings& settings, Bytes pool,
                             std::int64_t stage);

}  // namespace meyasu
