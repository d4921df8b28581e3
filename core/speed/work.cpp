#include "core/speed/work.hpp"

#include <algorithm>
#include <cmath>

#include "core/inference/llama_cpp/compute_buffer.hpp"
#include "core/inference/llama_cpp/kv_cache.hpp"
#include "core/inference/llama_cpp/placement.hpp"
#include "core/inference/llama_cpp/recurrent_state.hpp"

namespace meyasu {
namespace {

void add_weight(PlaceWork& place, const Model& model, const Tensor& tensor, double n_tokens) {
  const auto bytes = static_cast<double>(tensor.bytes());
  // Blocks that loop are read and multiplied with every time.
  const double runs = tensor.layer >= 0 ? static_cast<double>(model.n_loops) : 1;
  double read = bytes * runs;
  double used = runs;
  if (tensor.role == TensorRole::routed_expert && tensor.layer >= 0) {
    const FeedForward& of_layer = model.layers[static_cast<std::size_t>(tensor.layer)].feed_forward;
    read *= touched_share(of_layer, n_tokens);
    used *= touched_share(of_layer, 1);
    place.experts += read;
    place.tokens_per_expert = n_tokens * used;
  }
  const auto unpack = static_cast<std::size_t>(unpack_class(tensor.type));
  place.weights[unpack] += read;
  if (bytes > 0) place.elements[unpack] += static_cast<double>(tensor.elements()) * read / bytes;
  const double flop = tensor.ne[1] > 1 ? 2 * used * static_cast<double>(tensor.elements()) : 0;
  const bool head = tensor.role == TensorRole::output_head || is_looked_up(tensor);
  (head ? place.head_flop : place.flop) += flop;
}

/// Keys of one layer that a token at `depth` reads; of one that compresses, `window` or compressed.
double keys_read(const Model& model, const Attention& attention, bool window, double depth) {
  if (window) return std::min(depth, static_cast<double>(model.sliding_window));
  const std::int64_t ratio = attention.compressed ? attention.compressed->ratio : 0;
  return ratio > 0 ? depth / static_cast<double>(ratio) : depth;
}

}  // namespace

double touched_share(const FeedForward& feed_forward, double n_tokens) {
  // Some experts are chosen more often than others: between 1 (as if by chance) and 0.75 in four
  // models, from the times of 1 to 32 sequences on one GB10.
  constexpr double kSkew = 0.87;
  const auto n_expert = static_cast<double>(std::max<std::int64_t>(feed_forward.n_expert, 1));
  const auto used = static_cast<double>(feed_forward.n_expert_used);
  return 1 - std::pow(1 - std::min(used / n_expert, 1.0), std::pow(std::max(n_tokens, 1.0), kSkew));
}

bool is_looked_up(const Tensor& tensor) {
  return tensor.role == TensorRole::embedding || tensor.role == TensorRole::position ||
         tensor.name.starts_with("per_layer_token_embd");
}

double step_operations(const Model& model, const LlamaCppSettings& settings) {
  const auto counted = count_operations(model, settings);
  if (counted) return static_cast<double>(*counted);
  // Blocks with attention and a dense network have 17 to 22, experts add 14.
  constexpr double kBlock = 20;
  constexpr double kExperts = 14;
  double sum = 0;
  for (const Layer& layer : model.layers) {
    if (layer.is_mtp) continue;
    sum += kBlock + (layer.feed_forward.n_expert > 0 ? kExperts : 0);
  }
  return sum;
}

UnpackClass unpack_class(GgmlType type) {
  switch (type) {
    case GgmlType::F32:
    case GgmlType::F16:
    case GgmlType::BF16:
      return UnpackClass::half;
    case GgmlType::Q8_0:
      return UnpackClass::byte;
    case GgmlType::Q4_0:
    case GgmlType::Q4_1:
    case GgmlType::IQ4_NL:
      return UnpackClass::nibble;
    case GgmlType::MXFP4:
    case GgmlType::NVFP4:
      return UnpackClass::float4;
    case GgmlType::Q4_K:
    case GgmlType::Q5_K:
    case GgmlType::Q6_K:
      return UnpackClass::nested;
    default:
      return UnpackClass::planes;
  }
}

Result<StepWork> step_work(const Model& model, const LlamaCppSettings& settings, double n_tokens,
                           double depth) {
  const auto context = normalize(settings, model);
  if (!context) return context.error();
  const auto placed = place_weights(model, settings, context.value());
  if (!placed) return placed.error();
  const LlamaCppPlacement& placement = placed.value();
  StepWork work(settings.devices.size() + 1);
  const auto at = [&](int device) -> PlaceWork& {
    return device < 0 ? work.back() : work[static_cast<std::size_t>(device)];
  };

  const Tensor* table = nullptr;
  bool has_head = false;
  std::vector<int> expert_device(model.layers.size(), kNotLoaded);
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const Tensor& tensor = model.tensors[i];
    if (placement.tensor_device[i] == kNotLoaded) continue;
    if (tensor.name == "token_embd.weight") table = &tensor;
    if (tensor.role == TensorRole::output_head) has_head = true;
    if (is_looked_up(tensor)) continue;
    add_weight(at(placement.tensor_device[i]), model, tensor, n_tokens);
    if (tensor.role == TensorRole::routed_expert && tensor.layer >= 0) {
      expert_device[static_cast<std::size_t>(tensor.layer)] = placement.tensor_device[i];
    }
  }
  // A tied token table is multiplied with as the output head; encoders have none.
  if (!has_head && !model.is_encoder && table != nullptr) {
    add_weight(at(placement.output_device), model, *table, n_tokens);
  }

  for (std::size_t il = 0; il < model.layers.size(); ++il) {
    const Layer& layer = model.layers[il];
    if (layer.is_mtp) continue;
    PlaceWork& place = at(placement.layer_device[il]);
    ++place.n_layer;
    if (expert_device[il] != kNotLoaded) ++at(expert_device[il]).n_expert_layer;
    if (layer.kind != LayerKind::attention) continue;
    const Attention& attention = layer.attention;
    const bool window = attention.span != AttentionSpan::full && model.sliding_window > 0;
    const double keys = keys_read(model, attention, window, depth);
    double width = static_cast<double>(attention.head_dim_k + attention.head_dim_v);
    if (attention.mla && attention.mla->absorbed) {
      width =
          static_cast<double>(2 * attention.mla->kv_lora_rank + attention.mla->qk_rope_head_dim);
    }
    PlaceWork& with_cache = at(placement.kv_device[il]);
    const double scores = static_cast<double>(attention.n_head) * keys;
    with_cache.attention_flop += 2 * width * scores;
    if (settings.flash_attention == FlashAttention::off) with_cache.scores += scores;
  }
  for (const KvLayer& layer : kv_cache_layers(model, settings, context.value(), placement)) {
    const auto cells = static_cast<double>(layer.n_cells * context.value().n_stream);
    const Attention& attention = model.layers[static_cast<std::size_t>(layer.layer)].attention;
    const bool window =
        layer.window || (attention.span != AttentionSpan::full && model.sliding_window > 0);
    const double keys = keys_read(model, attention, window, depth);
    at(layer.device).cache += static_cast<double>(layer.bytes()) / cells * keys;
  }
  for (const StateLayer& state : recurrent_state_layers(model, context.value(), placement)) {
    constexpr double kReadAndWritten = 2;
    at(state.device).state += kReadAndWritten * static_cast<double>(state.bytes()) /
                              static_cast<double>(context.value().n_seq);
  }
  return work;
}

}  // namespace meyasu
