// Where a model's weights sit among the graphics cards people have.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/units/bytes.hpp"

namespace meyasu {

/// small: fits a 4-6 GB card. medium: needs an 8-12 GB card. upper_medium: needs a 16 GB card,
/// the gap between "8-12" and "20 and more". large: needs a card of 20 GB or more, or several.
enum class SizeBand { small, medium, upper_medium, large };

[[nodiscard]] std::string_view size_band_name(SizeBand band);

/// A class of cards by the size they are sold under. `memory` is the least that a card of the class
/// (from NVIDIA's Turing on) reports to CUDA programs: the sales "GB" are really GiB, less what the
/// driver keeps, and less 1/16 for check bits on cards with ECC in GDDR6 (T4 15360 MiB, L4 23034,
/// L40S 46068). Weights within it fit; room for a context is not promised.
struct GpuClass {
  int nominal_gb = 0;
  Bytes memory = 0;
};

/// Ascending: 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 80, 96, 141, 180 GB.
[[nodiscard]] std::span<const GpuClass> gpu_classes();

/// The sentence "not into 12 GB, but into 16 GB": `largest_not` is empty when even the smallest
/// class is enough, `smallest_fit` when no single card is.
struct SizeOnScale {
  SizeBand band = SizeBand::small;
  std::optional<int> smallest_fit_gb;
  std::optional<int> largest_not_gb;
  double position = 0;  // scale_position(weights)
};

[[nodiscard]] SizeOnScale size_on_scale(Bytes weights);

/// The place of a size on the drawn scale, 0 to 1: logarithmic from 1 GiB to 256 GiB, held at the
/// ends. A logarithm, because cards double.
[[nodiscard]] double scale_position(Bytes bytes);

struct ScaleTick {
  int nominal_gb = 0;
  double position = 0;  // of the memory of the class
};

struct ScaleBand {
  SizeBand band = SizeBand::small;
  double begin = 0;
  double end = 0;
};

/// One tick for each GPU class.
[[nodiscard]] std::vector<ScaleTick> scale_ticks();
/// The four bands from 0 to 1 without gaps; each ends at the memory of its largest class.
[[nodiscard]] std::vector<ScaleBand> scale_bands();

}  // namespace meyasu
