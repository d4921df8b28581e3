#include "core/serving/sharding.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>

#include "core/units/bytes.hpp"

namespace meyasu {
namespace {

// DEFAULT_VOCAB_PADDING_SIZE in vllm/model_executor/layers/vocab_parallel_embedding.py.
constexpr std::int64_t kVocabPadding = 64;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool is_kv_projection(std::string_view name) {
  return contains(name, "attn_k.") || contains(name, "attn_v.");
}

/// MLA's down-projections feed every head, so each rank keeps them whole.
bool is_mla_down_projection(std::string_view name) {
  return contains(name, "attn_q_a.") || contains(name, "attn_kv_a") || contains(name, "attn_kv.") ||
         contains(name, "_compressor_");
}

/// Q, K and V in one matrix: the Q part is split, the K and V parts at most by n_head_kv.
Bytes fused_qkv_share(Bytes bytes, const Attention& a, std::int64_t tp) {
  const std::int64_t q = a.n_head * a.head_dim_k;
  const std::int64_t kv = a.n_head_kv * (a.head_dim_k + a.head_dim_v);
  if (q + kv <= 0) return divide_up(bytes, tp);
  const std::int64_t kv_parts = std::min(tp, std::max<std::int64_t>(a.n_head_kv, 1));
  const Bytes kv_bytes = bytes / (q + kv) * kv;
  return divide_up(bytes - kv_bytes, tp) + divide_up(kv_bytes, kv_parts);
}

Bytes vocabulary_share(const Tensor& tensor, Bytes bytes, std::int64_t tp) {
  const std::int64_t rows = std::max<std::int64_t>(tensor.ne[1], 1);
  return divide_up(bytes / rows * round_up(rows, kVocabPadding), tp);
}

Bytes attention_share(const Model& model, const Tensor& tensor, Bytes bytes, std::int64_t tp) {
  if (is_mla_down_projection(tensor.name)) return bytes;
  if (tensor.layer < 0) return divide_up(bytes, tp);
  const Attention& attention = model.layers[static_cast<std::size_t>(tensor.layer)].attention;
  if (contains(tensor.name, "attn_qkv.")) return fused_qkv_share(bytes, attention, tp);
  if (is_kv_projection(tensor.name)) {
    return divide_up(bytes, std::min(tp, std::max<std::int64_t>(attention.n_head_kv, 1)));
  }
  return divide_up(bytes, tp);
}

Bytes rank_share(const Model& model, const Tensor& tensor, Bytes bytes, const Parallelism& p) {
  switch (tensor.role) {
    case TensorRole::embedding:
    case TensorRole::output_head:
      return vocabulary_share(tensor, bytes, p.tp);
    case TensorRole::norm:
    case TensorRole::router:
    case TensorRole::position:
    case TensorRole::other:
      return bytes;
    case TensorRole::attention:
      return attention_share(model, tensor, bytes, p.tp);
    case TensorRole::mtp:
      return 0;  // loaded for speculation only
    case TensorRole::routed_expert: {
      if (!p.expert_parallel) return divide_up(bytes, p.tp);
      const std::int64_t n_expert = std::max<std::int64_t>(
          tensor.layer < 0
              ? 1
              : model.layers[static_cast<std::size_t>(tensor.layer)].feed_forward.n_expert,
          1);
      return bytes / n_expert * divide_up(n_expert, p.tp * p.dp);
    }
    default:
      return divide_up(bytes, p.tp);
  }
}

bool on_stage(const Model& model, const Tensor& tensor, StageLayers range, std::int64_t n_layer) {
  if (tensor.layer >= 0) return tensor.layer >= range.begin && tensor.layer < range.end;
  const bool first = range.begin == 0;
  const bool last = range.end == n_layer;
  if (tensor.role == TensorRole::embedding || tensor.role == TensorRole::position) {
    return first || (last && model.tied_embeddings);
  }
  if (tensor.role == TensorRole::vision) return first;
  return last;
}

}  // namespace

StageLayers stage_layers(std::int64_t n_layer, std::int64_t n_stage, std::int64_t stage) {
  const std::int64_t base = n_layer / n_stage;
  const std::int64_t remainder = n_layer % n_stage;
  StageLayers range;
  for (std::int64_t i = 0; i <= stage; ++i) {
    // Stages n_stage-2, n_stage-3, ... take one more each; the last one has the head already.
    const bool takes_one_more = i != n_stage - 1 && i >= n_stage - 1 - remainder;
    range.begin = range.end;
    range.end += base + (takes_one_more ? 1 : 0);
  }
  return range;
}

StageLayers stage_layers(const Model& model, std::int64_t n_stage, std::int64_t stage) {
  StageLayers range = stage_layers(model.n_layer(), n_stage, stage);
  if (stage == n_stage - 1) range.end = static_cast<std::int64_t>(model.layers.size());
  return range;
}

Bytes StageWeights::bytes() const {
  return std::accumulate(blocks.begin(), blocks.end(), outside);
}

StageWeights stage_weights(const Model& model, std::span<const Bytes> tensor_bytes,
                           const Parallelism& parallel, std::int64_t stage) {
  const auto n_layer = static_cast<std::int64_t>(model.layers.size());
  const StageLayers range = stage_layers(model, parallel.pp, stage);
  StageWeights weights;
  weights.blocks.resize(static_cast<std::size_t>(range.end - range.begin));
  for (std::size_t i = 0; i < model.tensors.size() && i < tensor_bytes.size(); ++i) {
    const Tensor& tensor = model.tensors[i];
    if (!on_stage(model, tensor, range, n_layer)) continue;
    (tensor.layer < 0 ? weights.outside
                      : weights.blocks[static_cast<std::size_t>(tensor.layer - range.begin)]) +=
        rank_share(model, tensor, tensor_bytes[i], parallel);
  }
  return weights;
}

Bytes stage_weight_bytes(const Model& model, std::span<const Bytes> tensor_bytes,
                         const Parallelism& parallel, std::int64_t stage) {
  return stage_weights(model, tensor_bytes, parallel, stage).bytes();
}

Bytes rope_cache_bytes(const Model& model) {
  constexpr Bytes kElement = 2;  // stored in the model's 16-bit type
  for (const Layer& layer : model.layers) {
    if (layer.kind != LayerKind::attention) continue;
    const Attention& a = layer.attention;
    const std::int64_t rotary =
        a.mla ? a.mla->qk_rope_head_dim
              : static_cast<std::int64_t>(
                    model.hparam("rope.dimension_count", static_cast<double>(a.head_dim_k)));
    return model.n_ctx_train * rotary * kElement;
  }
  return 0;
}

}  // namespace meyasu
