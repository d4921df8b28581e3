#include "core/model/breakdown.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace meyasu {
namespace {

constexpr std::size_t kGroups = 7;

struct Sums {
  std::array<GroupWeight, kGroups> groups;
  Bytes bytes = 0;

  void add(const Tensor& tensor, Bytes stored) {
    GroupWeight& group = groups[static_cast<std::size_t>(weight_group(tensor.role))];
    group.n_params += tensor.elements();
    group.bytes += stored;
    bytes += stored;
  }

  [[nodiscard]] std::vector<GroupWeight> present() const {
    std::vector<GroupWeight> result;
    for (std::size_t i = 0; i < kGroups; ++i) {
      if (groups[i].bytes == 0) continue;
      GroupWeight group = groups[i];
      group.group = static_cast<WeightGroup>(i);
      group.share = static_cast<double>(group.bytes) / static_cast<double>(bytes);
      result.push_back(group);
    }
    return result;
  }
};

/// Tensors of llama.cpp files that hold no parameter of the network.
bool carries_parameters(std::string_view name) {
  return !name.starts_with("rope_f") && !name.ends_with(".scale") &&
         !name.ends_with(".input_scale");
}

const FeedForward* feed_forward_of(const Model& model, int layer) {
  if (layer < 0 || static_cast<std::size_t>(layer) >= model.layers.size()) return nullptr;
  return &model.layers[static_cast<std::size_t>(layer)].feed_forward;
}

std::int64_t active_elements(const Model& model, const Tensor& tensor) {
  if (tensor.role != TensorRole::routed_expert) return tensor.elements();
  const FeedForward* ffn = feed_forward_of(model, tensor.layer);
  if (ffn == nullptr || ffn->n_expert <= 0) return tensor.elements();
  return tensor.elements() / ffn->n_expert * ffn->n_expert_used;
}

}  // namespace

WeightGroup weight_group(TensorRole role) {
  switch (role) {
    case TensorRole::embedding:
    case TensorRole::position:
      return WeightGroup::embedding;
    case TensorRole::attention:
      return WeightGroup::attention;
    case TensorRole::recurrent:
      return WeightGroup::recurrent;
    case TensorRole::feed_forward:
      return WeightGroup::feed_forward;
    case TensorRole::shared_expert:
    case TensorRole::routed_expert:
    case TensorRole::router:
      return WeightGroup::experts;
    case TensorRole::output_head:
      return WeightGroup::output_head;
    case TensorRole::norm:
    case TensorRole::mtp:
    case TensorRole::vision:
    case TensorRole::other:
      return WeightGroup::other;
  }
  return WeightGroup::other;
}

std::vector<GroupWeight> weight_by_group(const Model& model) {
  Sums sums;
  for (const Tensor& tensor : model.tensors) sums.add(tensor, tensor.bytes());
  return sums.present();
}

std::vector<GroupWeight> weight_by_group(const Model& model, std::span<const Bytes> tensor_bytes) {
  Sums sums;
  const std::size_t count = std::min(model.tensors.size(), tensor_bytes.size());
  for (std::size_t i = 0; i < count; ++i) sums.add(model.tensors[i], tensor_bytes[i]);
  return sums.present();
}

std::vector<BlockWeight> weight_by_block(const Model& model) {
  std::vector<Sums> blocks(model.layers.size());
  for (const Tensor& tensor : model.tensors) {
    if (feed_forward_of(model, tensor.layer) == nullptr) continue;
    blocks[static_cast<std::size_t>(tensor.layer)].add(tensor, tensor.bytes());
  }
  Bytes largest = 0;
  for (const Sums& block : blocks) largest = std::max(largest, block.bytes);
  std::vector<BlockWeight> result;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    BlockWeight block;
    block.layer = static_cast<int>(i);
    block.bytes = blocks[i].bytes;
    if (largest > 0) {
      block.of_largest = static_cast<double>(block.bytes) / static_cast<double>(largest);
    }
    block.groups = blocks[i].present();
    result.push_back(std::move(block));
  }
  return result;
}

ModelParameters count_parameters(const Model& model) {
  ModelParameters count;
  for (const Tensor& tensor : model.tensors) {
    if (!carries_parameters(tensor.name)) continue;
    count.total += tensor.elements();
    if (tensor.role == TensorRole::mtp || tensor.role == TensorRole::vision) continue;
    count.language += tensor.elements();
    count.active += active_elements(model, tensor);
    const bool head = tensor.role == TensorRole::output_head;
    if (tensor.role == TensorRole::embedding || head) count.embedding += tensor.elements();
  }
  return count;
}

}  // namespace meyasu
