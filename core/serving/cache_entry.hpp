// What the layers of a model keep for a request in server runtimes, one entry for each thing: K and
// V of a token, an indexer's keys beside them, the state of a mixer beside attention. Sources: vLLM
// v1/kv_cache_interface.py (page sizes), layers/mamba/mamba_utils.py (states); SGLang
// model_executor/pool_configurator.py (cells).
#pragma once

#include <vector>

#include "core/serving/settings.hpp"

namespace meyasu {

/// Bytes that one token takes in one layer of one rank beside an indexer's keys; 0 for layers that
/// keep no cells, and for compressed ones (DeepSeek V4), whose rows are not one per token.
///   GQA, MQA, MHA: max(1, n_head_kv / tp) x (head_dim_k + head_dim_v) x element
///   MLA:           (kv_lora_rank + qk_rope_head_dim) x element, on every rank
///   sparse MLA at fp8 (DeepSeek V3.2, GLM-5; vLLM's fp8_ds_mla, SGLang): kv_lora_rank bytes, one
///                  fp32 scale per 128 of them, the rotated part in 16 bit: 656 B
[[nodiscard]] Bytes kv_bytes_per_token(const Layer& layer, KvCacheType type, std::int64_t tp,
                                       ServingRuntime runtime = ServingRuntime::vllm);

/// Keys of a sparse-attention indexer, whatever the cache's type, on every rank: beside MLA, fp8
/// and one fp32 scale per 128 elements (DeepSeek V3.2, GLM-5: 132 B); beside GQA, 16 bit and no
/// value (MiniMax M3).
[[nodiscard]] Bytes indexer_bytes_per_token(const Layer& layer);

/// Bytes of one element of a recurrent state; convolution windows are 16 bit everywhere. vLLM and
/// TensorRT-LLM keep it in the model's type, but in fp32 where the checkpoint asks for that
/// (Qwen3.5 `mamba_ssm_dtype`, Nemotron-H `mamba_ssm_cache_dtype`) and for Kimi delta attention;
/// SGLang in fp32 (SGLANG_MAMBA_SSM_DTYPE).
[[nodiscard]] Bytes state_element_bytes(const Model& model, const Layer& layer,
                                        ServingRuntime runtime);

/// Bytes of recurrent and convolution state of one request in one layer of one rank, 0 for layers
/// without a mixer. Mamba-2 repeats its groups where there are fewer than ranks:
///   (d_conv - 1) x (d_inner + 2 max(n_group, tp) d_state) / tp x 2 B + state / tp x element
[[nodiscard]] Bytes state_bytes_per_request(const Layer& layer, std::int64_t tp,
                                            Bytes state_element = 4);

enum class KvGroupKind { full, window, chunked, state };

/// One thing that one layer keeps on one rank, in pages.
struct CacheEntry {
  std::int64_t layer = 0;  // index into Model::layers
  KvGroupKind kind = KvGroupKind::full;
  std::int64_t block_tokens = 0;  // tokens of one page; 0: a page is a whole state
  Bytes page_bytes = 0;
  std::int64_t window = 0;  // of window and chunked
  std::int64_t reads = 0;   // tokens that a step reads, however many are kept; 0: all
  bool latent = false;      // rows of MLA and of indexers: kernels take no padding after a page

  [[nodiscard]] bool is_state() const { return kind == KvGroupKind::state; }
};

/// Of all layers, in order; nothing for prediction blocks, which are loaded for speculation only.
/// `settings` must have its defaults filled in. DeepSeek V4's have pages of their own: 256 tokens
/// compressed 4 or 128 to 1, 64 of the window, 4 or 8 partial states of the compressor (vLLM
/// models/deepseek_v4, v1/attention/backends/mla/sparse_swa.py).
[[nodiscard]] std::vector<CacheEntry> cache_entries(const Model& model,
                                                    const ServingSettings& settings);

}  // namespace meyasu
