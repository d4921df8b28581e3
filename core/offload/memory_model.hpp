// What a policy needs at most on GPU, CPU and disk.
// Source: arXiv 2303.06865 appendix A.3; FlexLLMGen experimental/cost_model.py. The released code
// sums the work buffers of a layer, the paper takes the largest one.
#pragma once

#include <algorithm>

#include "core/offload/policy.hpp"
#include "core/offload/shape.hpp"

namespace meyasu {

/// Bytes, as the model computes them: shares of tensors, not whole ones.
struct OffloadPeaks {
  double gpu_prefill_code = 0;
  double gpu_decode_code = 0;
  double gpu_prefill_paper = 0;
  double gpu_decode_paper = 0;
  double cpu_prefill = 0;
  double cpu_decode = 0;
  double disk = 0;

  [[nodiscard]] double gpu_code() const { return std::max(gpu_prefill_code, gpu_decode_code); }
  [[nodiscard]] double gpu_paper() const { return std::max(gpu_prefill_paper, gpu_decode_paper); }
  [[nodiscard]] double cpu() const { return std::max(cpu_prefill, cpu_decode); }
};

[[nodiscard]] OffloadPeaks offload_peaks(const OffloadShape& shape, const OffloadWorkload& work,
                                         const OffloadPolicy& policy);

}  // namespace meyasu
