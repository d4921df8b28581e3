#include "core/model/model.hpp"

#include <algorithm>

namespace meyasu {

std::int64_t Model::n_params() const {
  std::int64_t total = 0;
  for (const Tensor& tensor : tensors) total += tensor.elements();
  return total;
}

bool Model::has_experts() const {
  return std::any_of(layers.begin(), layers.end(),
                     [](const Layer& layer) { return layer.feed_forward.n_expert > 0; });
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
