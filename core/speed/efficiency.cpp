#include "core/speed/efficiency.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "core/units/rates.hpp"

namespace meyasu {

SpeedClass speed_class(const Device& device) {
  if (device.vendor == "Apple") return SpeedClass::apple;
  if (device.vendor == "Intel") return SpeedClass::intel;
  if (device.vendor == "AMD") {
    return device.device_class == DeviceClass::unified ? SpeedClass::amd_unified : SpeedClass::amd;
  }
  constexpr double kTuring = 7.5;
  constexpr double kHbmGbS = 1100;  // no GDDR6 card reaches it; GDDR7 ones are Blackwell (12.0)
  constexpr double kConsumerBlackwell = 12.0;
  if (device.compute_capability > 0 && device.compute_capability < 7) return SpeedClass::nvidia_old;
  if (device.compute_capability < kTuring && device.compute_capability > 0) {
    return SpeedClass::nvidia_hbm;
  }
  return device.bandwidth_gb_s > kHbmGbS && device.compute_capability < kConsumerBlackwell
             ? SpeedClass::nvidia_hbm
             : SpeedClass::nvidia;
}

namespace {

/// Shares of the printed 16-bit rate that prompts reach: products with plain and with quantized
/// weights, of these experts, and attention. In the order of SpeedClass; where a class has few
/// readings (Intel, AMD cards, before Turing), the figure is that of the most similar class.
struct PrintedShares {
  double plain;
  double quantized;
  double experts;
  double attention;
};
constexpr std::array<PrintedShares, 8> kPrinted = {{
    {0.85, 0.63, 0.55, 0.43},
    {0.40, 0.35, 0.60, 0.20},
    {0.35, 0.30, 0.55, 0.21},
    {0.335, 0.306, 1.0, 0.23},
    {0.40, 0.35, 0.60, 0.20},
    {0.24, 0.255, 0.40, 0.084},
    {0.40, 0.35, 0.60, 0.20},
    {},
}};

/// 10^12 FLOP/s a watt of long products with 16-bit tensor units: what a board may draw bounds
/// them, not the printed rate (15 cards of 4 generations in throughput.csv lie within 16 %).
/// 0: no readings.
double tflops_per_watt(double cc) {
  const auto is = [&](double version) { return std::fabs(cc - version) < 0.05; };
  constexpr double kTuring = 0.20;  // recalled, not in the table
  constexpr double kA100 = 0.39;    // TSMC 7 nm; one card
  constexpr double kAmpere = 0.21;  // Samsung 8 nm
  constexpr double kAda = 0.34;     // TSMC 4N; Blackwell cards and GB10 have the same process
  constexpr double kHopper = 0.46;  // one card
  if (is(7.5)) return kTuring;
  if (is(8.0)) return kA100;
  if (is(8.6) || is(8.7)) return kAmpere;
  if (is(8.9) || cc > 10.9) return kAda;
  return cc >= 9 ? kHopper : 0;
}

}  // namespace

PromptCosts prompt_costs(const Device& device, SoftwareAge age) {
  const SpeedClass kind = speed_class(device);
  const PrintedShares& shares = kPrinted[static_cast<std::size_t>(kind)];
  const double printed = half_rate_tflops(device) * kTera;
  PromptCosts costs = {};
  costs.attention = shares.attention * printed;
  costs.experts = shares.experts;
  for (std::size_t i = 0; i < kUnpackClasses; ++i) {
    const bool plain = i <= static_cast<std::size_t>(UnpackClass::byte);
    costs.products[i] = printed * (plain ? shares.plain : shares.quantized);
  }
  const bool cuda = kind == SpeedClass::nvidia || kind == SpeedClass::nvidia_hbm;
  if (!cuda) return costs;
  // Without flash attention scores are written in 16 bits, widened (2 + 4), run through the softmax
  // (4 + 4), narrowed (4 + 2) and read by the product with V; ggml-cuda.cu of 2024.
  costs.score_bytes = 24;
  // Of the speed of dense products: 3 models with 8 to 256 tokens an expert, llama.cpp PR 26977.
  costs.experts = 0.55;
  costs.experts_half = 18;
  costs.unpacks_first = age == SoftwareAge::before_autumn_2024;
  const double by_power = tflops_per_watt(device.compute_capability) * device.power_w * kTera;
  if (!(by_power > 0)) return costs;
  constexpr double kOfPrinted = 1.2;  // 16-bit sums have twice the rate that is printed for 32
  const double rate = std::min(by_power, kOfPrinted * printed);
  // In 8-bit integers: as fast as 16 bits where weights are small and scales simple, less with 8
  // bits (three models on GB10) and with scales of scales (llama.cpp PRs 7860, 8062).
  constexpr double kIntegers[kUnpackClasses] = {1, 0.8, 1, 1, 0.85, 0.75};
  for (std::size_t i = 0; i < kUnpackClasses; ++i) {
    costs.products[i] = rate * (costs.unpacks_first ? 1 : kIntegers[i]);
  }
  constexpr double kAttention = 0.7;  // 3090 and GB10 with 32,768 tokens in the cache
  costs.attention = std::min(kAttention * printed, rate);
  return costs;
}

BatchShares batch_shares(SpeedClass speed_class) {
  constexpr double kOfPrompts = 0.75;  // tiles are narrower than a prompt's
  const double one_by_one = speed_class == SpeedClass::apple ? 0.11 : 0.30;
  return {one_by_one, kOfPrompts * kPrinted[static_cast<std::size_t>(speed_class)].quantized};
}

DecodeCosts decode_costs(const Device& device, SoftwareAge age) {
  const bool before = age == SoftwareAge::before_autumn_2024;
  // CUDA since Turing; the others are multiples of it. Attention of few tokens reads faster in
  // builds since: GB10 and M2 Ultra with up to 32,768 tokens.
  DecodeCosts costs = {
      {39, 5, 6, 20, 12, 40}, before ? 4.5 : 3.4, before ? 0.0 : 6.0, before ? 0.48 : 0.62, 0.20};
  double unpack = 1;
  if (device.vendor == "Apple") {
    unpack = 1.3;
    costs.operation_us = before ? 10 : 4.5;
    costs.fused = 0;
    costs.cache = before ? 0.36 : 0.40;
    costs.attention = 0.034;
  } else if (device.vendor == "AMD") {
    unpack = 0.6;  // the printed FP32 rate counts pairs of operations
    costs.operation_us = 4.2;
  } else if (device.vendor == "Intel") {
    unpack = 7;  // two readings
    costs.operation_us = 6;
  } else if (device.compute_capability > 0 && device.compute_capability < 7) {
    unpack = 2.6;  // integers share the units of FP32
  }
  for (double& cost : costs.unpack) cost *= unpack;
  // The first generation is slow at nested scales: Q4_K on three M1 Max, not Q4_0.
  if (device.id.starts_with("m1")) costs.unpack[static_cast<std::size_t>(UnpackClass::nested)] *= 2;
  return costs;
}

double decode_read_rate(const Device& device) {
  constexpr double kShare = 0.90;
  constexpr double kPerProcessor = 16;  // 10^9 bytes a second
  const double memory = kShare * device.bandwidth_gb_s * kGiga;
  if (device.vendor != "NVIDIA" || device.n_sm <= 0 || memory <= 0) return memory;
  const double processors = kPerProcessor * device.n_sm * kGiga;
  return 1 / side_by_side(1 / memory, 1 / processors);
}

double side_by_side(double a, double b) {
  const double longer = std::max(a, b);
  if (!(longer > 0)) return 0;
  const double ratio = std::min(a, b) / longer;
  return longer * std::sqrt(std::sqrt(1 + ratio * ratio * ratio * ratio));
}

double half_rate_tflops(const Device& device) {
  constexpr double kPascalToTuring = 1;  // GTX cards print 1/64 of FP32: they use FP32 instead
  if (device.fp16_tflops < kPascalToTuring) return 2 * device.fp32_tflops;
  const double cc = device.compute_capability;
  const bool accumulates_at_half = cc == 8.6 || cc == 8.9 || cc == 12.0;
  return accumulates_at_half ? std::min(device.fp16_tflops, 2 * device.fp32_tflops)
                             : device.fp16_tflops;
}

}  // namespace meyasu
