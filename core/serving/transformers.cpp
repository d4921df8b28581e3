#include "core/serving/transformers.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/serving/activation.hpp"
#include "core/serving/cache_entry.hpp"
#include "core/units/limits.hpp"

namespace meyasu {
namespace {

constexpr std::int64_t kMaxBatch = std::int64_t{1} << 16;
constexpr Bytes kElement = 2;  // activations and cache are 16 bit
constexpr const char* kCacheSource = "transformers, cache_utils.py";
constexpr const char* kModelingSource = "transformers, modeling_llama.py";

/// Blocks and the ends of the model that lie on one GPU.
struct Part {
  std::string device;
  std::size_t begin = 0;
  std::size_t end = 0;
  bool first = false;
  bool last = false;
};

/// Of the tensors outside the blocks.
Bytes outside_weights_of(const Model& model, std::span<const Bytes> tensor_bytes,
                         const Part& part) {
  Bytes total = 0;
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const Tensor& tensor = model.tensors[i];
    if (tensor.layer >= 0 || tensor.role == TensorRole::mtp) continue;
    const bool at_start =
        tensor.role == TensorRole::embedding || tensor.role == TensorRole::position;
    if (at_start ? part.first : part.last) total += tensor_bytes[i];
    // accelerate keeps tied tables together, so nothing is counted twice.
  }
  return total;
}

/// Cached tokens of one sequence in a layer.
std::int64_t cached_tokens(const Model& model, const Layer& layer, const TransformersSettings& s,
                           std::int64_t n_token) {
  const bool cropped =
      s.window_cache && layer.attention.span == AttentionSpan::sliding && model.sliding_window > 0;
  return cropped ? std::min(n_token, model.sliding_window) : n_token;
}

struct Cache {
  Bytes cells = 0;
  Bytes largest_layer = 0;
  Bytes states = 0;
};

/// DeepSeek V4: one row of a token is its key and its value. Those of the window, one for each
/// `ratio` tokens and, compressed alike, the indexer's keys.
Bytes compressed_bytes(const Attention& a, std::int64_t window, std::int64_t n_token) {
  const std::int64_t ratio = a.compressed->ratio;
  const std::int64_t rows = ratio > 0 ? n_token / ratio : 0;
  return (std::min(n_token, window) * a.head_dim_k + rows * (a.head_dim_k + a.indexer_head_dim)) *
         kElement;
}

/// What layer `il` keeps.
LayerCost kept_by(const Model& model, const TransformersSettings& s, std::size_t il,
                  std::int64_t n_token) {
  const Layer& layer = model.layers[il];
  LayerCost cost{.layer = static_cast<int>(il)};
  if (layer.is_mtp) return cost;
  cost.kv_cache =
      s.batch * cached_tokens(model, layer, s, n_token) * transformers_kv_bytes_per_token(layer);
  if (layer.attention.compressed) {
    cost.kv_cache = s.batch * compressed_bytes(layer.attention, model.sliding_window, n_token);
  }
  cost.recurrent_state = s.batch * state_bytes_per_request(layer, 1);
  return cost;
}

Cache cache_of(const Model& model, const TransformersSettings& s, const Part& part,
               std::int64_t n_token) {
  Cache cache;
  for (std::size_t il = part.begin; il < part.end; ++il) {
    const LayerCost cost = kept_by(model, s, il, n_token);
    cache.cells += cost.kv_cache;
    cache.largest_layer = std::max(cache.largest_layer, cost.kv_cache);
    cache.states += cost.recurrent_state;
  }
  return cache;
}

/// Cached tokens at the end of a stage.
std::int64_t tokens_after(const TransformersSettings& s, TransformersStage stage) {
  const bool whole =
      stage == TransformersStage::decode || s.cache == TransformersCache::static_full;
  return whole ? s.context : s.prompt;
}

Bytes scores_bytes(const Model& model, const TransformersSettings& s, const Part& part) {
  if (s.attention != TransformersAttention::eager) return 0;
  std::int64_t heads = 0;
  for (std::size_t il = part.begin; il < part.end; ++il) {
    if (model.layers[il].kind != LayerKind::attention) continue;
    heads = std::max(heads, model.layers[il].attention.n_head);
  }
  constexpr Bytes kScoresFp32Copy = 2 + 4 + 2;
  return s.batch * heads * s.prompt * s.prompt * kScoresFp32Copy;
}

Bytes sum(const std::vector<Term>& terms) {
  Bytes total = 0;
  for (const Term& term : terms) total += term.bytes;
  return total;
}

void push(std::vector<Term>& terms, const char* id, const Part& part, Bytes bytes, Formula formula,
          const char* source) {
  if (bytes == 0) return;
  terms.push_back(
      exact_term(id, part.device, bytes, std::move(formula), Evidence::derived, source));
}

const char* cache_expression(const Model& model) {
  const auto any = [&](auto&& has) {
    return std::any_of(model.layers.begin(), model.layers.end(), has);
  };
  if (any([](const Layer& layer) { return layer.attention.compressed.has_value(); })) {
    return "batch * sum over layers of (min(n_token, window) * head_dim + n_token / ratio * "
           "(head_dim + index_head_dim)) * 2 B";
  }
  if (any([](const Layer& layer) { return layer.attention.indexer_head_dim > 0; })) {
    return "batch * n_token * sum over layers of (n_head_kv * (head_dim_k + head_dim_v) + "
           "index_head_dim) * 2 B";
  }
  return "batch * n_token * sum over layers of n_head_kv * (head_dim_k + head_dim_v) * 2 B";
}

std::vector<Term> cache_terms(const Model& model, const TransformersSettings& s, const Part& part,
                              const Cache& cache, std::int64_t n_token) {
  std::vector<Term> terms;
  push(terms, "kv_cache", part, cache.cells,
       {cache_expression(model), {count_input("batch", s.batch), count_input("n_token", n_token)}},
       kCacheSource);
  push(terms, "recurrent_state", part, cache.states,
       {"batch * sum over layers of state", {count_input("batch", s.batch)}}, kCacheSource);
  return terms;
}

/// The prompt goes through at once: hidden states, the widest layer, then the logits.
std::vector<Term> prefill_terms(const Model& model, const TransformersSettings& s,
                                const Part& part) {
  const std::int64_t cached = tokens_after(s, TransformersStage::prefill);
  std::vector<Term> terms = cache_terms(model, s, part, cache_of(model, s, part, cached), cached);
  const Bytes body = body_activation_bytes(model, s.batch * s.prompt, 1);
  push(terms, "activations", part, body,
       {"batch * prompt * 2 B * (3 * n_ff + 3 * n_embd)",
        {count_input("batch", s.batch), count_input("prompt", s.prompt),
         count_input("n_embd", model.n_embd)}},
       kModelingSource);
  push(terms, "attention_scores", part, scores_bytes(model, s, part),
       {"batch * n_head * prompt^2 * (2 + 4 + 2) B",
        {count_input("batch", s.batch), count_input("prompt", s.prompt)}},
       kModelingSource);
  if (part.last) {
    const std::int64_t rows = s.batch * (s.all_logits ? s.prompt : 1);
    const Bytes logits = transformers_logits_bytes(model, rows);
    push(terms, "logits", part, logits,
         {"rows * n_vocab * (2 + 4) B",
          {count_input("rows", rows), count_input("n_vocab", model.n_vocab)}},
         kModelingSource);
    // By the time of the logits the blocks of the layers are free: the smaller of the two may fit
    // into the larger's memory, or not when it has been cut up.
    for (Term& term : terms) {
      const bool smaller = term.id == (logits < body ? "logits" : "activations");
      if (smaller) term.low = 0;
    }
  }
  return terms;
}

std::vector<Term> decode_terms(const Model& model, const TransformersSettings& s,
                               const Part& part) {
  const Cache cache = cache_of(model, s, part, s.context);
  std::vector<Term> terms = cache_terms(model, s, part, cache, s.context);
  if (s.cache == TransformersCache::dynamic) {
    push(terms, "kv_copy", part, cache.largest_layer,
         {"K and V of one layer, old and new during the concatenation", {}}, kCacheSource);
  }
  push(terms, "activations", part, body_activation_bytes(model, s.batch, 1),
       {"batch * 2 B * (3 * n_ff + 3 * n_embd)",
        {count_input("batch", s.batch), count_input("n_embd", model.n_embd)}},
       kModelingSource);
  if (part.last) {
    push(terms, "logits", part, transformers_logits_bytes(model, s.batch),
         {"rows * n_vocab * (2 + 4) B",
          {count_input("rows", s.batch), count_input("n_vocab", model.n_vocab)}},
         kModelingSource);
  }
  return terms;
}

/// Blocks of PyTorch's caching allocator that are free but cut to unfitting sizes: 5 to 20 % of
/// what comes and goes.
Term slack(const Part& part, Bytes changing) {
  Term term;
  term.id = "allocator_slack";
  term.device = part.device;
  term.low = changing / 20;
  term.bytes = changing / 10;
  term.high = changing / 5;
  term.formula = {"10 % of cache and activations", {count_input("changing", changing, "B")}};
  term.evidence = Evidence::assumed;
  term.source = "PyTorch CUDA caching allocator";
  return term;
}

Result<TransformersSettings> checked(const Model& model, const TransformersSettings& settings) {
  if (model.layers.empty()) return Error{"arch_unknown", "model", model.architecture};
  TransformersSettings s = settings;
  if (s.context == 0) s.context = s.prompt;
  const std::string range = "1.." + std::to_string(kMaxContext);
  if (s.batch < 1 || s.batch > kMaxBatch) return Error{"batch_zero", "batch", {}};
  if (s.prompt < 1 || s.prompt > kMaxContext) return Error{"ctx_range", "prompt", range};
  if (s.context < s.prompt || s.context > kMaxContext) return Error{"ctx_range", "context", range};
  // Scores of eager attention grow with the square; beyond this they no longer fit 63 bits.
  constexpr std::int64_t kMaxEager = std::int64_t{1} << 22;
  if (s.attention == TransformersAttention::eager && s.prompt > kMaxEager) {
    return Error{"ctx_range", "prompt", "1.." + std::to_string(kMaxEager)};
  }
  const auto n_layer = static_cast<std::int64_t>(model.layers.size());
  if (s.on_cpu) s.n_gpu = 1;
  if (s.n_gpu < 1 || s.n_gpu > n_layer) {
    return Error{"gpu_count", "n_gpu", "1.." + std::to_string(n_layer)};
  }
  return s;
}

}  // namespace

Bytes transformers_kv_bytes_per_token(const Layer& layer) {
  if (!layer.keeps_keys()) return 0;
  const Attention& a = layer.attention;
  if (a.compressed) {
    const std::int64_t ratio = a.compressed->ratio;
    return ratio > 0 ? (a.head_dim_k + a.indexer_head_dim) * kElement / ratio : 0;
  }
  if (a.mla) {
    const Mla& m = *a.mla;
    return (a.n_head * (m.qk_nope_head_dim + m.qk_rope_head_dim + m.v_head_dim) +
            a.indexer_head_dim) *
           kElement;
  }
  return (a.n_head_kv * (a.head_dim_k + a.head_dim_v) + a.indexer_head_dim) * kElement;
}

Bytes transformers_logits_bytes(const Model& model, std::int64_t n_token) {
  constexpr Bytes kWithFp32Copy = 2 + 4;
  return n_token * model.n_vocab * kWithFp32Copy;
}

Result<TransformersEstimate> estimate_transformers(const Model& model,
                                                   std::span<const Bytes> tensor_bytes,
                                                   const TransformersSettings& settings) {
  const auto valid = checked(model, settings);
  if (!valid) return valid.error();
  const TransformersSettings& s = valid.value();
  TransformersEstimate estimate;
  std::vector<Bytes> block_weights(model.layers.size());
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    // Prediction blocks are in checkpoints and stay there (_keys_to_ignore_on_load_unexpected).
    if (model.tensors[i].role == TensorRole::mtp) continue;
    const int layer = model.tensors[i].layer;
    if (layer < 0 || static_cast<std::size_t>(layer) >= block_weights.size()) continue;
    block_weights[static_cast<std::size_t>(layer)] += tensor_bytes[i];
  }
  const auto n_gpu = static_cast<std::size_t>(s.n_gpu);
  for (std::size_t gpu = 0; gpu < n_gpu; ++gpu) {
    const Part part{.device = s.on_cpu ? "host" : "gpu" + std::to_string(gpu),
                    .begin = model.layers.size() * gpu / n_gpu,
                    .end = model.layers.size() * (gpu + 1) / n_gpu,
                    .first = gpu == 0,
                    .last = gpu + 1 == n_gpu};
    std::vector<Term> prefill = prefill_terms(model, s, part);
    std::vector<Term> decode = decode_terms(model, s, part);
    const bool decode_is_peak = sum(decode) >= sum(prefill);
    estimate.stages.push_back(decode_is_peak ? TransformersStage::decode
                                             : TransformersStage::prefill);
    std::vector<Term>& peak = decode_is_peak ? decode : prefill;

    Bytes weights = outside_weights_of(model, tensor_bytes, part);
    estimate.layers.outside_weights += weights;
    for (std::size_t il = part.begin; il < part.end; ++il) {
      LayerCost cost = kept_by(model, s, il, tokens_after(s, estimate.stages.back()));
      cost.device = s.on_cpu ? -1 : static_cast<int>(gpu);
      cost.weights = block_weights[il];
      weights += cost.weights;
      estimate.layers.blocks.push_back(cost);
    }
    push(estimate.terms, "weights", part, weights,
         {"sum of the tensors",
          {count_input("layers", static_cast<std::int64_t>(part.end - part.begin))}},
         "checkpoint");
    const Bytes changing = sum(peak);
    for (Term& term : peak) estimate.terms.push_back(std::move(term));
    estimate.terms.push_back(slack(part, changing));
    if (s.on_cpu) continue;
    PyTorchDevice device = s.device;
    device.name = part.device;
    for (Term& term : pytorch_context_terms(device)) estimate.terms.push_back(std::move(term));
  }
  // save_pretrained cuts checkpoints into shards of 5 GB; one is read at a time.
  constexpr Bytes kShard = 5 * kGB;
  Bytes weights = 0;
  for (const Bytes bytes : tensor_bytes) weights += bytes;
  Term shard = exact_term("load_shard", "host", std::min(kShard, weights),
                          {"min(5 GB, weights)", {count_input("weights", weights, "B")}},
                          Evidence::assumed, "transformers, modeling_utils.py max_shard_size");
  shard.low = 0;  // mapped from the file when it is safetensors
  estimate.terms.push_back(std::move(shard));
  if (model.n_ctx_train > 0 && s.context > model.n_ctx_train) {
    estimate.warnings.push_back({"ctx_over", "context", std::to_string(model.n_ctx_train)});
  }
  return estimate;
}

}  // namespace meyasu
