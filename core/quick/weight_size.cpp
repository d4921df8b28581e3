#include "core/quick/weight_size.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace meyasu {
namespace {

// What mainboards and servers are sold with: powers of two, and one and a half times those.
constexpr std::array kInstalledRamGib{4,   8,   16,  32,  48,   64,   96,   128,  192,
                                      256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096};

Formula weight_formula(double billions, Precision precision) {
  return {"P × b × 10^9 / 1024^3",
          {{"P", billions, "10^9"}, {"b", bytes_per_parameter(precision), "B"}}};
}

std::optional<Term> installed_ram(Bytes weights) {
  const Bytes needed = weights + kSystemRoom;
  const auto* size = std::find_if(kInstalledRamGib.begin(), kInstalledRamGib.end(),
                                  [&](int gib) { return Bytes{gib} * kGiB >= needed; });
  if (size == kInstalledRamGib.end()) return std::nullopt;
  return exact_term("installed_ram", "host", Bytes{*size} * kGiB,
                    {"next common size >= W + S",
                     {{"W", to_gib(weights), "GiB"}, {"S", to_gib(kSystemRoom), "GiB"}}},
                    Evidence::assumed, "common module sizes; working room of the operating system");
}

}  // namespace

double original_weight_gib(double billions, Precision precision) {
  if (!parameter_count_from_billions(billions)) return std::numeric_limits<double>::quiet_NaN();
  return billions * bytes_per_parameter(precision) * std::pow(10, 9) / (1024.0 * 1024.0 * 1024.0);
}

Bytes weight_bytes(const ParameterCount& count, double bits_per_parameter) {
  if (count.exact && bits_per_parameter == std::floor(bits_per_parameter)) {
    return round_up(*count.exact * static_cast<Bytes>(bits_per_parameter), Bytes{8}) / 8;
  }
  return static_cast<Bytes>(std::ceil(count.billions * 1e9 * bits_per_parameter / 8));
}

std::span<const int> installed_ram_sizes_gib() {
  return kInstalledRamGib;
}

Result<WeightSize> weight_size(const ParameterCount& count, Precision precision) {
  if (const auto checked = parameter_count_from_billions(count.billions); !checked) {
    return checked.error();
  }
  const Bytes bytes = weight_bytes(count, bits_of(precision));
  const Formula formula = weight_formula(count.billions, precision);
  WeightSize size;
  size.gib = original_weight_gib(count.billions, precision);
  size.gb = to_gb(bytes);
  size.vram = exact_term("weights", "gpu0", bytes, formula, Evidence::exact,
                         "the formula of the original form");
  size.ram = exact_term("weights", "host", bytes, formula, Evidence::assumed,
                        "the same bytes: run on the CPU, or staged before they go to the GPU");
  size.installed_ram = installed_ram(bytes);
  return size;
}

}  // namespace meyasu
