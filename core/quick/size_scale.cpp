#include "core/quick/size_scale.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace meyasu {
namespace {

// The total column of nvidia-smi for the card named beside it.
constexpr std::array kGpuClasses{
    GpuClass{4, 4096 * kMiB},      // GTX 1650
    GpuClass{6, 6138 * kMiB},      // RTX A2000 6GB
    GpuClass{8, 8151 * kMiB},      // RTX 5060
    GpuClass{10, 10240 * kMiB},    // RTX 3080 10GB
    GpuClass{12, 12227 * kMiB},    // RTX 5070
    GpuClass{16, 15356 * kMiB},    // A2
    GpuClass{20, 20470 * kMiB},    // RTX A4500
    GpuClass{24, 23028 * kMiB},    // A10
    GpuClass{32, 32607 * kMiB},    // RTX 5090
    GpuClass{40, 40960 * kMiB},    // A100 40GB
    GpuClass{48, 46068 * kMiB},    // L40S
    GpuClass{80, 81559 * kMiB},    // H100 80GB
    GpuClass{96, 97871 * kMiB},    // H20
    GpuClass{141, 143771 * kMiB},  // H200
    GpuClass{180, 183359 * kMiB},  // B200
};

constexpr double kScaleDoublings = 8;  // 1 GiB to 256 GiB

constexpr SizeBand band_of(int nominal_gb) {
  if (nominal_gb <= 6) return SizeBand::small;
  if (nominal_gb <= 12) return SizeBand::medium;
  return nominal_gb < 20 ? SizeBand::upper_medium : SizeBand::large;
}

}  // namespace

std::string_view size_band_name(SizeBand band) {
  switch (band) {
    case SizeBand::small:
      return "small";
    case SizeBand::medium:
      return "medium";
    case SizeBand::upper_medium:
      return "upper_medium";
    case SizeBand::large:
      return "large";
  }
  return "";
}

std::span<const GpuClass> gpu_classes() {
  return kGpuClasses;
}

SizeOnScale size_on_scale(Bytes weights) {
  SizeOnScale place;
  place.band = SizeBand::large;
  place.position = scale_position(weights);
  for (const GpuClass& gpu_class : kGpuClasses) {
    if (weights <= gpu_class.memory) {
      place.smallest_fit_gb = gpu_class.nominal_gb;
      place.band = band_of(gpu_class.nominal_gb);
      break;
    }
    place.largest_not_gb = gpu_class.nominal_gb;
  }
  return place;
}

double scale_position(Bytes bytes) {
  if (bytes <= kGiB) return 0;
  return std::min(std::log2(to_gib(bytes)) / kScaleDoublings, 1.0);
}

std::vector<ScaleTick> scale_ticks() {
  std::vector<ScaleTick> ticks;
  ticks.reserve(kGpuClasses.size());
  for (const GpuClass& gpu_class : kGpuClasses) {
    ticks.push_back({gpu_class.nominal_gb, scale_position(gpu_class.memory)});
  }
  return ticks;
}

std::vector<ScaleBand> scale_bands() {
  std::vector<ScaleBand> bands{{SizeBand::small, 0, 0}};
  for (const GpuClass& gpu_class : kGpuClasses) {
    const SizeBand band = band_of(gpu_class.nominal_gb);
    if (band != bands.back().band) bands.push_back({band, bands.back().end, 0});
    bands.back().end = scale_position(gpu_class.memory);
  }
  bands.back().end = 1;
  return bands;
}

}  // namespace meyasu
