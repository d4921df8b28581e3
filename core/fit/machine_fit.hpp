// An amount against a whole machine: a rough badge beside totals that no runtime has placed yet.
#pragma once

#include <optional>

#include "core/hardware/machine.hpp"
#include "core/inference/verdict.hpp"
#include "core/quick/precision.hpp"
#include "core/quick/weight_size.hpp"

namespace meyasu {

/// `needed` against what all devices together can give or, without devices, the host. Errors: those
/// of device_capacity and host_capacity.
[[nodiscard]] inline Result<Fit> fit_machine(const Machine& machine, Bytes needed) {
  Fit fit{.usable = 0, .low = needed, .likely = needed, .high = needed};
  for (const MachineDevice& device : machine.devices) {
    const auto capacity = device_capacity(machine, device);
    if (!capacity) return capacity.error();
    fit.usable += capacity.value().usable.bytes * device.count;
  }
  if (machine.devices.empty()) {
    const auto host = host_capacity(machine);
    if (!host) return host.error();
    fit.usable = host.value().usable.bytes;
  }
  return fit;
}

/// The precision with the most bits below `now` in which the weights of `count` fit the machine;
/// absent: none does. Errors: those of fit_machine and weight_size.
[[nodiscard]] inline Result<std::optional<Precision>> precision_that_fits(
    const Machine& machine, const ParameterCount& count, Precision now) {
  std::optional<Precision> best;
  for (const Precision& precision : kPrecisions) {
    if (bits_of(precision) >= bits_of(now) || (best && bits_of(precision) <= bits_of(*best)))
      continue;
    const auto size = weight_size(count, precision);
    if (!size) return size.error();
    const auto fit = fit_machine(machine, size.value().vram.bytes);
    if (!fit) return fit.error();
    if (fit.value().verdict() != Verdict::over) best = precision;
  }
  return best;
}

}  // namespace meyasu
