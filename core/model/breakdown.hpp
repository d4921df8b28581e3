// Where the bytes of a model are, and how many parameters its tensors hold: sums over the tensor
// list, by purpose and by block.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/model/derive_tensors.hpp"
#include "core/model/model.hpp"
#include "core/units/bytes.hpp"

namespace meyasu {

/// What a reader tells apart when he asks where the bytes are.
enum class WeightGroup : std::uint8_t {
  embedding,     // token table, learned positions
  attention,     // projections of attention
  recurrent,     // Mamba, delta net, RWKV, short convolution
  feed_forward,  // dense MLP
  experts,       // routed and shared experts with their router
  output_head,
  other,  // norms, prediction heads, towers, and what no name explains
};

[[nodiscard]] WeightGroup weight_group(TensorRole role);

/// `share` is that of the whole they are parts of, 0 to 1.
struct GroupWeight {
  WeightGroup group = WeightGroup::other;
  std::int64_t n_params = 0;
  Bytes bytes = 0;
  double share = 0;
};

/// One block. `of_largest`: its bytes in proportion to the largest block, 0 to 1. Groups without
/// tensors are left out, here and below; `share` is the part of the block.
struct BlockWeight {
  int layer = 0;
  Bytes bytes = 0;
  double of_largest = 0;
  std::vector<GroupWeight> groups;
};

/// In the order of WeightGroup; they sum to Model::weight_bytes().
[[nodiscard]] std::vector<GroupWeight> weight_by_group(const Model& model);
/// The same where tensors are stored otherwise than Model::tensors says: `tensor_bytes[i]` are
/// those of tensor i.
[[nodiscard]] std::vector<GroupWeight> weight_by_group(const Model& model,
                                                       std::span<const Bytes> tensor_bytes);
/// Blocks in order; tensors outside the blocks are not in it.
[[nodiscard]] std::vector<BlockWeight> weight_by_block(const Model& model);

/// Parameters as publishers count them, from the tensors alone. Rotary factors and quantization
/// scales, which files store as tensors, are no parameters. Prediction heads and towers that are
/// among the tensors count in `total`; routed experts count in `active` in proportion to those
/// used. Packed tensors of a quantized checkpoint count as stored.
[[nodiscard]] ModelParameters count_parameters(const Model& model);

}  // namespace meyasu
