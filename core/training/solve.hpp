// The largest batch, the longest sequences and the fewest GPUs that a memory allows.
#pragma once

#include <cstdint>

#include "core/training/timeline.hpp"

namespace meyasu {

struct TrainingSolution {
  std::int64_t value = 0;  // 0: not even the smallest fits
  bool at_limit = false;   // no larger value was asked for
};

/// What a step may take of a card with `usable` bytes: a colocated rollout engine has its share.
[[nodiscard]] Bytes training_room(const TrainingSettings& settings, Bytes usable);

/// Whether the likely peak as the driver counts it fits. Errors: those of check_training.
[[nodiscard]] Result<bool> training_fits(const Model& model, const TrainingSettings& settings,
                                         Bytes usable);

/// Sequences per GPU, at most 65536. Errors: those of check_training with the smallest value.
[[nodiscard]] Result<TrainingSolution> largest_batch(const Model& model, TrainingSettings settings,
                                                     Bytes usable);
/// Tokens, in steps of 64, at most what the model was trained for.
[[nodiscard]] Result<TrainingSolution> longest_sequence(const Model& model,
                                                        TrainingSettings settings, Bytes usable);
/// Data parallel ranks in powers of two, at most 1024, with tensor and pipeline parallel as they
/// are; `value` counts GPUs.
[[nodiscard]] Result<TrainingSolution> fewest_gpus(const Model& model, TrainingSettings settings,
                                                   Bytes usable);

}  // namespace meyasu
