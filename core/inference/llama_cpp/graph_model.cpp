#include "core/inference/llama_cpp/graph_model.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <optional>

#include "core/inference/llama_cpp/graph.hpp"

namespace meyasu {
namespace {

// In the order of WeightName, which is alphabetical within blocks and outside.
constexpr std::array<std::string_view, kWeightNames> kNames = {
    "altup_correct_coef",
    "altup_correct_scale",
    "altup_predict_coef",
    "altup_router",
    "altup_router_norm",
    "attn_compressor_ape",
    "attn_compressor_gate",
    "attn_compressor_kv",
    "attn_compressor_norm",
    "attn_gate",
    "attn_k",
    "attn_k_b",
    "attn_k_norm",
    "attn_kv",
    "attn_kv_a_mqa",
    "attn_kv_a_norm",
    "attn_kv_b",
    "attn_norm",
    "attn_norm_2",
    "attn_output",
    "attn_output_a",
    "attn_output_b",
    "attn_output_norm",
    "attn_post_norm",
    "attn_q",
    "attn_q_a",
    "attn_q_a_norm",
    "attn_q_b",
    "attn_q_norm",
    "attn_qkv",
    "attn_rel_b",
    "attn_sinks",
    "attn_sub_norm",
    "attn_v",
    "attn_v_b",
    "channel_mix_key",
    "channel_mix_lerp_k",
    "channel_mix_lerp_r",
    "channel_mix_receptance",
    "channel_mix_value",
    "cross_attn_k",
    "cross_attn_norm",
    "cross_attn_o",
    "cross_attn_q",
    "cross_attn_v",
    "exp_probs_b",
    "ffn_act",
    "ffn_down",
    "ffn_down_chexps",
    "ffn_down_exps",
    "ffn_down_shexp",
    "ffn_gate",
    "ffn_gate_chexps",
    "ffn_gate_exps",
    "ffn_gate_inp",
    "ffn_gate_inp_shexp",
    "ffn_gate_shexp",
    "ffn_gate_tid2eid",
    "ffn_gate_up_exps",
    "ffn_latent_down",
    "ffn_latent_up",
    "ffn_norm",
    "ffn_norm_exps",
    "ffn_post_norm",
    "ffn_sub_norm",
    "ffn_up",
    "ffn_up_chexps",
    "ffn_up_exps",
    "ffn_up_shexp",
    "hc_attn_base",
    "hc_attn_fn",
    "hc_attn_scale",
    "hc_ffn_base",
    "hc_ffn_fn",
    "hc_ffn_scale",
    "indexer.attn_k",
    "indexer.attn_q_b",
    "indexer.k_norm",
    "indexer.k_proj",
    "indexer.proj",
    "indexer.q_norm",
    "indexer.q_proj",
    "indexer_compressor_ape",
    "indexer_compressor_gate",
    "indexer_compressor_kv",
    "indexer_compressor_norm",
    "inp_gate",
    "laurel_l",
    "laurel_post_norm",
    "laurel_r",
    "layer_output_norm",
    "layer_output_scale",
    "post_attention_norm",
    "post_ffw_norm",
    "post_ffw_norm_1",
    "post_ffw_norm_2",
    "post_norm",
    "pre_ffw_norm_2",
    "proj",
    "rope_factors_long",
    "rope_factors_short",
    "rope_freqs",
    "shortconv.conv",
    "shortconv.in_proj",
    "shortconv.out_proj",
    "ssm_a",
    "ssm_alpha",
    "ssm_b_norm",
    "ssm_ba",
    "ssm_beta",
    "ssm_c_norm",
    "ssm_conv1d",
    "ssm_conv1d_k",
    "ssm_conv1d_q",
    "ssm_conv1d_v",
    "ssm_d",
    "ssm_dt",
    "ssm_dt_norm",
    "ssm_f_a",
    "ssm_f_b",
    "ssm_g_a",
    "ssm_g_b",
    "ssm_in",
    "ssm_norm",
    "ssm_out",
    "ssm_x",
    "time_mix_a0",
    "time_mix_a1",
    "time_mix_a2",
    "time_mix_decay",
    "time_mix_decay_w1",
    "time_mix_decay_w2",
    "time_mix_first",
    "time_mix_g1",
    "time_mix_g2",
    "time_mix_gate",
    "time_mix_k_a",
    "time_mix_k_k",
    "time_mix_key",
    "time_mix_lerp_fused",
    "time_mix_lerp_g",
    "time_mix_lerp_k",
    "time_mix_lerp_r",
    "time_mix_lerp_v",
    "time_mix_lerp_w",
    "time_mix_lerp_x",
    "time_mix_ln",
    "time_mix_output",
    "time_mix_r_k",
    "time_mix_receptance",
    "time_mix_v0",
    "time_mix_v1",
    "time_mix_v2",
    "time_mix_value",
    "time_mix_w0",
    "time_mix_w1",
    "time_mix_w2",
    "altup_proj",
    "altup_unembd_proj",
    "cls",
    "cls.norm",
    "cls.output",
    "dec.output_norm",
    "dense_2",
    "dense_3",
    "enc.output_norm",
    "output",
    "output_hc_base",
    "output_hc_fn",
    "output_hc_scale",
    "output_norm",
    "per_layer_model_proj",
    "per_layer_proj_norm",
    "per_layer_token_embd",
    "position_embd",
    "token_embd",
    "token_embd_norm",
    "token_types",
};
constexpr std::size_t kFirstGlobal = static_cast<std::size_t>(WeightName::altup_proj);

std::optional<std::size_t> find_name(std::string_view name) {
  const auto search = [&](std::size_t begin, std::size_t end) -> std::optional<std::size_t> {
    const auto first = kNames.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = kNames.begin() + static_cast<std::ptrdiff_t>(end);
    const auto found = std::lower_bound(first, last, name);
    if (found == last || *found != name) return std::nullopt;
    return static_cast<std::size_t>(found - kNames.begin());
  };
  const auto block = search(0, kFirstGlobal);
  return block ? block : search(kFirstGlobal, kWeightNames);
}

/// Without "blk.N." and, of T5, "dec." or "enc." before it.
std::string_view without_block_prefix(std::string_view name) {
  for (const std::string_view part : {"enc.", "dec."}) {
    if (name.starts_with(part)) name.remove_prefix(part.size());
  }
  constexpr std::string_view kPrefix = "blk.";
  if (name.substr(0, kPrefix.size()) != kPrefix) return name;
  const std::size_t dot = name.find('.', kPrefix.size());
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

void store(BlockWeights& weights, std::string_view name, std::int32_t index) {
  const std::size_t dot = name.rfind('.');
  const std::string_view kind = dot == std::string_view::npos ? "" : name.substr(dot + 1);
  const bool typed = kind == "weight" || kind == "bias" || kind == "scale";
  const std::string_view base = typed ? name.substr(0, dot) : name;
  const auto slot = find_name(base == "attn_o" ? "attn_output" : base);  // T5's name for it
  if (!slot) return;
  WeightRefs& refs = weights[*slot];
  (kind == "bias" ? refs.bias : kind == "scale" ? refs.scale : refs.weight) = index;
}

GraphHparams read_hparams(const Model& model) {
  const auto number = [&](std::string_view key) { return model.hparam(key, 0); };
  const auto integer = [&](std::string_view key) { return std::llround(model.hparam(key, 0)); };
  GraphHparams hparams;
  hparams.expert_weights_norm = number("expert_weights_norm") != 0;
  hparams.expert_weights_scale = number("expert_weights_scale");
  hparams.expert_gating_func = integer("expert_gating_func");
  hparams.n_group = integer("expert_group_count");
  hparams.n_group_used = integer("expert_group_used_count");
  hparams.attn_soft_cap = number("attn_logit_softcapping") != 0;
  hparams.final_soft_cap = number("final_logit_softcapping") != 0;
  // Gemma 3n: 30 unless the file says otherwise.
  if (model.architecture == "gemma3n") hparams.final_soft_cap = true;
  hparams.embedding_scale = number("embedding_scale") != 0;
  hparams.residual_scale = number("residual_scale") != 0;
  hparams.logit_scale = number("logit_scale") != 0;
  hparams.clamp_kqv = number("attention.clamp_kqv") > 0;
  hparams.rope_finetuned = model.hparam("rope.scaling.finetuned", 1) != 0;
  hparams.attention_temperature = number("attention.temperature_scale") != 0;
  const double value_scale = model.hparam("attention.value_scale", 1);
  hparams.attention_value_scale = value_scale != 0 && value_scale != 1;
  hparams.n_expert = integer("expert_count");
  hparams.n_deepstack = integer("n_deepstack_layers");
  hparams.indexer_top_k = integer("attention.indexer.top_k");
  hparams.indexer_block_size = integer("attention.indexer.block_size");
  hparams.n_rot = integer("rope.dimension_count");
  hparams.skip_loop_norm = number("skip_loop_final_norm") != 0;
  hparams.norm_after = number("swin_norm") != 0;
  hparams.layer_norm = number("attention.layer_norm_rms_epsilon") == 0;
  hparams.n_dense_lead = integer("leading_dense_block_count");
  hparams.rescale_period = integer("rescale_every_n_layers");
  hparams.pooling = pooling_of(model);
  if (model.architecture == "grok") {
    // Files of Grok-1 have none of these keys.
    hparams.attn_soft_cap = true;
    hparams.embedding_scale = true;
    hparams.logit_scale = true;
  }
  if (model.architecture == "llama4") {
    hparams.attention_temperature = model.sliding_window > 0;
  }
  hparams.parallel_residual = number("use_parallel_residual") != 0;
  hparams.n_ctx_orig = std::llround(
      model.hparam("rope.scaling.original_context_length", static_cast<double>(model.n_ctx_train)));
  return hparams;
}

// src/models/deepseek4.cpp asserts as many.
constexpr std::int64_t kDeepSeek4Streams = 4;

/// Whether one block has the weights and sizes that its builder reads. A damaged or unusual file
/// must end in "unknown", never in a division by zero.
class BlockCheck {
 public:
  BlockCheck(const GraphModel& prepared, std::size_t il)
      : layer_(prepared.model->layers[il]),
        weights_(prepared.blocks[il]),
        traits_(*prepared.traits),
        hparams_(prepared.hparams),
        model_(prepared) {}

  [[nodiscard]] bool ok() const {
    switch (traits_.form) {
      case BlockForm::mamba:
        return state_space();
      case BlockForm::beside:
        return attention() && state_space() && feed_forward();
      case BlockForm::rwkv6:
      case BlockForm::rwkv7:
        return layer_.kind == LayerKind::rwkv && rwkv() && (qwen_part() || channel_mix());
      case BlockForm::mixer_only:
        return layer_.kind == LayerKind::feed_forward_only ? feed_forward() : mixer();
      case BlockForm::deepseek4:
        return hyper_connections() && compressed_attention() && feed_forward() &&
               has({WeightName::ffn_gate_inp});
      case BlockForm::gemma3n:
        return shared_attention() && per_block_part() &&
               has({WeightName::altup_correct_coef, WeightName::altup_correct_scale,
                    WeightName::altup_predict_coef, WeightName::altup_router, WeightName::ffn_down,
                    WeightName::ffn_gate, WeightName::ffn_up, WeightName::laurel_l,
                    WeightName::laurel_r, WeightName::post_ffw_norm});
      case BlockForm::gemma4:
        return shared_attention() && feed_forward() && (!has_table() || per_block_part()) &&
               (!has({WeightName::ffn_gate_inp}) || at(WeightName::ffn_gate_inp).scale >= 0) &&
               has({WeightName::ffn_up, WeightName::ffn_down, WeightName::post_ffw_norm});
      case BlockForm::t5:
        return attention() && feed_forward() && model_.model->n_ctx_train > 0 &&
               has({WeightName::cross_attn_k, WeightName::cross_attn_output,
                    WeightName::cross_attn_q, WeightName::cross_attn_v});
      default:
        return mixer() && (feed_forward() || nothing_left()) && experts_on_input() &&
               (!traits_.embedding_skip || has({WeightName::layer_output_scale}));
    }
  }

 private:
  [[nodiscard]] const WeightRefs& at(WeightName name) const {
    return weights_[static_cast<std::size_t>(name)];
  }
  [[nodiscard]] bool has(std::initializer_list<WeightName> names) const {
    return std::all_of(names.begin(), names.end(),
                       [&](WeightName name) { return at(name).weight >= 0; });
  }
  /// Two that are read together: the second is there if the first is.
  [[nodiscard]] bool if_has(WeightName first, WeightName second) const {
    return !has({first}) || has({second});
  }
  [[nodiscard]] bool bias(WeightName name) const { return at(name).bias >= 0; }

  [[nodiscard]] bool has_table() const {
    return model_.globals[static_cast<std::size_t>(WeightName::per_layer_token_embd)].weight >= 0;
  }
  [[nodiscard]] bool per_block_part() const {
    const auto global = [&](WeightName name) {
      return model_.globals[static_cast<std::size_t>(name)].weight >= 0;
    };
    return has_table() && global(WeightName::per_layer_model_proj) &&
           has({WeightName::inp_gate, WeightName::proj}) &&
           (traits_.form != BlockForm::gemma3n ||
            (global(WeightName::altup_proj) && global(WeightName::altup_unembd_proj)));
  }
  [[nodiscard]] bool shared_attention() const {
    const Attention& attention = layer_.attention;
    if (layer_.kind != LayerKind::attention || attention.n_head < 1 || attention.n_head_kv < 1 ||
        attention.head_dim_k < 1 || attention.head_dim_v < 1) {
      return false;
    }
    return has({WeightName::attn_output, WeightName::attn_q}) &&
           (attention.shares_kv || has({WeightName::attn_k}));
  }

  [[nodiscard]] bool mixer() const {
    switch (layer_.kind) {
      case LayerKind::attention:
        return attention();
      case LayerKind::mamba1:
      case LayerKind::mamba2:
        if (traits_.form == BlockForm::plamo2) return plamo2();
        return (traits_.form == BlockForm::hybrid || traits_.form == BlockForm::mixer_only) &&
               state_space();
      case LayerKind::short_conv:
        return traits_.form == BlockForm::lfm2 &&
               has({WeightName::shortconv_conv, WeightName::shortconv_in_proj,
                    WeightName::shortconv_out_proj});
      case LayerKind::gated_delta_net:
        return traits_.form == BlockForm::gated_delta && delta_net();
      case LayerKind::feed_forward_only:  // pruned attention (Nemotron-NAS)
        return traits_.form == BlockForm::sequential;
      case LayerKind::rwkv:
        return rwkv();
      case LayerKind::linear_attention:
        return traits_.form == BlockForm::gated_delta && kimi_delta();
    }
    return false;
  }

  [[nodiscard]] bool attention() const {
    const Attention& attention = layer_.attention;
    const bool needs_keys = !model_.attends_to_batch;
    if ((needs_keys && attention.shares_kv) || attention.n_head < 1 || attention.n_head_kv < 1 ||
        attention.head_dim_k < 1 || attention.head_dim_v < 1 || !has({WeightName::attn_output})) {
      return false;
    }
    const bool latent =
        traits_.form == BlockForm::deepseek2 || traits_.form == BlockForm::gated_delta;
    if (latent && attention.mla) {
      const Mla& mla = *attention.mla;
      const bool sizes = mla.kv_lora_rank > 0 && mla.qk_nope_head_dim > 0 &&
                         mla.qk_rope_head_dim > 0 && mla.v_head_dim > 0;
      const bool query =
          has({WeightName::attn_q}) ||
          has({WeightName::attn_q_a, WeightName::attn_q_a_norm, WeightName::attn_q_b});
      const bool values = mla.absorbed ? has({WeightName::attn_k_b, WeightName::attn_v_b})
                                       : has({WeightName::attn_kv_b});
      return sizes && query && values && (traits_.sparse != Sparse::cells || indexer()) &&
             has({WeightName::attn_kv_a_mqa, WeightName::attn_kv_a_norm});
    }
    if (traits_.position_bias && !has_bias_table()) return false;
    if (attention.mla || (traits_.sparse == Sparse::blocks && !block_indexer())) return false;
    const bool separate = has({WeightName::attn_q, WeightName::attn_k, WeightName::attn_v});
    if (traits_.form == BlockForm::gated_delta) return separate;
    return separate || has({WeightName::attn_qkv});
  }

  [[nodiscard]] const Shape& shape_of(WeightName name) const {
    return model_.model->tensors[static_cast<std::size_t>(at(name).weight)].ne;
  }

  [[nodiscard]] bool hyper_connections() const {
    if (!has({WeightName::hc_attn_base, WeightName::hc_attn_fn, WeightName::hc_attn_scale,
              WeightName::hc_ffn_base, WeightName::hc_ffn_fn, WeightName::hc_ffn_scale})) {
      return false;
    }
    // Mixes to, from and between the streams.
    constexpr std::int64_t kShares = (2 + kDeepSeek4Streams) * kDeepSeek4Streams;
    const Shape mix = {kDeepSeek4Streams * model_.model->n_embd, kShares, 1, 1};
    return shape_of(WeightName::hc_attn_fn) == mix && shape_of(WeightName::hc_ffn_fn) == mix;
  }

  [[nodiscard]] bool compressed_attention() const {
    const Attention& a = layer_.attention;
    const std::int64_t head = a.head_dim_k;
    if (layer_.kind != LayerKind::attention || !a.compressed || a.n_head < 1 || a.n_head_kv != 1 ||
        head != a.head_dim_v || hparams_.n_rot < 1 || head <= hparams_.n_rot ||
        !has({WeightName::attn_q_a, WeightName::attn_q_a_norm, WeightName::attn_q_b,
              WeightName::attn_kv, WeightName::attn_kv_a_norm, WeightName::attn_output_a,
              WeightName::attn_output_b})) {
      return false;
    }
    const Shape& grouped = shape_of(WeightName::attn_output_a);
    if (grouped[0] < 1 || a.n_head * head % grouped[0] != 0 ||
        grouped[1] % (a.n_head * head / grouped[0]) != 0) {
      return false;
    }
    const std::int64_t ratio = a.compressed->ratio;
    if (ratio == 0) return true;
    const bool compressor = has({WeightName::attn_compressor_ape, WeightName::attn_compressor_gate,
                                 WeightName::attn_compressor_kv, WeightName::attn_compressor_norm});
    if (ratio != 4) return ratio == 128 && compressor;
    return compressor && hparams_.indexer_top_k > 0 && a.indexer_head_dim > hparams_.n_rot &&
           has({WeightName::indexer_proj, WeightName::indexer_attn_q_b,
                WeightName::indexer_compressor_ape, WeightName::indexer_compressor_gate,
                WeightName::indexer_compressor_kv, WeightName::indexer_compressor_norm}) &&
           shape_of(WeightName::indexer_attn_q_b)[1] ==
               shape_of(WeightName::indexer_proj)[1] * a.indexer_head_dim;
  }

  /// The first block's table serves those without one of their own. A row has a value per head.
  [[nodiscard]] bool has_bias_table() const {
    constexpr auto kBias = static_cast<std::size_t>(WeightName::attn_rel_b);
    const std::int32_t own = weights_[kBias].weight;
    const std::int32_t table = own >= 0 ? own : model_.blocks.front()[kBias].weight;
    return table >= 0 &&
           model_.model->tensors[static_cast<std::size_t>(table)].ne[0] == layer_.attention.n_head;
  }

  [[nodiscard]] bool plamo2() const {
    const Recurrent& r = layer_.recurrent;
    return r.d_conv > 1 && r.d_state > 0 && r.dt_rank > 0 && r.d_inner >= r.dt_rank &&
           bias(WeightName::ssm_dt) &&
           has({WeightName::ssm_in, WeightName::ssm_conv1d, WeightName::ssm_x, WeightName::ssm_dt,
                WeightName::ssm_a, WeightName::ssm_d, WeightName::ssm_out});
  }

  [[nodiscard]] bool state_space() const {
    const Recurrent& r = layer_.recurrent;
    const bool common = r.d_conv > 1 && r.d_inner > 0 && r.d_state > 0 &&
                        has({WeightName::ssm_in, WeightName::ssm_conv1d, WeightName::ssm_a,
                             WeightName::ssm_d, WeightName::ssm_out}) &&
                        bias(WeightName::ssm_conv1d) && bias(WeightName::ssm_dt);
    if (layer_.kind == LayerKind::mamba2 || traits_.form == BlockForm::beside) {
      return common && r.n_group > 0 && r.dt_rank > 0 && r.d_inner >= r.dt_rank;
    }
    const bool norms = at(WeightName::ssm_dt_norm).weight < 0 ||
                       has({WeightName::ssm_b_norm, WeightName::ssm_c_norm});
    return layer_.kind == LayerKind::mamba1 && common && norms &&
           has({WeightName::ssm_x, WeightName::ssm_dt});
  }

  [[nodiscard]] bool delta_net() const {
    const Recurrent& r = layer_.recurrent;
    return r.d_conv > 1 && r.d_state > 0 && r.n_group > 0 && r.dt_rank >= r.n_group &&
           r.d_inner >= r.dt_rank &&
           has({WeightName::attn_qkv, WeightName::attn_gate, WeightName::ssm_conv1d,
                WeightName::ssm_a, WeightName::ssm_out}) &&
           bias(WeightName::ssm_dt) &&
           (has({WeightName::ssm_ba}) || has({WeightName::ssm_beta, WeightName::ssm_alpha}));
  }

  /// The first block must have one; blocks without use an earlier block's choice.
  [[nodiscard]] bool indexer() const {
    if (at(WeightName::attn_q_a).weight < 0 || hparams_.indexer_top_k < 1) return false;
    if (layer_.attention.indexer_head_dim == 0) return &weights_ != model_.blocks.data();
    return layer_.attention.indexer_head_dim > layer_.attention.mla->qk_rope_head_dim &&
           has({WeightName::indexer_attn_k, WeightName::indexer_attn_q_b,
                WeightName::indexer_k_norm, WeightName::indexer_proj});
  }

  /// Leading blocks have none; the others one head per group of the attention's.
  [[nodiscard]] bool block_indexer() const {
    constexpr std::int64_t kMostPositions = std::int64_t{1} << 20;  // in a block: far beyond any
    if (hparams_.indexer_top_k < 1 || hparams_.indexer_block_size < 1 ||
        hparams_.indexer_block_size > kMostPositions) {
      return false;
    }
    if (!has({WeightName::indexer_q_proj})) return true;
    const Attention& attention = layer_.attention;
    const auto query = static_cast<std::size_t>(at(WeightName::indexer_q_proj).weight);
    return attention.indexer_head_dim > 0 && attention.n_head % attention.n_head_kv == 0 &&
           model_.model->tensors[query].ne[1] == attention.indexer_head_dim * attention.n_head_kv &&
           has({WeightName::indexer_k_proj, WeightName::indexer_k_norm,
                WeightName::indexer_q_norm});
  }

  [[nodiscard]] bool kimi_delta() const {
    const Recurrent& r = layer_.recurrent;
    return r.d_conv > 1 && r.head_dim > 0 && r.d_inner >= r.head_dim &&
           r.d_inner % r.head_dim == 0 && bias(WeightName::ssm_dt) &&
           has({WeightName::attn_q, WeightName::attn_k, WeightName::attn_v, WeightName::attn_output,
                WeightName::ssm_a, WeightName::ssm_beta, WeightName::ssm_conv1d_k,
                WeightName::ssm_conv1d_q, WeightName::ssm_conv1d_v, WeightName::ssm_f_a,
                WeightName::ssm_f_b, WeightName::ssm_g_a, WeightName::ssm_g_b,
                WeightName::ssm_norm});
  }

  [[nodiscard]] bool qwen_part() const {
    return layer_.recurrent.token_shift == 1 && has({WeightName::ffn_norm}) && feed_forward();
  }
  [[nodiscard]] bool channel_mix() const {
    return layer_.recurrent.token_shift == 2 && !has({WeightName::ffn_norm}) &&
           has({WeightName::attn_norm_2, WeightName::channel_mix_key,
                WeightName::channel_mix_lerp_k, WeightName::channel_mix_value}) &&
           (traits_.form == BlockForm::rwkv7 ||
            has({WeightName::channel_mix_lerp_r, WeightName::channel_mix_receptance}));
  }
  [[nodiscard]] bool rwkv() const {
    const std::int64_t head = layer_.recurrent.head_dim;
    if (head < 1 || model_.model->n_embd % head != 0) return false;
    if (!has({WeightName::time_mix_key, WeightName::time_mix_output,
              WeightName::time_mix_receptance, WeightName::time_mix_value, WeightName::time_mix_w1,
              WeightName::time_mix_w2})) {
      return false;
    }
    if (traits_.form == BlockForm::rwkv6) {
      const auto key = static_cast<std::size_t>(at(WeightName::time_mix_key).weight);
      const std::int64_t n_head_kv = model_.model->tensors[key].ne[1] / head;
      return n_head_kv >= 1 && model_.model->n_embd / head % n_head_kv == 0 &&
             has({WeightName::time_mix_decay, WeightName::time_mix_decay_w1,
                  WeightName::time_mix_decay_w2, WeightName::time_mix_gate,
                  WeightName::time_mix_lerp_x}) &&
             (has({WeightName::time_mix_lerp_fused}) ||
              has({WeightName::time_mix_lerp_g, WeightName::time_mix_lerp_k,
                   WeightName::time_mix_lerp_r, WeightName::time_mix_lerp_v,
                   WeightName::time_mix_lerp_w}));
    }
    const bool first = &weights_ == model_.blocks.data();
    return has({WeightName::time_mix_a0, WeightName::time_mix_a1, WeightName::time_mix_a2,
                WeightName::time_mix_k_a, WeightName::time_mix_k_k, WeightName::time_mix_lerp_fused,
                WeightName::time_mix_r_k, WeightName::time_mix_w0}) &&
           (first ||
            has({WeightName::time_mix_v0, WeightName::time_mix_v1, WeightName::time_mix_v2}));
  }

  [[nodiscard]] bool feed_forward() const {
    if (!has({WeightName::ffn_gate_inp})) return has({WeightName::ffn_up, WeightName::ffn_down});
    const FeedForward& ff = layer_.feed_forward;
    const bool groups = hparams_.n_group <= 1 ||
                        (hparams_.n_group <= ff.n_expert / 2 && hparams_.n_group_used >= 1 &&
                         hparams_.n_group_used <= hparams_.n_group);
    const bool chunks = traits_.routing != Routing::chunked ||
                        has({WeightName::ffn_up_chexps, WeightName::ffn_down_chexps});
    return groups && chunks && ff.n_expert_used >= 1 && ff.n_expert_used <= ff.n_expert &&
           has({WeightName::ffn_down_exps}) &&
           (has({WeightName::ffn_gate_up_exps}) || has({WeightName::ffn_up_exps})) &&
           if_has(WeightName::ffn_up, WeightName::ffn_down) &&
           if_has(WeightName::ffn_up_shexp, WeightName::ffn_down_shexp) &&
           if_has(WeightName::ffn_latent_down, WeightName::ffn_latent_up);
  }

  /// Both parts of a block are pruned away (Nemotron Ultra 253B).
  [[nodiscard]] bool nothing_left() const {
    return layer_.kind == LayerKind::feed_forward_only && !has({WeightName::ffn_up}) &&
           !has({WeightName::ffn_gate_inp});
  }

  /// Arctic's experts, which stand beside a dense part.
  [[nodiscard]] bool experts_on_input() const {
    return !has({WeightName::ffn_norm_exps}) ||
           has({WeightName::ffn_gate_inp, WeightName::ffn_up, WeightName::ffn_down});
  }

  const Layer& layer_;
  const BlockWeights& weights_;
  const FamilyTraits& traits_;
  const GraphHparams& hparams_;
  const GraphModel& model_;
};

/// What the builder reads outside the blocks.
bool has_globals(const GraphModel& prepared) {
  const auto index = [&](WeightName name) {
    return prepared.globals[static_cast<std::size_t>(name)].weight;
  };
  const auto has = [&](WeightName name) { return index(name) >= 0; };
  if (!has(WeightName::token_embd)) return false;
  if (prepared.model->n_loops > 1 && !has(WeightName::output_norm)) return false;
  if (has(WeightName::per_layer_token_embd) && !has(WeightName::per_layer_model_proj)) return false;
  if (prepared.traits->form != BlockForm::deepseek4) return true;
  if (!has(WeightName::output_hc_base) || !has(WeightName::output_hc_fn) ||
      !has(WeightName::output_hc_scale)) {
    return false;
  }
  const auto base = static_cast<std::size_t>(index(WeightName::output_hc_base));
  return prepared.model->tensors[base].ne[0] == kDeepSeek4Streams;
}

bool is_complete(const GraphModel& prepared) {
  const GraphHparams& hparams = prepared.hparams;
  if (prepared.model->n_embd < 1 || prepared.n_layer < 1 || !has_globals(prepared) ||
      hparams.n_deepstack < 0 || hparams.n_deepstack > prepared.n_layer) {
    return false;
  }
  if (prepared.traits->form == BlockForm::deepseek4 && prepared.model->sliding_window < 1) {
    return false;
  }
  for (std::size_t il = 0; il < static_cast<std::size_t>(prepared.n_layer); ++il) {
    if (!BlockCheck(prepared, il).ok()) return false;
  }
  return true;
}

}  // namespace

GraphModel prepare_graph_model(const Model& model) {
  GraphModel prepared;
  prepared.model = &model;
  prepared.traits = find_family(model.architecture);
  prepared.blocks.resize(model.layers.size());
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const Tensor& tensor = model.tensors[i];
    const auto index = static_cast<std::int32_t>(i);
    if (tensor.layer < 0) {
      store(prepared.globals, tensor.name, index);
    } else if (static_cast<std::size_t>(tensor.layer) < prepared.blocks.size() &&
               !(model.architecture == "t5" && tensor.name.starts_with("enc."))) {
      // T5 has two graphs; the decoder's is the one that is allocated at load.
      store(prepared.blocks[static_cast<std::size_t>(tensor.layer)],
            without_block_prefix(tensor.name), index);
    }
  }
  // Later loops read the weights of the first.
  const std::size_t n_own = prepared.blocks.size() / static_cast<std::size_t>(model.n_loops);
  for (std::size_t il = n_own; il < prepared.blocks.size(); ++il) {
    prepared.blocks[il] = prepared.blocks[il - n_own];
  }
  prepared.hparams = read_hparams(model);
  prepared.attends_to_batch = model.is_encoder || model.is_diffusion;
  std::array<bool, 2> seen = {false, false};
  for (const Layer& layer : model.layers) {
    if (layer.is_mtp) continue;
    ++prepared.n_layer;
    const Attention& attention = layer.attention;
    if (layer.kind != LayerKind::attention) continue;
    prepared.max_v_width =
        std::max(prepared.max_v_width, attention.n_head_kv * attention.head_dim_v);
    const std::size_t part = attention.span == AttentionSpan::full ? 0 : 1;
    if (!seen[part]) {
      prepared.head_dim_k[part] = attention.head_dim_k;
      prepared.head_dim_v[part] = attention.head_dim_v;
    }
    if (attention.head_dim_k != prepared.head_dim_k[part]) prepared.head_dim_k[part] = 0;
    if (attention.head_dim_v != prepared.head_dim_v[part]) prepared.head_dim_v[part] = 0;
    seen[part] = true;
  }
  if (prepared.traits != nullptr && !is_complete(prepared)) prepared.traits = nullptr;
  return prepared;
}

}  // namespace meyasu
