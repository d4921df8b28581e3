#include "core/serving/exllama.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/serving/cache_entry.hpp"
#include "core/units/limits.hpp"

namespace meyasu {
namespace {

constexpr std::int64_t kPage = 256;
constexpr std::int64_t kMaxUsers = 4096;
constexpr int kFloatBits = 16;

bool is_cache_bits(int bits) {
  return bits == kFloatBits || (bits >= 2 && bits <= 8);
}

bool keeps_cells(const Layer& layer) {
  return !layer.is_mtp && layer.keeps_keys();
}

/// What moves to a card together.
struct Block {
  Bytes weights = 0;
  Bytes cache = 0;
  Bytes states = 0;
  std::int64_t n_cached = 0;  // layers with cells

  [[nodiscard]] Bytes bytes() const { return weights + cache + states; }
  void add(const Block& other) {
    weights += other.weights;
    cache += other.cache;
    states += other.states;
    n_cached += other.n_cached;
  }
};

/// One for each layer. Window layers are given the whole length.
std::vector<Block> blocks_of(const Model& model, std::span<const Bytes> tensor_bytes,
                             const ExllamaSettings& s, std::int64_t tokens) {
  std::vector<Block> blocks(model.layers.size());
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const int layer = model.tensors[i].layer;
    if (layer >= 0 && static_cast<std::size_t>(layer) < blocks.size()) {
      blocks[static_cast<std::size_t>(layer)].weights += tensor_bytes[i];
    }
  }
  for (std::size_t il = 0; il < blocks.size(); ++il) {
    const Layer& layer = model.layers[il];
    if (!layer.is_mtp) blocks[il].states = s.users * state_bytes_per_request(layer, 1);
    if (!keeps_cells(layer)) continue;
    const Attention& a = layer.attention;
    blocks[il].cache = exllama_cache_bytes(tokens * a.n_head_kv * a.head_dim_k, s.k_bits) +
                       exllama_cache_bytes(tokens * a.n_head_kv * a.head_dim_v, s.v_bits);
    blocks[il].n_cached = 1;
  }
  return blocks;
}

/// Kernels read 16 bit: K and V of the layer at work, over all cached tokens.
Bytes largest_layer_in_16_bit(const Model& model, std::int64_t tokens) {
  Bytes largest = 0;
  for (const Layer& layer : model.layers) {
    if (!keeps_cells(layer)) continue;
    const Attention& a = layer.attention;
    largest = std::max(largest, tokens * a.n_head_kv * (a.head_dim_k + a.head_dim_v) * 2);
  }
  return largest;
}

/// What every card holds, whatever lies on it.
std::vector<Term> fixed_terms(const PyTorchDevice& card, Bytes kv_scratch) {
  std::vector<Term> terms;
  if (kv_scratch > 0) {
    terms.push_back(
        exact_term("kv_scratch", card.name, kv_scratch,
                   {"tokens * n_head_kv * (head_dim_k + head_dim_v) * 2 B, one layer", {}},
                   Evidence::derived, "exllamav2 cache.py, exllamav3 cache/quant.py"));
  }
  // max_input_len 2048 and max_attention_size 2048^2 by default; seen 0.3 to 1 GB.
  terms.push_back({"scratch",
                   card.name,
                   600'000'000,
                   300'000'000,
                   1'000'000'000,
                   {"of max_input_len 2048 and max_attention_size 2048^2", {}},
                   Evidence::assumed,
                   "exllamav2 config.py"});
  for (Term& term : pytorch_context_terms(card)) terms.push_back(std::move(term));
  return terms;
}

std::vector<Term> block_terms(const Block& sum, const std::string& gpu, const ExllamaSettings& s,
                              std::int64_t tokens) {
  std::vector<Term> terms;
  terms.push_back(exact_term("weights", gpu, sum.weights, {"sum of the tensors", {}},
                             Evidence::derived, "exllamav2 model.py, exllamav3 model/model_ls.py"));
  if (sum.cache > 0) {
    terms.push_back(exact_term(
        "kv_cache", gpu, sum.cache,
        {"n_layer * tokens * n_head_kv * (head_dim_k * k_bits + head_dim_v * v_bits) / 8, "
         "quantized: + 2 B for 32 values",
         {count_input("n_layer", sum.n_cached), count_input("tokens", tokens),
          count_input("k_bits", s.k_bits), count_input("v_bits", s.v_bits)}},
        Evidence::derived, "exllamav2 cache.py, exllamav3 cache/quant.py"));
  }
  if (sum.states > 0) {
    terms.push_back(exact_term("recurrent_state", gpu, sum.states, {"sum over layers of state", {}},
                               Evidence::derived, "exllamav3"));
  }
  return terms;
}

}  // namespace

Bytes exllama_cache_bytes(std::int64_t n_value, int bits) {
  if (bits == kFloatBits) return n_value * 2;
  constexpr std::int64_t kGroup = 32;
  // Codes of 32 values are 4 * bits bytes, their scale 2.
  return n_value / kGroup * (4 * bits + 2);
}

Result<ExllamaEstimate> estimate_exllama(const Model& model, std::span<const Bytes> tensor_bytes,
                                         const ExllamaSettings& settings) {
  if (model.layers.empty()) return Error{"arch_unknown", "model", model.architecture};
  // V3's list of architectures has none with a latent cache, V2's neither.
  const bool latent = std::any_of(model.layers.begin(), model.layers.end(), [](const Layer& layer) {
    return layer.attention.mla.has_value();
  });
  if (latent) return Error{"runtime_arch", "model", model.architecture};
  if (!is_cache_bits(settings.k_bits)) return Error{"kv_bits", "k_bits", "2-8, 16"};
  if (!is_cache_bits(settings.v_bits)) return Error{"kv_bits", "v_bits", "2-8, 16"};
  const std::int64_t asked = settings.max_seq_len == 0 ? model.n_ctx_train : settings.max_seq_len;
  if (asked < 1 || asked > kMaxContext) {
    return Error{"ctx_range", "max_seq_len", "1.." + std::to_string(kMaxContext)};
  }
  if (settings.users < 1 || settings.users > kMaxUsers) {
    return Error{"users_range", "users", "1.." + std::to_string(kMaxUsers)};
  }
  ExllamaEstimate estimate;
  estimate.max_seq_len = round_up(asked, kPage);
  const std::int64_t tokens = estimate.max_seq_len * settings.users;

  std::vector<Block> blocks = blocks_of(model, tensor_bytes, settings, tokens);
  Bytes in_blocks = 0;
  for (std::size_t il = 0; il < blocks.size(); ++il) {
    in_blocks += blocks[il].weights;
    estimate.layers.blocks.push_back({.layer = static_cast<int>(il),
                                      .weights = blocks[il].weights,
                                      .kv_cache = blocks[il].cache,
                                      .recurrent_state = blocks[il].states});
  }
  Bytes on_host = 0;
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const Tensor& tensor = model.tensors[i];
    if (tensor.layer >= 0) continue;
    if (tensor.role != TensorRole::embedding) {
      blocks.back().weights += tensor_bytes[i];
      continue;
    }
    (settings.embeddings_on_host ? on_host : blocks.front().weights) += tensor_bytes[i];
    // A tied table is needed on the last card as well, as the head.
    if (model.tied_embeddings) {
      const bool second = settings.embeddings_on_host || settings.tied_head > 0;
      if (second) {
        blocks.back().weights += settings.tied_head > 0 ? settings.tied_head : tensor_bytes[i];
      }
    }
  }

  estimate.layers.outside_weights = on_host - in_blocks;
  for (const Block& block : blocks) estimate.layers.outside_weights += block.weights;

  std::vector<ExllamaGpu> gpus = settings.gpus;
  if (gpus.empty()) gpus.emplace_back();
  const Bytes scratch = settings.k_bits < kFloatBits || settings.v_bits < kFloatBits
                            ? largest_layer_in_16_bit(model, tokens)
                            : 0;
  std::size_t next = 0;
  for (std::size_t gpu = 0; gpu < gpus.size(); ++gpu) {
    PyTorchDevice card = gpus[gpu].card;
    card.name = "gpu" + std::to_string(gpu);
    std::vector<Term> fixed = fixed_terms(card, scratch);
    Bytes taken = 0;
    for (const Term& term : fixed) taken += term.bytes;
    Block sum;
    const bool last = gpu + 1 == gpus.size();
    for (; next < blocks.size(); ++next) {
      const Bytes bytes = blocks[next].bytes();
      if (!last && gpus[gpu].usable > 0 && taken + bytes > gpus[gpu].usable) break;
      taken += bytes;
      sum.add(blocks[next]);
      estimate.layers.blocks[next].device = static_cast<int>(gpu);
    }
    for (Term& term : block_terms(sum, card.name, settings, tokens)) {
      estimate.terms.push_back(std::move(term));
    }
    for (Term& term : fixed) estimate.terms.push_back(std::move(term));
  }
  if (on_host > 0) {
    estimate.terms.push_back(exact_term("weights", "host", on_host, {"token table", {}},
                                        Evidence::derived, "exllamav2 embedding.py"));
  }
  if (model.n_ctx_train > 0 && asked > model.n_ctx_train) {
    estimate.warnings.push_back({"ctx_over", "max_seq_len", std::to_string(model.n_ctx_train)});
  }
  return estimate;
}

}  // namespace meyasu
