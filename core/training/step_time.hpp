// How long a step takes beside another: arithmetic, memory traffic and transfers of one rank. Only
// meant for comparing settings on one machine; the share of the peak is assumed.
#pragma once

#include "core/hardware/machine.hpp"
#include "core/training/timeline.hpp"

namespace meyasu {

/// What the machine reaches, per second. Unknown figures are assumed.
struct StepRates {
  double flops = 0;
  double fp32_flops = 0;
  double memory = 0;  // bytes, of the GPU
  double link = 0;    // one way, host to GPU
  double host = 0;    // main memory
  double disk = 0;
  double peer = 0;  // one way, GPU to GPU
};
[[nodiscard]] StepRates step_rates(const Machine& machine);

/// Seconds of one optimizer step (all its micro-batches) on one rank.
struct StepTime {
  double compute = 0;  // matrix products, recomputed ones too; waiting of a pipeline
  double memory = 0;   // the update, and expanding a quantized base
  double link = 0;     // what is offloaded, both ways
  double host = 0;     // the update on the CPU
  double disk = 0;
  double peers = 0;   // sharding, data and tensor parallel
  double tokens = 0;  // that the step trains, over all ranks

  /// Per token: transfers all hidden behind arithmetic, or none.
  [[nodiscard]] double low() const;
  [[nodiscard]] double high() const;
};
[[nodiscard]] StepTime step_time(const Model& model, const TrainingSettings& settings,
                                 const TrainingEstimate& estimate, const StepRates& rates);

}  // namespace meyasu
