#include "core/readers/config_json.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/model/derive_tensors.hpp"
#include "core/readers/config_fields.hpp"
#include "core/readers/json.hpp"

namespace meyasu {

namespace {

// Model types that share another's configuration and blocks.
constexpr auto kSameAs = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"qwen2_vl", "qwen2"},
    {"qwen2_5_vl", "qwen2"},
    {"qwen2_5_omni", "qwen2"},
    {"qwen3_vl", "qwen3"},
    {"qwen3_vl_moe", "qwen3_moe"},
    {"qwen3_omni_moe", "qwen3_moe"},
    {"refinedweb", "falcon"},
    {"refinedwebmodel", "falcon"},
    {"stablelm_epoch", "stablelm"},
    {"glm", "chatglm"},
    {"minimax", "minimax_m1"},
    {"minimax_text_01", "minimax_m1"},
    {"internlm", "llama"},
    {"pixtral", "mistral"},
    {"mistral3", "mistral"},
    {"phi4mm", "phi3"},
    {"phi3_v", "phi3"},
    {"kimi_k25", "kimi_k2"},
    {"gemma4_unified", "gemma4"},
    {"hunyuan", "hunyuan_v1_moe"},
    {"ernie4_5_vl_moe", "ernie4_5_moe"},
    {"xlm-roberta", "roberta"},
    {"camembert", "roberta"},
});

/// "Gemma3_text" -> "gemma3": lower case, '-' as '_' except in nemotron-nas, no "_text".
std::string normal_type(std::string type) {
  for (char& c : type) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  constexpr std::string_view kText = "_text";
  if (type.size() > kText.size() &&
      type.compare(type.size() - kText.size(), kText.size(), kText) == 0) {
    type.resize(type.size() - kText.size());
  }
  for (const auto& [from, to] : kSameAs) {
    if (type == from) return std::string(to);
  }
  return type;
}

/// The object that describes the language model.
const JsonValue* text_object(const JsonValue& root) {
  for (const std::string_view key : {"text_config", "llm_config", "language_config"}) {
    const JsonValue* inner = root.find(key);
    if (inner != nullptr && inner->is_object()) return inner;
  }
  const JsonValue* thinker = root.find("thinker_config");
  if (thinker != nullptr) return text_object(*thinker);
  return &root;
}

BlockKind kind_of_layer_type(const std::string& name, const Architecture& a, bool& known) {
  known = true;
  if (name == "full_attention" || name == "attention" || name == "global") return BlockKind::full;
  if (name == "sliding_attention" || name == "local") return BlockKind::sliding;
  if (name == "chunked_attention") return BlockKind::chunked;
  if (name == "conv") return BlockKind::short_conv;
  if (name == "mamba") {
    return a.model_type == "jamba" ? BlockKind::mamba1 : BlockKind::mamba2;
  }
  if (name == "linear_attention") {
    return a.model_type == "minimax_m1" ? BlockKind::lightning : BlockKind::gated_delta_net;
  }
  // DeepSeek V4 names how its keys are compressed; the ratios say the same.
  if (name == "compressed_sparse_attention" || name == "heavily_compressed_attention") {
    return BlockKind::full;
  }
  known = false;
  return BlockKind::full;
}

void read_layer_types(const ConfigFields& fields, Architecture& a) {
  const JsonValue* types = fields.find("layer_types");
  if (types == nullptr) types = fields.find("layers_block_type");
  if (types == nullptr || !types->is_array()) return;
  a.blocks.clear();
  for (const JsonValue& type : types->items()) {
    if (static_cast<std::int64_t>(a.blocks.size()) == kMaxConfigBlocks) break;
    bool known = false;
    a.blocks.push_back(kind_of_layer_type(type.text(), a, known));
    if (!known) note_layer_kind(a, type.text());
  }
  const bool plain = std::all_of(a.blocks.begin(), a.blocks.end(),
                                 [](BlockKind kind) { return kind == BlockKind::full; });
  if (plain) a.blocks.clear();
}

/// Numbers that decide what the graph computes, under the keys that GGUF files use.
void read_hparams(const ConfigFields& fields, Architecture& a) {
  constexpr auto kKeys = std::to_array<std::pair<std::string_view, std::string_view>>({
      {"routed_scaling_factor", "expert_weights_scale"},
      {"n_group", "expert_group_count"},
      {"topk_group", "expert_group_used_count"},
      {"attn_logit_softcapping", "attn_logit_softcapping"},
      {"final_logit_softcapping", "final_logit_softcapping"},
      {"embedding_multiplier", "embedding_scale"},
      {"residual_multiplier", "residual_scale"},
      {"logits_scaling", "logit_scale"},
      {"logit_scale", "logit_scale"},
      {"clip_qkv", "attention.clamp_kqv"},
  });
  for (const auto& [key, name] : kKeys) {
    const JsonValue* value = fields.find(key);
    if (value == nullptr) continue;
    const std::optional<double> number = value->as_double();
    if (number && std::isfinite(*number)) a.hparams.emplace_back(std::string(name), *number);
  }
  if (const JsonValue* value = fields.find("use_parallel_residual")) {
    a.hparams.emplace_back("use_parallel_residual", value->as_bool().value_or(false) ? 1 : 0);
  }
  if (fields.text("position_embedding_type") == "nope") {
    a.hparams.emplace_back("rope.scaling.finetuned", 0);
  }
  for (const std::string_view key : {"partial_rotary_factor", "rotary_pct"}) {
    const JsonValue* value = fields.find(key);
    const double part = value == nullptr ? 1 : value->as_double().value_or(1);
    const bool sane = part > 0 && part < 1 && a.head_dim > 0 && a.head_dim < kMaxConfigSize;
    if (sane) a.rope_dim = static_cast<std::int64_t>(part * static_cast<double>(a.head_dim));
  }
  a.rope_dim = fields.integer("rotary_dim", a.rope_dim);
}

void read_common(const ConfigFields& fields, Architecture& a) {
  a.n_layer = fields.integer({"num_hidden_layers", "n_layer", "n_layers", "num_layers"}, a.n_layer);
  a.n_embd = fields.integer({"hidden_size", "n_embd", "d_model", "n_embed"}, a.n_embd);
  a.n_head = fields.integer({"num_attention_heads", "n_head", "n_heads", "num_heads"}, a.n_head);
  const std::int64_t kv_fallback = a.n_head_kv > 0 ? a.n_head_kv : a.n_head;
  a.n_head_kv =
      fields.integer({"num_key_value_heads", "num_kv_heads", "multi_query_group_num"}, kv_fallback);
  const std::int64_t split = a.n_head > 0 ? a.n_embd / a.n_head : 0;
  a.head_dim = fields.integer({"head_dim", "attention_head_dim", "kv_channels"},
                              a.head_dim > 0 ? a.head_dim : split);
  a.n_ff = fields.integer({"intermediate_size", "ffn_hidden_size", "n_inner", "ffn_dim"}, a.n_ff);
  if (const JsonValue* widths = fields.find("intermediate_size")) {
    for (const JsonValue& width : widths->items()) {
      if (static_cast<std::int64_t>(a.n_ff_layers.size()) == kMaxConfigBlocks) break;
      a.n_ff_layers.push_back(width.as_integer().value_or(-1));
    }
  }
  a.n_vocab = fields.integer({"padded_vocab_size", "vocab_size"}, a.n_vocab);
  a.n_ctx_train = fields.integer({"max_position_embeddings", "n_positions", "seq_length",
                                  "max_sequence_length", "max_seq_len", "n_ctx", "seq_len"},
                                 a.n_ctx_train);
  a.tied_embeddings = fields.flag("tie_word_embeddings", a.tied_embeddings);
  if (!fields.has("tie_word_embeddings")) {
    a.tied_embeddings = fields.flag("tie_embedding", a.tied_embeddings);
  }
  a.sliding_window = fields.integer({"sliding_window", "sliding_window_size"}, a.sliding_window);
  read_layer_types(fields, a);

  read_hparams(fields, a);

  const JsonValue* rope = fields.find("rope_scaling");
  if (rope == nullptr) rope = fields.find("rope_parameters");
  if (rope == nullptr) return;
  const JsonValue* type = rope->find("rope_type");
  if (type == nullptr) type = rope->find("type");
  if (type == nullptr) return;
  if (type->text() == "llama3") a.rope_factors = RopeFactors::llama3;
  if (type->text() == "longrope" || type->text() == "su") a.rope_factors = RopeFactors::longrope;
}

/// "gptq-4bit-g128", "fp8", "mxfp4", "bnb-nf4", ...: the label of the checkpoint's own format.
std::string quantization_label(const ConfigFields& fields) {
  const JsonValue* config = fields.find("quantization_config");
  if (config == nullptr) config = fields.find("compression_config");
  if (config == nullptr || !config->is_object()) return {};
  const ConfigFields q(*config, nullptr);
  std::string method = q.text("quant_method");
  if (method == "gptq" || method == "awq" || method == "hqq" || method == "auto-round" ||
      method == "intel/auto-round") {
    std::string label = method;
    if (const std::int64_t bits = q.integer("bits"); bits > 0) {
      label.append("-").append(std::to_string(bits)).append("bit");
    }
    const std::int64_t group = q.integer({"group_size", "q_group_size"});
    if (group > 0) label.append("-g").append(std::to_string(group));
    return label;
  }
  if (method == "bitsandbytes") {
    if (q.flag("load_in_8bit", false)) return "bnb-int8";
    const std::string kind = q.text("bnb_4bit_quant_type");
    std::string label = "bnb-";
    label.append(kind.empty() ? "fp4" : kind);
    if (q.flag("bnb_4bit_use_double_quant", false)) label.append("-dq");
    return label;
  }
  if (method == "compressed-tensors") {
    const std::string format = q.text("format");
    return format.empty() ? method : method + ":" + format;
  }
  if (method == "modelopt") {
    const std::string algorithm = q.text("quant_algo");
    return algorithm.empty() ? method : method + ":" + algorithm;
  }
  return method;
}

void note_missing(Architecture& a) {
  const auto need = [&](bool there, const char* key) {
    if (there) return;
    a.unknowns.push_back(std::string("missing:") + key);
    a.known = false;
  };
  need(a.n_layer > 0, "num_hidden_layers");
  need(a.n_embd > 0, "hidden_size");
  need(a.n_vocab > 0, "vocab_size");
  const bool attention_free = a.ssm.has_value() || a.rwkv7.has_value() || a.model_type == "rwkv";
  need(a.n_head > 0 || attention_free, "num_attention_heads");
}

}  // namespace

Result<Architecture> architecture_from_config(std::string_view json) {
  // A config.json is a few KB; the largest per-layer lists stay far below these.
  const JsonLimits limits = {32, 200'000, 4'000'000};
  const Result<JsonValue> root = parse_json(json, "config", limits);
  if (!root) return root.error();
  if (!root.value().is_object()) return Error{"arch_unknown", "config", ""};

  const JsonValue* inner = text_object(root.value());
  const ConfigFields fields(*inner, inner == &root.value() ? nullptr : &root.value());
  Architecture a = family_defaults(normal_type(fields.text("model_type")));
  set_class_defaults(a);
  read_common(fields, a);
  if (a.known) read_family_config(fields, a);
  a.quantization = quantization_label(fields);

  const bool adapter = fields.has("peft_type");
  if (adapter) a.unknowns.emplace_back("adapter");
  if (a.n_layer <= 0 && a.n_embd <= 0 && a.n_head <= 0) {
    return Error{"arch_unknown", "config", adapter ? "adapter" : a.model_type};
  }
  note_missing(a);
  const bool has_towers = fields.has("vision_config") || fields.has("audio_config") ||
                          fields.has("vision_tower") || fields.has("thinker_config");
  if (has_towers && a.tower_params == 0) a.unknowns.emplace_back("towers");
  complete_family(a);
  return a;
}

Result<Model> model_from_config(std::string_view json) {
  const Result<Architecture> architecture = architecture_from_config(json);
  if (!architecture) return architecture.error();
  return derive_model(architecture.value());
}

}  // namespace meyasu
