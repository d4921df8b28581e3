#include "core/quantization/mix.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/units/sort.hpp"

namespace meyasu {
namespace {

constexpr Bytes kGgufAlignment = 32;  // GGUF_DEFAULT_ALIGNMENT

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

template <class... Ftypes>
constexpr bool any_of(Ftype ftype, Ftypes... candidates) {
  return ((ftype == candidates) || ...);
}

/// The block number in "blk.N.", -1 for tensors outside the blocks.
int layer_of(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) return -1;
  int layer = -1;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + kPrefix.size(), end, layer);
  return error == std::errc{} && stop != end && *stop == '.' ? layer : -1;
}

// Small or sensitive matrices that llama-quantize leaves as the converter wrote them, by a part of
// their name: routers, per-layer projections of Gemma 3n, convolutions, indexers, RWKV mixing,
// relative position bias, parts of vision and audio towers.
constexpr std::array<std::string_view, 37> kNeverQuantized = {
    "_norm.weight",
    "ffn_gate_inp.weight",
    "ffn_gate_tid2eid.weight",
    "altup",
    "laurel",
    "per_layer_model_proj",
    "ssm_conv1d",
    "shortconv.conv.weight",
    "indexer.k_proj.weight",
    "indexer.q_proj.weight",
    "time_mix_first.weight",
    "time_mix_w0.weight",
    "time_mix_w1.weight",
    "time_mix_w2.weight",
    "time_mix_v0.weight",
    "time_mix_v1.weight",
    "time_mix_v2.weight",
    "time_mix_a0.weight",
    "time_mix_a1.weight",
    "time_mix_a2.weight",
    "time_mix_g1.weight",
    "time_mix_g2.weight",
    "time_mix_decay_w1.weight",
    "time_mix_decay_w2.weight",
    "time_mix_lerp_fused.weight",
    "attn_rel_b.weight",
    ".position_embd",
    "sam.pos_embd",
    "sam.neck.",
    "sam.net_",
    ".rel_pos",
    ".patch_embd",
    ".patch_merger",
    "a.rvq.codebook",
    "mm.a.code_embd",
    "position_embd.weight",
    "token_types.weight",
};

bool is_vector(const Tensor& tensor) {
  return tensor.ne[1] == 1 && tensor.ne[2] == 1 && tensor.ne[3] == 1;
}

bool never_quantized(std::string_view name) {
  return std::any_of(kNeverQuantized.begin(), kNeverQuantized.end(),
                     [name](std::string_view part) { return contains(name, part); });
}

bool allows_quantization(const Tensor& tensor) {
  return !is_vector(tensor) && std::string_view(tensor.name).ends_with("weight") &&
         !never_quantized(tensor.name);
}

/// The first, the last and every third of the layers between: those where llama.cpp found more
/// bits to pay off (use_more_bits).
bool more_bits(std::int64_t i, std::int64_t n) {
  return i < n / 8 || i >= 7 * n / 8 || (i - n / 8) % 3 == 2;
}

bool is_below_3_bits(Ftype ftype) {
  return any_of(ftype, Ftype::IQ1_S, Ftype::IQ1_M, Ftype::IQ2_XXS, Ftype::IQ2_XS, Ftype::IQ2_S,
                Ftype::IQ2_M);
}

/// The type for rows that the block of `type` does not divide; nothing where none is defined.
std::optional<GgmlType> fallback_of(GgmlType type) {
  switch (type) {
    case GgmlType::IQ1_S:
    case GgmlType::IQ1_M:
    case GgmlType::IQ2_XXS:
    case GgmlType::IQ2_XS:
    case GgmlType::IQ2_S:
    case GgmlType::IQ3_XXS:
    case GgmlType::IQ3_S:
    case GgmlType::IQ4_XS:
      return GgmlType::IQ4_NL;
    case GgmlType::Q2_0:
    case GgmlType::Q2_K:
    case GgmlType::Q3_K:
    case GgmlType::TQ1_0:
    case GgmlType::TQ2_0:
      return GgmlType::Q4_0;
    case GgmlType::Q4_K:
      return GgmlType::Q5_0;
    case GgmlType::Q5_K:
      return GgmlType::Q5_1;
    case GgmlType::Q6_K:
      return GgmlType::Q8_0;
    default:
      return std::nullopt;
  }
}

/// Heads of the first block as the GGUF keys give them. Hybrid models either store one number for
/// all blocks (qwen3next: the attention blocks' own) or an array with 0 for recurrent blocks.
std::int64_t first_block_gqa(const Model& model) {
  const auto n_head = static_cast<std::int64_t>(model.hparam("attention.head_count", 0));
  const auto n_head_kv = static_cast<std::int64_t>(model.hparam("attention.head_count_kv", 0));
  if (n_head > 0 && n_head_kv > 0) return n_head / n_head_kv;
  if (model.layers.empty()) return 0;

  constexpr std::array<std::string_view, 10> kHeadsPerBlock = {
      "deci",       "granitehybrid", "lfm2",           "lfm2moe",     "jamba",
      "nemotron_h", "plamo2",        "nemotron_h_moe", "kimi-linear", "plamo3"};
  const Layer* layer = &model.layers.front();
  if (layer->kind != LayerKind::attention) {
    if (std::find(kHeadsPerBlock.begin(), kHeadsPerBlock.end(), model.architecture) !=
        kHeadsPerBlock.end()) {
      return 0;
    }
    const auto found = std::find_if(model.layers.begin(), model.layers.end(),
                                    [](const Layer& l) { return l.kind == LayerKind::attention; });
    if (found == model.layers.end()) return 0;
    layer = &*found;
  }
  const Attention& attention = layer->attention;
  // Absorbed MLA is stored as multi-query attention: one latent KV head.
  const bool one_kv_head = attention.mla && attention.mla->absorbed;
  const std::int64_t kv = one_kv_head ? 1 : attention.n_head_kv;
  return kv > 0 ? attention.n_head / kv : 0;
}

/// Whether llama.cpp calls the model LLM_TYPE_70B, which has a rule of its own
/// (src/models/llama.cpp, deci.cpp, qwen2.cpp, jais2.cpp).
bool is_llm_type_70b(const Model& model, std::int64_t n_gqa) {
  const std::size_t n_layer = model.layers.size();
  if (model.architecture == "llama") return n_layer == 80 && n_gqa != 1;
  if (model.architecture == "deci" || model.architecture == "qwen2") return n_layer == 80;
  return model.architecture == "jais2" && n_layer == 68;
}

}  // namespace

bool stays_as_converted(const Tensor& tensor) {
  const bool is_weight = std::string_view(tensor.name).ends_with(".weight");
  // DeepSeek V4: matrices that its checkpoint has in F32, and the converter keeps.
  const std::string_view name = tensor.name;
  const bool is_full = name.ends_with("hc_attn_fn.weight") || name.ends_with("hc_ffn_fn.weight") ||
                       name.ends_with("output_hc_fn.weight") ||
                       name.ends_with("_compressor_ape.weight");
  return !is_weight || is_full || is_vector(tensor) || never_quantized(tensor.name);
}

std::optional<MixName> mix_from_name(std::string_view name) {
  struct Special {
    std::string_view name;
    Ftype base;
  };
  constexpr std::array kWithQ8Embeddings = {
      Special{"Q2_K_L", Ftype::Q2_K},   Special{"Q3_K_XL", Ftype::Q3_K_L},
      Special{"Q4_K_L", Ftype::Q4_K_M}, Special{"Q5_K_L", Ftype::Q5_K_M},
      Special{"Q6_K_L", Ftype::Q6_K},
  };
  if (const auto ftype = ftype_from_name(name)) return MixName{*ftype, {}};
  for (const Special& special : kWithQ8Embeddings) {
    if (special.name != name) continue;
    MixName mix{special.base, {}};
    mix.options.output_type = GgmlType::Q8_0;
    mix.options.token_embedding_type = GgmlType::Q8_0;
    return mix;
  }
  return std::nullopt;
}

MixPlan::Category MixPlan::category_of(std::string_view name) {
  if (name == "output.weight") return Category::output;
  if (name == "token_embd.weight" || name == "per_layer_token_embd.weight") {
    return Category::token_embd;
  }
  struct Part {
    std::string_view text;
    Category category;
  };
  constexpr std::array kParts = {
      Part{"attn_qkv.weight", Category::attn_qkv},
      Part{"attn_kv_b.weight", Category::attn_kv_b},
      Part{"attn_v.weight", Category::attn_v},
      Part{"attn_k.weight", Category::attn_k},
      Part{"attn_q.weight", Category::attn_q},
      Part{"attn_output.weight", Category::attn_output},
      Part{"ffn_up", Category::ffn_up},
      Part{"ffn_gate", Category::ffn_gate},
      Part{"ffn_down", Category::ffn_down},
  };
  for (const Part& part : kParts) {
    if (contains(name, part.text)) return part.category;
  }
  return Category::other;
}

MixPlan::MixPlan(const Model& model) : model_(&model) {
  n_layer_ = static_cast<std::int64_t>(model.layers.size());
  for (const Layer& layer : model.layers) {
    n_expert_ = std::max(n_expert_, layer.feed_forward.n_expert);
  }
  n_gqa_ = first_block_gqa(model);
  falcon_ = model.architecture == "falcon";
  bailingmoe3_ = model.architecture == "bailingmoe3";
  is_70b_ = is_llm_type_70b(model, n_gqa_);

  const bool from_header = model.provenance == Provenance::header;
  entries_.reserve(model.tensors.size());
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const Tensor& tensor = model.tensors[i];
    Entry entry;
    entry.row = tensor.ne[0];
    entry.n_rows = tensor.ne[1] * tensor.ne[2] * tensor.ne[3];
    entry.index = static_cast<std::uint32_t>(i);
    entry.layer = layer_of(tensor.name);
    entry.category = category_of(tensor.name);
    entry.stored = tensor.type;
    // A vision tower lives in a file of its own (mmproj), which stays 16 bit.
    const bool is_mmproj = !from_header && tensor.role == TensorRole::vision;
    entry.quantizable = allows_quantization(tensor) && !is_mmproj;
    entry.stacked = tensor.ne[2] > 1;
    entries_.push_back(entry);

    const bool like_attn_v = entry.category == Category::attn_v ||
                             entry.category == Category::attn_qkv ||
                             entry.category == Category::attn_kv_b;
    if (like_attn_v) ++n_attn_v_;
    if (entry.category == Category::output) tied_ = false;
  }
  // The order of llama_model_loader::weights_map: counters of the rules run along it.
  sort_items(entries_, [&model](const Entry& a, const Entry& b) {
    if (a.layer != b.layer) return a.layer < b.layer;
    return model.tensors[a.index].name < model.tensors[b.index].name;
  });
}

GgmlType MixPlan::choose_below_3_bits(const Entry& entry, Ftype ftype, GgmlType type,
                                      const MixOptions& options, Counters& seen) const {
  const bool iq2_s_or_m = any_of(ftype, Ftype::IQ2_S, Ftype::IQ2_M);
  const GgmlType better = iq2_s_or_m ? GgmlType::IQ3_S : GgmlType::Q2_K;
  switch (entry.category) {
    case Category::attn_qkv:
    case Category::attn_kv_b:
      if (options.era != MixEra::current) return type;
      [[fallthrough]];
    case Category::attn_v:
      return n_gqa_ >= 4 || n_expert_ >= 4 ? GgmlType::Q4_K : better;
    case Category::attn_k:
      return n_expert_ == 8 ? GgmlType::Q4_K : type;
    case Category::ffn_down:
      return seen.ffn_down++ < n_layer_ / 8 ? better : type;
    case Category::attn_output:
      if (n_expert_ == 8) return GgmlType::Q5_K;
      if (any_of(ftype, Ftype::IQ1_S, Ftype::IQ1_M)) return GgmlType::IQ2_XXS;
      return iq2_s_or_m ? GgmlType::IQ3_S : type;
    default:
      return type;
  }
}

GgmlType MixPlan::choose_attn_v(Ftype ftype, GgmlType type, const MixOptions& options,
                                int seen) const {
  const bool gqa4 = n_gqa_ >= 4;
  switch (ftype) {
    case Ftype::Q2_K:
      type = gqa4 ? GgmlType::Q4_K : GgmlType::Q3_K;
      break;
    case Ftype::Q2_K_S:
    case Ftype::IQ3_XS:
    case Ftype::IQ3_S:
      if (gqa4) type = GgmlType::Q4_K;
      break;
    case Ftype::IQ3_XXS:
      if (gqa4) {
        type = GgmlType::Q4_K;
      } else {
        type = options.imatrix ? GgmlType::IQ3_XXS : GgmlType::IQ3_S;
      }
      break;
    case Ftype::IQ3_M:
      type = GgmlType::Q4_K;
      break;
    case Ftype::Q3_K_M:
      type = seen < 2 ? GgmlType::Q5_K : GgmlType::Q4_K;
      break;
    case Ftype::Q3_K_L:
      type = GgmlType::Q5_K;
      break;
    case Ftype::IQ4_NL:
    case Ftype::IQ4_XS:
      if (gqa4) type = GgmlType::Q5_K;
      break;
    case Ftype::Q4_K_M:
    case Ftype::Q5_K_M:
      if (more_bits(seen, n_attn_v_)) type = GgmlType::Q6_K;
      break;
    case Ftype::Q4_K_S:
      if (seen < 4) type = GgmlType::Q5_K;
      break;
    default:
      break;
  }
  if (is_70b_ && (type == GgmlType::Q3_K || type == GgmlType::Q4_K)) type = GgmlType::Q5_K;
  if (n_expert_ == 8) type = GgmlType::Q8_0;
  return type;
}

GgmlType MixPlan::choose_ffn_down(const Entry& entry, Ftype ftype, GgmlType type,
                                  const MixOptions& options, int seen) const {
  const std::int64_t n = n_layer_;
  const std::int64_t i = n_expert_ > 1 ? entry.layer : seen;
  const bool early = i < n / 8;
  switch (ftype) {
    case Ftype::Q2_K:
      return GgmlType::Q3_K;
    case Ftype::Q2_K_S:
      return early ? GgmlType::Q4_K : type;
    case Ftype::IQ3_XXS:
      if (options.imatrix) return type;
      return early ? GgmlType::Q4_K : GgmlType::Q3_K;
    case Ftype::Q3_K_M:
      if (i < n / 16) return GgmlType::Q5_K;
      return !falcon_ || more_bits(i, n) ? GgmlType::Q4_K : GgmlType::Q3_K;
    case Ftype::IQ3_M:
      return early || (n_expert_ == 8 && more_bits(i, n)) ? GgmlType::Q4_K : type;
    case Ftype::Q3_K_L:
      return falcon_ ? GgmlType::Q4_K : GgmlType::Q5_K;
    case Ftype::Q4_K_M:
      if (falcon_ && i >= n / 16) return more_bits(i, n) ? GgmlType::Q5_K : GgmlType::Q4_K;
      return more_bits(i, n) ? GgmlType::Q6_K : type;
    case Ftype::Q5_K_M:
      return more_bits(i, n) ? GgmlType::Q6_K : type;
    case Ftype::IQ4_NL:
    case Ftype::IQ4_XS:
      return early && !options.imatrix ? GgmlType::Q5_K : type;
    case Ftype::Q4_K_S:
      return early && !falcon_ ? GgmlType::Q5_K : type;
    case Ftype::Q4_0:
      return early && options.imatrix ? GgmlType::Q4_1 : type;
    case Ftype::Q5_0:
      return early && options.imatrix ? GgmlType::Q5_1 : type;
    default:
      return type;
  }
}

GgmlType MixPlan::choose_attn_output(Ftype ftype, GgmlType type) const {
  if (falcon_) return ftype == Ftype::Q3_K_L ? GgmlType::Q4_K : type;
  if (n_expert_ == 8) {
    return any_of(ftype, Ftype::Q2_K, Ftype::IQ3_XXS, Ftype::IQ3_XS, Ftype::IQ3_S, Ftype::IQ3_M,
                  Ftype::Q3_K_S, Ftype::Q3_K_M, Ftype::IQ4_NL, Ftype::IQ4_XS, Ftype::Q4_K_S,
                  Ftype::Q4_K_M)
               ? GgmlType::Q5_K
               : type;
  }
  switch (ftype) {
    case Ftype::Q2_K:
      return GgmlType::Q3_K;
    case Ftype::IQ3_XXS:
      return GgmlType::IQ3_S;
    case Ftype::Q3_K_M:
    case Ftype::IQ3_M:
      return GgmlType::Q4_K;
    case Ftype::Q3_K_L:
      return GgmlType::Q5_K;
    default:
      return type;
  }
}

GgmlType MixPlan::choose(const Entry& entry, const FtypeInfo& info, const MixOptions& options,
                         Counters& seen) const {
  const Ftype ftype = info.ftype;
  const GgmlType type = info.default_type;
  const Category category = entry.category;

  if (category == Category::output || (tied_ && category == Category::token_embd)) {
    if (options.output_type) return *options.output_type;
    if (ftype == Ftype::MXFP4_MOE) return GgmlType::Q8_0;
    if (falcon_ || entry.row % block_layout(type).block != 0) return GgmlType::Q8_0;
    if (is_below_3_bits(ftype) || ftype == Ftype::IQ3_XXS) return GgmlType::Q5_K;
    return type == GgmlType::Q8_0 ? type : GgmlType::Q6_K;
  }
  if (ftype == Ftype::MXFP4_MOE) {
    // In bailingmoe3 MLA's per-head matrices are stacked too, so experts are told by their names.
    const bool is_ffn = category == Category::ffn_up || category == Category::ffn_gate ||
                        category == Category::ffn_down;
    return entry.stacked && (!bailingmoe3_ || is_ffn) ? GgmlType::MXFP4 : GgmlType::Q8_0;
  }
  if (category == Category::token_embd) {
    if (any_of(ftype, Ftype::IQ1_S, Ftype::IQ1_M, Ftype::IQ2_XXS, Ftype::IQ2_XS)) {
      return GgmlType::Q2_K;
    }
    if (any_of(ftype, Ftype::IQ2_S, Ftype::IQ2_M, Ftype::IQ3_XXS)) return GgmlType::IQ3_S;
    if (any_of(ftype, Ftype::TQ1_0, Ftype::TQ2_0, Ftype::Q2_0)) return GgmlType::Q4_K;
    return type;
  }
  if (is_below_3_bits(ftype)) return choose_below_3_bits(entry, ftype, type, options, seen);

  const auto in_middle = [this](std::int64_t i) {
    return i >= n_layer_ / 8 && i < 7 * n_layer_ / 8;
  };
  switch (category) {
    case Category::attn_qkv:
      if (options.era != MixEra::current) {
        if (any_of(ftype, Ftype::Q3_K_M, Ftype::Q3_K_L, Ftype::IQ3_M)) return GgmlType::Q4_K;
        if (ftype == Ftype::Q4_K_M) return GgmlType::Q5_K;
        return ftype == Ftype::Q5_K_M ? GgmlType::Q6_K : type;
      }
      return choose_attn_v(ftype, type, options, seen.attn_v++);
    case Category::attn_kv_b:
      if (options.era != MixEra::current) return type;
      return choose_attn_v(ftype, type, options, seen.attn_v++);
    case Category::attn_v:
      return choose_attn_v(ftype, type, options, seen.attn_v++);
    case Category::attn_k:
      if (n_expert_ == 8) return GgmlType::Q8_0;
      [[fallthrough]];
    case Category::attn_q:
      if (ftype == Ftype::IQ3_XS) return GgmlType::IQ3_XXS;
      return ftype == Ftype::IQ3_XXS ? GgmlType::IQ2_S : type;
    case Category::ffn_down:
      return choose_ffn_down(entry, ftype, type, options, seen.ffn_down++);
    case Category::attn_output:
      return choose_attn_output(ftype, type);
    case Category::ffn_gate:
    case Category::ffn_up: {
      int& count = category == Category::ffn_gate ? seen.ffn_gate : seen.ffn_up;
      const std::int64_t i = n_expert_ > 1 ? entry.layer : count;
      ++count;
      if (ftype == Ftype::Q2_K && options.era == MixEra::before_2024) return GgmlType::Q3_K;
      return ftype == Ftype::IQ3_XS && in_middle(i) ? GgmlType::IQ3_XXS : type;
    }
    default:
      return type;
  }
}

template <class Each>
Result<MixTotals> MixPlan::for_each(Ftype ftype, const MixOptions& options, Each&& each) const {
  const FtypeInfo& info = ftype_info(ftype);
  const bool quantized = block_layout(info.default_type).block > 1;
  MixTotals totals;
  Counters seen;
  for (const Entry& entry : entries_) {
    GgmlType type = entry.stored;
    if (entry.quantizable) {
      if (options.token_embedding_type && entry.category == Category::token_embd) {
        type = *options.token_embedding_type;
      } else if (options.output_type && entry.category == Category::output) {
        type = *options.output_type;
      } else if (!quantized) {
        type = info.default_type;
      } else {
        type = choose(entry, info, options, seen);
        if (entry.row % block_layout(type).block != 0) {
          ++totals.n_fallback;
          const auto fallback = fallback_of(type);
          if (!fallback) return Error{"quant_shape", "quant", model_->tensors[entry.index].name};
          type = entry.row % block_layout(*fallback).block == 0 ? *fallback : GgmlType::F16;
        }
      }
    }
    const Bytes bytes = row_bytes(type, entry.row) * entry.n_rows;
    totals.tensor_bytes += bytes;
    totals.data_bytes += round_up(bytes, kGgufAlignment);
    each(entry, type);
  }
  return totals;
}

Result<MixTotals> MixPlan::totals(Ftype ftype, const MixOptions& options) const {
  return for_each(ftype, options, [](const Entry&, GgmlType) {});
}

Result<QuantizedMix> MixPlan::quantize(Ftype ftype, const MixOptions& options) const {
  QuantizedMix mix;
  mix.types.resize(entries_.size());
  const auto totals = for_each(
      ftype, options, [&mix](const Entry& entry, GgmlType type) { mix.types[entry.index] = type; });
  if (!totals) return totals.error();
  mix.totals = totals.value();
  return mix;
}

Result<QuantizedMix> quantize_mix(const Model& model, Ftype ftype, const MixOptions& options) {
  return MixPlan(model).quantize(ftype, options);
}

}  // namespace meyasu
