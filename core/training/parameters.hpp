// Weights, gradients and optimizer states of one rank, tensor by tensor.
#pragma once

#include <cstdint>
#include <vector>

#include "core/training/optimizer.hpp"
#include "core/training/settings.hpp"

namespace meyasu {

/// Blocks [begin, end) of pipeline stage `stage` of `n_stage`; the first stages take the rest of
/// an uneven division.
struct StageBlocks {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool first = true;
  bool last = true;
};
[[nodiscard]] StageBlocks stage_blocks(const Model& model, std::int64_t n_stage,
                                       std::int64_t stage);

/// Of one rank after tensor, pipeline and expert parallel, and data parallel sharding.
struct RankParameters {
  std::int64_t parameters = 0;  // before data parallel sharding, without adapters
  std::int64_t trained = 0;     // the same, of what trains
  Bytes weights = 0;
  Bytes casts = 0;  // 16-bit copies that autocast keeps until backward
  Bytes gradients = 0;
  Bytes largest_gradient = 0;          // of one tensor
  Bytes states = 0;                    // with fp32 master weights
  Bytes update = 0;                    // temporary of the update
  bool keeps_gradients = false;        // one buffer for the whole run (ZeRO-3 of DeepSpeed)
  std::vector<Bytes> block_gradients;  // per block of the stage
  Bytes head_gradients = 0;            // head and final norm
  /// Of routed experts, before sharding: the ranks that hold the same experts are fewer by `ep`.
  Bytes expert_weights = 0;
  Bytes expert_gradients = 0;
  Bytes expert_states = 0;
  Bytes largest_unit = 0;           // one block's weights gathered, 0 without sharding
  Bytes root_unit = 0;              // token table and head gathered
  bool root_stays = false;          // until the step ends, not only from the last block to the loss
  Bytes unit_gradients = 0;         // unsharded, of one block
  Bytes unsharded_gradients = 0;    // of all that no_sync sums before it shards
  std::int64_t largest_tensor = 0;  // elements
  Bytes largest_dequantized = 0;    // one quantized matrix in 16 bit
  std::vector<Bytes> expanded;  // per block: 16-bit copies that autograd keeps of GPTQ's matrices
  Bytes buckets = 0;            // of DDP or DeepSpeed
  Bytes host = 0;               // states, gradients and weights moved to main memory
  Bytes nvme = 0;
};
[[nodiscard]] RankParameters rank_parameters(const Model& model, const TrainingSettings& settings,
                                             const StageBlocks& stage);

/// Parameters of the adapters (LoRA, DoRA, modules_to_save), or of the whole model.
[[nodiscard]] std::int64_t trained_parameters(const Model& model, const TrainingSettings& settings);

}  // namespace meyasu
