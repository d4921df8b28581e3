#include "core/inference/llama_cpp/kv_cache.hpp"

#include <algorithm>

namespace meyasu {
namespace {

struct CellWidth {
  std::int64_t k = 0;
  std::int64_t v = 0;
};

/// Elements of K and V that one token adds in this layer.
CellWidth cell_width(const Attention& attention, LlamaCppRelease release) {
  if (!attention.mla) {
    return {attention.n_head_kv * attention.head_dim_k, attention.n_head_kv * attention.head_dim_v};
  }
  const Mla& mla = *attention.mla;
  if (!mla.absorbed) {
    return {attention.n_head * (mla.qk_nope_head_dim + mla.qk_rope_head_dim),
            attention.n_head * mla.v_head_dim};
  }
  // The latent serves as K and as V. Builds of 2025 stored it twice.
  const std::int64_t stored_v = release < LlamaCppRelease::v0_5_0 ? mla.kv_lora_rank : 0;
  return {mla.kv_lora_rank + mla.qk_rope_head_dim, stored_v};
}

bool owns_cells(const Layer& layer) {
  return !layer.is_mtp && layer.keeps_keys();
}

constexpr std::int64_t kCompressedPadding = 256;

/// DeepSeek V4: the window's keys and, in a cache of their own, the compressed ones with those of
/// the indexer.
void add_compressed(const Layer& layer, const LlamaCppSettings& settings,
                    const LlamaCppContext& context, KvLayer entry, std::vector<KvLayer>& cached) {
  entry.width_k = layer.attention.head_dim_k;
  const Bytes key = row_bytes(settings.type_k, entry.width_k);
  entry.window = true;
  entry.n_cells = context.n_cells_swa;
  entry.bytes_k = key * entry.n_cells * context.n_stream;
  if (entry.bytes() > 0) cached.push_back(entry);
  if (layer.attention.compressed->ratio == 0) return;
  entry.window = false;
  entry.n_cells = compressed_cells(context.n_cells, layer.attention.compressed->ratio);
  const Bytes indexer = row_bytes(settings.type_k, layer.attention.indexer_head_dim);
  entry.bytes_k = (key + indexer) * entry.n_cells * context.n_stream;
  if (entry.bytes() > 0) cached.push_back(entry);
}

}  // namespace

std::int64_t compressed_cells(std::int64_t n_cells, std::int64_t ratio) {
  return round_up(std::max<std::int64_t>(1, divide_up(n_cells, ratio)), kCompressedPadding);
}

std::vector<KvLayer> kv_cache_layers(const Model& model, const LlamaCppSettings& settings,
                                     const LlamaCppContext& context,
                                     const LlamaCppPlacement& placement) {
  std::int64_t widest_v = 0;
  for (const Layer& layer : model.layers) {
    if (layer.kind != LayerKind::attention) continue;
    widest_v = std::max(widest_v, cell_width(layer.attention, settings.release).v);
  }

  std::vector<KvLayer> cached;
  for (std::size_t il = 0; il < model.layers.size(); ++il) {
    const Layer& layer = model.layers[il];
    // Layers whose attention was pruned away still get rows of a transposed V cache.
    const bool pruned = model.architecture == "deci" &&
                        layer.kind == LayerKind::feed_forward_only && !layer.is_mtp &&
                        context.v_transposed;
    if (!owns_cells(layer) && !pruned) continue;
    KvLayer entry;
    entry.layer = static_cast<int>(il);
    entry.device = placement.kv_device[il];
    if (layer.attention.compressed) {
      add_compressed(layer, settings, context, entry, cached);
      continue;
    }
    const CellWidth width = cell_width(layer.attention, settings.release);
    entry.window = context.n_cells_swa > 0 && layer.attention.span != AttentionSpan::full;
    entry.n_cells = entry.window ? context.n_cells_swa : context.n_cells;
    entry.width_k = width.k;
    // A transposed V cache is written row by row with one index list, sized for the widest layer.
    entry.width_v = context.v_transposed && (width.v > 0 || pruned) ? widest_v : width.v;
    const std::int64_t cells = entry.n_cells * context.n_stream;
    entry.bytes_k = row_bytes(settings.type_k, entry.width_k) * cells +
                    row_bytes(settings.type_k, layer.attention.indexer_head_dim) * cells;
    entry.bytes_v = row_bytes(settings.type_v, entry.width_v) * cells +
                    row_bytes(settings.type_v, layer.attention.indexer_value_dim) * cells;
    if (entry.bytes() > 0) cached.push_back(entry);
  }
  return cached;
}

Bytes kv_cache_bytes(const std::vector<KvLayer>& layers, KvPart part, int device) {
  Bytes total = 0;
  for (const KvLayer& layer : layers) {
    if (part != KvPart::all && layer.window != (part == KvPart::window)) continue;
    if (device != kEveryDevice && layer.device != device) continue;
    total += layer.bytes();
  }
  return total;
}

}  // namespace meyasu
