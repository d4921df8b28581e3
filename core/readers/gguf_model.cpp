#include "core/readers/gguf_model.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/model/tensor_name.hpp"

namespace meyasu {
namespace {

// Decoders whose keys mean what this file takes them to mean (src/llama-arch.cpp, LLM_ARCH_NAMES).
// Left out: draft-only and audio models.
constexpr auto kKnownDecoders = std::to_array<std::string_view>(
    {"afmoe",          "apertus",       "arcee",       "arctic",         "arwkv7",
     "baichuan",       "bailingmoe",    "bailingmoe2", "bitnet",         "bloom",
     "chameleon",      "chatglm",       "codeshell",   "cogvlm",         "cohere2",
     "cohere2moe",     "command-r",     "dbrx",        "deci",           "deepseek",
     "deepseek2",      "deepseek2-ocr", "deepseek32",  "deepseek4",      "dots1",
     "ernie4_5",       "ernie4_5-moe",  "exaone",      "exaone-moe",     "exaone4",
     "falcon",         "falcon-h1",     "gemma",       "gemma2",         "gemma3",
     "gemma3n",        "gemma4",        "glm-dsa",     "glm4",           "glm4moe",
     "gpt-oss",        "gpt2",          "gptj",        "gptneox",        "granite",
     "granitehybrid",  "granitemoe",    "grok",        "grovemoe",       "hunyuan-dense",
     "hunyuan-moe",    "hunyuan_vl",    "hy_v3",       "internlm2",      "jais",
     "jais2",          "jamba",         "kimi-linear", "laguna",         "lfm2",
     "lfm2moe",        "llama",         "llama4",      "maincoder",      "mamba",
     "mamba2",         "mellum",        "mimo2",       "minicpm",        "minicpm3",
     "minimax-m2",     "minimax-m3",    "mistral3",    "mistral4",       "mpt",
     "nanbeige",       "nemotron",      "nemotron_h",  "nemotron_h_moe", "olmo",
     "olmo2",          "olmoe",         "openelm",     "orion",          "paddleocr",
     "pangu-embedded", "phi2",          "phi3",        "phimoe",         "plamo",
     "plamo2",         "plamo3",        "plm",         "qwen",           "qwen2",
     "qwen2moe",       "qwen2vl",       "qwen3",       "qwen35",         "qwen35moe",
     "qwen3moe",       "qwen3next",     "qwen3vl",     "qwen3vlmoe",     "refact",
     "rwkv6",          "rwkv6qwen2",    "rwkv7",       "seed_oss",       "smallthinker",
     "smollm3",        "stablelm",      "starcoder",   "starcoder2",     "step35",
     "talkie",         "xverse"});

// Reads with one stack and writes with another; the keys speak of both.
constexpr std::string_view kTwoStacks = "t5";

// Models that turn texts into vectors. Most get no memory from llama.cpp
// (llama_model::create_memory); two get a cache that their graphs do not read.
constexpr auto kEncoders = std::to_array<std::string_view>(
    {"bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "eurobert", "t5encoder",
     "gemma-embedding", "jina-bert-v2", "jina-bert-v3", "llama-embed"});
constexpr auto kEncodersWithCache = std::to_array<std::string_view>({"llama-embed", "t5encoder"});

// Diffusion models recompute everything at each step: no memory either.
constexpr auto kDiffusion =
    std::to_array<std::string_view>({"dream", "llada", "llada-moe", "rnd1"});

/// Interleaved windows. Every `period`-th layer is full: the last of each group, or the first.
/// A window of 0 means that the key must say; a period of 0 that the pattern array must.
struct WindowRule {
  std::string_view architecture;
  int period = 0;
  bool full_first = false;
  std::int64_t window = 0;
  AttentionSpan span = AttentionSpan::sliding;
  bool fixed = false;  // the runtime takes window and period from here, whatever the keys say
};

constexpr std::array kWindowRules = {
    WindowRule{"gemma2", 2, false, 4096},
    WindowRule{"gemma3", 6},
    WindowRule{"gemma3n", 5},
    WindowRule{"gemma4", 0},
    WindowRule{"gemma-embedding", 6},
    WindowRule{"modern-bert", 3, true},
    WindowRule{"gpt-oss", 2},
    WindowRule{"cohere2", 4},
    WindowRule{"cohere2moe", 4, true},
    WindowRule{"llama4", 4, false, 8192, AttentionSpan::chunked, true},
    WindowRule{"exaone4", 4},
    WindowRule{"exaone-moe", 4, false, 128},
    WindowRule{"olmo2", 4},
    WindowRule{"afmoe", 4},
    WindowRule{"smallthinker", 4, true, 4096, AttentionSpan::sliding, true},
    WindowRule{"laguna", 4, true},
    WindowRule{"mellum", 4},
    WindowRule{"plamo3", 8},
    WindowRule{"step35", 0},
    WindowRule{"mimo2", 0},
};

/// Which layers keep a state instead of a cache.
enum class RecurrentLayers {
  all,
  without_kv_heads,         // n_head_kv == 0
  without_kv_heads_and_ff,  // and n_ff == 0; those with n_ff have no mixer at all (Nemotron-H)
  between_full_attention,   // all but every full_attention_interval-th
  beside_attention          // each layer has both (Falcon-H1)
};

struct RecurrentRule {
  std::string_view architecture;
  LayerKind kind;
  RecurrentLayers layers;
};

constexpr std::array kRecurrentRules = {
    RecurrentRule{"mamba", LayerKind::mamba1, RecurrentLayers::all},
    RecurrentRule{"mamba2", LayerKind::mamba2, RecurrentLayers::all},
    RecurrentRule{"jamba", LayerKind::mamba1, RecurrentLayers::without_kv_heads},
    RecurrentRule{"plamo2", LayerKind::mamba2, RecurrentLayers::without_kv_heads},
    RecurrentRule{"granitehybrid", LayerKind::mamba2, RecurrentLayers::without_kv_heads},
    RecurrentRule{"falcon-h1", LayerKind::mamba2, RecurrentLayers::beside_attention},
    RecurrentRule{"nemotron_h", LayerKind::mamba2, RecurrentLayers::without_kv_heads_and_ff},
    RecurrentRule{"nemotron_h_moe", LayerKind::mamba2, RecurrentLayers::without_kv_heads_and_ff},
    RecurrentRule{"lfm2", LayerKind::short_conv, RecurrentLayers::without_kv_heads},
    RecurrentRule{"lfm2moe", LayerKind::short_conv, RecurrentLayers::without_kv_heads},
    RecurrentRule{"qwen3next", LayerKind::gated_delta_net, RecurrentLayers::between_full_attention},
    RecurrentRule{"qwen35", LayerKind::gated_delta_net, RecurrentLayers::between_full_attention},
    RecurrentRule{"qwen35moe", LayerKind::gated_delta_net, RecurrentLayers::between_full_attention},
    RecurrentRule{"kimi-linear", LayerKind::linear_attention, RecurrentLayers::without_kv_heads},
    RecurrentRule{"rwkv6", LayerKind::rwkv, RecurrentLayers::all},
    RecurrentRule{"rwkv6qwen2", LayerKind::rwkv, RecurrentLayers::all},
    RecurrentRule{"rwkv7", LayerKind::rwkv, RecurrentLayers::all},
    RecurrentRule{"arwkv7", LayerKind::rwkv, RecurrentLayers::all},
    RecurrentRule{"deci", LayerKind::feed_forward_only, RecurrentLayers::without_kv_heads},
};

template <class Rules>
auto find_rule(const Rules& rules, std::string_view architecture) -> decltype(rules.data()) {
  const auto rule = std::find_if(rules.begin(), rules.end(),
                                 [&](const auto& r) { return r.architecture == architecture; });
  return rule == rules.end() ? nullptr : &*rule;
}

template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The keys of one architecture. Remembers the first value that is out of its range.
class Keys {
 public:
  Keys(const GgufHeader& header, std::string_view architecture)
      : header_(header), prefix_(std::string(architecture) + '.') {}

  [[nodiscard]] const GgufKv* find(std::string_view key) const {
    return header_.find(prefix_ + std::string(key));
  }

  /// A number in 0..limit; `fallback` when there is none.
  std::int64_t size(std::string_view key, std::int64_t limit, std::int64_t fallback = 0) {
    return size_of_layer(key, 0, limit, fallback);
  }

  /// The same for one layer: arrays give their element, numbers hold for all layers. Layers
  /// beyond the array have the fallback.
  std::int64_t size_of_layer(std::string_view key, std::size_t layer, std::int64_t limit,
                             std::int64_t fallback = 0) {
    const GgufKv* kv = find(key);
    if (kv == nullptr) return fallback;
    std::int64_t value = fallback;
    if (const auto* number = std::get_if<std::int64_t>(&kv->value)) {
      value = *number;
    } else if (const auto* array = std::get_if<GgufArray>(&kv->value)) {
      if (layer < array->integers.size()) value = array->integers[layer];
    }
    if (value >= 0 && value <= limit) return value;
    refuse(key);
    return 0;
  }

  /// Remembers that the value of this key, which is there, is out of its range.
  void refuse(std::string_view key) {
    if (!error_) error_ = Error{"damaged", "gguf", std::to_string(find(key)->position)};
  }

  /// Array of flags or numbers, nullptr when the key is missing or no such array.
  [[nodiscard]] const std::vector<std::int64_t>* array(std::string_view key) const {
    const GgufKv* kv = find(key);
    const auto* value = kv == nullptr ? nullptr : std::get_if<GgufArray>(&kv->value);
    return value == nullptr || value->integers.empty() ? nullptr : &value->integers;
  }

  [[nodiscard]] const std::string& prefix() const { return prefix_; }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  const GgufHeader& header_;
  std::string prefix_;
  std::optional<Error> error_;
};

/// Numbers that no model has (infinite, or beyond what a double counts exactly) are left out.
void copy_hparams(const GgufHeader& header, const Keys& keys, Model& model) {
  constexpr double kLargest = 9007199254740992.0;  // 2^53
  for (const GgufKv& kv : header.kvs) {
    if (!kv.key.starts_with(keys.prefix())) continue;
    std::optional<double> value;
    if (const auto* number = std::get_if<std::int64_t>(&kv.value)) {
      value = static_cast<double>(*number);
    } else if (const auto* floating = std::get_if<double>(&kv.value)) {
      value = *floating;
    } else if (const auto* flag = std::get_if<bool>(&kv.value)) {
      value = *flag ? 1.0 : 0.0;
    }
    if (!value || !(std::abs(*value) <= kLargest)) continue;
    model.hparams.emplace_back(kv.key.substr(keys.prefix().size()), *value);
  }
}

void copy_tensors(const GgufHeader& header, Model& model) {
  model.tensors.reserve(header.tensors.size());
  for (const GgufTensor& stored : header.tensors) {
    Tensor tensor;
    tensor.name = stored.name;
    tensor.ne = stored.ne;
    tensor.n_dims = stored.n_dims;
    tensor.type = stored.type;
    tensor.role = role_of_tensor(stored.name);
    tensor.layer = block_of_tensor(stored.name).value_or(-1);
    model.tensors.push_back(std::move(tensor));
  }
}

/// Widths that only the tensors of a block tell for certain: whether it has experts, and which.
struct BlockTensors {
  std::int64_t n_ff = 0;          // rows of ffn_down
  std::int64_t n_ff_exp = 0;      // rows of ffn_down_exps
  std::int64_t n_expert = 0;      // columns of the router
  std::int64_t n_ff_shexp = 0;    // rows of ffn_down_shexp
  bool has_indexer = false;       // layers without one use an earlier layer's choice
  bool indexer_stores_v = false;  // MiniMax M3: its cache is an ordinary one of one head
  bool has_kv_b = false;          // MLA's joint matrix: keys and values are expanded
};

std::vector<BlockTensors> look_at_blocks(const Model& model, std::size_t n_layer) {
  std::vector<BlockTensors> blocks(n_layer);
  for (const Tensor& tensor : model.tensors) {
    if (tensor.layer < 0 || static_cast<std::size_t>(tensor.layer) >= n_layer) continue;
    BlockTensors& block = blocks[static_cast<std::size_t>(tensor.layer)];
    const std::string_view name = tensor.name;
    if (name.ends_with(".ffn_down.weight") || name.ends_with(".channel_mix_value.weight")) {
      block.n_ff = tensor.ne[0];
    }
    if (name.ends_with(".ffn_down_exps.weight")) block.n_ff_exp = tensor.ne[0];
    if (name.ends_with(".ffn_down_shexp.weight")) block.n_ff_shexp = tensor.ne[0];
    if (name.ends_with(".ffn_gate_inp.weight")) block.n_expert = tensor.ne[1];
    if (name.ends_with(".attn_kv_b.weight")) block.has_kv_b = true;
    if (name.ends_with(".indexer.attn_k.weight")) block.has_indexer = true;
    if (name.ends_with(".indexer.k_proj.weight")) block.indexer_stores_v = true;
  }
  return blocks;
}

FeedForward feed_forward_of(Keys& keys, const BlockTensors& block) {
  FeedForward ff;
  ff.n_ff = std::min(block.n_ff, GgufModelLimits::kWidth);
  if (block.n_expert == 0) return ff;
  ff.n_expert = keys.size("expert_count", GgufModelLimits::kExperts);
  ff.n_expert_used = keys.size("expert_used_count", GgufModelLimits::kExperts);
  ff.n_ff_exp = std::min(block.n_ff_exp, GgufModelLimits::kWidth);
  ff.n_ff_shexp = std::min(block.n_ff_shexp, GgufModelLimits::kWidth);
  return ff;
}

Recurrent recurrent_of(Keys& keys, LayerKind kind, std::int64_t n_embd, std::int64_t n_head) {
  Recurrent state;
  switch (kind) {
    case LayerKind::mamba1:
    case LayerKind::mamba2:
    case LayerKind::gated_delta_net:
      state.d_conv = keys.size("ssm.conv_kernel", GgufModelLimits::kConvolution);
      state.d_inner = keys.size("ssm.inner_size", GgufModelLimits::kWidth);
      state.d_state = keys.size("ssm.state_size", GgufModelLimits::kHeads);
      state.n_group = keys.size("ssm.group_count", GgufModelLimits::kHeads);
      state.dt_rank = keys.size("ssm.time_step_rank", GgufModelLimits::kHeads);
      // Mamba-2 and the delta net store their number of heads as the rank.
      if (kind != LayerKind::mamba1 && state.dt_rank > 0) {
        state.head_dim = state.d_inner / state.dt_rank;
      }
      state.conv_state_elements = std::max<std::int64_t>(state.d_conv - 1, 0) *
                                  (state.d_inner + 2 * state.n_group * state.d_state);
      state.ssm_state_elements = state.d_state * state.d_inner;
      break;
    case LayerKind::short_conv:
      state.d_conv = keys.size("shortconv.l_cache", GgufModelLimits::kConvolution);
      state.conv_state_elements = std::max<std::int64_t>(state.d_conv - 1, 0) * n_embd;
      break;
    case LayerKind::rwkv:
      state.head_dim = keys.size("wkv.head_size", GgufModelLimits::kHeads);
      state.token_shift = keys.size("token_shift_count", GgufModelLimits::kConvolution, 2);
      state.conv_state_elements = state.token_shift * n_embd;
      state.ssm_state_elements = n_embd * state.head_dim;
      break;
    case LayerKind::linear_attention:  // Kimi delta attention: convolutions on q, k and v
      state.d_conv = keys.size("ssm.conv_kernel", GgufModelLimits::kConvolution);
      state.head_dim = keys.size("kda.head_dim", GgufModelLimits::kHeads);
      state.d_inner = n_head * state.head_dim;
      state.d_state = state.head_dim;
      state.conv_state_elements = 3 * std::max<std::int64_t>(state.d_conv - 1, 0) * state.d_inner;
      state.ssm_state_elements = state.d_inner * state.head_dim;
      break;
    case LayerKind::attention:
    case LayerKind::feed_forward_only:
      break;
  }
  return state;
}

/// Spans of all layers; sets model.sliding_window when any of them has one. Windows of models
/// that llama.cpp runs with full attention (Mistral, Phi-3) stay in the hparams only.
void assign_windows(Keys& keys, Model& model, std::size_t n_ordinary) {
  const WindowRule* rule = find_rule(kWindowRules, model.architecture);
  if (rule == nullptr) return;
  std::int64_t fallback = rule->window;
  // EXAONE 4 32B files from before the key was written.
  if (rule->architecture == "exaone4" && model.layers.size() == 64) fallback = 4096;
  std::int64_t window = keys.size("attention.sliding_window", GgufModelLimits::kContext, fallback);
  if (window == 0) return;  // written as 0, or a variant without windows
  // Llama 4 has chunks unless the key is 0; SmallThinker windows only if the key is there.
  if (rule->architecture == "smallthinker" && keys.find("attention.sliding_window") == nullptr) {
    return;
  }
  if (rule->fixed) window = rule->window;

  const auto* flags = rule->fixed ? nullptr : keys.array("attention.sliding_window_pattern");
  std::int64_t period = rule->period;
  if (!rule->fixed && flags == nullptr) {
    period = keys.size("attention.sliding_window_pattern", GgufModelLimits::kContext, period);
  }
  if (flags == nullptr && period == 0) {
    model.unknowns.emplace_back("missing:attention.sliding_window_pattern");
    return;
  }
  for (std::size_t il = 0; il < n_ordinary; ++il) {
    bool is_window = false;
    if (flags != nullptr) {
      is_window = il < flags->size() && (*flags)[il] != 0;
    } else {
      const auto at = static_cast<std::int64_t>(il) % period;
      is_window = rule->full_first ? at != 0 : at != period - 1;
    }
    if (!is_window || model.layers[il].kind != LayerKind::attention) continue;
    model.layers[il].attention.span = rule->span;
    model.sliding_window = window;
  }
}

/// DeepSeek V4: what each layer keeps beside its window.
void assign_compression(Keys& keys, Model& model) {
  constexpr std::int64_t kMostTokens = 1024;  // per key; 128 is the most that is known
  model.sliding_window = keys.size("attention.sliding_window", GgufModelLimits::kContext);
  const std::int64_t width = keys.size("attention.indexer.key_length", GgufModelLimits::kHeads);
  for (std::size_t il = 0; il < model.layers.size(); ++il) {
    Layer& layer = model.layers[il];
    const std::int64_t ratio =
        layer.is_mtp ? 0 : keys.size_of_layer("attention.compress_ratios", il, kMostTokens);
    compress_keys(layer, ratio, width);
  }
}

/// Heads times their width: what a row of queries, keys or values holds.
void bound_rows(Keys& keys, const Model& model) {
  for (const Layer& layer : model.layers) {
    const Attention& attention = layer.attention;
    std::int64_t width = std::max(attention.head_dim_k, attention.head_dim_v);
    if (attention.mla) {
      const Mla& mla = *attention.mla;
      width = std::max({width, mla.qk_nope_head_dim + mla.qk_rope_head_dim, mla.v_head_dim});
    }
    if (attention.n_head * width > GgufModelLimits::kWidth) {
      keys.refuse("attention.head_count");
    } else if (attention.n_head_kv * width > GgufModelLimits::kWidth) {
      keys.refuse("attention.head_count_kv");
    }
  }
}

/// Nanbeige: all blocks once more for every loop, each with a cache of its own.
void repeat_layers(Keys& keys, Model& model) {
  const std::size_t n_layer = model.layers.size();
  if (n_layer == 0) return;
  const std::int64_t most = GgufModelLimits::kLayers / static_cast<std::int64_t>(n_layer);
  model.n_loops = std::max<std::int64_t>(1, keys.size("num_loops", most, 1));
  const auto n_loops = static_cast<std::size_t>(model.n_loops);
  model.layers.reserve(n_layer * n_loops);
  for (std::size_t il = n_layer; il < n_layer * n_loops; ++il) {
    model.layers.push_back(model.layers[il - n_layer]);
  }
}

/// Layers that reuse the cache of earlier ones, or of models that keep none.
void assign_cache_sharing(Keys& keys, Model& model, std::size_t n_ordinary) {
  auto first_sharing = static_cast<std::int64_t>(n_ordinary);
  if (model.is_encoder) model.unknowns.push_back("encoder:" + model.architecture);
  if (model.is_diffusion) model.unknowns.push_back("diffusion:" + model.architecture);
  if (model.is_diffusion ||
      (model.is_encoder && !contains(kEncodersWithCache, model.architecture))) {
    first_sharing = 0;
  } else if (model.architecture == "gemma3n") {
    first_sharing = 20;  // src/models/gemma3n.cpp, for both sizes
  } else {
    first_sharing -= keys.size("attention.shared_kv_layers", GgufModelLimits::kLayers);
  }
  for (std::size_t il = 0; il < n_ordinary; ++il) {
    model.layers[il].attention.shares_kv = static_cast<std::int64_t>(il) >= first_sharing;
  }
}

Attention attention_of(Keys& keys, const Model& model, std::size_t il, const BlockTensors& block) {
  Attention attention;
  attention.n_head = keys.size_of_layer("attention.head_count", il, GgufModelLimits::kHeads);
  attention.n_head_kv =
      keys.size_of_layer("attention.head_count_kv", il, GgufModelLimits::kHeads, attention.n_head);
  // The default width uses the heads of the first layer, as the runtime does.
  const std::int64_t n_head = keys.size("attention.head_count", GgufModelLimits::kHeads);
  const std::int64_t width = n_head > 0 ? model.n_embd / n_head : 0;
  attention.head_dim_k = keys.size("attention.key_length", GgufModelLimits::kWidth, width);
  attention.head_dim_v = keys.size("attention.value_length", GgufModelLimits::kWidth, width);

  const std::int64_t kv_lora_rank = keys.size("attention.kv_lora_rank", GgufModelLimits::kWidth);
  if (kv_lora_rank == 0) return attention;
  Mla mla;
  mla.kv_lora_rank = kv_lora_rank;
  mla.q_lora_rank = keys.size("attention.q_lora_rank", GgufModelLimits::kWidth);
  mla.absorbed = keys.find("attention.key_length_mla") != nullptr && !block.has_kv_b;
  const std::int64_t head_k =
      keys.size("attention.key_length_mla", GgufModelLimits::kWidth, attention.head_dim_k);
  mla.qk_rope_head_dim =
      std::min(keys.size("rope.dimension_count", GgufModelLimits::kWidth), head_k);
  mla.qk_nope_head_dim = head_k - mla.qk_rope_head_dim;
  mla.v_head_dim =
      keys.size("attention.value_length_mla", GgufModelLimits::kWidth, attention.head_dim_v);
  attention.mla = mla;
  return attention;
}

LayerKind kind_of(const RecurrentRule* rule, Keys& keys, const Attention& attention,
                  std::size_t il) {
  if (rule == nullptr) return LayerKind::attention;
  const std::int64_t n_ff = keys.size_of_layer("feed_forward_length", il, GgufModelLimits::kWidth);
  bool recurrent = false;
  switch (rule->layers) {
    case RecurrentLayers::all:
      return rule->kind;
    case RecurrentLayers::without_kv_heads:
      recurrent = attention.n_head_kv == 0;
      break;
    case RecurrentLayers::without_kv_heads_and_ff:
      if (n_ff > 0) return LayerKind::feed_forward_only;
      recurrent = attention.n_head_kv == 0;
      break;
    case RecurrentLayers::between_full_attention: {
      if (const auto* flags = keys.array("attention.recurrent_layers")) {
        recurrent = il < flags->size() && (*flags)[il] != 0;
        break;
      }
      const std::int64_t interval =
          keys.size("full_attention_interval", GgufModelLimits::kLayers, 4);
      recurrent = interval == 0 || (static_cast<std::int64_t>(il) + 1) % interval != 0;
      break;
    }
    case RecurrentLayers::beside_attention:
      break;
  }
  return recurrent ? rule->kind : LayerKind::attention;
}

void fill_layers(const GgufHeader& header, Keys& keys, Model& model) {
  const auto n_layer = static_cast<std::size_t>(keys.size("block_count", GgufModelLimits::kLayers));
  const auto n_mtp =
      static_cast<std::size_t>(keys.size("nextn_predict_layers", GgufModelLimits::kLayers));
  const std::size_t n_ordinary = n_layer - std::min(n_layer, n_mtp);
  const RecurrentRule* recurrent = find_rule(kRecurrentRules, model.architecture);
  const std::vector<BlockTensors> blocks = look_at_blocks(model, n_layer);

  const bool heads_needed = recurrent == nullptr || recurrent->layers != RecurrentLayers::all;
  if (heads_needed && keys.find("attention.head_count") == nullptr && n_layer > 0) {
    model.unknowns.emplace_back("missing:attention.head_count");
  }
  const std::int64_t n_head = keys.size("attention.head_count", GgufModelLimits::kHeads);

  model.layers.resize(n_layer);
  for (std::size_t il = 0; il < n_layer; ++il) {
    Layer& layer = model.layers[il];
    layer.is_mtp = il >= n_ordinary;
    layer.attention = attention_of(keys, model, il, blocks[il]);
    layer.kind =
        layer.is_mtp ? LayerKind::attention : kind_of(recurrent, keys, layer.attention, il);
    layer.feed_forward = feed_forward_of(keys, blocks[il]);
    if (blocks[il].has_indexer || blocks[il].indexer_stores_v) {
      layer.attention.indexer_head_dim =
          keys.size("attention.indexer.key_length", GgufModelLimits::kHeads);
    }
    if (blocks[il].indexer_stores_v) {
      layer.attention.indexer_value_dim = layer.attention.head_dim_v;
    }
    if (recurrent == nullptr || layer.is_mtp) continue;
    if (recurrent->layers == RecurrentLayers::beside_attention) {
      layer.recurrent = recurrent_of(keys, recurrent->kind, model.n_embd, n_head);
    } else if (layer.kind != LayerKind::attention) {
      layer.recurrent = recurrent_of(keys, layer.kind, model.n_embd, n_head);
      layer.attention = {};
    }
  }
  assign_windows(keys, model, n_ordinary);
  if (model.architecture == "deepseek4") assign_compression(keys, model);
  assign_cache_sharing(keys, model, n_ordinary);

  // Gemma 4: windowed layers have heads of their own width.
  for (Layer& layer : model.layers) {
    if (layer.attention.span == AttentionSpan::full) continue;
    Attention& attention = layer.attention;
    attention.head_dim_k =
        keys.size("attention.key_length_swa", GgufModelLimits::kWidth, attention.head_dim_k);
    attention.head_dim_v =
        keys.size("attention.value_length_swa", GgufModelLimits::kWidth, attention.head_dim_v);
  }
  bound_rows(keys, model);
  if (model.architecture == "nanbeige") repeat_layers(keys, model);
  if (header.find(keys.prefix() + "block_count") == nullptr) {
    model.unknowns.emplace_back("missing:block_count");
  }
}

/// Roles that need to know the layer: MTP blocks as a whole, and the attn_* tensors of layers
/// that keep a state.
void refine_roles(Model& model) {
  for (Tensor& tensor : model.tensors) {
    if (tensor.layer < 0 || static_cast<std::size_t>(tensor.layer) >= model.layers.size()) continue;
    const Layer& layer = model.layers[static_cast<std::size_t>(tensor.layer)];
    if (layer.is_mtp) {
      tensor.role = TensorRole::mtp;
    } else if (tensor.role == TensorRole::attention && layer.kind != LayerKind::attention) {
      tensor.role = TensorRole::recurrent;
    }
  }
}

}  // namespace

Result<Model> model_from_gguf(const GgufHeader& header) {
  Model model;
  model.provenance = Provenance::header;
  model.architecture = std::string(header.text("general.architecture"));
  model.name = std::string(header.text("general.name"));
  copy_tensors(header, model);

  Keys keys(header, model.architecture);
  copy_hparams(header, keys, model);
  if (header.text("general.type") == "adapter") {
    model.unknowns.emplace_back("adapter");
    return model;
  }
  if (model.architecture == "clip") {  // mmproj files: a vision or audio tower
    model.unknowns.emplace_back("projector");
    return model;
  }
  model.is_encoder = contains(kEncoders, model.architecture);
  model.is_diffusion = contains(kDiffusion, model.architecture);
  model.has_encoder = model.architecture == kTwoStacks;
  if (model.architecture.empty()) {
    model.unknowns.emplace_back("missing:general.architecture");
  } else if (!model.has_encoder && !contains(kKnownDecoders, model.architecture) &&
             !model.is_diffusion && !model.is_encoder) {
    model.unknowns.push_back("arch_unknown:" + model.architecture);
  }

  const Tensor* embedding = model.find_tensor("token_embd.weight");
  model.n_embd = keys.size("embedding_length", GgufModelLimits::kWidth);
  model.n_ctx_train = keys.size("context_length", GgufModelLimits::kContext);
  keys.size("embedding_length_out", GgufModelLimits::kWidth);  // read as an hparam
  const GgufArray* tokens = header.array("tokenizer.ggml.tokens");
  std::int64_t n_vocab = tokens != nullptr ? tokens->count : 0;
  if (n_vocab == 0 && embedding != nullptr) n_vocab = embedding->ne[1];
  model.n_vocab = keys.size("vocab_size", GgufModelLimits::kVocabulary,
                            std::min(n_vocab, GgufModelLimits::kVocabulary));
  model.tied_embeddings =
      embedding != nullptr && !model.is_encoder && model.find_tensor("output.weight") == nullptr;

  fill_layers(header, keys, model);
  refine_roles(model);
  if (keys.error()) return *keys.error();
  return model;
}

}  // namespace meyasu
