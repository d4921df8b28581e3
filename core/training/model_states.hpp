// Model states of mixed precision training from a parameter count alone: ZeRO's table, and the
// estimator that DeepSpeed prints.
#pragma once

#include <cstdint>

#include "core/training/settings.hpp"
#include "core/units/bytes.hpp"

namespace meyasu {

/// Bytes on each of `ranks` GPUs: 16-bit weights and gradients, `k` bytes of optimizer states per
/// parameter (12 with Adam), split as the stage says (arXiv 1910.02054, Table 1).
[[nodiscard]] double zero_model_states(double parameters, std::int64_t ranks, DataParallel stage,
                                       double k = 12);

struct DeepSpeedStates {
  double gpu = 0;
  double cpu = 0;
};
/// DeepSpeed runtime/zero/stage_1_and_2.py and stage3.py, estimate_zero*_model_states_mem_needs.
/// `ranks` GPUs of one node; `largest_layer`: parameters of the largest layer.
[[nodiscard]] DeepSpeedStates deepspeed_model_states(double parameters, double largest_layer,
                                                     std::int64_t ranks, DataParallel stage,
                                                     StateOffload offload, bool zero_init);

}  // namespace meyasu
