#include "core/serving/cache_entry.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/units/bytes.hpp"

namespace meyasu {
namespace {

constexpr Bytes kModelElement = 2;  // the model's type: fp16 or bf16
constexpr Bytes kFp32 = 4;

/// Bytes of `elements` values of one head side (K or V) of one token.
Bytes side_bytes(std::int64_t elements, KvCacheType type) {
  switch (type) {
    case KvCacheType::bf16:
      return elements * kModelElement;
    case KvCacheType::fp8:
      return elements;
    case KvCacheType::int8_per_token_head:
      return elements + kFp32;  // one scale
    case KvCacheType::nvfp4:
      return elements / 2 + elements / 16;  // one fp8 scale per 16
  }
  return 0;
}

/// fp8 with one fp32 scale per 128 elements.
Bytes block_scaled_bytes(std::int64_t elements) {
  constexpr std::int64_t kScaleBlock = 128;
  return elements + divide_up(elements, kScaleBlock) * kFp32;
}

Bytes latent_bytes(const Mla& mla, KvCacheType type, bool sparse, ServingRuntime runtime) {
  // TensorRT-LLM's kernels keep plain fp8.
  if (sparse && type == KvCacheType::fp8 && runtime != ServingRuntime::tensorrt_llm) {
    return block_scaled_bytes(mla.kv_lora_rank) + mla.qk_rope_head_dim * kModelElement;
  }
  return side_bytes(mla.kv_lora_rank + mla.qk_rope_head_dim, type);
}

/// Rows of DeepSeek V4: `head_dim` elements, all but the 64 rotated ones in fp8 with a byte of
/// scale per 64 and one of padding (584 B), or all in 16 bit. vLLM aligns pages of the former to
/// 576 B, of the latter to 512.
struct CompressedRows {
  Bytes row = 0;
  Bytes alignment = 0;

  [[nodiscard]] Bytes page(Bytes row_bytes, std::int64_t rows) const {
    return round_up(row_bytes * rows, alignment);
  }
};

CompressedRows compressed_rows(const Attention& a, const ServingSettings& s) {
  constexpr std::int64_t kRotated = 64;
  constexpr std::int64_t kScaleBlock = 64;
  const bool whole = s.kv_type == KvCacheType::bf16 && s.runtime == ServingRuntime::vllm;
  if (whole) return {a.head_dim_k * kModelElement, 512};
  const std::int64_t plain = std::max<std::int64_t>(0, a.head_dim_k - kRotated);
  return {plain + kRotated * kModelElement + plain / kScaleBlock + 1, 576};
}

class Entries {
 public:
  Entries(const Model& model, const ServingSettings& settings) : model_(model), s_(settings) {
    sparse_ = std::any_of(model.layers.begin(), model.layers.end(), [](const Layer& layer) {
      return layer.attention.mla && layer.attention.indexer_head_dim > 0;
    });
  }

  std::vector<CacheEntry> of_all_layers() {
    for (std::size_t il = 0; il < model_.layers.size(); ++il) {
      const Layer& layer = model_.layers[il];
      if (layer.is_mtp) continue;
      il_ = static_cast<std::int64_t>(il);
      if (layer.keeps_keys()) attention(layer);
      const Bytes state = state_bytes_per_request(layer, s_.parallel.tp,
                                                  state_element_bytes(model_, layer, s_.runtime));
      if (state > 0) {
        entries_.push_back({.layer = il_, .kind = KvGroupKind::state, .page_bytes = state});
      }
    }
    return std::move(entries_);
  }

 private:
  void attention(const Layer& layer) {
    const Attention& a = layer.attention;
    if (a.compressed) return compressed(a);
    const Bytes cells = a.mla ? latent_bytes(*a.mla, s_.kv_type, sparse_, s_.runtime)
                              : kv_bytes_per_token(layer, s_.kv_type, s_.parallel.tp, s_.runtime);
    CacheEntry entry{.layer = il_, .latent = a.mla.has_value()};
    if (a.span != AttentionSpan::full) entry.reads = model_.sliding_window;
    if (entry.reads > 0 && frees_windows()) {
      entry.kind = a.span == AttentionSpan::sliding ? KvGroupKind::window : KvGroupKind::chunked;
      entry.window = entry.reads;
    }
    push(entry, cells);
    push({.layer = il_, .latent = true}, indexer_bytes_per_token(layer));
  }

  /// Whether cells that have left a window are given back. SGLang does so for some models only
  /// (is_hybrid_swa_model in srt/configs/model_config.py).
  [[nodiscard]] bool frees_windows() const {
    if (s_.runtime != ServingRuntime::sglang) return s_.hybrid_kv_manager;
    constexpr std::array<std::string_view, 5> kHybrid = {"llama4", "gpt-oss", "mimo2", "step35",
                                                         "gemma4"};
    return std::find(kHybrid.begin(), kHybrid.end(), model_.architecture) != kHybrid.end();
  }

  void push(CacheEntry entry, Bytes per_token) {
    if (per_token == 0) return;
    entry.block_tokens = s_.block_size;
    entry.page_bytes = per_token * s_.block_size;
    entries_.push_back(entry);
  }

  void compressed(const Attention& a) {
    constexpr std::int64_t kBlock = 256;
    constexpr std::int64_t kWindowBlock = 64;
    const CompressedRows rows = compressed_rows(a, s_);
    const std::int64_t ratio = a.compressed->ratio;
    const std::int64_t index = a.indexer_head_dim;
    if (ratio > 0) {
      const std::int64_t states = divide_up(kBlock, ratio);
      push_page(KvGroupKind::full, kBlock, rows.page(rows.row, states), 0);
      if (index > 0) {
        push_page(KvGroupKind::full, kBlock, rows.page(block_scaled_bytes(index), states), 0);
      }
    }
    push_page(KvGroupKind::window, kWindowBlock, rows.page(rows.row, kWindowBlock),
              model_.sliding_window);
    if (ratio <= 0) return;
    // Keys and scores of the tokens that are not compressed yet, fp32; those of ratio 4 overlap
    // with the group before.
    const std::int64_t overlap = ratio == 4 ? 2 : 1;
    const std::int64_t state_block = ratio == 4 ? 4 : 8;
    for (const std::int64_t width : {a.head_dim_k, index}) {
      if (width == 0) continue;
      push_page(KvGroupKind::window, state_block,
                rows.page(2 * overlap * width * kFp32, state_block), overlap * ratio);
    }
  }

  void push_page(KvGroupKind kind, std::int64_t block, Bytes page, std::int64_t window) {
    entries_.push_back({il_, kind, block, page, window, window, true});
  }

  const Model& model_;
  const ServingSettings& s_;
  bool sparse_ = false;
  std::int64_t il_ = 0;
  std::vector<CacheEntry> entries_;
};

}  // namespace

Bytes kv_bytes_per_token(const Layer& layer, KvCacheType type, std::int64_t tp,
                         ServingRuntime runtime) {
  const Attention& a = layer.attention;
  if (!layer.keeps_keys() || a.compressed) return 0;
  if (a.mla) return latent_bytes(*a.mla, type, a.indexer_head_dim > 0, runtime);
  const std::int64_t heads = std::max<std::int64_t>(1, a.n_head_kv / tp);
  return heads * (side_bytes(a.head_dim_k, type) + side_bytes(a.head_dim_v, type));
}

Bytes indexer_bytes_per_token(const Layer& layer) {
  const Attention& a = layer.attention;
  if (!layer.keeps_keys() || a.compressed || a.indexer_head_dim == 0) return 0;
  return a.mla ? block_scaled_bytes(a.indexer_head_dim) : a.indexer_head_dim * kModelElement;
}

Bytes state_element_bytes(const Model& model, const Layer& layer, ServingRuntime runtime) {
  if (runtime == ServingRuntime::sglang) return kFp32;
  constexpr std::array<std::string_view, 4> kFp32States = {"qwen35", "qwen35moe", "nemotron_h",
                                                           "nemotron_h_moe"};
  const bool asks =
      std::find(kFp32States.begin(), kFp32States.end(), model.architecture) != kFp32States.end();
  // Lightning attention has no convolution.
  const bool kimi_delta =
      layer.kind == LayerKind::linear_attention && layer.recurrent.conv_state_elements > 0;
  // RWKV is in none of the servers: the type that its own code keeps.
  return asks || kimi_delta || layer.kind == LayerKind::rwkv ? kFp32 : kModelElement;
}

Bytes state_bytes_per_request(const Layer& layer, std::int64_t tp, Bytes state_element) {
  if (layer.attention.compressed) return 0;  // what is not compressed yet lies in pages of its own
  const Recurrent& r = layer.recurrent;
  std::int64_t conv = divide_up(r.conv_state_elements, tp);
  if (r.n_group > 0 && r.n_group < tp && r.n_group % tp != 0) {
    conv = std::max<std::int64_t>(0, r.d_conv - 1) * divide_up(r.d_inner + 2 * tp * r.d_state, tp);
  }
  return conv * kModelElement + divide_up(r.ssm_state_elements, tp) * state_element;
}

std::vector<CacheEntry> cache_entries(const Model& model, const ServingSettings& settings) {
  return Entries(model, settings).of_all_layers();
}

}  // namespace meyasu
