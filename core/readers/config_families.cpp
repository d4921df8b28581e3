// The part of config.json that differs between families, one function each.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/model/architecture.hpp"
#include "core/readers/config_fields.hpp"

namespace meyasu {

namespace {

using Fields = ConfigFields;

std::int64_t block_count(const Architecture& a) {
  return std::clamp<std::int64_t>(a.n_layer, 0, kMaxConfigBlocks);
}

/// Every `period`-th block is of kind `last`, the others of kind `other`.
void alternate(Architecture& a, std::int64_t period, BlockKind other, BlockKind last) {
  if (period <= 0) return;
  a.blocks.clear();
  for (std::int64_t il = 0; il < block_count(a); ++il) {
    a.blocks.push_back((il + 1) % period == 0 ? last : other);
  }
}

void biases(const Fields& fields, Architecture& a) {
  a.qkv_bias = a.o_bias = fields.flag("attention_bias", fields.flag("bias", false));
  a.mlp_bias = fields.flag("mlp_bias", false);
}

/// `n_shared` experts of the routed width.
std::int64_t shared_width(const Fields& fields, std::string_view key, std::int64_t width) {
  const std::int64_t count = bounded(fields.integer(key));
  const std::int64_t each = bounded(width);
  return count < 0 || each < 0 ? -1 : count * each;
}

MoeSpec moe_of(const Fields& fields, std::int64_t width) {
  MoeSpec moe;
  moe.n_expert =
      fields.integer({"num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts"});
  moe.n_expert_used = fields.integer({"num_experts_per_tok", "experts_per_token", "moe_topk",
                                      "moe_k", "top_k_experts", "num_experts_per_token"});
  moe.n_ff_exp = fields.integer("moe_intermediate_size", width);
  return moe;
}

void read_llama(const Fields& fields, Architecture& a) {
  biases(fields, a);
}

void read_mixtral(const Fields& fields, Architecture& a) {
  a.moe = moe_of(fields, a.n_ff);
}

void read_qwen1(const Fields&, Architecture& a) {
  a.n_ff /= 2;  // the file counts gate and up together
}

void read_qwen2(const Fields& fields, Architecture& a) {
  if (!fields.flag("use_sliding_window", false)) {
    a.sliding_window = 0;
    a.blocks.clear();
  }
}

void read_qwen_moe(const Fields& fields, Architecture& a) {
  MoeSpec moe = moe_of(fields, 0);
  moe.n_ff_shexp = fields.integer("shared_expert_intermediate_size");
  moe.layer_step = fields.integer("decoder_sparse_step", 1);
  moe.layer_offset = moe.layer_step > 1 ? moe.layer_step - 1 : 0;
  a.moe = moe;
  a.sliding_window = 0;
}

void read_delta_net(const Fields& fields, Architecture& a) {
  SsmSpec ssm;
  ssm.n_group = fields.integer("linear_num_key_heads", 16);
  ssm.n_head = fields.integer("linear_num_value_heads", 32);
  ssm.d_state = fields.integer("linear_key_head_dim", 128);
  ssm.head_dim = fields.integer("linear_value_head_dim", 128);
  ssm.d_conv = fields.integer("linear_conv_kernel_dim", 4);
  ssm.d_inner = bounded(ssm.n_head) * bounded(ssm.head_dim);
  a.ssm = ssm;
  if (a.blocks.empty()) {
    alternate(a, fields.integer("full_attention_interval", 4), BlockKind::gated_delta_net,
              BlockKind::full);
  }
  if (a.model_type != "qwen3_5") {
    MoeSpec moe = moe_of(fields, 0);
    moe.n_ff_shexp = fields.integer("shared_expert_intermediate_size");
    a.moe = moe;
  }
  if (const std::int64_t n = fields.integer("mtp_num_hidden_layers"); n > 0) {
    a.mtp = MtpSpec{};
    a.mtp->n_layer = n;
    a.mtp->in_published_total = true;
  }
}

void read_llama4(const Fields& fields, Architecture& a) {
  MoeSpec moe = moe_of(fields, a.n_ff);
  moe.n_ff_shexp = a.n_ff;
  moe.n_ff_dense = fields.integer("intermediate_size_mlp", 16384);
  moe.layer_step = bounded(fields.integer("interleave_moe_layer_step", 1));
  moe.layer_offset = moe.layer_step > 1 ? moe.layer_step - 1 : 0;
  a.moe = moe;
  a.sliding_window = fields.integer("attention_chunk_size", 8192);
  if (a.blocks.empty()) {
    alternate(a, fields.integer("no_rope_layer_interval", 4), BlockKind::chunked, BlockKind::full);
  }
}

/// SigLIP and the projector of Gemma 3, exact from vision_config.
void read_siglip(const Fields& fields, Architecture& a) {
  const JsonValue* config = fields.find("vision_config");
  if (config == nullptr) return;
  const Fields vision(*config, nullptr);
  const std::int64_t h = bounded(vision.integer("hidden_size"));
  const std::int64_t ff = bounded(vision.integer("intermediate_size"));
  const std::int64_t layers = vision.integer("num_hidden_layers");
  const std::int64_t patch = vision.integer("patch_size", 14);
  const std::int64_t image = vision.integer("image_size", 896);
  constexpr std::int64_t kMaxTower = 1 << 16;
  const bool sane = h > 0 && h < kMaxTower && ff > 0 && ff < kMaxTower && layers > 0 &&
                    layers <= kMaxConfigBlocks && patch > 0 && patch < 1024 && image >= patch &&
                    image < kMaxTower && a.n_embd > 0 && a.n_embd < kMaxConfigSize;
  if (!sane) return;
  const std::int64_t positions = (image / patch) * (image / patch);
  const std::int64_t embedding = 3 * patch * patch * h + h + positions * h;
  const std::int64_t block = 4 * (h * h + h) + 2 * h * ff + ff + h + 4 * h;
  const std::int64_t projector = h * a.n_embd + h;
  a.tower_params = embedding + layers * block + 2 * h + projector;
}

void read_gemma2(const Fields& fields, Architecture& a) {
  if (a.blocks.empty()) {
    alternate(a, fields.integer("sliding_window_pattern", 2), BlockKind::sliding, BlockKind::full);
  }
}

void read_gemma3(const Fields& fields, Architecture& a) {
  if (a.blocks.empty()) {
    alternate(a, fields.integer("sliding_window_pattern", 6), BlockKind::sliding, BlockKind::full);
  }
  read_siglip(fields, a);
  if (fields.flag("use_bidirectional_attention", false)) {  // EmbeddingGemma
    a.is_encoder = true;
    a.gguf_arch = "gemma-embedding";
    set_pooling(a, Pooling::mean);
  }
}

void read_gemma3n(const Fields& fields, Architecture& a) {
  if (a.blocks.empty()) alternate(a, 5, BlockKind::sliding, BlockKind::full);
  a.n_kv_shared = fields.integer("num_kv_shared_layers", 15);
  a.per_layer =
      PerLayerEmbedding{fields.integer("hidden_size_per_layer_input", 256),
                        fields.integer("vocab_size_per_layer_input", 262144),
                        fields.integer("altup_num_inputs", 4), fields.integer("laurel_rank", 64)};
}

void read_gemma4(const Fields& fields, Architecture& a) {
  if (a.blocks.empty()) alternate(a, 6, BlockKind::sliding, BlockKind::full);
  if (!a.blocks.empty()) a.blocks.back() = BlockKind::full;
  a.head_dim_full = fields.integer("global_head_dim", 512);
  a.k_is_v_on_full = fields.flag("attention_k_eq_v", false);
  if (a.k_is_v_on_full) a.n_head_kv_full = fields.integer("num_global_key_value_heads");
  a.n_kv_shared = fields.integer("num_kv_shared_layers");
  const std::int64_t width = fields.integer("hidden_size_per_layer_input", 256);
  if (width > 0) {
    const std::int64_t rows = fields.integer("vocab_size_per_layer_input", 262144);
    a.per_layer = PerLayerEmbedding{width, rows, 0, 0};
  }
  if (fields.flag("use_double_wide_mlp", false)) {
    // Blocks that borrow their cache get the parameters back in the MLP.
    a.n_ff_layers.clear();
    const std::int64_t ff = bounded(a.n_ff);
    const std::int64_t own_cache = bounded(a.n_layer) - bounded(a.n_kv_shared);
    for (std::int64_t il = 0; il < block_count(a); ++il) {
      a.n_ff_layers.push_back(il < own_cache ? ff : 2 * ff);
    }
  }
  if (fields.flag("enable_moe_block", false)) {
    a.moe = moe_of(fields, 0);
    a.moe->n_ff_dense = a.n_ff;
  }
}

void read_phi(const Fields& fields, Architecture& a) {
  if (fields.flag("qk_layernorm", false)) note_layer_kind(a, "qk_layernorm");
  if (a.n_ff == 0) a.n_ff = 4 * bounded(a.n_embd);
}

void read_phimoe(const Fields& fields, Architecture& a) {
  a.moe = moe_of(fields, a.n_ff);
  a.qkv_bias = a.o_bias = fields.flag("attention_bias", false);
  a.head_bias = fields.flag("lm_head_bias", false);
}

void read_gpt_oss(const Fields& fields, Architecture& a) {
  a.moe = moe_of(fields, a.n_ff);
  if (a.blocks.empty()) alternate(a, 2, BlockKind::sliding, BlockKind::full);
}

void read_mtp(const Fields& fields, Architecture& a, bool own_embeddings) {
  const std::int64_t n = fields.integer("num_nextn_predict_layers");
  if (n == 0) return;
  a.mtp = MtpSpec{};
  a.mtp->n_layer = n;
  a.mtp->own_embeddings = own_embeddings;
  a.mtp->in_published_total = true;
}

void read_deepseek_moe(const Fields& fields, Architecture& a) {
  if (fields.integer("n_routed_experts") == 0) return;
  MoeSpec moe = moe_of(fields, 0);
  moe.n_ff_shexp = shared_width(fields, "n_shared_experts", moe.n_ff_exp);
  moe.first_dense = fields.integer("first_k_dense_replace");
  moe.layer_step = fields.integer("moe_layer_freq", 1);
  a.moe = moe;
}

void read_dots1(const Fields& fields, Architecture& a) {
  biases(fields, a);
  read_deepseek_moe(fields, a);
}

void read_bailing_v2(const Fields& fields, Architecture& a) {
  a.qkv_bias = fields.flag("use_qkv_bias", false);
  MoeSpec moe = moe_of(fields, 0);
  moe.n_ff_shexp = shared_width(fields, "num_shared_experts", moe.n_ff_exp);
  moe.first_dense = fields.integer("first_k_dense_replace");
  a.moe = moe;
}

void read_deepseek(const Fields& fields, Architecture& a) {
  Mla mla;
  mla.q_lora_rank = fields.integer("q_lora_rank");
  mla.kv_lora_rank = fields.integer("kv_lora_rank", 512);
  mla.qk_nope_head_dim = fields.integer("qk_nope_head_dim", 128);
  mla.qk_rope_head_dim = fields.integer("qk_rope_head_dim", 64);
  mla.v_head_dim = fields.integer("v_head_dim", 128);
  a.mla = mla;
  if (fields.integer("index_n_heads") > 0) {
    a.indexer = IndexerSpec{fields.integer("index_n_heads"), fields.integer("index_head_dim", 128),
                            fields.integer("index_topk", 2048),
                            bounded(fields.integer("index_skip_topk_offset")),
                            bounded(fields.integer("index_topk_freq", 1))};
  }
  read_deepseek_moe(fields, a);
  // GLM-5 shares the model's tables, DeepSeek V3 and GLM-4.7-Flash carry their own.
  read_mtp(fields, a, a.model_type != "glm_moe_dsa");
}

void read_deepseek_v4(const Fields& fields, Architecture& a) {
  CompressedAttention c;
  c.q_lora_rank = fields.integer("q_lora_rank", 1024);
  c.o_groups = fields.integer("o_groups", 8);
  c.o_lora_rank = fields.integer("o_lora_rank", 1024);
  c.hc_mult = fields.integer("hc_mult", 4);
  a.rope_dim = fields.integer("qk_rope_head_dim", 64);
  if (const JsonValue* ratios = fields.find("compress_ratios")) {
    for (const JsonValue& ratio : ratios->items()) {
      if (static_cast<std::int64_t>(c.ratios.size()) == kMaxConfigBlocks) break;
      c.ratios.push_back(ratio.as_integer().value_or(-1));
    }
  } else {
    a.unknowns.emplace_back("missing:compress_ratios");
    a.known = false;
  }
  a.compressed = std::move(c);
  a.indexer =
      IndexerSpec{fields.integer("index_n_heads", 64), fields.integer("index_head_dim", 128),
                  fields.integer("index_topk", 512), 0, 1};
  read_deepseek_moe(fields, a);
  if (a.moe) a.moe->hash_layers = fields.integer("num_hash_layers");
  a.blocks.clear();
  read_mtp(fields, a, false);
}

void read_glm4(const Fields& fields, Architecture& a) {
  a.qkv_bias = fields.flag("attention_bias", fields.flag("add_qkv_bias", true));
}

void read_glm4_moe(const Fields& fields, Architecture& a) {
  a.qkv_bias = fields.flag("attention_bias", false);
  a.qk_norm = fields.flag("use_qk_norm", false) ? QkNorm::per_head_dim : QkNorm::none;
  read_deepseek_moe(fields, a);
  read_mtp(fields, a, true);
}

void read_minimax_m1(const Fields& fields, Architecture& a) {
  a.moe = moe_of(fields, a.n_ff);
  SsmSpec ssm;
  ssm.n_head = a.n_head;
  ssm.head_dim = a.head_dim;
  a.ssm = ssm;
  const JsonValue* types = fields.find("attn_type_list");
  if (types != nullptr && types->is_array()) {
    a.blocks.clear();
    for (const JsonValue& type : types->items()) {
      if (static_cast<std::int64_t>(a.blocks.size()) == kMaxConfigBlocks) break;
      a.blocks.push_back(type.as_integer() == 1 ? BlockKind::full : BlockKind::lightning);
    }
  } else if (a.blocks.empty()) {
    alternate(a, 8, BlockKind::lightning, BlockKind::full);
  }
}

void read_minimax_m2(const Fields& fields, Architecture& a) {
  a.moe = moe_of(fields, a.n_ff);
  a.qk_norm = fields.flag("use_qk_norm", true) ? QkNorm::full : QkNorm::none;
}

void read_falcon(const Fields& fields, Architecture& a) {
  const bool newer = fields.flag("new_decoder_architecture", false);
  if (newer) {
    const bool one_norm = fields.integer("num_ln_in_parallel_attn", 2) == 1;
    a.norm_layout = one_norm ? NormLayout::single : NormLayout::parallel_two;
  } else {
    if (fields.flag("multi_query", true)) a.n_head_kv = 1;
    const bool parallel = fields.flag("parallel_attn", true);
    a.norm_layout = parallel ? NormLayout::single : NormLayout::pre;
  }
  const bool bias = fields.flag("bias", false);
  a.qkv_bias = a.o_bias = a.mlp_bias = bias;
  if (a.n_ff == 0) a.n_ff = 4 * bounded(a.n_embd);
}

void read_stablelm(const Fields& fields, Architecture& a) {
  a.qkv_bias = fields.flag("use_qkv_bias", false);
  if (fields.flag("qk_layernorm", false)) note_layer_kind(a, "qk_layernorm");
  if (fields.flag("use_parallel_residual", false)) a.norm_layout = NormLayout::single;
}

void read_internlm(const Fields& fields, Architecture& a) {
  a.qkv_bias = fields.flag("qkv_bias", fields.flag("bias", false));
  a.o_bias = a.mlp_bias = fields.flag("bias", false);
}

void read_cohere(const Fields& fields, Architecture& a) {
  if (fields.flag("use_qk_norm", false)) a.qk_norm = QkNorm::full_by_head;
  if (a.model_type == "cohere2" && a.blocks.empty()) {
    alternate(a, fields.integer("sliding_window_pattern", 4), BlockKind::sliding, BlockKind::full);
  }
}

void read_granite(const Fields& fields, Architecture& a) {
  biases(fields, a);
  if (a.model_type == "granitemoe") a.moe = moe_of(fields, a.n_ff);
}

void read_granite_hybrid(const Fields& fields, Architecture& a) {
  const std::int64_t shared = fields.integer("shared_intermediate_size");
  if (fields.integer("num_local_experts") > 0) {
    a.moe = moe_of(fields, a.n_ff);
    a.moe->n_ff_shexp = shared;
  } else {
    a.n_ff = shared;
  }
  SsmSpec ssm;
  ssm.n_head = fields.integer("mamba_n_heads", 128);
  ssm.d_inner = bounded(fields.integer("mamba_expand", 2)) * bounded(a.n_embd);
  ssm.head_dim = fields.integer("mamba_d_head");
  if (ssm.head_dim == 0 && ssm.n_head > 0) ssm.head_dim = ssm.d_inner / ssm.n_head;
  ssm.d_state = fields.integer("mamba_d_state", 256);
  ssm.n_group = fields.integer("mamba_n_groups", 1);
  ssm.d_conv = fields.integer("mamba_d_conv", 4);
  a.ssm = ssm;
}

void read_nemotron_h(const Fields& fields, Architecture& a) {
  SsmSpec ssm;
  ssm.n_head = fields.integer("mamba_num_heads", 128);
  ssm.head_dim = fields.integer("mamba_head_dim", 64);
  ssm.d_inner = bounded(ssm.n_head) * bounded(ssm.head_dim);
  ssm.d_state = fields.integer("ssm_state_size", 128);
  ssm.n_group = fields.integer("n_groups", 8);
  ssm.d_conv = fields.integer("conv_kernel", 4);
  a.ssm = ssm;
  a.blocks.clear();
  for (const char letter : fields.text("hybrid_override_pattern")) {
    if (static_cast<std::int64_t>(a.blocks.size()) == kMaxConfigBlocks) break;
    BlockKind kind = BlockKind::mamba2;
    if (letter == '*') kind = BlockKind::full;
    if (letter == '-') kind = BlockKind::mlp;
    if (letter == 'E') kind = BlockKind::moe;
    a.blocks.push_back(kind);
  }
  if (a.blocks.empty()) {
    a.unknowns.emplace_back("missing:hybrid_override_pattern");
    a.known = false;
  }
  if (fields.integer("n_routed_experts") > 0) {
    MoeSpec moe = moe_of(fields, 0);
    moe.n_ff_shexp = fields.integer("moe_shared_expert_intermediate_size");
    moe.latent = fields.integer("moe_latent_size");
    a.moe = moe;
    read_mtp(fields, a, false);
  }
}

/// Puzzle-pruned Llama: every block states its own attention and feed-forward.
void read_nemotron_nas(const Fields& fields, Architecture& a) {
  const JsonValue* blocks = fields.find("block_configs");
  if (blocks == nullptr || !blocks->is_array()) {
    a.unknowns.emplace_back("missing:block_configs");
    a.known = false;
    return;
  }
  a.blocks.clear();
  a.n_ff_layers.clear();
  for (const JsonValue& item : blocks->items()) {
    if (static_cast<std::int64_t>(a.blocks.size()) == kMaxConfigBlocks) break;
    static constexpr std::string_view kNone = "no_op";
    const JsonValue* attention = item.find("attention");
    const JsonValue* ffn = item.find("ffn");
    bool skip = false;
    if (attention != nullptr) {
      const Fields part(*attention, nullptr);
      const std::int64_t group = part.integer("n_heads_in_group");
      // Nemotron 51B: of some blocks' attention one matrix is left.
      const bool linear = part.flag("replace_with_linear", false);
      if (linear) note_layer_kind(a, "replace_with_linear");
      skip = part.flag(kNone, false) || (group == 0 && !linear);
      if (!skip && group > 0 && a.n_head > 0) a.n_head_kv = a.n_head / group;
    }
    a.blocks.push_back(skip ? BlockKind::skip : BlockKind::full);
    std::int64_t width = 0;
    if (ffn != nullptr) {
      const JsonValue* mult = ffn->find("ffn_mult");
      const double factor = mult == nullptr ? 0 : mult->as_double().value_or(0);
      // modeling_decilm.py: 2/3 of ffn_mult x hidden, up to a multiple of 256.
      const double raw = 2.0 * factor * static_cast<double>(bounded(a.n_embd)) / 3.0;
      if (raw > 0 && raw < static_cast<double>(kMaxConfigSize)) {
        width = (static_cast<std::int64_t>(raw) + 255) / 256 * 256;
      }
    }
    a.n_ff_layers.push_back(width);
  }
}

void read_sliding_list(const Fields& fields, Architecture& a) {
  biases(fields, a);
  if (!a.blocks.empty() || a.sliding_window == 0) return;
  const JsonValue* pattern = fields.find("sliding_window_pattern");
  if (pattern != nullptr && pattern->is_string() && !pattern->text().empty()) {
    // EXAONE 4: "LLLG"
    const std::string& letters = pattern->text();
    for (std::int64_t il = 0; il < block_count(a); ++il) {
      const char letter = letters[static_cast<std::size_t>(il) % letters.size()];
      a.blocks.push_back(letter == 'L' ? BlockKind::sliding : BlockKind::full);
    }
    return;
  }
  alternate(a, fields.integer("sliding_window_pattern", 4), BlockKind::sliding, BlockKind::full);
}

void read_olmoe(const Fields& fields, Architecture& a) {
  biases(fields, a);
  a.moe = moe_of(fields, a.n_ff);
}

void read_gpt2(const Fields& fields, Architecture& a) {
  if (a.n_ff == 0) a.n_ff = 4 * bounded(a.n_embd);
  if (a.model_type == "gpt2") a.n_positions = fields.integer("n_positions", 1024);
}

void read_gpt_neox(const Fields& fields, Architecture& a) {
  a.qkv_bias = a.o_bias = fields.flag("attention_bias", true);
}

void read_mpt(const Fields& fields, Architecture& a) {
  const std::int64_t ratio = bounded(fields.integer("expansion_ratio", 4));
  const std::int64_t width = bounded(a.n_embd);
  a.n_ff = ratio < 0 || width < 0 ? -1 : ratio * width;
  if (const JsonValue* attention = fields.find("attn_config")) {
    a.n_head_kv = Fields(*attention, nullptr).integer("kv_n_heads", a.n_head_kv);
  }
  if (!fields.flag("no_bias", true)) {
    a.norm = BlockNorm::layer;
    a.qkv_bias = a.o_bias = a.mlp_bias = true;
  }
}

void read_starcoder2(const Fields& fields, Architecture& a) {
  a.qkv_bias = a.o_bias = a.mlp_bias = fields.flag("use_bias", true);
}

void read_opt(const Fields& fields, Architecture& a) {
  const std::int64_t positions = bounded(a.n_ctx_train);
  a.n_positions = positions < 0 ? -1 : positions + 2;  // two reserved rows
  const std::int64_t word = fields.integer("word_embed_proj_dim", a.n_embd);
  if (word != a.n_embd) a.n_embd_word = word;
  const bool before = fields.flag("do_layer_norm_before", true);
  a.final_norm = before && !fields.flag("_remove_final_layer_norm", false);
}

void read_bloom(const Fields&, Architecture& a) {
  a.n_ff = 4 * bounded(a.n_embd);
}

void read_mamba(const Fields& fields, Architecture& a) {
  SsmSpec ssm;
  const std::int64_t expand = bounded(fields.integer("expand", 2));
  const std::int64_t width = bounded(a.n_embd);
  ssm.d_state = fields.integer({"state_size", "d_state"}, a.model_type == "mamba2" ? 128 : 16);
  ssm.d_conv = fields.integer({"conv_kernel", "d_conv"}, 4);
  ssm.d_inner = expand < 0 || width < 0 ? -1 : expand * width;
  BlockKind kind = BlockKind::mamba1;
  if (a.model_type == "mamba2") {
    kind = BlockKind::mamba2;
    ssm.n_head = fields.integer("num_heads", 128);
    ssm.head_dim = fields.integer({"head_dim", "headdim"}, 64);
    ssm.n_group = fields.integer({"n_groups", "ngroups"}, 8);
  } else {
    ssm.d_inner = fields.integer({"intermediate_size", "d_inner"}, ssm.d_inner);
    ssm.dt_rank = fields.integer("time_step_rank", (width + 15) / 16);
  }
  a.ssm = ssm;
  a.n_ff = 0;
  a.n_head = a.n_head_kv = a.head_dim = 0;
  a.blocks.assign(static_cast<std::size_t>(block_count(a)), kind);
}

void read_rwkv(const Fields&, Architecture& a) {
  if (a.n_ff == 0) a.n_ff = 4 * bounded(a.n_embd);
  a.n_head = a.n_head_kv = a.head_dim = 0;
  a.blocks.assign(static_cast<std::size_t>(block_count(a)), BlockKind::rwkv4);
}

void read_rwkv7(const Fields& fields, Architecture& a) {
  a.rwkv7 = Rwkv7Spec{fields.integer("decay_low_rank_dim"), fields.integer("a_low_rank_dim"),
                      fields.integer({"v_low_rank_dim", "value_low_rank_dim"}),
                      fields.integer("gate_low_rank_dim")};
  if (a.n_ff == 0) a.n_ff = 4 * bounded(a.n_embd);
  a.head_dim = fields.integer("head_dim", 64);
  a.n_head = a.n_head_kv = 0;
  a.blocks.assign(static_cast<std::size_t>(block_count(a)), BlockKind::rwkv7);
}

void read_jamba(const Fields& fields, Architecture& a) {
  MoeSpec moe = moe_of(fields, a.n_ff);
  moe.layer_step = fields.integer("expert_layer_period", 2);
  moe.layer_offset = fields.integer("expert_layer_offset", 1);
  if (moe.n_expert > 1) a.moe = moe;
  SsmSpec ssm;
  ssm.d_inner = bounded(fields.integer("mamba_expand", 2)) * bounded(a.n_embd);
  ssm.d_state = fields.integer("mamba_d_state", 16);
  ssm.d_conv = fields.integer("mamba_d_conv", 4);
  ssm.dt_rank = fields.integer("mamba_dt_rank", (bounded(a.n_embd) + 15) / 16);
  a.ssm = ssm;
  if (!a.blocks.empty()) return;
  const std::int64_t period = fields.integer("attn_layer_period", 8);
  const std::int64_t offset = fields.integer("attn_layer_offset", 4);
  if (period <= 0) return;
  for (std::int64_t il = 0; il < block_count(a); ++il) {
    a.blocks.push_back(il % period == offset ? BlockKind::full : BlockKind::mamba1);
  }
}

void read_lfm2(const Fields& fields, Architecture& a) {
  SsmSpec ssm;
  ssm.d_conv = fields.integer("conv_L_cache", 3);
  a.ssm = ssm;
  if (a.blocks.empty()) {
    a.blocks.assign(static_cast<std::size_t>(block_count(a)), BlockKind::short_conv);
    if (const JsonValue* full = fields.find("full_attn_idxs")) {
      for (const JsonValue& index : full->items()) {
        const std::int64_t il = index.as_integer().value_or(-1);
        if (il >= 0 && il < block_count(a))
          a.blocks[static_cast<std::size_t>(il)] = BlockKind::full;
      }
    }
  }
  if (a.model_type == "lfm2_moe") {
    MoeSpec moe = moe_of(fields, 0);
    moe.first_dense = fields.integer("num_dense_layers");
    moe.n_ff_dense = a.n_ff;
    a.moe = moe;
    return;
  }
  a.n_ff = bounded(fields.integer({"block_ff_dim", "intermediate_size"}, a.n_ff));
  if (!fields.flag("block_auto_adjust_ff_dim", true) || a.n_ff < 0) return;
  // Lfm2MLP: 2/3 of the stated width, scaled, up to a multiple.
  const std::int64_t two_thirds = 2 * a.n_ff / 3;
  auto width = static_cast<double>(two_thirds);
  const JsonValue* scale = fields.find("block_ffn_dim_multiplier");
  if (scale != nullptr) width = std::trunc(width * scale->as_double().value_or(1));
  const std::int64_t multiple = bounded(fields.integer("block_multiple_of", 256));
  if (multiple <= 0 || !(width >= 0 && width < static_cast<double>(kMaxConfigSize))) return;
  a.n_ff = (static_cast<std::int64_t>(width) + multiple - 1) / multiple * multiple;
}

void read_ernie(const Fields& fields, Architecture& a) {
  a.qkv_bias = a.o_bias = a.mlp_bias = fields.flag("use_bias", false);
  if (a.model_type != "ernie4_5_moe") return;
  MoeSpec moe = moe_of(fields, 0);
  moe.n_ff_shexp = shared_width(fields, "moe_num_shared_experts", moe.n_ff_exp);
  moe.first_dense = fields.integer("moe_layer_start_index", 1);
  a.moe = moe;
  read_mtp(fields, a, false);
  if (a.mtp) {
    a.mtp->dense = true;
    a.mtp->head_norm = false;
  }
}

void read_hunyuan(const Fields& fields, Architecture& a) {
  a.qkv_bias = a.o_bias = fields.flag("attention_bias", false);
  if (!fields.flag("use_qk_norm", true)) a.qk_norm = QkNorm::none;
  if (a.model_type != "hunyuan_v1_moe") return;
  MoeSpec moe = moe_of(fields, a.n_ff);
  moe.n_ff_shexp = shared_width(fields, "num_shared_expert", moe.n_ff_exp);
  a.moe = moe;
}

void read_seed_oss(const Fields& fields, Architecture& a) {
  a.qkv_bias = fields.flag("attention_bias", true);
  a.o_bias = fields.flag("attention_out_bias", false);
  a.mlp_bias = fields.flag("mlp_bias", false);
}

void read_plamo(const Fields& fields, Architecture& a) {
  const std::int64_t shared = bounded(fields.integer("n_shared_head", 8));
  const std::int64_t heads = bounded(a.n_head);
  if (shared > 0 && heads > 0) a.n_head_kv = (heads + shared - 1) / shared;
}

void read_plamo2(const Fields& fields, Architecture& a) {
  SsmSpec ssm;
  ssm.n_head = fields.integer("mamba_num_heads", 64);
  ssm.head_dim = fields.integer("hidden_size_per_head", 128);
  ssm.d_inner = bounded(ssm.n_head) * bounded(ssm.head_dim);
  ssm.d_state = fields.integer("mamba_d_state", 64);
  ssm.d_conv = fields.integer("mamba_d_conv", 4);
  ssm.dt_rank = std::max<std::int64_t>(64, bounded(a.n_embd) / 16);
  a.ssm = ssm;
  a.head_dim = ssm.head_dim;
  a.sliding_window = fields.integer("attention_window_size", 2048);
  const std::int64_t step = fields.integer("mamba_step", 2);
  a.blocks.clear();
  if (step <= 1) return;
  for (std::int64_t il = 0; il < block_count(a); ++il) {
    // modeling_plamo.py, is_mamba: attention stands in the middle of each group.
    const bool short_model = a.n_layer <= step / 2;
    const bool mamba = short_model ? il != a.n_layer - 1 : il % step != step / 2;
    a.blocks.push_back(mamba ? BlockKind::plamo2_mamba : BlockKind::sliding);
  }
}

struct Reader {
  std::string_view model_type;
  void (*read)(const Fields&, Architecture&);
};

constexpr auto kReaders = std::to_array<Reader>({
    {"llama", read_llama},
    {"baichuan", read_llama},
    {"mixtral", read_mixtral},
    {"qwen", read_qwen1},
    {"qwen2", read_qwen2},
    {"qwen3", read_qwen2},
    {"qwen2_moe", read_qwen_moe},
    {"qwen3_moe", read_qwen_moe},
    {"qwen3_next", read_delta_net},
    {"qwen3_5", read_delta_net},
    {"qwen3_5_moe", read_delta_net},
    {"llama4", read_llama4},
    {"gemma2", read_gemma2},
    {"gemma3", read_gemma3},
    {"gemma3n", read_gemma3n},
    {"gemma4", read_gemma4},
    {"phi", read_phi},
    {"phimoe", read_phimoe},
    {"gpt_oss", read_gpt_oss},
    {"deepseek_v2", read_deepseek},
    {"deepseek_v3", read_deepseek},
    {"deepseek_v32", read_deepseek},
    {"kimi_k2", read_deepseek},
    {"glm4_moe_lite", read_deepseek},
    {"glm_moe_dsa", read_deepseek},
    {"deepseek_v4", read_deepseek_v4},
    {"chatglm", read_glm4},
    {"glm4", read_glm4},
    {"glm4_moe", read_glm4_moe},
    {"minimax_m1", read_minimax_m1},
    {"minimax_m2", read_minimax_m2},
    {"falcon", read_falcon},
    {"stablelm", read_stablelm},
    {"internlm2", read_internlm},
    {"internlm3", read_internlm},
    {"cohere", read_cohere},
    {"cohere2", read_cohere},
    {"granite", read_granite},
    {"granitemoe", read_granite},
    {"granitemoehybrid", read_granite_hybrid},
    {"nemotron_h", read_nemotron_h},
    {"nemotron-nas", read_nemotron_nas},
    {"olmo2", read_llama},
    {"olmo3", read_sliding_list},
    {"exaone4", read_sliding_list},
    {"olmoe", read_olmoe},
    {"smollm3", read_llama},
    {"gpt2", read_gpt2},
    {"gptj", read_gpt2},
    {"gpt_neox", read_gpt_neox},
    {"mpt", read_mpt},
    {"starcoder2", read_starcoder2},
    {"opt", read_opt},
    {"bloom", read_bloom},
    {"mamba", read_mamba},
    {"falcon_mamba", read_mamba},
    {"mamba2", read_mamba},
    {"rwkv", read_rwkv},
    {"rwkv7", read_rwkv7},
    {"jamba", read_jamba},
    {"lfm2", read_lfm2},
    {"lfm2_moe", read_lfm2},
    {"ernie4_5", read_ernie},
    {"ernie4_5_moe", read_ernie},
    {"hunyuan_v1_moe", read_hunyuan},
    {"hunyuan_v1_dense", read_hunyuan},
    {"seed_oss", read_seed_oss},
    {"bailing_moe_v2", read_bailing_v2},
    {"dots1", read_dots1},
    {"arcee", read_llama},
    {"apertus", read_llama},
    {"plamo", read_plamo},
    {"plamo2", read_plamo2},
    {"bert", read_bert},
    {"roberta", read_roberta},
    {"nomic_bert", read_nomic_bert},
    {"modernbert", read_modern_bert},
    {"neobert", read_neo_bert},
    {"eurobert", read_euro_bert},
});

/// Sizes of the configuration classes that published files leave out, and whether embeddings are
/// tied when the file does not say.
struct ClassDefaults {
  std::string_view model_type;
  std::int64_t n_layer = 0;
  std::int64_t n_embd = 0;
  std::int64_t n_ff = 0;
  std::int64_t n_head = 0;
  std::int64_t n_head_kv = 0;
  std::int64_t head_dim = 0;
  std::int64_t n_vocab = 0;
  std::int64_t n_ctx = 0;
  std::int64_t window = 0;
};

constexpr auto kClassDefaults = std::to_array<ClassDefaults>({
    {"gemma", 28, 3072, 24576, 16, 16, 256, 256000, 8192, 0},
    {"gemma2", 26, 2304, 9216, 8, 4, 256, 256000, 8192, 4096},
    {"gemma3", 26, 2304, 9216, 8, 4, 256, 262208, 131072, 4096},
    {"gemma3n", 35, 2048, 16384, 8, 2, 256, 262400, 32768, 512},
    {"gemma4", 30, 2304, 9216, 8, 4, 256, 262144, 131072, 512},
    {"llama4", 48, 5120, 8192, 40, 8, 128, 202048, 131072, 0},
    {"qwen3", 0, 0, 0, 0, 0, 128, 0, 0, 0},
    {"qwen3_next", 0, 0, 0, 0, 0, 256, 0, 0, 0},
    {"qwen3_5", 0, 0, 0, 0, 0, 256, 0, 0, 0},
    {"qwen3_5_moe", 0, 0, 0, 0, 0, 256, 0, 0, 0},
    {"gpt_oss", 0, 0, 0, 0, 0, 64, 0, 0, 128},
    {"seed_oss", 0, 0, 0, 0, 0, 128, 0, 0, 0},
    {"opt", 0, 0, 0, 0, 0, 0, 50272, 2048, 0},
    {"gpt2", 0, 0, 0, 0, 0, 0, 50257, 1024, 0},
});

constexpr auto kTiedWhenUnstated =
    std::to_array<std::string_view>({"falcon", "falcon_mamba", "ernie4_5", "ernie4_5_moe"});

}  // namespace

void note_layer_kind(Architecture& a, const std::string& kind) {
  const std::string unknown = "layer_kind:" + kind;
  if (std::find(a.unknowns.begin(), a.unknowns.end(), unknown) != a.unknowns.end()) return;
  a.unknowns.push_back(unknown);
}

void set_class_defaults(Architecture& a) {
  for (const ClassDefaults& d : kClassDefaults) {
    if (d.model_type != a.model_type) continue;
    a.n_layer = d.n_layer;
    a.n_embd = d.n_embd;
    a.n_ff = d.n_ff;
    a.n_head = d.n_head;
    a.n_head_kv = d.n_head_kv;
    a.head_dim = d.head_dim;
    a.n_vocab = d.n_vocab;
    a.n_ctx_train = d.n_ctx;
    a.sliding_window = d.window;
  }
  if (std::find(kTiedWhenUnstated.begin(), kTiedWhenUnstated.end(), a.model_type) !=
      kTiedWhenUnstated.end()) {
    a.tied_embeddings = true;
  }
}

void read_family_config(const ConfigFields& fields, Architecture& a) {
  for (const Reader& reader : kReaders) {
    if (reader.model_type == a.model_type) return reader.read(fields, a);
  }
}

}  // namespace meyasu
