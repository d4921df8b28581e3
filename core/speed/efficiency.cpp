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

const Efficiency& efficiency(SpeedClass speed_class) {
  // In the order of SpeedClass. Where a class has few readings (Intel, AMD cards, before Turing),
  // the figure is that of the most similar class.
  static constexpr std::array<Efficiency, 8> kClasses = {{
      {0.30, 0.85, 0.63, 0.17, 0.43},
      {0.30, 0.40, 0.35, 0.60, 0.20},
      {0.30, 0.62, 0.33, 0.60, 0.21},
      {0.11, 0.335, 0.306, 1.0, 0.23},
      {0.30, 0.40, 0.35, 0.60, 0.20},
      {0.30, 0.24, 0.255, 0.50, 0.084},
      {0.30, 0.40, 0.35, 0.60, 0.20},
      {1, 1, 1, 0.20, 1},
  }};
  return kClasses[static_cast<std::size_t>(speed_class)];
}

DecodeCosts decode_costs(const Device& device, SoftwareAge age) {
  const bool before = age == SoftwareAge::before_autumn_2024;
  // CUDA since Turing; the others are multiples of it.
  DecodeCosts costs = {{39, 5, 6, 20, 12, 40}, before ? 4.5 : 3.4, before ? 0.0 : 6.0, 0.48, 0.20};
  double unpack = 1;
  if (device.vendor == "Apple") {
    unpack = 1.3;
    costs.operation_us = before ? 10 : 4.5;
    costs.fused = 0;
    costs.cache = 0.36;
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
