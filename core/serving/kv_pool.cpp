#include "core/serving/kv_pool.hpp"

#include <algorithm>
#include <array>

#include "core/serving/sharding.hpp"
#include "core/units/bytes.hpp"

namespace meyasu {
namespace {

/// Bytes of `elements` values of one head side (K or V) of one token.
Bytes side_bytes(std::int64_t elements, KvCacheType type) {
  switch (type) {
    case KvCacheType::bf16:
      return elements * 2;
    case KvCacheType::fp8:
      return elements;
    case KvCacheType::int8_per_token_head:
      return elements + 4;  // one fp32 scale
    case KvCacheType::nvfp4:
      return elements / 2 + elements / 16;  // one fp8 scale per 16
  }
  return 0;
}

struct LayerNeed {
  KvGroupKind kind = KvGroupKind::full;
  Bytes per_token = 0;
  Bytes per_request = 0;

  [[nodiscard]] bool keeps() const { return per_token > 0 || per_request > 0; }
};

LayerNeed need_of(const Layer& layer, const ServingSettings& s) {
  LayerNeed need;
  if (layer.is_mtp) return need;
  need.per_token = kv_bytes_per_token(layer, s.kv_type, s.parallel.tp);
  need.per_request = state_bytes_per_request(layer, s.parallel.tp);
  if (layer.kind != LayerKind::attention) {
    need.kind = KvGroupKind::state;
  } else if (s.hybrid_kv_manager && layer.attention.span == AttentionSpan::sliding) {
    need.kind = KvGroupKind::window;
  } else if (s.hybrid_kv_manager && layer.attention.span == AttentionSpan::chunked) {
    need.kind = KvGroupKind::chunked;
  }
  return need;
}

constexpr std::array kKinds = {KvGroupKind::full, KvGroupKind::window, KvGroupKind::chunked,
                               KvGroupKind::state};

/// Layers of one kind are dealt into groups of one common size, so that all groups can share
/// pages: the smallest kind's layer count, or the largest's if that is less than a quarter more.
std::vector<KvGroup> make_groups(const std::array<std::int64_t, 4>& count_of_kind) {
  std::int64_t least = 0;
  std::int64_t most = 0;
  for (const std::int64_t n : count_of_kind) {
    if (n == 0) continue;
    least = least == 0 ? n : std::min(least, n);
    most = std::max(most, n);
  }
  const std::int64_t size = most * 4 < least * 5 ? most : least;
  std::vector<KvGroup> groups;
  for (std::size_t k = 0; k < kKinds.size(); ++k) {
    for (std::int64_t left = count_of_kind[k]; left > 0; left -= size) {
      groups.push_back({kKinds[k], size, std::max<std::int64_t>(0, size - left)});
    }
  }
  return groups;
}

std::int64_t pages_of_request(KvGroupKind kind, const Model& model, const ServingSettings& s,
                              std::int64_t block) {
  const std::int64_t length = s.max_model_len;
  const std::int64_t batched = s.max_num_batched_tokens;
  switch (kind) {
    case KvGroupKind::full:
      return divide_up(length, block);
    case KvGroupKind::window:
      // One more page because a window seldom starts on a page boundary.
      return divide_up(std::min(model.sliding_window - 1 + batched, length), block) + 1;
    case KvGroupKind::chunked:
      return divide_up(std::min(model.sliding_window + batched, length), block);
    case KvGroupKind::state:
      return 1;
  }
  return 0;
}

}  // namespace

Bytes kv_bytes_per_token(const Layer& layer, KvCacheType type, std::int64_t tp) {
  const Attention& a = layer.attention;
  if (layer.kind != LayerKind::attention || a.shares_kv) return 0;
  if (a.compressed) {
    // The window and what is not yet compressed do not grow with the context: left out.
    const std::int64_t ratio = a.compressed->ratio;
    const Bytes key = side_bytes(a.head_dim_k, type) +
                      (a.indexer_head_dim > 0 ? side_bytes(a.indexer_head_dim, type) : 0);
    return ratio > 0 ? divide_up(key, ratio) : 0;
  }
  if (a.mla) return side_bytes(a.mla->kv_lora_rank + a.mla->qk_rope_head_dim, type);
  const std::int64_t heads = std::max<std::int64_t>(1, a.n_head_kv / tp);
  return heads * (side_bytes(a.head_dim_k, type) + side_bytes(a.head_dim_v, type));
}

Bytes state_bytes_per_request(const Layer& layer, std::int64_t tp) {
  if (layer.kind == LayerKind::attention) return 0;
  constexpr Bytes kConvElement = 2;
  constexpr Bytes kStateElement = 4;
  const Recurrent& r = layer.recurrent;
  return divide_up(r.conv_state_elements, tp) * kConvElement +
         divide_up(r.ssm_state_elements, tp) * kStateElement;
}

KvPool kv_pool(const Model& model, const ServingSettings& settings, Bytes pool,
               std::int64_t stage) {
  const StageLayers range =
      stage_layers(static_cast<std::int64_t>(model.layers.size()), settings.parallel.pp, stage);
  std::array<std::int64_t, 4> count_of_kind = {};
  Bytes widest_token = 0;
  Bytes largest_state = 0;
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    const Layer& layer = model.layers[static_cast<std::size_t>(i)];
    const LayerNeed need = need_of(layer, settings);
    if (!need.keeps()) continue;
    ++count_of_kind[static_cast<std::size_t>(need.kind)];
    widest_token = std::max(widest_token, need.per_token);
    largest_state = std::max(largest_state, need.per_request);
  }

  KvPool result;
  result.groups = make_groups(count_of_kind);
  if (result.groups.empty()) return result;
  // A page must hold a whole state, so tokens per page are raised until it does.
  result.block_tokens = settings.block_size;
  if (widest_token > 0 && largest_state > widest_token * settings.block_size) {
    result.block_tokens = round_up(divide_up(largest_state, widest_token), settings.block_size);
  }
  const Bytes layer_page = std::max(widest_token * result.block_tokens, largest_state);
  result.page_bytes = layer_page * result.groups.front().n_layer;
  for (const KvGroup& group : result.groups) {
    result.pages_per_request += pages_of_request(group.kind, model, settings, result.block_tokens);
  }
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    const Layer& layer = model.layers[static_cast<std::size_t>(i)];
    const LayerNeed need = need_of(layer, settings);
    const std::int64_t pages =
        need.keeps() ? pages_of_request(need.kind, model, settings, result.block_tokens) : 0;
    result.request_bytes.push_back(pages * layer_page);
  }
  result.n_pages = std::max<Bytes>(0, pool) / result.page_bytes;
  const auto n_group = static_cast<std::int64_t>(result.groups.size());
  result.n_tokens = result.n_pages / n_group * result.block_tokens;
  result.max_concurrency = static_cast<double>(result.n_pages) /
                           static_cast<double>(std::max<std::int64_t>(result.pages_per_request, 1));
  return result;
}

}  // namespace meyasu
