// A Model prepared for building graphs: weights found by role instead of by name, header values as
// plain fields, and what is special about the architecture. Made once per model, used by every
// estimate.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/model/model.hpp"
#include "core/model/pooling.hpp"

namespace meyasu {

/// Weights of one block ("blk.N." + name) or, from token_embd on, of the whole model.
/// The spelling is that of GGUF tensor names.
enum class WeightName : std::uint8_t {
  altup_correct_coef,
  altup_correct_scale,
  altup_predict_coef,
  altup_router,
  altup_router_norm,
  attn_compressor_ape,
  attn_compressor_gate,
  attn_compressor_kv,
  attn_compressor_norm,
  attn_gate,
  attn_k,
  attn_k_b,
  attn_k_norm,
  attn_kv,
  attn_kv_a_mqa,
  attn_kv_a_norm,
  attn_kv_b,
  attn_norm,
  attn_norm_2,
  attn_output,
  attn_output_a,
  attn_output_b,
  attn_output_norm,
  attn_post_norm,
  attn_q,
  attn_q_a,
  attn_q_a_norm,
  attn_q_b,
  attn_q_norm,
  attn_qkv,
  attn_rel_b,
  attn_sinks,
  attn_sub_norm,
  attn_v,
  attn_v_b,
  channel_mix_key,
  channel_mix_lerp_k,
  channel_mix_lerp_r,
  channel_mix_receptance,
  channel_mix_value,
  cross_attn_k,
  cross_attn_norm,
  cross_attn_output,
  cross_attn_q,
  cross_attn_v,
  exp_probs_b,
  ffn_act,
  ffn_down,
  ffn_down_chexps,
  ffn_down_exps,
  ffn_down_shexp,
  ffn_gate,
  ffn_gate_chexps,
  ffn_gate_exps,
  ffn_gate_inp,
  ffn_gate_inp_shexp,
  ffn_gate_shexp,
  ffn_gate_tid2eid,
  ffn_gate_up_exps,
  ffn_latent_down,
  ffn_latent_up,
  ffn_norm,
  ffn_norm_exps,
  ffn_post_norm,
  ffn_sub_norm,
  ffn_up,
  ffn_up_chexps,
  ffn_up_exps,
  ffn_up_shexp,
  hc_attn_base,
  hc_attn_fn,
  hc_attn_scale,
  hc_ffn_base,
  hc_ffn_fn,
  hc_ffn_scale,
  indexer_attn_k,
  indexer_attn_q_b,
  indexer_k_norm,
  indexer_k_proj,
  indexer_proj,
  indexer_q_norm,
  indexer_q_proj,
  indexer_compressor_ape,
  indexer_compressor_gate,
  indexer_compressor_kv,
  indexer_compressor_norm,
  inp_gate,
  laurel_l,
  laurel_post_norm,
  laurel_r,
  layer_output_norm,
  layer_output_scale,
  post_attention_norm,
  post_ffw_norm,
  post_ffw_norm_1,
  post_ffw_norm_2,
  post_norm,
  pre_ffw_norm_2,
  proj,
  rope_factors_long,
  rope_factors_short,
  rope_freqs,
  shortconv_conv,
  shortconv_in_proj,
  shortconv_out_proj,
  ssm_a,
  ssm_alpha,
  ssm_b_norm,
  ssm_ba,
  ssm_beta,
  ssm_c_norm,
  ssm_conv1d,
  ssm_conv1d_k,
  ssm_conv1d_q,
  ssm_conv1d_v,
  ssm_d,
  ssm_dt,
  ssm_dt_norm,
  ssm_f_a,
  ssm_f_b,
  ssm_g_a,
  ssm_g_b,
  ssm_in,
  ssm_norm,
  ssm_out,
  ssm_x,
  time_mix_a0,
  time_mix_a1,
  time_mix_a2,
  time_mix_decay,
  time_mix_decay_w1,
  time_mix_decay_w2,
  time_mix_first,
  time_mix_g1,
  time_mix_g2,
  time_mix_gate,
  time_mix_k_a,
  time_mix_k_k,
  time_mix_key,
  time_mix_lerp_fused,
  time_mix_lerp_g,
  time_mix_lerp_k,
  time_mix_lerp_r,
  time_mix_lerp_v,
  time_mix_lerp_w,
  time_mix_lerp_x,
  time_mix_ln,
  time_mix_output,
  time_mix_r_k,
  time_mix_receptance,
  time_mix_v0,
  time_mix_v1,
  time_mix_v2,
  time_mix_value,
  time_mix_w0,
  time_mix_w1,
  time_mix_w2,
  // whole model
  altup_proj,
  altup_unembd_proj,
  cls,
  cls_norm,
  cls_output,
  dec_output_norm,
  dense_2,
  dense_3,
  enc_output_norm,
  output,
  output_hc_base,
  output_hc_fn,
  output_hc_scale,
  output_norm,
  per_layer_model_proj,
  per_layer_proj_norm,
  per_layer_token_embd,
  position_embd,
  token_embd,
  token_embd_norm,
  token_types,
  count
};
inline constexpr std::size_t kWeightNames = static_cast<std::size_t>(WeightName::count);

/// Index into Model::tensors, -1 if the model has no such weight.
struct WeightRefs {
  std::int32_t weight = -1;
  std::int32_t bias = -1;
  std::int32_t scale = -1;  // one factor per weight or per expert (NVFP4)
};
using BlockWeights = std::array<WeightRefs, kWeightNames>;

enum class NormKind : std::uint8_t { rms, layer, header };  // RMS if the header has its epsilon

enum class Activation : std::uint8_t {
  silu,
  gelu,
  relu,
  relu_sqr,
  swiglu_halves,
  halves_if_wide  // Jina BERT v2: gate and value in one projection, or a plain one
};

/// How the router's logits become weights of the chosen experts.
enum class ExpertGating : std::uint8_t { soft_max, sigmoid, soft_max_of_chosen, sqrt_softplus };

/// Shape of one block; each has its own function in the builder.
enum class BlockForm : std::uint8_t {
  sequential,  // attention, residual, feed-forward, residual
  parallel,    // both read the block's input
  deepseek2,   // sequential with latent attention
  plamo2,      // sequential, attention or a state-space mixer of its own per layer
  mamba,       // state-space block only
  hybrid,      // sequential, attention or Mamba-2 per layer, Granite's factors
  lfm2,        // sequential, attention or short convolution per layer
  beside,      // Falcon-H1: attention and Mamba-2 on the same input, then feed-forward
  mixer_only,  // Nemotron-H: attention, Mamba-2 or feed-forward per layer
  gemma3n,
  gemma4,
  // Qwen3-Next, Qwen3.5: attention with output gate, or delta net; Kimi Linear: latent attention,
  // or delta net with its own gates
  gated_delta,
  rwkv6,
  rwkv7,
  deepseek4,  // streams joined by hyper-connections; compressed keys
  chameleon,  // sequential, with norms before or after attention and feed-forward
  bert,       // sequential, with norms of the sums
  t5,         // sequential, attention to the encoder's result in between
};

enum class Prune : std::uint8_t {
  never,
  last_block,   // rows without output are dropped before the last block's feed-forward
  before_head,  // after the last block
  after_norm,   // after the final norm
};

enum class RopeUse : std::uint8_t {
  all,
  none,
  window_only,
  window_or_dense_lead,  // Command A MoE: also in the blocks before the first with experts
  skip_every_fourth,
  skip_first_of_four,  // where there are windows
  if_32_layers,        // Baichuan 7B; 13B has ALiBi
  header
};

/// What the result of attention is multiplied with before its output projection, made from the
/// block's normed input by attn_gate.
enum class AttentionGate : std::uint8_t { none, sigmoid, softplus };

/// Where the router's logits come from, and what the chosen experts' weights apply to.
enum class Routing : std::uint8_t {
  plain,
  by_block_input,     // SmallThinker: from the block's input, before attention
  weight_before_ffn,  // Llama 4: experts read the weighted input; chosen by logits
  chunked             // GroveMoE: a second set of smaller experts shares the router
};

/// What an indexer chooses for attention to read.
enum class Sparse : std::uint8_t {
  none,
  cells,  // DeepSeek 3.2, GLM 5
  blocks  // of positions: MiniMax M3
};

/// What a model without an output.weight multiplies its result by.
enum class TiedHead : std::uint8_t {
  copy,   // the token table once more, on the output layer's device
  table,  // the token table where it lies (BitNet)
  none    // nothing: vectors of the texts are the result
};

/// How a parallel block adds attention (a) and feed-forward (f) to its input (x); the order decides
/// which result overwrites which.
enum class ParallelSum : std::uint8_t { f_a_x, f_x_a, a_f_x, f_of_a_x };

/// What the graph of an architecture does beyond the presence of its weights.
/// Source: src/models/*.cpp of llama.cpp release v0.5.0, one file per architecture.
struct FamilyTraits {
  std::string_view architecture;
  BlockForm form = BlockForm::sequential;
  NormKind norm = NormKind::rms;
  Activation activation = Activation::silu;
  Prune prune = Prune::last_block;
  RopeUse rope = RopeUse::all;
  ParallelSum sum = ParallelSum::f_a_x;
  WeightName ffn_norm = WeightName::ffn_norm;  // norm before the feed-forward
  ExpertGating gating = ExpertGating::soft_max;
  bool gating_from_header = false;
  bool expert_norm = true;  // weights of the chosen experts are divided by their sum
  bool expert_norm_from_header = false;
  bool scale_q = false;          // after rope
  bool scale_embedding = false;  // by sqrt(n_embd)
  bool soft_cap_logits = false;  // final_logit_softcapping of the header
  bool soft_cap_scores = false;  // attn_logit_softcapping of the header
  bool flat_qk_norm = false;     // over all heads at once, before the split into heads
  bool qk_norm_after_rope = false;
  bool residual_first = false;    // the sum after the feed-forward overwrites the residual
  bool gate_by_division = false;  // shared expert's gate: silu(g) / g instead of sigmoid(g)
  bool mrope = false;             // four positions per token
  AttentionGate attention_gate = AttentionGate::none;
  Routing routing = Routing::plain;
  // Norms of the results of attention and feed-forward, used by models that have both.
  WeightName attention_post_norm = WeightName::post_attention_norm;
  bool post_norm_before_prune = false;
  bool attention_residual_first = false;  // the sum after attention overwrites the residual
  bool bare_norms = false;                // norms of blocks have no weights
  bool fused_qkv_as_heads = false;        // viewed through a reshape
  TiedHead tied_head = TiedHead::copy;
  bool fixed_factors = false;   // MiniCPM3: embedding, residuals and the head's input are scaled
  bool plain_qk_norm = false;   // Llama 4: without weights, after rope
  bool plain_k_norm = false;    // Talkie: keys, without weights, after rope
  bool position_bias = false;   // T5: scores get a learned bias by distance
  bool embedding_skip = false;  // Talkie: the normed embeddings are added after every block
  bool halves_experts = false;  // Command A MoE: halved sum of routed and shared experts
  Sparse sparse = Sparse::none;
};

struct GraphHparams {
  bool expert_weights_norm = false;
  double expert_weights_scale = 0;
  std::int64_t expert_gating_func = 0;
  std::int64_t n_group = 0;  // expert groups
  std::int64_t n_group_used = 0;
  bool attn_soft_cap = false;
  bool final_soft_cap = false;
  bool embedding_scale = false;
  bool residual_scale = false;
  bool logit_scale = false;
  bool clamp_kqv = false;
  bool rope_finetuned = true;
  bool parallel_residual = false;
  bool attention_temperature = false;  // queries are scaled by position
  bool attention_value_scale = false;
  std::int64_t n_expert = 0;
  std::int64_t n_deepstack = 0;    // blocks that add image features
  std::int64_t indexer_top_k = 0;  // cells or blocks that sparse attention reads
  std::int64_t indexer_block_size = 0;
  std::int64_t n_rot = 0;           // rotated elements of a head
  bool skip_loop_norm = false;      // Nanbeige: only the last loop ends in the final norm
  bool norm_after = false;          // Chameleon 34B (swin_norm)
  bool layer_norm = false;          // the header has the epsilon of layer norms, not of RMS norms
  std::int64_t n_dense_lead = 0;    // blocks before the first with experts
  std::int64_t rescale_period = 0;  // RWKV-6: the result is halved after so many blocks; 0: never
  std::int64_t n_ctx_orig = 0;
  Pooling pooling = Pooling::none;
};

struct GraphModel {
  const Model* model = nullptr;
  /// Null: no builder for this architecture, or weights that its builder needs are missing.
  const FamilyTraits* traits = nullptr;
  std::int64_t n_layer = 0;  // without multi-token prediction blocks
  /// Encoders and diffusion models: tokens of the batch attend to each other, not to a cache.
  bool attends_to_batch = false;
  std::vector<BlockWeights> blocks;  // one per Model::layers
  BlockWeights globals;
  GraphHparams hparams;
  /// Of the layers with full attention and of those with a window; 0 if there are none or they
  /// differ.
  std::array<std::int64_t, 2> head_dim_k = {0, 0};
  std::array<std::int64_t, 2> head_dim_v = {0, 0};
  std::int64_t max_v_width = 0;  // widest V row: n_head_kv * head_dim_v
};

/// The traits of an architecture whose graph is known; nullptr otherwise.
[[nodiscard]] const FamilyTraits* find_family(std::string_view architecture);

/// `model` must outlive the result.
[[nodiscard]] GraphModel prepare_graph_model(const Model& model);

}  // namespace meyasu
