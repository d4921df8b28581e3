// The quick form's answer: the memory of the weights alone, in video memory and in RAM.
#pragma once

#include <optional>
#include <span>

#include "core/quick/parameter_count.hpp"
#include "core/quick/precision.hpp"
#include "core/units/term.hpp"

namespace meyasu {

/// The original form's formula, operation by operation in double arithmetic:
/// billions x bytes_per_parameter x 10^9 / (1024 x 1024 x 1024), in GiB.
/// 7 at FP16 gives 13.0385160446... Anything the form refuses gives NaN, never a plausible number.
[[nodiscard]] double original_weight_gib(double billions, Precision precision);

/// Bytes of `count` parameters at `bits_per_parameter` (> 0), rounded up to a whole byte.
[[nodiscard]] Bytes weight_bytes(const ParameterCount& count, double bits_per_parameter);

/// Working room for the operating system and the program that holds the weights. An assumption:
/// Windows 11 asks for 4 GB of RAM to run at all, and a desktop with a browser uses about as much.
inline constexpr Bytes kSystemRoom = 4 * kGiB;

/// Installed RAM that machines are sold with, in GiB, ascending: 4 to 4096.
[[nodiscard]] std::span<const int> installed_ram_sizes_gib();

/// `vram` and `ram` are the same bytes: weights on the GPU, and the RAM that holds them when the
/// model runs on the CPU or is staged before it goes to the GPU (assumption). `installed_ram` is
/// the smallest common size with room for `ram` + kSystemRoom (assumption); empty above 4096 GiB.
struct WeightSize {
  double gib = 0;                     // original_weight_gib
  double gb = 0;                      // bytes / 10^9
  Term vram;                          // id "weights", device "gpu0"
  Term ram;                           // id "weights", device "host"
  std::optional<Term> installed_ram;  // id "installed_ram", device "host"
};

/// Errors as in parse_parameter_count when `count` is not in (0, 1e6 B].
[[nodiscard]] Result<WeightSize> weight_size(const ParameterCount& count, Precision precision);

}  // namespace meyasu
