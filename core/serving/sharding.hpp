// Weight bytes of one rank under tensor, pipeline and expert parallelism, as vLLM's layers split
// them. SGLang and TensorRT-LLM split alike to the precision of their logs.
#pragma once

#include <span>
#include <vector>

#include "core/serving/settings.hpp"

namespace meyasu {

/// Blocks [begin, end) of a pipeline stage; the remainder of an uneven division goes to the stages
/// before the last, from the back (vllm/distributed/utils.py, get_pp_indices).
struct StageLayers {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};
[[nodiscard]] StageLayers stage_layers(std::int64_t n_layer, std::int64_t n_stage,
                                       std::int64_t stage);

/// Of the model's n_layer() blocks; prediction blocks (MTP) at its end are listed with the last
/// stage.
[[nodiscard]] StageLayers stage_layers(const Model& model, std::int64_t n_stage,
                                       std::int64_t stage);

/// The weights on one GPU of pipeline stage `stage`. `tensor_bytes` is parallel to
/// Model::tensors, in the format that the checkpoint has.
/// - linears: / tp; K and V projections repeat when there are fewer KV heads than ranks
/// - token table and head: vocabulary padded to 64, / tp; a tied table counts once, on both ends
///   of a pipeline
/// - norms, routers, MLA down-projections: on every rank
/// - prediction blocks: none, servers skip them when loading (get_spec_layer_idx_from_weight_name)
/// - routed experts: / tp, or whole experts over tp x dp ranks with expert parallelism
struct StageWeights {
  std::vector<Bytes> blocks;  // those of the stage, in order
  Bytes outside = 0;          // token table, head, final norm
  [[nodiscard]] Bytes bytes() const;
};
[[nodiscard]] StageWeights stage_weights(const Model& model, std::span<const Bytes> tensor_bytes,
                                         const Parallelism& parallel, std::int64_t stage);
/// Their sum.
[[nodiscard]] Bytes stage_weight_bytes(const Model& model, std::span<const Bytes> tensor_bytes,
                                       const Parallelism& parallel, std::int64_t stage);

/// The cosine and sine table that vLLM keeps once per distinct rope:
/// max_position x rotary_dim x 2 bytes (layers/rotary_embedding).
[[nodiscard]] Bytes rope_cache_bytes(const Model& model);

}  // namespace meyasu
