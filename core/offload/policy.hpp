// A policy of FlexGen: how large the blocks are and which share of what lies where.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/units/result.hpp"

namespace meyasu {

/// Shares on GPU, CPU and disk; they sum to 1.
struct TierShares {
  double gpu = 1;
  double cpu = 0;
  double disk = 0;
};

/// b = gpu_batch * n_batches sequences run through each layer while its weights are there.
struct OffloadPolicy {
  std::int64_t gpu_batch = 1;
  std::int64_t n_batches = 1;
  TierShares weights;
  TierShares cache;
  TierShares activations;
  bool compress_weights = false;  // 4-bit groups of 64
  bool compress_cache = false;
  bool cpu_attention = true;  // attend where the cache is; off with a compressed cache

  [[nodiscard]] double block() const {
    return static_cast<double>(gpu_batch) * static_cast<double>(n_batches);
  }
};

/// FlexGen's `--percent`: weights on GPU and CPU, cache on GPU and CPU, activations on GPU and CPU,
/// each 0 to 100; what is left of a pair lies on disk. "0 100 100 0 100 0" keeps all weights in
/// RAM. Error (code, field): percent_bad percent.
[[nodiscard]] Result<OffloadPolicy> policy_from_percent(std::string_view text);

/// Prompt tokens and generated tokens of every sequence.
struct OffloadWorkload {
  double prompt = 512;
  double generated = 32;
};

/// 4-bit values with an FP16 scale and minimum for each group of 64: 4.5 of 16 bits
/// (FlexLLMGen flexllmgen/compression.py).
inline constexpr double kGroupwise4BitRatio = 4.5 / 16;

}  // namespace meyasu
