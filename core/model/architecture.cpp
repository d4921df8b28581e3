#include "core/model/architecture.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace meyasu {

BlockKind Architecture::block(std::int64_t il) const {
  const auto i = static_cast<std::size_t>(il);
  return i < blocks.size() ? blocks[i] : BlockKind::full;
}

std::int64_t Architecture::n_ff_of(std::int64_t il) const {
  const auto i = static_cast<std::size_t>(il);
  return i < n_ff_layers.size() ? n_ff_layers[i] : n_ff;
}

bool Architecture::has_experts(std::int64_t il) const {
  if (!moe || il < moe->first_dense) return false;
  return il % moe->layer_step == moe->layer_offset;
}

namespace {

// What a family fixes beyond its norms, one bit each.
constexpr unsigned kUngated = 1U << 0U;
constexpr unsigned kMlpBias = 1U << 1U;
constexpr unsigned kQkvBias = 1U << 2U;
constexpr unsigned kOutBias = 1U << 3U;
constexpr unsigned kHeadBias = 1U << 4U;
constexpr unsigned kFusedQkv = 1U << 5U;
constexpr unsigned kFusedGateUp = 1U << 6U;
constexpr unsigned kOutputGate = 1U << 7U;
constexpr unsigned kSinks = 1U << 8U;
constexpr unsigned kEmbeddingNorm = 1U << 9U;
constexpr unsigned kFinalNormAtEmbedding = 1U << 10U;
constexpr unsigned kLayerScale = 1U << 11U;
constexpr unsigned kHeadCopy = 1U << 12U;
constexpr unsigned kTied = 1U << 13U;
constexpr unsigned kEncoder = 1U << 14U;
constexpr unsigned kAllBiases = kMlpBias | kQkvBias | kOutBias;

struct Family {
  std::string_view model_type;
  std::string_view gguf_arch;
  BlockNorm norm = BlockNorm::rms;
  NormLayout layout = NormLayout::pre;
  unsigned flags = 0;
  QkNorm qk_norm = QkNorm::none;
};

// Source: the modeling files of Hugging Face transformers for what a block holds, and llama.cpp's
// src/llama-arch.cpp, src/models/*.cpp and converter for how its files name and fuse it.
// Kept in the order of the families' appearance in the catalog.
constexpr auto kFamilies = std::to_array<Family>({
    {"llama", "llama"},
    {"mistral", "llama"},
    {"ministral3", "mistral3"},
    {"mixtral", "llama"},
    {"baichuan", "baichuan"},
    {"llama4", "llama4"},
    {"qwen", "qwen", BlockNorm::rms, NormLayout::pre, kFusedQkv | kQkvBias},
    {"qwen2", "qwen2", BlockNorm::rms, NormLayout::pre, kQkvBias},
    {"qwen2_moe", "qwen2moe", BlockNorm::rms, NormLayout::pre, kQkvBias},
    {"qwen3", "qwen3", BlockNorm::rms, NormLayout::pre, 0, QkNorm::per_head_dim},
    {"qwen3_moe", "qwen3moe", BlockNorm::rms, NormLayout::pre, 0, QkNorm::per_head_dim},
    {"qwen3_next", "qwen3next", BlockNorm::rms, NormLayout::pre_named_post, kOutputGate,
     QkNorm::per_head_dim},
    {"qwen3_5", "qwen35", BlockNorm::rms, NormLayout::pre_named_post, kOutputGate,
     QkNorm::per_head_dim},
    {"qwen3_5_moe", "qwen35moe", BlockNorm::rms, NormLayout::pre_named_post, kOutputGate,
     QkNorm::per_head_dim},
    {"gemma", "gemma", BlockNorm::rms, NormLayout::pre, kTied},
    {"gemma2", "gemma2", BlockNorm::rms, NormLayout::sandwich, kTied},
    {"gemma3", "gemma3", BlockNorm::rms, NormLayout::sandwich, kTied, QkNorm::per_head_dim},
    {"gemma3n", "gemma3n", BlockNorm::rms, NormLayout::sandwich, kTied, QkNorm::per_head_dim},
    {"gemma4", "gemma4", BlockNorm::rms, NormLayout::sandwich, kTied | kLayerScale,
     QkNorm::per_head_dim},
    {"phi", "phi2", BlockNorm::layer, NormLayout::single, kUngated | kAllBiases | kHeadBias},
    {"phi3", "phi3", BlockNorm::rms, NormLayout::pre, kFusedQkv | kFusedGateUp},
    {"phimoe", "phimoe", BlockNorm::layer, NormLayout::pre, kQkvBias | kOutBias | kHeadBias},
    {"gpt_oss", "gpt-oss", BlockNorm::rms, NormLayout::pre_named_post,
     kQkvBias | kOutBias | kSinks},
    {"deepseek_v2", "deepseek2"},
    {"deepseek_v3", "deepseek2"},
    {"kimi_k2", "deepseek2"},
    {"glm4_moe_lite", "deepseek2"},
    {"deepseek_v32", "deepseek32"},
    {"glm_moe_dsa", "glm-dsa"},
    {"deepseek_v4", "deepseek4", BlockNorm::rms, NormLayout::pre, kSinks},
    {"chatglm", "chatglm", BlockNorm::rms, NormLayout::pre, kFusedQkv | kFusedGateUp | kQkvBias},
    {"glm4", "glm4", BlockNorm::rms, NormLayout::sandwich, kFusedGateUp | kQkvBias},
    {"glm4_moe", "glm4moe", BlockNorm::rms, NormLayout::pre_named_post, kQkvBias},
    {"minimax_m1", "minimax_m1"},
    {"minimax_m2", "minimax-m2", BlockNorm::rms, NormLayout::pre, 0, QkNorm::full},
    {"falcon", "falcon", BlockNorm::layer, NormLayout::single, kUngated | kFusedQkv | kHeadCopy},
    {"stablelm", "stablelm", BlockNorm::layer, NormLayout::pre},
    {"internlm2", "internlm2"},
    {"internlm3", "llama"},
    {"cohere", "command-r", BlockNorm::layer_without_bias, NormLayout::single, kTied},
    {"cohere2", "cohere2", BlockNorm::layer_without_bias, NormLayout::single, kTied},
    {"granite", "granite"},
    {"granitemoe", "granitemoe"},
    {"granitemoehybrid", "granitehybrid"},
    {"nemotron_h", "nemotron_h", BlockNorm::rms, NormLayout::single, kUngated},
    {"nemotron-nas", "deci"},
    {"olmo", "olmo", BlockNorm::none, NormLayout::pre},
    {"olmo2", "olmo2", BlockNorm::rms, NormLayout::post, 0, QkNorm::full},
    {"olmo3", "olmo2", BlockNorm::rms, NormLayout::post, 0, QkNorm::full},
    {"olmoe", "olmoe", BlockNorm::rms, NormLayout::pre, 0, QkNorm::full},
    {"exaone4", "exaone4", BlockNorm::rms, NormLayout::post, 0, QkNorm::per_head_dim},
    {"smollm3", "smollm3", BlockNorm::rms, NormLayout::pre, kTied},
    {"gpt2", "gpt2", BlockNorm::layer, NormLayout::pre, kUngated | kFusedQkv | kAllBiases | kTied},
    {"gptj", "gptj", BlockNorm::layer, NormLayout::single, kUngated | kMlpBias | kHeadBias},
    {"gpt_neox", "gptneox", BlockNorm::layer, NormLayout::pre, kUngated | kFusedQkv | kAllBiases},
    {"mpt", "mpt", BlockNorm::layer_without_bias, NormLayout::pre, kUngated | kFusedQkv | kTied},
    {"starcoder2", "starcoder2", BlockNorm::layer, NormLayout::pre, kUngated | kAllBiases | kTied},
    {"opt", "opt", BlockNorm::layer, NormLayout::pre, kUngated | kAllBiases | kTied},
    {"bloom", "bloom", BlockNorm::layer, NormLayout::pre,
     kUngated | kFusedQkv | kAllBiases | kEmbeddingNorm | kTied},
    {"mamba", "mamba", BlockNorm::rms, NormLayout::single, kTied},
    {"falcon_mamba", "mamba", BlockNorm::rms, NormLayout::single},
    {"mamba2", "mamba2", BlockNorm::rms, NormLayout::single},
    {"rwkv", "rwkv", BlockNorm::layer, NormLayout::pre, kEmbeddingNorm},
    {"rwkv7", "rwkv7", BlockNorm::layer, NormLayout::pre, kEmbeddingNorm},
    {"jamba", "jamba"},
    {"lfm2", "lfm2", BlockNorm::rms, NormLayout::pre, kTied | kFinalNormAtEmbedding,
     QkNorm::per_head_dim},
    {"lfm2_moe", "lfm2moe", BlockNorm::rms, NormLayout::pre, kTied | kFinalNormAtEmbedding,
     QkNorm::per_head_dim},
    {"ernie4_5", "ernie4_5"},
    {"ernie4_5_moe", "ernie4_5-moe"},
    {"hunyuan_v1_moe", "hunyuan-moe", BlockNorm::rms, NormLayout::pre, kTied, QkNorm::per_head_dim},
    {"hunyuan_v1_dense", "hunyuan-dense", BlockNorm::rms, NormLayout::pre, kTied,
     QkNorm::per_head_dim},
    {"seed_oss", "seed_oss", BlockNorm::rms, NormLayout::pre_named_post, kQkvBias},
    {"bailing_moe_v2", "bailingmoe2", BlockNorm::rms, NormLayout::pre, kFusedQkv,
     QkNorm::per_head_dim},
    {"dots1", "dots1", BlockNorm::rms, NormLayout::pre, 0, QkNorm::per_head_dim},
    {"arcee", "arcee", BlockNorm::rms, NormLayout::pre, kUngated},
    {"apertus", "apertus", BlockNorm::rms, NormLayout::pre, kUngated, QkNorm::per_head_dim},
    {"plamo", "plamo", BlockNorm::rms, NormLayout::single},
    {"bert", "bert", BlockNorm::layer, NormLayout::bert,
     kEncoder | kUngated | kAllBiases | kEmbeddingNorm | kTied},
    {"roberta", "bert", BlockNorm::layer, NormLayout::bert,
     kEncoder | kUngated | kAllBiases | kEmbeddingNorm | kTied},
    {"nomic_bert", "nomic-bert", BlockNorm::layer, NormLayout::bert,
     kEncoder | kFusedQkv | kEmbeddingNorm | kTied},
    {"modernbert", "modern-bert", BlockNorm::layer_without_bias, NormLayout::pre,
     kEncoder | kFusedQkv | kFusedGateUp | kEmbeddingNorm | kTied},
    {"neobert", "neo-bert", BlockNorm::rms, NormLayout::pre,
     kEncoder | kFusedQkv | kFusedGateUp | kTied},
    {"eurobert", "eurobert", BlockNorm::rms, NormLayout::pre, kEncoder | kTied},
    {"plamo2", "plamo2", BlockNorm::rms, NormLayout::sandwich, kFusedQkv | kFusedGateUp | kTied,
     QkNorm::full_by_head},
});

}  // namespace

Architecture family_defaults(std::string_view model_type) {
  Architecture result;
  result.model_type = std::string(model_type);
  result.gguf_arch = std::string(model_type);
  for (const Family& family : kFamilies) {
    if (family.model_type != model_type) continue;
    const auto has = [&](unsigned flag) { return (family.flags & flag) != 0; };
    result.known = true;
    result.gguf_arch = std::string(family.gguf_arch);
    result.norm = family.norm;
    result.norm_layout = family.layout;
    result.qk_norm = family.qk_norm;
    result.mlp_gated = !has(kUngated);
    result.mlp_bias = has(kMlpBias);
    result.qkv_bias = has(kQkvBias);
    result.o_bias = has(kOutBias);
    result.head_bias = has(kHeadBias);
    result.fused_qkv = has(kFusedQkv);
    result.fused_gate_up = has(kFusedGateUp);
    result.output_gate = has(kOutputGate);
    result.sinks = has(kSinks);
    result.embedding_norm = has(kEmbeddingNorm);
    result.final_norm_at_embedding = has(kFinalNormAtEmbedding);
    result.layer_scale = has(kLayerScale);
    result.head_copy_in_gguf = has(kHeadCopy);
    result.tied_embeddings = has(kTied);
    result.is_encoder = has(kEncoder);
    // BERT's blocks end with a norm; there is none after them.
    result.final_norm = family.layout != NormLayout::bert;
    return result;
  }
  result.unknowns.push_back("arch_unknown:" + result.model_type);
  return result;
}

namespace {

/// Numbers that hold for a whole family and decide what its graph computes; those that a
/// config.json has given already stay.
void complete_hparams(Architecture& a) {
  struct FamilyHparam {
    std::string_view model_type;
    std::string_view key;
    double value;
  };
  constexpr double kSigmoid = 2;  // llama.cpp: LLAMA_EXPERT_GATING_FUNC_TYPE_SIGMOID
  constexpr double kSqrtSoftplus = 4;
  constexpr auto kHparams = std::to_array<FamilyHparam>({
      {"gemma2", "attn_logit_softcapping", 50},
      {"gemma2", "final_logit_softcapping", 30},
      {"gemma3n", "final_logit_softcapping", 30},
      {"gemma4", "final_logit_softcapping", 30},
      {"deepseek_v2", "expert_weights_scale", 1},
      {"deepseek_v3", "expert_gating_func", kSigmoid},
      {"deepseek_v3", "expert_weights_norm", 1},
      {"deepseek_v32", "expert_gating_func", kSigmoid},
      {"deepseek_v32", "expert_weights_norm", 1},
      {"deepseek_v4", "expert_gating_func", kSqrtSoftplus},
      {"deepseek_v4", "expert_weights_norm", 1},
      {"deepseek_v4", "expert_weights_scale", 1.5},
      {"kimi_k2", "expert_gating_func", kSigmoid},
      {"kimi_k2", "expert_weights_norm", 1},
      {"glm4_moe", "expert_gating_func", kSigmoid},
      {"glm4_moe", "expert_weights_norm", 1},
      {"glm4_moe", "expert_weights_scale", 1},
      {"glm4_moe_lite", "expert_gating_func", kSigmoid},
      {"glm4_moe_lite", "expert_weights_norm", 1},
      {"glm_moe_dsa", "expert_gating_func", kSigmoid},
      {"glm_moe_dsa", "expert_weights_norm", 1},
      {"gpt_neox", "use_parallel_residual", 1},
      {"bailing_moe_v2", "expert_gating_func", kSigmoid},
      {"bailing_moe_v2", "expert_weights_norm", 1},
      {"bailing_moe_v2", "expert_weights_scale", 2.5},
      {"bailing_moe_v2", "expert_group_count", 8},
      {"bailing_moe_v2", "expert_group_used_count", 4},
      {"dots1", "expert_gating_func", kSigmoid},
      {"dots1", "expert_weights_norm", 1},
      {"dots1", "expert_weights_scale", 2.5},
  });
  const auto add = [&](std::string_view key, double value) {
    const auto same = [&](const auto& known) { return known.first == key; };
    if (std::none_of(a.hparams.begin(), a.hparams.end(), same)) {
      a.hparams.emplace_back(std::string(key), value);
    }
  };
  for (const FamilyHparam& hparam : kHparams) {
    if (hparam.model_type == a.model_type) add(hparam.key, hparam.value);
  }
  // The Mamba hybrids of Granite 4 have no positions; their attention does not rotate.
  if (a.model_type == "granitemoehybrid" && !a.blocks.empty()) add("rope.scaling.finetuned", 0);
  if (a.indexer) add("attention.indexer.top_k", static_cast<double>(a.indexer->top_k));
  const std::int64_t head = a.head_dim_full > 0 ? a.head_dim_full : a.head_dim;
  const std::int64_t rotated = a.rope_dim > 0 ? a.rope_dim : head;
  if (a.mla) {
    add("rope.dimension_count", static_cast<double>(a.mla->qk_rope_head_dim));
  } else if (a.n_head > 0) {
    add("rope.dimension_count", static_cast<double>(rotated));
  }
}

}  // namespace

void complete_family(Architecture& a) {
  const auto is_any = [&](std::initializer_list<std::string_view> types) {
    return std::find(types.begin(), types.end(), a.model_type) != types.end();
  };
  if (a.moe) {
    MoeSpec& moe = *a.moe;
    if (is_any({"gpt_oss"})) moe.router_bias = moe.expert_bias = true;
    if (is_any({"qwen2_moe", "qwen3_next", "qwen3_5_moe"})) moe.shared_gate = true;
    if (is_any({"deepseek_v3", "deepseek_v32", "deepseek_v4", "kimi_k2", "glm4_moe",
                "glm4_moe_lite", "glm_moe_dsa", "minimax_m2", "ernie4_5_moe", "bailing_moe_v2",
                "dots1"})) {
      moe.score_bias = true;
    }
    // Buffers, not parameters: files hold them, published totals do not.
    if (is_any({"lfm2_moe", "nemotron_h"})) {
      moe.score_bias = true;
      moe.score_bias_counted = false;
    }
    if (is_any({"nemotron_h"})) {
      moe.gated = false;
      a.gguf_arch = "nemotron_h_moe";
    }
    if (is_any({"gemma4"})) moe.dense_beside = true;
  }
  if (a.ssm && is_any({"jamba"})) a.ssm->bcdt_norm = true;
  // The published totals of all four small models fit only with these weights, and those of the
  // small Gemma 4 only with the block scalars: the towers then come out equal within each pair.
  if (is_any({"gemma3n", "gemma4"})) a.shared_kv_has_weights = true;
  if (a.is_encoder) {
    // No block has a cache, all have keys and values.
    a.n_kv_shared = a.n_layer;
    a.shared_kv_has_weights = true;
    a.tied_embeddings = true;
  }
  if (is_any({"gemma4"}) && a.per_layer) a.layer_scale_counted = true;
  if (is_any({"qwen3_next", "qwen3_5", "qwen3_5_moe"}) && a.rope_dim == 0) {
    a.rope_dim = a.head_dim / 4;  // partial_rotary_factor 0.25 in all of them
  }
  if (is_any({"deepseek_v4"}) && a.rope_dim == 0) a.rope_dim = 64;  // qk_rope_head_dim of both
  complete_hparams(a);
  // The converter keeps the prediction block of these families only.
  if (a.mtp && is_any({"glm4_moe", "glm_moe_dsa"})) a.mtp->in_gguf = true;
}

}  // namespace meyasu
