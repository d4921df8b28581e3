#include "core/model/derive_tensors.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

namespace meyasu {

namespace {

using Shape = std::initializer_list<std::int64_t>;

// Beyond these a size is not a model but a damaged or hostile file. They also keep every product
// and sum below 2^63: 2^20 x 2^20 x 2^10 elements x 3 tensors x 2^9 blocks.
constexpr std::int64_t kMaxLayers = 512;    // llama.cpp: LLAMA_MAX_LAYERS
constexpr std::int64_t kMaxExperts = 1024;  // llama.cpp: LLAMA_MAX_EXPERTS
constexpr std::int64_t kMaxWidth = 1 << 20;
constexpr std::int64_t kMaxHeads = 1 << 12;
constexpr std::int64_t kMaxHeadDim = 1 << 14;
constexpr std::int64_t kMaxRows = 1 << 24;  // vocabulary, learned positions
constexpr std::int64_t kMaxPositions = std::int64_t{1} << 40;
constexpr std::int64_t kMaxMtp = 16;

struct Bound {
  const char* name;
  std::int64_t value;
  std::int64_t low;
  std::int64_t high;
};

std::string first_out_of_range(const Architecture& a) {
  std::vector<Bound> bounds = {
      {"n_layer", a.n_layer, 1, kMaxLayers},
      {"n_embd", a.n_embd, 1, kMaxWidth},
      {"n_vocab", a.n_vocab, 0, kMaxRows},
      {"n_ctx_train", a.n_ctx_train, 0, kMaxPositions},
      {"n_head", a.n_head, 0, kMaxHeads},
      {"n_head_kv", a.n_head_kv, 0, kMaxHeads},
      {"n_head_kv_full", a.n_head_kv_full, 0, kMaxHeads},
      {"head_dim", a.head_dim, 0, kMaxHeadDim},
      {"head_dim_full", a.head_dim_full, 0, kMaxHeadDim},
      {"n_ff", a.n_ff, 0, kMaxWidth},
      {"sliding_window", a.sliding_window, 0, kMaxPositions},
      {"rope_dim", a.rope_dim, 0, kMaxHeadDim},
      {"n_positions", a.n_positions, 0, kMaxRows},
      {"n_embd_word", a.n_embd_word, 0, kMaxWidth},
      {"n_token_types", a.n_token_types, 0, kMaxRows},
      {"n_label", a.n_label, 0, kMaxRows},
      {"n_kv_shared", a.n_kv_shared, 0, a.n_layer},
      {"blocks", static_cast<std::int64_t>(a.blocks.size()), 0, kMaxLayers},
  };
  for (const std::int64_t width : a.n_ff_layers) bounds.push_back({"n_ff", width, 0, kMaxWidth});
  if (a.mla) {
    bounds.insert(bounds.end(), {{"q_lora_rank", a.mla->q_lora_rank, 0, kMaxWidth},
                                 {"kv_lora_rank", a.mla->kv_lora_rank, 1, kMaxWidth},
                                 {"qk_nope_head_dim", a.mla->qk_nope_head_dim, 0, kMaxHeadDim},
                                 {"qk_rope_head_dim", a.mla->qk_rope_head_dim, 0, kMaxHeadDim},
                                 {"v_head_dim", a.mla->v_head_dim, 0, kMaxHeadDim}});
  }
  if (a.indexer) {
    bounds.insert(bounds.end(), {{"index_n_heads", a.indexer->n_head, 0, kMaxHeads},
                                 {"index_head_dim", a.indexer->head_dim, 0, kMaxHeadDim}});
  }
  if (a.moe) {
    bounds.insert(bounds.end(), {{"n_expert", a.moe->n_expert, 1, kMaxExperts},
                                 {"n_expert_used", a.moe->n_expert_used, 0, a.moe->n_expert},
                                 {"n_ff_exp", a.moe->n_ff_exp, 1, kMaxWidth},
                                 {"n_ff_shexp", a.moe->n_ff_shexp, 0, kMaxWidth},
                                 {"n_ff_dense", a.moe->n_ff_dense, 0, kMaxWidth},
                                 {"first_dense", a.moe->first_dense, 0, kMaxLayers},
                                 {"layer_step", a.moe->layer_step, 1, kMaxLayers},
                                 {"layer_offset", a.moe->layer_offset, 0, kMaxLayers},
                                 {"moe_latent", a.moe->latent, 0, kMaxWidth},
                                 {"hash_layers", a.moe->hash_layers, 0, kMaxLayers}});
  }
  if (a.ssm) {
    bounds.insert(bounds.end(), {{"d_inner", a.ssm->d_inner, 0, kMaxWidth},
                                 {"d_state", a.ssm->d_state, 0, kMaxHeadDim},
                                 {"d_conv", a.ssm->d_conv, 0, kMaxHeads},
                                 {"dt_rank", a.ssm->dt_rank, 0, kMaxWidth},
                                 {"ssm_n_head", a.ssm->n_head, 0, kMaxHeads},
                                 {"ssm_head_dim", a.ssm->head_dim, 0, kMaxHeadDim},
                                 {"ssm_n_group", a.ssm->n_group, 0, kMaxHeads}});
  }
  if (a.mtp) bounds.push_back({"n_mtp_layer", a.mtp->n_layer, 0, kMaxMtp});
  if (a.compressed) {
    bounds.insert(bounds.end(), {{"q_lora_rank", a.compressed->q_lora_rank, 1, kMaxWidth},
                                 {"o_groups", a.compressed->o_groups, 1, kMaxHeads},
                                 {"o_lora_rank", a.compressed->o_lora_rank, 1, kMaxHeadDim},
                                 {"hc_mult", a.compressed->hc_mult, 1, 64}});
    for (const std::int64_t ratio : a.compressed->ratios) {
      bounds.push_back({"compress_ratios", ratio, 0, 1024});
    }
  }
  if (a.per_layer) {
    bounds.insert(bounds.end(), {{"n_embd_per_layer", a.per_layer->width, 1, kMaxHeadDim},
                                 {"n_vocab_per_layer", a.per_layer->n_vocab, 0, kMaxRows},
                                 {"altup", a.per_layer->altup, 0, 64},
                                 {"laurel", a.per_layer->laurel, 0, kMaxWidth}});
  }
  if (a.rwkv7) {
    bounds.insert(bounds.end(), {{"decay_low_rank_dim", a.rwkv7->decay, 1, kMaxWidth},
                                 {"a_low_rank_dim", a.rwkv7->iclr, 1, kMaxWidth},
                                 {"v_low_rank_dim", a.rwkv7->value, 1, kMaxWidth},
                                 {"gate_low_rank_dim", a.rwkv7->gate, 1, kMaxWidth}});
  }
  for (const Bound& bound : bounds) {
    if (bound.value < bound.low || bound.value > bound.high) return bound.name;
  }
  // A row of queries, keys or values: all heads of a block.
  const std::int64_t heads = std::max({a.n_head, a.n_head_kv, a.n_head_kv_full});
  std::int64_t width = std::max(a.head_dim, a.head_dim_full);
  if (a.mla) {
    width = std::max({width, a.mla->qk_nope_head_dim + a.mla->qk_rope_head_dim, a.mla->v_head_dim});
  }
  return heads * width > kMaxWidth ? "head_dim" : "";
}

bool is_attention(BlockKind kind) {
  return kind == BlockKind::full || kind == BlockKind::sliding || kind == BlockKind::chunked;
}

/// Converters keep as F32 what is one-dimensional, not a "weight", a norm, a router, a convolution
/// or a mixing weight (llama.cpp conversion/base.py, prepare_tensors).
GgmlType converter_type(std::string_view name, int n_dims) {
  if (name.ends_with("ffn_gate_tid2eid.weight")) return GgmlType::I32;  // numbers of experts
  if (n_dims == 1 || !name.ends_with(".weight")) return GgmlType::F32;
  for (const std::string_view end :
       {"_norm.weight", "position_embd.weight", "token_types.weight", "ffn_gate_inp.weight",
        "ssm_conv1d.weight", "shortconv.conv.weight", "altup_correct_coef.weight",
        "altup_predict_coef.weight", "hc_attn_fn.weight", "hc_ffn_fn.weight", "output_hc_fn.weight",
        "_compressor_ape.weight", "time_mix_w1.weight", "time_mix_w2.weight",
        "time_mix_lerp_fused.weight"}) {
    if (name.ends_with(end)) return GgmlType::F32;
  }
  return GgmlType::F16;
}

class Deriver {
 public:
  explicit Deriver(const Architecture& architecture) : a_(architecture) {}

  Model run(MtpTensors mtp) {
    describe();
    for (il_ = 0; il_ < a_.n_layer; ++il_)
      model_.layers.push_back(layer(il_, a_.block(il_), false));
    const bool with_mtp = a_.mtp && (mtp == MtpTensors::all || a_.mtp->in_gguf);
    if (with_mtp) {
      for (std::int64_t i = 0; i < a_.mtp->n_layer; ++i) {
        model_.layers.push_back(layer(a_.n_layer + i, BlockKind::full, true));
      }
    }
    if (!a_.known) return std::move(model_);
    global_tensors();
    for (il_ = 0; il_ < a_.n_layer; ++il_) block(a_.block(il_));
    if (with_mtp) {
      for (std::int64_t i = 0; i < a_.mtp->n_layer; ++i) mtp_block(a_.n_layer + i);
    }
    return std::move(model_);
  }

 private:
  void describe() {
    model_.architecture = a_.gguf_arch;
    model_.provenance = Provenance::architecture;
    model_.n_vocab = a_.n_vocab;
    model_.n_embd = a_.n_embd;
    model_.n_ctx_train = a_.n_ctx_train;
    // Windows that no block uses (Mistral 7B v0.1, Phi-3: llama.cpp runs them in full) stay out.
    const auto windowed = [](BlockKind kind) {
      return kind == BlockKind::sliding || kind == BlockKind::chunked;
    };
    if (a_.compressed || std::any_of(a_.blocks.begin(), a_.blocks.end(), windowed)) {
      model_.sliding_window = a_.sliding_window;
    }
    model_.tied_embeddings = a_.tied_embeddings && !a_.is_encoder;
    model_.is_encoder = a_.is_encoder;
    model_.unknowns = a_.unknowns;
    if (a_.is_encoder) model_.unknowns.push_back("encoder:" + a_.gguf_arch);
    model_.hparams = a_.hparams;
    model_.tower_params = a_.tower_params;
  }

  /// Mamba and Nemotron-H: a block is one mixer or one feed-forward, with one norm.
  [[nodiscard]] bool one_part_per_block() const {
    return a_.norm_layout == NormLayout::single && a_.ssm.has_value();
  }

  // ---- sizes of one block -------------------------------------------------------------------

  [[nodiscard]] bool wide_full(BlockKind kind) const {
    return kind == BlockKind::full && a_.head_dim_full > 0;
  }
  [[nodiscard]] std::int64_t head_dim(BlockKind kind) const {
    return wide_full(kind) ? a_.head_dim_full : a_.head_dim;
  }
  [[nodiscard]] std::int64_t n_head_kv(BlockKind kind) const {
    return kind == BlockKind::full && a_.n_head_kv_full > 0 ? a_.n_head_kv_full : a_.n_head_kv;
  }
  [[nodiscard]] bool shares_kv(std::int64_t il) const {
    return il < a_.n_layer && il >= a_.n_layer - a_.n_kv_shared;
  }

  /// Tokens per compressed key.
  [[nodiscard]] std::int64_t ratio_of(std::int64_t il) const {
    const auto i = static_cast<std::size_t>(il);
    return i < a_.compressed->ratios.size() ? std::max<std::int64_t>(0, a_.compressed->ratios[i])
                                            : 0;
  }

  [[nodiscard]] Layer layer(std::int64_t il, BlockKind kind, bool mtp) const {
    Layer result;
    result.is_mtp = mtp;
    if (is_attention(kind)) {
      result.kind = LayerKind::attention;
      result.attention = attention(il, kind);
      if (a_.compressed) {
        compress_keys(result, mtp ? 0 : ratio_of(il), a_.indexer ? a_.indexer->head_dim : 0);
      }
    } else {
      recurrent(kind, result);
    }
    const bool mixer_only =
        one_part_per_block() && !mtp && kind != BlockKind::mlp && kind != BlockKind::moe;
    if (!mixer_only) result.feed_forward = feed_forward(il, kind, mtp);
    return result;
  }

  [[nodiscard]] Attention attention(std::int64_t il, BlockKind kind) const {
    Attention result;
    result.n_head = a_.n_head;
    result.shares_kv = shares_kv(il);
    if (kind == BlockKind::sliding) result.span = AttentionSpan::sliding;
    if (kind == BlockKind::chunked) result.span = AttentionSpan::chunked;
    if (a_.mla) {
      const Mla& mla = *a_.mla;
      result.mla = mla;
      // Absorbed: all heads read one latent row per token. Otherwise keys and values are expanded.
      result.n_head_kv = mla.absorbed ? 1 : a_.n_head;
      result.head_dim_k =
          (mla.absorbed ? mla.kv_lora_rank : mla.qk_nope_head_dim) + mla.qk_rope_head_dim;
      result.head_dim_v = mla.absorbed ? mla.kv_lora_rank : mla.v_head_dim;
      if (a_.indexer && a_.indexer->scores(il)) result.indexer_head_dim = a_.indexer->head_dim;
    } else {
      result.n_head_kv = n_head_kv(kind);
      result.head_dim_k = head_dim(kind);
      result.head_dim_v = result.head_dim_k;
    }
    return result;
  }

  void recurrent(BlockKind kind, Layer& result) const {
    const SsmSpec ssm = a_.ssm.value_or(SsmSpec{});
    Recurrent& r = result.recurrent;
    const std::int64_t history = ssm.d_conv > 0 ? ssm.d_conv - 1 : 0;
    r.d_conv = ssm.d_conv;
    r.d_inner = ssm.d_inner;
    r.d_state = ssm.d_state;
    switch (kind) {
      case BlockKind::mamba1:
        result.kind = LayerKind::mamba1;
        r.dt_rank = ssm.dt_rank;
        r.conv_state_elements = history * ssm.d_inner;
        r.ssm_state_elements = ssm.d_state * ssm.d_inner;
        break;
      case BlockKind::plamo2_mamba:
        result.kind = LayerKind::mamba2;
        r.dt_rank = ssm.n_head;
        r.head_dim = ssm.head_dim;
        r.conv_state_elements = history * ssm.d_inner;
        r.ssm_state_elements = ssm.d_state * ssm.d_inner;
        break;
      case BlockKind::mamba2:
      case BlockKind::gated_delta_net:
        result.kind = kind == BlockKind::mamba2 ? LayerKind::mamba2 : LayerKind::gated_delta_net;
        r.dt_rank = ssm.n_head;
        r.head_dim = ssm.head_dim;
        r.n_group = ssm.n_group;
        r.conv_state_elements = history * (ssm.d_inner + 2 * ssm.n_group * ssm.d_state);
        r.ssm_state_elements = ssm.d_state * ssm.d_inner;
        break;
      case BlockKind::short_conv:
        result.kind = LayerKind::short_conv;
        r.conv_state_elements = history * a_.n_embd;
        break;
      case BlockKind::rwkv4:
        // Five values per channel: two token shifts, and numerator, denominator, maximum of wkv.
        result.kind = LayerKind::rwkv;
        r.token_shift = 2;
        r.conv_state_elements = 2 * a_.n_embd;
        r.ssm_state_elements = 3 * a_.n_embd;
        break;
      case BlockKind::rwkv7:
        result.kind = LayerKind::rwkv;
        r.token_shift = 2;
        r.head_dim = a_.head_dim;
        r.conv_state_elements = 2 * a_.n_embd;
        r.ssm_state_elements = a_.n_embd * a_.head_dim;
        break;
      case BlockKind::lightning:
        result.kind = LayerKind::linear_attention;
        r.head_dim = ssm.head_dim;
        r.dt_rank = ssm.n_head;
        r.ssm_state_elements = ssm.n_head * ssm.head_dim * ssm.head_dim;
        break;
      default:
        result.kind = LayerKind::feed_forward_only;
        r = {};
    }
  }

  [[nodiscard]] bool experts_at(std::int64_t il, BlockKind kind, bool mtp) const {
    if (!a_.moe) return false;
    if (mtp) return !a_.mtp->dense;
    if (one_part_per_block()) return kind == BlockKind::moe;
    return a_.has_experts(il);
  }

  [[nodiscard]] std::int64_t dense_width(std::int64_t il) const {
    if (a_.moe && a_.moe->n_ff_dense > 0) return a_.moe->n_ff_dense;
    return a_.n_ff_of(il);
  }

  [[nodiscard]] FeedForward feed_forward(std::int64_t il, BlockKind kind, bool mtp) const {
    FeedForward result;
    if (!experts_at(il, kind, mtp)) {
      result.n_ff = dense_width(il);
      return result;
    }
    if (a_.moe->dense_beside) result.n_ff = dense_width(il);
    result.n_expert = a_.moe->n_expert;
    result.n_expert_used = a_.moe->n_expert_used;
    result.n_ff_exp = a_.moe->n_ff_exp;
    result.n_ff_shexp = a_.moe->n_ff_shexp;
    return result;
  }

  // ---- tensors ------------------------------------------------------------------------------

  void add(std::string name, TensorRole role, Shape shape, int layer_index = -1) {
    Tensor tensor;
    tensor.n_dims = static_cast<int>(shape.size());
    std::size_t dimension = 0;
    for (const std::int64_t n : shape) {
      if (n <= 0) return;  // a part that this model does not have
      tensor.ne[dimension++] = n;
    }
    tensor.type = converter_type(name, tensor.n_dims);
    tensor.name = std::move(name);
    tensor.role = role;
    tensor.layer = layer_index;
    model_.tensors.push_back(std::move(tensor));
  }

  void blk(const char* suffix, TensorRole role, Shape shape) {
    add("blk." + std::to_string(il_) + "." + suffix, mtp_ ? TensorRole::mtp : role, shape,
        static_cast<int>(il_));
  }

  void weight_and_bias(const char* name, TensorRole role, Shape shape, bool bias) {
    blk((std::string(name) + ".weight").c_str(), role, shape);
    if (bias) blk((std::string(name) + ".bias").c_str(), role, {*(shape.begin() + 1)});
  }

  void norm(const char* name) {
    if (a_.norm == BlockNorm::none) return;
    blk((std::string(name) + ".weight").c_str(), TensorRole::norm, {a_.n_embd});
    if (a_.norm == BlockNorm::layer) {
      blk((std::string(name) + ".bias").c_str(), TensorRole::norm, {a_.n_embd});
    }
  }

  void global_norm(const char* name) {
    if (a_.norm == BlockNorm::none) return;
    add(std::string(name) + ".weight", TensorRole::norm, {a_.n_embd});
    if (a_.norm == BlockNorm::layer)
      add(std::string(name) + ".bias", TensorRole::norm, {a_.n_embd});
  }

  void global_tensors() {
    const std::int64_t word = a_.n_embd_word > 0 ? a_.n_embd_word : a_.n_embd;
    add("token_embd.weight", TensorRole::embedding, {word, a_.n_vocab});
    if (a_.embedding_norm) global_norm("token_embd_norm");
    add("token_types.weight", TensorRole::embedding, {a_.n_embd, a_.n_token_types});
    add("position_embd.weight", TensorRole::position, {a_.n_embd, a_.n_positions});
    if (a_.n_embd_word > 0) {
      add("token_embd_proj.weight", TensorRole::other, {word, a_.n_embd});
      add("output_proj.weight", TensorRole::other, {a_.n_embd, word});
    }
    if (a_.final_norm) {
      global_norm(a_.final_norm_at_embedding   ? "token_embd_norm"
                  : a_.gguf_arch == "neo-bert" ? "enc.output_norm"
                                               : "output_norm");
    }
    if (a_.n_label > 0) classifier();
    if (!a_.tied_embeddings || a_.head_copy_in_gguf) {
      add("output.weight", TensorRole::output_head, {word, a_.n_vocab});
    }
    if (a_.head_bias) add("output.bias", TensorRole::output_head, {a_.n_vocab});
    rope_factor_tensors();
    if (a_.per_layer) per_layer_globals(*a_.per_layer);
    if (a_.compressed) {
      const std::int64_t hc = a_.compressed->hc_mult;
      add("output_hc_fn.weight", TensorRole::other, {hc * a_.n_embd, hc});
      add("output_hc_base.weight", TensorRole::other, {hc});
      add("output_hc_scale.weight", TensorRole::other, {1});
    }
  }

  /// The head of a reranker.
  void classifier() {
    constexpr auto kRole = TensorRole::output_head;
    if (a_.has_pooler) {
      add("cls.weight", kRole, {a_.n_embd, a_.n_embd});
      if (a_.pooler_bias) add("cls.bias", kRole, {a_.n_embd});
      if (a_.pooler_norm) add("cls.norm.weight", TensorRole::norm, {a_.n_embd});
    }
    add("cls.output.weight", kRole, {a_.n_embd, a_.n_label});
    add("cls.output.bias", kRole, {a_.n_label});
  }

  void rope_factor_tensors() {
    // Gemma 4 turns a part of the wide heads' elements, which its converter writes as factors.
    if (a_.head_dim_full > 0) {
      return add("rope_freqs.weight", TensorRole::other, {a_.head_dim_full / 2});
    }
    const std::int64_t rotated = a_.rope_dim > 0 ? a_.rope_dim : a_.head_dim;
    if (a_.rope_factors == RopeFactors::llama3) {
      add("rope_freqs.weight", TensorRole::other, {rotated / 2});
    } else if (a_.rope_factors == RopeFactors::longrope) {
      add("rope_factors_long.weight", TensorRole::other, {rotated / 2});
      add("rope_factors_short.weight", TensorRole::other, {rotated / 2});
    }
  }

  void per_layer_globals(const PerLayerEmbedding& p) {
    const std::int64_t rows = p.n_vocab > 0 ? p.n_vocab : a_.n_vocab;
    add("per_layer_token_embd.weight", TensorRole::embedding, {p.width * a_.n_layer, rows});
    add("per_layer_model_proj.weight", TensorRole::other, {a_.n_embd, p.width * a_.n_layer});
    add("per_layer_proj_norm.weight", TensorRole::norm, {p.width});
    if (p.altup > 1) {
      add("altup_proj.weight", TensorRole::other, {a_.n_embd, a_.n_embd, p.altup - 1});
      add("altup_unembd_proj.weight", TensorRole::other, {a_.n_embd, a_.n_embd, p.altup - 1});
    }
  }

  void block(BlockKind kind) {
    if (kind == BlockKind::rwkv4) return rwkv4_block();
    if (kind == BlockKind::rwkv7) return rwkv7_block();
    if (one_part_per_block()) {
      norm("attn_norm");
      mixer(kind);
      if (kind == BlockKind::mlp) dense(a_.n_ff_of(il_));
      if (kind == BlockKind::moe) experts(*a_.moe);
      return;
    }
    block_norms(kind);
    mixer(kind);
    feed_forward_tensors(kind);
    if (a_.per_layer) per_layer_block(*a_.per_layer);
    if (a_.layer_scale) blk("layer_output_scale.weight", TensorRole::other, {1});
    if (a_.compressed) hyper_connections();
  }

  void block_norms(BlockKind kind) {
    if (kind == BlockKind::skip) return norm("ffn_norm");  // the mixer's norm is pruned with it
    switch (a_.norm_layout) {
      case NormLayout::bert:
        norm("attn_output_norm");
        norm("layer_output_norm");
        break;
      case NormLayout::pre:
        if (il_ > 0 || !a_.first_norm_is_identity) norm("attn_norm");
        norm("ffn_norm");
        break;
      case NormLayout::pre_named_post:
        norm("attn_norm");
        norm("post_attention_norm");
        break;
      case NormLayout::sandwich:
        norm("attn_norm");
        norm("post_attention_norm");
        norm("ffn_norm");
        norm("post_ffw_norm");
        break;
      case NormLayout::post:
        norm("post_attention_norm");
        norm("post_ffw_norm");
        break;
      case NormLayout::single:
        norm("attn_norm");
        break;
      case NormLayout::parallel_two:
        norm("attn_norm");
        norm("attn_norm_2");
        break;
    }
  }

  void mixer(BlockKind kind) {
    switch (kind) {
      case BlockKind::full:
      case BlockKind::sliding:
      case BlockKind::chunked:
        if (a_.compressed) return compressed_attention(*a_.compressed);
        if (a_.mla) return latent_attention(*a_.mla);
        return attention_tensors(kind);
      case BlockKind::mamba1:
        return mamba1(*a_.ssm);
      case BlockKind::mamba2:
        return mamba2(*a_.ssm);
      case BlockKind::plamo2_mamba:
        return plamo2_mamba(*a_.ssm);
      case BlockKind::gated_delta_net:
        return gated_delta_net(*a_.ssm);
      case BlockKind::lightning:
        return lightning(*a_.ssm);
      case BlockKind::short_conv:
        blk("shortconv.conv.weight", TensorRole::recurrent, {a_.ssm->d_conv, a_.n_embd});
        blk("shortconv.in_proj.weight", TensorRole::recurrent, {a_.n_embd, 3 * a_.n_embd});
        blk("shortconv.out_proj.weight", TensorRole::recurrent, {a_.n_embd, a_.n_embd});
        return;
      default:
        return;
    }
  }

  void attention_tensors(BlockKind kind) {
    constexpr auto kRole = TensorRole::attention;
    const std::int64_t e = a_.n_embd;
    const std::int64_t dim = head_dim(kind);
    const std::int64_t heads = a_.n_head;
    const std::int64_t kv = n_head_kv(kind);
    const bool stores_kv = mtp_ || !shares_kv(il_) || a_.shared_kv_has_weights;
    if (a_.fused_qkv) {
      weight_and_bias("attn_qkv", kRole, {e, (heads + 2 * kv) * dim}, a_.qkv_bias);
    } else {
      const std::int64_t gate = a_.output_gate ? 2 : 1;
      weight_and_bias("attn_q", kRole, {e, heads * dim * gate}, a_.qkv_bias);
      if (stores_kv) {
        weight_and_bias("attn_k", kRole, {e, kv * dim}, a_.qkv_bias);
        const bool k_is_v = a_.k_is_v_on_full && kind == BlockKind::full;
        if (!k_is_v) weight_and_bias("attn_v", kRole, {e, kv * dim}, a_.qkv_bias);
      }
    }
    weight_and_bias("attn_output", kRole, {heads * dim, e}, a_.o_bias);
    if (a_.sinks) blk("attn_sinks.weight", kRole, {heads});
    switch (a_.qk_norm) {
      case QkNorm::none:
        break;
      case QkNorm::per_head_dim:
        blk("attn_q_norm.weight", TensorRole::norm, {dim});
        if (stores_kv) blk("attn_k_norm.weight", TensorRole::norm, {dim});
        break;
      case QkNorm::full:
        blk("attn_q_norm.weight", TensorRole::norm, {heads * dim});
        blk("attn_k_norm.weight", TensorRole::norm, {kv * dim});
        break;
      case QkNorm::full_by_head:
        blk("attn_q_norm.weight", TensorRole::norm, {dim, heads});
        blk("attn_k_norm.weight", TensorRole::norm, {dim, kv});
        break;
    }
  }

  void latent_attention(const Mla& mla) {
    constexpr auto kRole = TensorRole::attention;
    const std::int64_t e = a_.n_embd;
    const std::int64_t q_rows = a_.n_head * (mla.qk_nope_head_dim + mla.qk_rope_head_dim);
    if (mla.q_lora_rank > 0) {
      blk("attn_q_a.weight", kRole, {e, mla.q_lora_rank});
      blk("attn_q_a_norm.weight", TensorRole::norm, {mla.q_lora_rank});
      blk("attn_q_b.weight", kRole, {mla.q_lora_rank, q_rows});
    } else {
      blk("attn_q.weight", kRole, {e, q_rows});
    }
    blk("attn_kv_a_mqa.weight", kRole, {e, mla.kv_lora_rank + mla.qk_rope_head_dim});
    blk("attn_kv_a_norm.weight", TensorRole::norm, {mla.kv_lora_rank});
    if (mla.absorbed) {
      blk("attn_k_b.weight", kRole, {mla.qk_nope_head_dim, mla.kv_lora_rank, a_.n_head});
      blk("attn_v_b.weight", kRole, {mla.kv_lora_rank, mla.v_head_dim, a_.n_head});
    } else {
      blk("attn_kv_b.weight", kRole,
          {mla.kv_lora_rank, a_.n_head * (mla.qk_nope_head_dim + mla.v_head_dim)});
    }
    blk("attn_output.weight", kRole, {a_.n_head * mla.v_head_dim, e});
    if (a_.indexer && a_.indexer->scores(il_)) {
      const IndexerSpec& x = *a_.indexer;
      blk("indexer.k_norm.weight", TensorRole::norm, {x.head_dim});
      blk("indexer.k_norm.bias", TensorRole::norm, {x.head_dim});
      blk("indexer.proj.weight", kRole, {e, x.n_head});
      blk("indexer.attn_k.weight", kRole, {e, x.head_dim});
      blk("indexer.attn_q_b.weight", kRole, {mla.q_lora_rank, x.n_head * x.head_dim});
    }
  }

  void compressed_attention(const CompressedAttention& c) {
    constexpr auto kRole = TensorRole::attention;
    const std::int64_t e = a_.n_embd;
    const std::int64_t dim = a_.head_dim;
    blk("attn_sinks.weight", kRole, {a_.n_head});
    blk("attn_q_a.weight", kRole, {e, c.q_lora_rank});
    blk("attn_q_a_norm.weight", TensorRole::norm, {c.q_lora_rank});
    blk("attn_q_b.weight", kRole, {c.q_lora_rank, a_.n_head * dim});
    blk("attn_kv.weight", kRole, {e, dim});
    blk("attn_kv_a_norm.weight", TensorRole::norm, {dim});
    blk("attn_output_a.weight", kRole, {a_.n_head * dim / c.o_groups, c.o_lora_rank * c.o_groups});
    blk("attn_output_b.weight", kRole, {c.o_groups * c.o_lora_rank, e});
    const std::int64_t ratio = mtp_ ? 0 : ratio_of(il_);
    if (ratio == 0) return;
    // Windows of ratio 4 overlap, so their projections are twice as wide.
    const std::int64_t wide = (ratio == 4 ? 2 : 1) * dim;
    blk("attn_compressor_kv.weight", kRole, {e, wide});
    blk("attn_compressor_gate.weight", kRole, {e, wide});
    blk("attn_compressor_ape.weight", kRole, {wide, ratio});
    blk("attn_compressor_norm.weight", TensorRole::norm, {dim});
    if (ratio != 4 || !a_.indexer) return;
    const IndexerSpec& x = *a_.indexer;
    blk("indexer.proj.weight", kRole, {e, x.n_head});
    blk("indexer.attn_q_b.weight", kRole, {c.q_lora_rank, x.n_head * x.head_dim});
    blk("indexer_compressor_kv.weight", kRole, {e, 2 * x.head_dim});
    blk("indexer_compressor_gate.weight", kRole, {e, 2 * x.head_dim});
    blk("indexer_compressor_ape.weight", kRole, {2 * x.head_dim, ratio});
    blk("indexer_compressor_norm.weight", TensorRole::norm, {x.head_dim});
  }

  void hyper_connections() {
    const std::int64_t hc = a_.compressed->hc_mult;
    const std::int64_t mix = (2 + hc) * hc;
    for (const char* part : {"hc_attn_", "hc_ffn_"}) {
      blk((std::string(part) + "fn.weight").c_str(), TensorRole::other, {hc * a_.n_embd, mix});
      blk((std::string(part) + "base.weight").c_str(), TensorRole::other, {mix});
      blk((std::string(part) + "scale.weight").c_str(), TensorRole::other, {3});
    }
  }

  void mamba1(const SsmSpec& s) {
    constexpr auto kRole = TensorRole::recurrent;
    blk("ssm_in.weight", kRole, {a_.n_embd, 2 * s.d_inner});
    blk("ssm_conv1d.weight", kRole, {s.d_conv, s.d_inner});
    blk("ssm_conv1d.bias", kRole, {s.d_inner});
    blk("ssm_x.weight", kRole, {s.d_inner, s.dt_rank + 2 * s.d_state});
    blk("ssm_dt.weight", kRole, {s.dt_rank, s.d_inner});
    blk("ssm_dt.bias", kRole, {s.d_inner});
    blk("ssm_a", kRole, {s.d_state, s.d_inner});
    blk("ssm_d", kRole, {s.d_inner});
    blk("ssm_out.weight", kRole, {s.d_inner, a_.n_embd});
    if (s.bcdt_norm) bcdt_norms(s);
  }

  void bcdt_norms(const SsmSpec& s) {
    blk("ssm_dt_norm.weight", TensorRole::norm, {s.dt_rank});
    blk("ssm_b_norm.weight", TensorRole::norm, {s.d_state});
    blk("ssm_c_norm.weight", TensorRole::norm, {s.d_state});
  }

  void mamba2(const SsmSpec& s) {
    constexpr auto kRole = TensorRole::recurrent;
    const std::int64_t mixed = s.d_inner + 2 * s.n_group * s.d_state;
    const std::int64_t groups = s.n_group > 0 ? s.n_group : 1;
    blk("ssm_in.weight", kRole, {a_.n_embd, s.d_inner + mixed + s.n_head});
    blk("ssm_conv1d.weight", kRole, {s.d_conv, mixed});
    blk("ssm_conv1d.bias", kRole, {mixed});
    blk("ssm_dt.bias", kRole, {s.n_head});
    blk("ssm_a", kRole, {1, s.n_head});
    blk("ssm_d", kRole, {1, s.n_head});
    blk("ssm_norm.weight", kRole, {s.d_inner / groups, groups});
    blk("ssm_out.weight", kRole, {s.d_inner, a_.n_embd});
  }

  void plamo2_mamba(const SsmSpec& s) {
    constexpr auto kRole = TensorRole::recurrent;
    blk("ssm_in.weight", kRole, {a_.n_embd, 2 * s.d_inner});
    blk("ssm_conv1d.weight", kRole, {s.d_conv, s.d_inner});
    blk("ssm_x.weight", kRole, {s.d_inner, s.dt_rank + 2 * s.d_state});
    blk("ssm_dt.weight", kRole, {s.dt_rank, s.n_head});
    blk("ssm_dt.bias", kRole, {s.n_head});
    blk("ssm_a", kRole, {s.n_head});
    blk("ssm_d", kRole, {s.n_head});
    blk("ssm_out.weight", kRole, {s.d_inner, a_.n_embd});
    bcdt_norms(s);
  }

  void gated_delta_net(const SsmSpec& s) {
    constexpr auto kRole = TensorRole::recurrent;
    const std::int64_t mixed = s.d_inner + 2 * s.n_group * s.d_state;
    blk("attn_qkv.weight", kRole, {a_.n_embd, mixed});
    blk("attn_gate.weight", kRole, {a_.n_embd, s.d_inner});
    blk("ssm_conv1d.weight", kRole, {s.d_conv, mixed});
    blk("ssm_dt.bias", kRole, {s.n_head});
    blk("ssm_a", kRole, {s.n_head});
    if (a_.model_type == "qwen3_next") {
      blk("ssm_ba.weight", kRole, {a_.n_embd, 2 * s.n_head});
    } else {
      blk("ssm_beta.weight", kRole, {a_.n_embd, s.n_head});
      blk("ssm_alpha.weight", kRole, {a_.n_embd, s.n_head});
    }
    blk("ssm_norm.weight", kRole, {s.head_dim});
    blk("ssm_out.weight", kRole, {s.d_inner, a_.n_embd});
  }

  /// llama.cpp has no MiniMax-01: the names follow its habits.
  void lightning(const SsmSpec& s) {
    constexpr auto kRole = TensorRole::recurrent;
    const std::int64_t inner = s.n_head * s.head_dim;
    blk("attn_qkv.weight", kRole, {a_.n_embd, 3 * inner});
    blk("attn_gate.weight", kRole, {a_.n_embd, inner});
    blk("attn_output.weight", kRole, {inner, a_.n_embd});
    blk("attn_sub_norm.weight", TensorRole::norm, {inner});
  }

  void feed_forward_tensors(BlockKind kind) {
    if (!experts_at(il_, kind, mtp_)) return dense(dense_width(il_));
    if (a_.moe->dense_beside) dense(dense_width(il_));
    experts(*a_.moe);
  }

  void dense(std::int64_t width) {
    constexpr auto kRole = TensorRole::feed_forward;
    const std::int64_t e = a_.n_embd;
    if (a_.mlp_gated && !a_.fused_gate_up)
      weight_and_bias("ffn_gate", kRole, {e, width}, a_.mlp_bias);
    const std::int64_t up = a_.fused_gate_up ? 2 * width : width;
    weight_and_bias("ffn_up", kRole, {e, up}, a_.mlp_bias);
    weight_and_bias("ffn_down", kRole, {width, e}, a_.mlp_bias || a_.mlp_down_bias);
  }

  void experts(const MoeSpec& m) {
    constexpr auto kRole = TensorRole::routed_expert;
    constexpr auto kRouter = TensorRole::router;
    constexpr auto kShared = TensorRole::shared_expert;
    const std::int64_t e = a_.n_embd;
    const std::int64_t inner = m.latent > 0 ? m.latent : e;
    blk("ffn_gate_inp.weight", kRouter, {e, m.n_expert});
    if (m.router_bias) blk("ffn_gate_inp.bias", kRouter, {m.n_expert});
    if (m.hash_layers > 0 && !mtp_ && il_ < m.hash_layers) {
      blk("ffn_gate_tid2eid.weight", kRouter, {m.n_expert_used, a_.n_vocab});
    } else if (m.score_bias) {
      blk("exp_probs_b.bias", kRouter, {m.n_expert});
    }
    if (m.dense_beside) {
      blk("ffn_gate_inp.scale", kRouter, {e});
      blk("ffn_down_exps.scale", kRouter, {m.n_expert});
      for (const char* name : {"pre_ffw_norm_2", "post_ffw_norm_1", "post_ffw_norm_2"}) norm(name);
    }
    if (m.dense_beside) {  // Gemma 4's checkpoints join gate and up, and so do its files
      blk("ffn_gate_up_exps.weight", kRole, {inner, 2 * m.n_ff_exp, m.n_expert});
    } else {
      if (m.gated) blk("ffn_gate_exps.weight", kRole, {inner, m.n_ff_exp, m.n_expert});
      blk("ffn_up_exps.weight", kRole, {inner, m.n_ff_exp, m.n_expert});
    }
    blk("ffn_down_exps.weight", kRole, {m.n_ff_exp, inner, m.n_expert});
    if (m.expert_bias) {
      if (m.gated) blk("ffn_gate_exps.bias", kRole, {m.n_ff_exp, m.n_expert});
      blk("ffn_up_exps.bias", kRole, {m.n_ff_exp, m.n_expert});
      blk("ffn_down_exps.bias", kRole, {inner, m.n_expert});
    }
    if (m.latent > 0) {
      blk("ffn_latent_down.weight", kShared, {e, m.latent});
      blk("ffn_latent_up.weight", kShared, {m.latent, e});
    }
    if (m.n_ff_shexp == 0) return;
    if (m.shared_gate) blk("ffn_gate_inp_shexp.weight", kShared, {e});
    if (m.gated) blk("ffn_gate_shexp.weight", kShared, {e, m.n_ff_shexp});
    blk("ffn_up_shexp.weight", kShared, {e, m.n_ff_shexp});
    blk("ffn_down_shexp.weight", kShared, {m.n_ff_shexp, e});
  }

  void per_layer_block(const PerLayerEmbedding& p) {
    constexpr auto kRole = TensorRole::other;
    const std::int64_t e = a_.n_embd;
    blk("inp_gate.weight", kRole, {e, p.width});
    blk("proj.weight", kRole, {p.width, e});
    blk("post_norm.weight", TensorRole::norm, {e});
    if (p.altup > 0) {
      blk("altup_correct_coef.weight", kRole, {p.altup, p.altup});
      blk("altup_correct_scale.weight", kRole, {e});
      blk("altup_predict_coef.weight", kRole, {p.altup, p.altup * p.altup});
      blk("altup_router.weight", kRole, {e, p.altup});
      blk("altup_router_norm.weight", TensorRole::norm, {e});
    }
    if (p.laurel > 0) {
      blk("laurel_l.weight", kRole, {e, p.laurel});
      blk("laurel_r.weight", kRole, {p.laurel, e});
      blk("laurel_post_norm.weight", TensorRole::norm, {e});
    }
  }

  /// RWKV-4: llama.cpp has none, the names follow its RWKV-6.
  void rwkv4_block() {
    constexpr auto kRole = TensorRole::recurrent;
    const std::int64_t e = a_.n_embd;
    const std::int64_t width = a_.n_ff_of(il_);
    norm("attn_norm");
    norm("attn_norm_2");
    for (const char* name :
         {"time_mix_decay.weight", "time_mix_first.weight", "time_mix_lerp_k.weight",
          "time_mix_lerp_v.weight", "time_mix_lerp_r.weight", "channel_mix_lerp_k.weight",
          "channel_mix_lerp_r.weight"}) {
      blk(name, kRole, {e});
    }
    for (const char* name : {"time_mix_key.weight", "time_mix_value.weight",
                             "time_mix_receptance.weight", "time_mix_output.weight"}) {
      blk(name, kRole, {e, e});
    }
    blk("channel_mix_key.weight", TensorRole::feed_forward, {e, width});
    blk("channel_mix_receptance.weight", TensorRole::feed_forward, {e, e});
    blk("channel_mix_value.weight", TensorRole::feed_forward, {width, e});
  }

  void rwkv7_block() {
    constexpr auto kRole = TensorRole::recurrent;
    const std::int64_t e = a_.n_embd;
    const Rwkv7Spec r = a_.rwkv7.value_or(Rwkv7Spec{});
    norm("attn_norm");
    norm("attn_norm_2");
    blk("time_mix_w0.weight", kRole, {e});
    blk("time_mix_w1.weight", kRole, {e, r.decay});
    blk("time_mix_w2.weight", kRole, {r.decay, e});
    blk("time_mix_a0.weight", kRole, {e});
    blk("time_mix_a1.weight", kRole, {e, r.iclr});
    blk("time_mix_a2.weight", kRole, {r.iclr, e});
    // Block 0 makes the value that later blocks mix in; its own are copies of a0 to a2 that the
    // converter writes and nothing reads.
    const std::int64_t mixed = il_ > 0 ? r.value : r.iclr;
    blk("time_mix_v0.weight", kRole, {e});
    blk("time_mix_v1.weight", kRole, {e, mixed});
    blk("time_mix_v2.weight", kRole, {mixed, e});
    blk("time_mix_g1.weight", kRole, {e, r.gate});
    blk("time_mix_g2.weight", kRole, {r.gate, e});
    blk("time_mix_lerp_fused.weight", kRole, {e, 1, 1, 6});
    for (const char* name :
         {"time_mix_k_k.weight", "time_mix_k_a.weight", "time_mix_r_k.weight", "time_mix_ln.weight",
          "time_mix_ln.bias", "channel_mix_lerp_k.weight"}) {
      blk(name, kRole, {e});
    }
    for (const char* name : {"time_mix_key.weight", "time_mix_value.weight",
                             "time_mix_receptance.weight", "time_mix_output.weight"}) {
      blk(name, kRole, {e, e});
    }
    blk("channel_mix_key.weight", TensorRole::feed_forward, {e, a_.n_ff_of(il_)});
    blk("channel_mix_value.weight", TensorRole::feed_forward, {a_.n_ff_of(il_), e});
  }

  void mtp_block(std::int64_t il) {
    il_ = il;
    mtp_ = true;
    const std::int64_t e = a_.n_embd;
    if (one_part_per_block()) {
      // Nemotron-H: an attention block and an expert block, each with its norm.
      norm("attn_norm");
      attention_tensors(BlockKind::full);
      norm("ffn_norm");
      experts(*a_.moe);
    } else {
      block_norms(BlockKind::full);
      mixer(BlockKind::full);
      feed_forward_tensors(BlockKind::full);
      if (a_.compressed) hyper_connections();
    }
    blk("nextn.eh_proj.weight", TensorRole::mtp, {2 * e, e});
    blk("nextn.enorm.weight", TensorRole::mtp, {e});
    blk("nextn.hnorm.weight", TensorRole::mtp, {e});
    if (a_.mtp->head_norm) blk("nextn.shared_head_norm.weight", TensorRole::mtp, {e});
    if (a_.mtp->own_embeddings) {
      blk("nextn.embed_tokens.weight", TensorRole::mtp, {e, a_.n_vocab});
      blk("nextn.shared_head_head.weight", TensorRole::mtp, {e, a_.n_vocab});
    }
    if (a_.compressed) {
      const std::int64_t hc = a_.compressed->hc_mult;
      blk("nextn.hc_fn.weight", TensorRole::mtp, {hc * e, hc});
      blk("nextn.hc_base.weight", TensorRole::mtp, {hc});
      blk("nextn.hc_scale.weight", TensorRole::mtp, {1});
    }
    mtp_ = false;
  }

  const Architecture& a_;
  Model model_;
  std::int64_t il_ = 0;
  bool mtp_ = false;
};

std::string missing_part(const Architecture& a) {
  for (std::int64_t il = 0; il < a.n_layer; ++il) {
    switch (a.block(il)) {
      case BlockKind::mamba1:
      case BlockKind::mamba2:
      case BlockKind::plamo2_mamba:
      case BlockKind::gated_delta_net:
      case BlockKind::short_conv:
      case BlockKind::lightning:
        if (!a.ssm) return "ssm";
        break;
      case BlockKind::moe:
        if (!a.moe) return "moe";
        break;
      default:
        break;
    }
  }
  if (a.mtp && a.mtp->n_layer > 0 && a.norm_layout == NormLayout::single && a.ssm && !a.moe) {
    return "moe";
  }
  return {};
}

/// Tensors of a file that no publisher counts as parameters.
bool carries_parameters(const Tensor& tensor, const Architecture& a) {
  const std::string& name = tensor.name;
  if (name == "output.weight") return !a.tied_embeddings;
  if (name.starts_with("rope_f")) return false;
  for (const std::string_view unread :
       {"blk.0.time_mix_v0.", "blk.0.time_mix_v1.", "blk.0.time_mix_v2."}) {
    if (name.starts_with(unread)) return false;
  }
  const auto has = [&](std::string_view part) { return name.find(part) != std::string::npos; };
  if (has("layer_output_scale")) return a.layer_scale_counted;
  if (has("exp_probs_b") && a.moe && !a.moe->score_bias_counted) return false;
  return true;
}

/// Routed experts count in proportion to those used; everything else in full.
std::int64_t active_elements(const Tensor& tensor, const Architecture& a) {
  const bool stacked = tensor.role == TensorRole::routed_expert;
  if (!stacked || !a.moe || a.moe->n_expert == 0) return tensor.elements();
  return tensor.elements() / a.moe->n_expert * a.moe->n_expert_used;
}

}  // namespace

Result<Model> derive_model(const Architecture& architecture, MtpTensors mtp) {
  const std::string bad = first_out_of_range(architecture);
  if (!bad.empty()) return Error{"damaged", "architecture", bad};
  const std::string missing = missing_part(architecture);
  if (!missing.empty()) return Error{"damaged", "architecture", missing};
  return Deriver(architecture).run(mtp);
}

Result<ModelParameters> count_parameters(const Architecture& architecture) {
  const Result<Model> model = derive_model(architecture, MtpTensors::all);
  if (!model) return model.error();
  ModelParameters count;
  std::int64_t mtp = 0;
  for (const Tensor& tensor : model.value().tensors) {
    if (!carries_parameters(tensor, architecture)) continue;
    if (tensor.role == TensorRole::mtp) {
      mtp += tensor.elements();
      continue;
    }
    count.language += tensor.elements();
    count.active += active_elements(tensor, architecture);
    const bool head = tensor.role == TensorRole::output_head;
    if (tensor.role == TensorRole::embedding || head) count.embedding += tensor.elements();
  }
  count.total = count.language;
  if (architecture.mtp && architecture.mtp->in_published_total) count.total += mtp;
  if (architecture.towers_in_published_total) count.total += architecture.tower_params;
  return count;
}

}  // namespace meyasu
