// How much of a device's memory a program can really have: not the box's number, but what the
// driver reports, less what driver, operating system and other programs keep.
// Source: overhead.md of our references, sections 4, 5, 8, 9 and 11 (193 readings).
#pragma once

#include <string>

#include "core/hardware/hardware.hpp"
#include "core/inference/llama_cpp/settings.hpp"
#include "core/units/term.hpp"

namespace meyasu {

/// macOS 26 raised the share of memory that the GPU may wire down.
enum class MacOsVersion { sequoia_or_older, tahoe };

struct MachineUse {
  OperatingSystem os = OperatingSystem::gnu_linux;
  MacOsVersion macos = MacOsVersion::tahoe;
  /// Size of a memory that is sold in several, and of main memory; 0: the largest sold.
  Bytes memory = 0;
  /// A limit that the owner has set: iogpu.wired_limit_mb, GTT size, BIOS carve-out; 0: default.
  Bytes gpu_limit = 0;
  /// What a tool printed as free before the program starts: replaces every estimate; 0: unknown.
  Bytes measured_free = 0;
  /// Held back for other programs by choice.
  Bytes reserve = 0;
  /// What a process of llama.cpp was seen to take beside its buffers on this very device; 0:
  /// unknown.
  Bytes measured_overhead = 0;
  bool drives_a_desktop = false;
  bool vulkan = false;  // on AMD APUs this backend sees 95 % of the heap
  /// The share of desktop and Windows. llama.cpp's estimate holds it already (its term
  /// "runtime_overhead"); estimates of other programs do not.
  bool subtract_other_programs = false;
};

struct UsableCapacity {
  Bytes sold = 0;      // the number on the box, in GiB
  Bytes reported = 0;  // total that the driver's tools show
  /// Id "usable": bytes = likely, low <= bytes <= high; formula with what is taken off.
  Term usable;
  /// Why `usable` is not `sold`, as a message id: driver_total, ecc_hidden, metal_share,
  /// shared_memory, os_reserve, measured_free, gpu_limit, as_sold.
  std::string reason;
};

/// Errors (code, field): device_zero device (no memory of its own or size unknown: give
/// MachineUse::memory); not_memory device (a link or disk); reserve_over reserve (nothing is left).
[[nodiscard]] Result<UsableCapacity> usable_capacity(const Device& device, const MachineUse& use);

/// Share of memory that Metal lets the GPU wire down, and how it is known. Sizes between those
/// seen are interpolated, with the neighbours as range.
struct MetalShare {
  double low = 0;
  double likely = 0;
  double high = 0;
  Evidence evidence = Evidence::measured;
};
[[nodiscard]] MetalShare metal_share(Bytes memory, MacOsVersion version);

}  // namespace meyasu
