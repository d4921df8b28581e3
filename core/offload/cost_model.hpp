// FlexGen's cost model: seconds per layer of the prefill and of one decoded token.
// Source: arXiv 2303.06865 section 4.2 and appendix A.3; FlexLLMGen experimental/cost_model.py.
#pragma once

#include "core/offload/constants.hpp"
#include "core/offload/policy.hpp"
#include "core/offload/shape.hpp"

namespace meyasu {

/// Seconds of one layer, each path alone.
struct PrefillTimes {
  double up = 0;     // CPU -> GPU: weights, activations
  double down = 0;   // GPU -> CPU: new cache, activations
  double read = 0;   // disk -> CPU
  double write = 0;  // CPU -> disk
  double compute = 0;
};
struct DecodeTimes {
  double up = 0;
  double up_cache = 0;  // cache to the GPU where the CPU does not attend
  double down = 0;
  double read = 0;
  double write = 0;
  double compute = 0;
  double gpu_memory = 0;  // weights once per batch and the GPU's part of the cache
};

[[nodiscard]] PrefillTimes prefill_times(const OffloadShape& shape, const OffloadConstants& rates,
                                         const OffloadWorkload& work, const OffloadPolicy& policy);
[[nodiscard]] DecodeTimes decode_times(const OffloadShape& shape, const OffloadConstants& rates,
                                       const OffloadWorkload& work, const OffloadPolicy& policy);

/// How the paths overlap. The released code lets disk reads follow the upload; the paper takes the
/// longest path alone, which fits its own measurements less well.
enum class StageRule { code, paper };

struct PassTimes {
  double prefill_layer = 0;
  double decode_layer = 0;
  double prefill = 0;            // n_layer layers
  double decode = 0;             // n_layer layers for each token but the first
  double tokens_per_second = 0;  // generated / (prefill + decode), all sequences of the block

  [[nodiscard]] double total() const { return prefill + decode; }
};
[[nodiscard]] PassTimes pass_times(const OffloadShape& shape, const OffloadConstants& rates,
                                   const OffloadWorkload& work, const OffloadPolicy& policy,
                                   StageRule rule = StageRule::code);

}  // namespace meyasu
