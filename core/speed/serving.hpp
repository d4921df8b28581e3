// How fast a server runtime answers: every GPU of a tensor-parallel group reads its share of the
// weights and of the cache of all requests, computes its share, and adds up with the others twice a
// block.
//   decode:  t = max(weights / (eta * BW), B * FLOP / (share * F)) + B * cache / (eta * BW)
//                + 2 * n_layer * t_allreduce(B * n_embd * 2) + n_layer * tau + t_step
//   prompt:  t = tokens * FLOP / (share * F) + 2 * n_layer * t_allreduce(tokens * n_embd * 2)
//   t_allreduce(n) = latency + 2 * (tp - 1) / tp * n / link        (ring; NCCL documentation)
#pragma once

#include <span>

#include "core/serving/settings.hpp"
#include "core/speed/speed.hpp"

namespace meyasu {

/// Rates of one of the GPUs. `tflops`: dense, in the type that the weights are multiplied in.
struct ServingSpeedDevice {
  double bandwidth_gb_s = 0;
  double tflops = 0;     // 0: unknown, no rate of prompts
  double peer_gb_s = 0;  // both directions together; 0: over PCIe
};

/// `settings` with its defaults filled in, without pipeline or data parallelism: the group of one
/// replica; `tensor_bytes` as in estimate_serving(). No table of measured rates was found for these
/// runtimes: all shares are assumed, and the ranges are wide.
/// Error: speed_unknown (field "gpu"): no bandwidth.
[[nodiscard]] Result<Speed> estimate_serving_speed(const Model& model,
                                                   std::span<const Bytes> tensor_bytes,
                                                   const ServingSettings& settings,
                                                   const ServingSpeedDevice& device,
                                                   const SpeedWorkload& workload);

}  // namespace meyasu
