// What a catalog entry or a config.json says about a network, before its tensors are derived. The
// family (Hugging Face `model_type`) fixes how blocks are built; the numbers fix their sizes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/model/model.hpp"

namespace meyasu {

/// How a block normalises; decides the number and the names of the norm tensors.
enum class BlockNorm { none, rms, layer, layer_without_bias };

/// Where the norms of a block sit, named by the tensors that llama.cpp gives them.
enum class NormLayout {
  pre,             // attn_norm, ffn_norm
  pre_named_post,  // attn_norm, post_attention_norm in the role of ffn_norm
  sandwich,        // attn_norm, post_attention_norm, ffn_norm, post_ffw_norm
  post,            // post_attention_norm, post_ffw_norm
  single,          // attn_norm only: parallel attention and MLP, or one mixer per block
  bert,            // attn_output_norm, layer_output_norm: of the sums
  parallel_two     // attn_norm, attn_norm_2 (Falcon's newer decoder)
};

/// Norms on queries and keys: none, one weight per head element, one per element of all heads, or
/// that as a matrix [head_dim, heads].
enum class QkNorm { none, per_head_dim, full, full_by_head };

/// What the mixer of a block is.
enum class BlockKind {
  full,
  sliding,
  chunked,
  mamba1,
  mamba2,
  plamo2_mamba,
  gated_delta_net,
  short_conv,
  rwkv4,
  rwkv7,
  lightning,  // MiniMax-01 linear attention
  mlp,        // feed-forward only (Nemotron-H)
  moe,        // experts only (Nemotron-H)
  skip        // attention pruned away, feed-forward stays (Nemotron-NAS)
};

struct MoeSpec {
  std::int64_t n_expert = 0;
  std::int64_t n_expert_used = 0;
  std::int64_t n_ff_exp = 0;
  std::int64_t n_ff_shexp = 0;   // summed width of the shared experts
  bool shared_gate = false;      // a sigmoid gate before the shared expert
  std::int64_t first_dense = 0;  // leading blocks with a dense MLP
  std::int64_t layer_step = 1;   // experts in blocks with il % step == offset
  std::int64_t layer_offset = 0;
  std::int64_t n_ff_dense = 0;  // width of the dense blocks; 0: Architecture::n_ff
  bool router_bias = false;
  bool expert_bias = false;
  bool gated = true;               // experts have a gate projection
  bool score_bias = false;         // e_score_correction_bias, one per expert
  bool score_bias_counted = true;  // published totals include it
  bool dense_beside = false;       // a dense MLP runs beside the experts (Gemma 4)
  std::int64_t latent = 0;         // experts work in a narrower space (Nemotron 3 Super)
  std::int64_t hash_layers = 0;    // leading blocks routed by a token table (DeepSeek V4)
};

/// Attention that picks keys with a small scoring network (DeepSeek V3.2, GLM-5).
/// GLM-5.2 on: only the first `offset` blocks and every `period`-th after them score, the others
/// use an earlier block's choice (index_skip_topk_offset, index_topk_freq).
struct IndexerSpec {
  std::int64_t n_head = 0;
  std::int64_t head_dim = 0;
  std::int64_t top_k = 0;
  std::int64_t offset = 0;
  std::int64_t period = 1;
  [[nodiscard]] bool scores(std::int64_t il) const {
    return il < offset || period <= 1 || (il - offset + 1) % period == 0;
  }
};

/// Recurrent mixers; the fields that a kind does not have are 0.
struct SsmSpec {
  std::int64_t d_inner = 0;
  std::int64_t d_state = 0;
  std::int64_t d_conv = 0;
  std::int64_t dt_rank = 0;  // Mamba-1, PLaMo-2
  std::int64_t n_head = 0;   // Mamba-2, delta net (value heads), lightning
  std::int64_t head_dim = 0;
  std::int64_t n_group = 0;  // Mamba-2 groups; delta net: key heads
  bool bcdt_norm = false;    // norms on B, C and dt (Jamba)
};

/// Multi-token prediction blocks after the ordinary ones.
struct MtpSpec {
  std::int64_t n_layer = 0;
  int own_embeddings = 0;  // 2: the block carries its own token table and head
  bool dense = false;      // its feed-forward is dense although the model has experts
  bool head_norm = true;
  bool in_published_total = false;
  bool in_gguf = false;  // llama.cpp's converter keeps the block
};

/// DeepSeek V4: compressed key-value attention with hyper-connections.
struct CompressedAttention {
  std::int64_t q_lora_rank = 0;
  std::int64_t o_groups = 0;
  std::int64_t o_lora_rank = 0;
  std::int64_t hc_mult = 0;
  std::vector<std::int64_t> ratios;  // per block: 0, 4 or 128
};

/// Gemma 3n and the small Gemma 4: an embedding per layer, and 3n's extra residual streams.
struct PerLayerEmbedding {
  std::int64_t width = 0;
  std::int64_t n_vocab = 0;
  std::int64_t altup = 0;   // residual streams; 0 = one plain stream
  std::int64_t laurel = 0;  // rank of the learned residual
};

/// RWKV-7's low-rank widths.
struct Rwkv7Spec {
  std::int64_t decay = 0;
  std::int64_t iclr = 0;
  std::int64_t value = 0;
  std::int64_t gate = 0;
};

/// Extra rotary factors that GGUF files store as tensors.
enum class RopeFactors { none, llama3, longrope };

struct Architecture {
  std::string model_type;  // Hugging Face: "llama", "qwen3_moe", ...
  std::string gguf_arch;   // llama.cpp's name; the model type where llama.cpp has none
  bool known = false;      // the tensor list can be derived

  std::int64_t n_layer = 0;
  std::int64_t n_embd = 0;
  std::int64_t n_vocab = 0;
  std::int64_t n_ctx_train = 0;
  std::int64_t n_head = 0;
  std::int64_t n_head_kv = 0;
  std::int64_t head_dim = 0;
  std::int64_t n_ff = 0;
  std::vector<std::int64_t> n_ff_layers;  // per block, where widths differ
  bool tied_embeddings = false;

  BlockNorm norm = BlockNorm::rms;
  NormLayout norm_layout = NormLayout::pre;
  bool final_norm = true;
  bool embedding_norm = false;
  bool final_norm_at_embedding = false;  // LFM2 files call the final norm token_embd_norm
  bool mlp_gated = true;
  bool mlp_bias = false;
  bool qkv_bias = false;
  bool o_bias = false;
  bool head_bias = false;
  bool fused_qkv = false;      // llama.cpp stores attn_qkv
  bool fused_gate_up = false;  // llama.cpp stores gate and up in ffn_up
  bool output_gate = false;    // attn_q also holds a gate of the same size (Qwen3-Next)
  bool sinks = false;          // one learned attention sink per head
  QkNorm qk_norm = QkNorm::none;
  bool layer_scale = false;          // one scalar per block (Gemma 4)
  bool layer_scale_counted = false;  // published totals include it
  bool head_copy_in_gguf = false;    // tied, yet files hold the head too (Falcon)
  RopeFactors rope_factors = RopeFactors::none;
  std::int64_t rope_dim = 0;     // rotated elements of a head; 0 = all
  std::int64_t n_positions = 0;  // rows of a learned position table
  std::int64_t n_embd_word = 0;  // width of the token table where it is narrower (OPT-350M)

  bool is_encoder = false;              // turns texts into vectors, writes none
  std::int64_t n_token_types = 0;       // rows of a table of token kinds (BERT)
  bool first_norm_is_identity = false;  // ModernBERT: block 0 has no norm before attention
  bool mlp_down_bias = false;           // where only ffn_down has one (Jina BERT v2)
  std::int64_t n_label = 0;             // rerankers: rows of the classifier; 0: none
  bool has_pooler = false;              // a dense layer before the classifier
  bool pooler_bias = false;
  bool pooler_norm = false;

  std::vector<BlockKind> blocks;    // empty = all full attention
  std::int64_t sliding_window = 0;  // tokens; also the chunk length
  std::int64_t n_head_kv_full = 0;  // full-attention blocks, where they differ (Gemma 4)
  std::int64_t head_dim_full = 0;
  bool k_is_v_on_full = false;         // full-attention blocks have no V projection (Gemma 4)
  std::int64_t n_kv_shared = 0;        // last blocks that use an earlier block's cache
  bool shared_kv_has_weights = false;  // those blocks store unused K and V projections

  std::optional<Mla> mla;
  std::optional<IndexerSpec> indexer;
  std::optional<MoeSpec> moe;
  std::optional<SsmSpec> ssm;
  std::optional<MtpSpec> mtp;
  std::optional<CompressedAttention> compressed;
  std::optional<PerLayerEmbedding> per_layer;
  std::optional<Rwkv7Spec> rwkv7;

  std::int64_t tower_params = 0;  // vision and audio towers with their projectors
  bool towers_in_published_total = true;

  /// Further numbers that runtimes act on, under the keys GGUF files use for them.
  std::vector<std::pair<std::string, double>> hparams;

  std::string quantization;           // label of the checkpoint's own format, empty = 16 bit
  std::vector<std::string> unknowns;  // "arch_unknown:foo", "missing:vocab_size"

  [[nodiscard]] BlockKind block(std::int64_t il) const;
  [[nodiscard]] std::int64_t n_ff_of(std::int64_t il) const;
  [[nodiscard]] bool has_experts(std::int64_t il) const;
};

/// An Architecture with everything that the family fixes (norms, biases, fused tensors, llama.cpp's
/// name) and no sizes. `known` is false for a model type without an entry; its blocks are then
/// assumed to be plain gated ones and `unknowns` says so.
[[nodiscard]] Architecture family_defaults(std::string_view model_type);

/// Facts that the family fixes about parts that only some of its models have (experts, recurrent
/// mixers, prediction blocks). Call it once the sizes are filled in.
void complete_family(Architecture& architecture);

}  // namespace meyasu
