// What a policy really places: tensors move whole, and pinned memory is rounded up.
#pragma once

#include "core/offload/policy.hpp"
#include "core/offload/shape.hpp"
#include "core/units/bytes.hpp"

namespace meyasu {

/// Shares of the block weights that end up on each tier. Inside the attention and the feed-forward
/// group, the tensor that holds the percentile mid-point goes whole to that tier, in the order
/// disk, CPU, GPU (FlexLLMGen flexllmgen/flex_opt.py, init_weight_list).
[[nodiscard]] TierShares realised_weights(const OffloadShape& shape, const TierShares& requested);

/// Main memory that a policy really takes, by part.
struct RealisedRam {
  Bytes block_weights = 0;  // pinned tensors, each rounded up to a power of two
  Bytes outer_weights = 0;  // token table (twice where tied: table and head) and positions
  Bytes cache = 0;
  Bytes activations = 0;
  Bytes copy_buffers = 0;  // of the copy threads, whatever the policy
  Bytes process = 0;       // interpreter and libraries; assumed

  [[nodiscard]] Bytes total() const {
    return block_weights + outer_weights + cache + activations + copy_buffers + process;
  }
};

/// `pinned`: the default; off, tensors keep their size (`--pin-weight 0`).
[[nodiscard]] RealisedRam realised_ram(const OffloadShape& shape, const OffloadWorkload& work,
                                       const OffloadPolicy& policy, bool pinned);

}  // namespace meyasu
