// Model: everything about a network that decides bytes. Built from a GGUF header, a safetensors
// header, a config.json or a catalog entry; provenance says which, and so how sure it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/model/tensor.hpp"

namespace meyasu {

/// How much is known: read from a file's own header, derived from an architecture description,
/// or only a parameter count.
enum class Provenance { header, architecture, count };

enum class LayerKind {
  attention,  // softmax attention of any kind, see Attention
  mamba1,
  mamba2,
  gated_delta_net,  // Qwen3-Next, Qwen3.5
  short_conv,       // LFM2
  rwkv,
  linear_attention,  // MiniMax lightning attention, Kimi delta attention
  feed_forward_only  // layers without a mixer (Nemotron-H MLP layers, NAS-pruned attention)
};

enum class AttentionSpan { full, sliding, chunked };

/// Multi-head latent attention (arXiv 2405.04434). q_lora_rank 0: q is projected directly.
struct Mla {
  std::int64_t q_lora_rank = 0;
  std::int64_t kv_lora_rank = 0;
  std::int64_t qk_nope_head_dim = 0;
  std::int64_t qk_rope_head_dim = 0;
  std::int64_t v_head_dim = 0;
  bool absorbed = true;  // GGUF: wk_b and wv_b stored apart, one latent KV head
};

/// DeepSeek V4: keys serve as values too. A layer reads the model's window of every token's row
/// and, where it compresses, one row for every `ratio` tokens before (4 or 128).
struct CompressedKv {
  std::int64_t ratio = 0;  // 0: the window only
};

/// Softmax attention of one layer. Counts are heads; head_dim_* are elements.
struct Attention {
  std::int64_t n_head = 0;
  std::int64_t n_head_kv = 0;
  std::int64_t head_dim_k = 0;
  std::int64_t head_dim_v = 0;
  AttentionSpan span = AttentionSpan::full;
  // Stores no cache: uses an earlier layer's (Gemma 3n / 4), or the model keeps none (encoders).
  bool shares_kv = false;
  // DeepSeek 3.2 and V4, GLM 5, MiniMax M3: width of the key that the sparse-attention indexer
  // caches beside K; and of a value beside V that MiniMax M3's cache has without need.
  std::int64_t indexer_head_dim = 0;
  std::int64_t indexer_value_dim = 0;
  std::optional<Mla> mla;
  std::optional<CompressedKv> compressed;  // one row is K and V, head_dim_k elements
};

/// Recurrent or convolution state of one layer. Fields that a kind does not have are 0.
struct Recurrent {
  std::int64_t d_conv = 0;
  std::int64_t d_inner = 0;
  std::int64_t d_state = 0;
  std::int64_t n_group = 0;
  std::int64_t dt_rank = 0;  // Mamba-1: rank of dt; Mamba-2 and delta net: heads
  std::int64_t head_dim = 0;
  std::int64_t token_shift = 0;          // RWKV
  std::int64_t conv_state_elements = 0;  // per sequence, F32 in llama.cpp
  std::int64_t ssm_state_elements = 0;   // per sequence
};

/// Feed-forward of one layer: dense (n_expert == 0), mixture of experts, or none (n_ff == 0 too).
struct FeedForward {
  std::int64_t n_ff = 0;  // dense width
  std::int64_t n_expert = 0;
  std::int64_t n_expert_used = 0;
  std::int64_t n_ff_exp = 0;    // width of one routed expert
  std::int64_t n_ff_shexp = 0;  // summed width of the shared experts; 0 = none
};

/// Where attention and a recurrent mixer run side by side (Falcon-H1), `kind` is attention and
/// `recurrent` is filled too; so it is where keys are compressed (the tokens not yet compressed).
struct Layer {
  LayerKind kind = LayerKind::attention;
  Attention attention;
  Recurrent recurrent;
  FeedForward feed_forward;
  bool is_mtp = false;  // multi-token prediction block after the n_layer ordinary ones

  /// Whether its attention stores keys and values, instead of using those of another layer or none.
  [[nodiscard]] bool keeps_keys() const {
    return kind == LayerKind::attention && !attention.shares_kv;
  }
};

/// Makes a block of attention one of DeepSeek V4's; its heads must be known. The compressor's state
/// is 2 * ratio overlapping keys of twice the width (ratio 4, with an indexer), or `ratio` keys,
/// and as many scores (llama_kv_cache_dsv4 in src/llama-kv-cache-dsv4.cpp of llama.cpp).
void compress_keys(Layer& layer, std::int64_t ratio, std::int64_t indexer_head_dim);

/// An invariant of every Model: layers.size() covers all blocks incl. MTP and every run
/// of blocks that loop, whose weights belong to the first; tensors are listed in
/// file order and, for derived models, in llama.cpp's naming.
struct Model {
  std::string name;
  std::string architecture;  // GGUF `general.architecture`: "llama", "qwen3moe", ...
  Provenance provenance = Provenance::architecture;
  std::int64_t n_vocab = 0;
  std::int64_t n_embd = 0;
  std::int64_t n_ctx_train = 0;
  std::int64_t sliding_window = 0;  // tokens; also the chunk length of chunked attention
  bool tied_embeddings = false;
  /// Turns texts into vectors and writes none: reads a text at once, keeps no cache.
  bool is_encoder = false;
  /// Writes a text by computing all of it again at each step: keeps no cache either.
  bool is_diffusion = false;
  /// Reads a text with an encoder of its own, to whose result the decoder attends (T5).
  bool has_encoder = false;
  /// Vision and audio towers with their projectors: a part (and a file) of its own, not in
  /// `tensors`.
  std::int64_t tower_params = 0;
  /// Times that the blocks run one after the other, with the same weights (Nanbeige 4.2).
  std::int64_t n_loops = 1;
  std::vector<Layer> layers;
  std::vector<Tensor> tensors;
  /// What the reader could not know, as message ids with details ("arch_unknown:foo").
  std::vector<std::string> unknowns;
  /// Scalars and strings of the header that graph builders need, as GGUF keys without the
  /// architecture prefix ("attention.layer_norm_rms_epsilon" -> 1e-6).
  std::vector<std::pair<std::string, double>> hparams;

  /// Blocks that answer for the model: those of prediction (MTP) do not run while text is
  /// generated.
  [[nodiscard]] std::int64_t n_layer() const;
  [[nodiscard]] std::int64_t n_params() const;
  [[nodiscard]] Bytes weight_bytes() const;
  /// Whether any layer has routed experts.
  [[nodiscard]] bool has_experts() const;
  [[nodiscard]] bool has_compressed_keys() const;
  /// Whether any layer keeps keys and values.
  [[nodiscard]] bool has_kv_cache() const;
  [[nodiscard]] const Tensor* find_tensor(std::string_view tensor_name) const;
  /// Value of a numeric hparam, or `fallback` when the header has none.
  [[nodiscard]] double hparam(std::string_view key, double fallback) const;
};

}  // namespace meyasu
