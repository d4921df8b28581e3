#include "core/model/model.hpp"

#include <algorithm>

namespace meyasu {

void compress_keys(Layer& layer, std::int64_t ratio, std::int64_t indexer_head_dim) {
  constexpr std::int64_t kOverlapping = 4;
  Attention& attention = layer.attention;
  attention.compressed = CompressedKv{ratio};
  if (ratio == 0) {
    attention.span = AttentionSpan::sliding;
    return;
  }
  const bool overlapping = ratio == kOverlapping;
  if (overlapping) attention.indexer_head_dim = indexer_head_dim;
  const std::int64_t width = attention.head_dim_k + attention.indexer_head_dim;
  layer.recurrent.conv_state_elements = (overlapping ? 4 : 1) * ratio * width;
  layer.recurrent.ssm_state_elements = layer.recurrent.conv_state_elements;
}

std::int64_t Model::n_params() const {
  std::int64_t total = 0;
  for (const Tensor& tensor : tensors) total += tensor.elements();
  return total;
}

bool Model::has_experts() const {
  return std::any_of(layers.begin(), layers.end(),
                     [](const Layer& layer) { return layer.feed_forward.n_expert > 0; });
}

std::int64_t Model::n_layer() const {
  return std::count_if(layers.begin(), layers.end(),
                       [](const Layer& layer) { return !layer.is_mtp; });
}

bool Model::has_compressed_keys() const {
  return std::any_of(layers.begin(), layers.end(),
                     [](const Layer& layer) { return layer.attention.compressed.has_value(); });
}

bool Model::has_kv_cache() const {
  return std::any_of(layers.begin(), layers.end(),
                     [](const Layer& layer) { return layer.keeps_keys(); });
}

Bytes Model::weight_bytes() const {
  Bytes total = 0;
  for (const Tensor& tensor : tensors) total += tensor.bytes();
  return total;
}

const Tensor* Model::find_tensor(std::string_view tensor_name) const {
  for (const Tensor& tensor : tensors) {
    if (tensor.name == tensor_name) return &tensor;
  }
  return nullptr;
}

double Model::hparam(std::string_view key, double fallback) const {
  for (const auto& [name_of, value] : hparams) {
    if (name_of == key) return value;
  }
  return fallback;
}

}  // namespace meyasu
