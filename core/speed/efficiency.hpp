// How much of a device's printed bandwidth and arithmetic rate llama.cpp really reaches. Decoding
// is described by causes that devices share (reads, unpacking, launches), so that a device nobody
// measured differs by its printed figures alone; prompts by class of device. Fitted to 611 decode
// and 444 prompt readings of public benchmarks (tests/truth/throughput.csv).
#pragma once

#include <cstdint>

#include "core/hardware/hardware.hpp"
#include "core/speed/work.hpp"

namespace meyasu {

enum class SpeedClass : std::uint8_t {
  nvidia,       // GDDR, Turing and later
  nvidia_old,   // before Turing: no tensor units, unpacking limits
  nvidia_hbm,   // A100, H100...: one sequence does not fill them
  apple,        // Metal
  amd,          // ROCm, Vulkan
  amd_unified,  // Strix Halo
  intel,
  cpu,
};
[[nodiscard]] SpeedClass speed_class(const Device& device);

/// CUDA and Metal graphs launch faster since late 2024; CUDA multiplies quantized weights as they
/// are, and experts in one kernel.
enum class SoftwareAge : std::uint8_t { before_autumn_2024, current };

/// Reading a prompt on one GPU. FLOP/s; all 0: the rate of the device is unknown.
struct PromptCosts {
  double products[kUnpackClasses];  // with weights of each UnpackClass
  double attention;                 // flash attention
  /// Part of `products` that routed experts reach when each gets very many tokens, and with how
  /// many tokens an expert they reach half of that: products are made in tiles of tokens.
  double experts;
  double experts_half;
  bool unpacks_first;  // quantized weights are written out in 16 bits, then multiplied
  double score_bytes;  // moved for each score without flash attention; 0: part of `attention`
};
[[nodiscard]] PromptCosts prompt_costs(const Device& device, SoftwareAge age);

/// Part of the 16-bit rate that small batches reach: one sequence after the other, and in tiles.
struct BatchShares {
  double one_by_one;
  double tiles;
};
[[nodiscard]] BatchShares batch_shares(SpeedClass speed_class);

/// Decoding on a GPU.
struct DecodeCosts {
  /// FP32 operations that unpacking and multiplying one weight takes the time of, by UnpackClass.
  double unpack[kUnpackClasses];
  double operation_us;  // starting one operation
  double fused;         // operations that one block of experts saves: routing in one kernel
  double cache;         // share of the rate of reading that K and V reach
  double attention;     // share of the 16-bit rate that attention over the cache reaches
};
[[nodiscard]] DecodeCosts decode_costs(const Device& device, SoftwareAge age);

/// Bytes a second that products with one vector read: a share of the printed bandwidth, as far as
/// the multiprocessors have enough reads on their way (NVIDIA, where their number is known).
[[nodiscard]] double decode_read_rate(const Device& device);

/// Part of a CPU's prompt arithmetic that experts reach.
inline constexpr double kCpuExperts = 0.20;

/// Shares of the RAM's printed bandwidth that CPUs reach with weights of each class, and with the
/// cache.
inline constexpr double kCpuWeights[kUnpackClasses] = {0.75, 0.75, 0.48, 0.48, 0.48, 0.72};
inline constexpr double kCpuCache = 0.64;

/// Two things done side by side, each of which disturbs the other: (a^4 + b^4)^(1/4), a little more
/// than the longer.
[[nodiscard]] double side_by_side(double a, double b);

/// The 16-bit rate that the shares above refer to, 10^12 a second; 0: unknown. Ampere, Ada and
/// Blackwell cards with GDDR compute twice their FP32 rate with FP32 accumulation, whatever larger
/// figure is printed for workstation models; Apple states FP32 only.
[[nodiscard]] double half_rate_tflops(const Device& device);

}  // namespace meyasu
