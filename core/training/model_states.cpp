#include "core/training/model_states.hpp"

#include <algorithm>

namespace meyasu {

double zero_model_states(double parameters, std::int64_t ranks, DataParallel stage, double k) {
  const auto n = static_cast<double>(ranks);
  switch (stage) {
    case DataParallel::ddp:
      return (4 + k) * parameters;
    case DataParallel::zero1:
      return (4 + k / n) * parameters;
    case DataParallel::zero2:
      return (2 + (2 + k) / n) * parameters;
    case DataParallel::zero3:
    case DataParallel::fsdp:
      return (4 + k) / n * parameters;
  }
  return 0;
}

DeepSpeedStates deepspeed_model_states(double parameters, double largest_layer, std::int64_t ranks,
                                       DataParallel stage, StateOffload offload, bool zero_init) {
  constexpr double kHeadroom = 1.5;  // "additional_buffer_factor"
  const auto n = static_cast<double>(ranks);
  const double p = parameters;
  const bool shards_weights = stage == DataParallel::zero3;
  if (!shards_weights) {
    if (offload == StateOffload::none) return {4 * p + 16 * p / n, kHeadroom * 4 * p * n};
    return {2 * p, kHeadroom * p * std::max(4 * n, 16.0)};
  }
  const double largest = 4 * largest_layer;
  const double init = kHeadroom * 4 * n * p;
  if (offload == StateOffload::none) {
    return {largest + 18 * p / n, zero_init ? kHeadroom * largest * n : init};
  }
  if (offload == StateOffload::optimizer) {
    const double cpu = kHeadroom * 16 * p;
    return {largest + 2 * p / n, zero_init ? cpu : std::max(cpu, init)};
  }
  const double cpu = kHeadroom * 18 * p;
  return {largest, zero_init ? cpu : std::max(cpu, init)};
}

}  // namespace meyasu
