// A training step as stages, each with what the GPU holds then. The peak is the largest stage, not
// the sum of the largest parts. Source: training.md, section 1.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/training/parameters.hpp"
#include "core/units/term.hpp"

namespace meyasu {

enum class StageKind { reference, forward, loss, backward, update, evaluation };
[[nodiscard]] std::string_view stage_name(StageKind kind);

/// What memory is held for; the order is that of the terms.
enum TrainingPart : std::size_t {
  kWeights,
  kStates,
  kGradients,
  kActivations,
  kLogits,
  kWork,     // recomputed block, gathered units, dequantized matrix, temporaries of the update
  kBuckets,  // communication
  kOthers,   // reference, reward and critic models; a colocated rollout engine
  kTrainingParts
};

struct TrainingStage {
  StageKind kind = StageKind::forward;
  int block = -1;  // backward: the block whose gradient is being made
  std::array<Bytes, kTrainingParts> parts{};
  [[nodiscard]] Bytes total() const;
};

struct TrainingEstimate {
  std::vector<TrainingStage> stages;  // of the worst pipeline stage, in time order
  std::size_t peak = 0;               // index of the largest
  std::int64_t rank_stage = 0;        // which pipeline stage is the worst
  std::vector<Bytes> stage_peaks;     // of every pipeline stage
  std::int64_t trained = 0;           // parameters that train, whole model
  std::int64_t parameters = 0;        // of the worst rank, before sharding
  RankParameters rank;
  Bytes slack = 0;  // allocator: likely, and its range
  Bytes slack_high = 0;
  Bytes context = 0;  // CUDA context and NCCL, outside the allocator: likely, and its range
  Bytes context_low = 0;
  Bytes context_high = 0;

  [[nodiscard]] Bytes peak_bytes() const { return stages[peak].total(); }
};

/// Errors: those of check_training.
[[nodiscard]] Result<TrainingEstimate> estimate_training(const Model& model,
                                                         const TrainingSettings& settings);

/// The terms of one stage on "gpu0" as `counter` sees it, then main memory ("host") and "disk".
[[nodiscard]] std::vector<Term> training_terms(const TrainingEstimate& estimate,
                                               const TrainingSettings& settings, std::size_t stage,
                                               MemoryCounter counter);

/// Likely bytes on the GPU at the peak as `counter` sees them.
[[nodiscard]] Bytes counted_bytes(const TrainingEstimate& estimate, MemoryCounter counter);

}  // namespace meyasu
