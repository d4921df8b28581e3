#include "core/hardware/capacity.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

namespace meyasu {
namespace {

constexpr const char* kReadings = "193 readings of runtimes' logs, 2023 to 2026";

Bytes mib(double value) {
  return static_cast<Bytes>(value * static_cast<double>(kMiB));
}

Bytes share_of(Bytes total, double share) {
  return static_cast<Bytes>(static_cast<double>(total) * share);
}

/// An amount taken off, in MiB; `low` is the least that is taken.
struct Taken {
  double low = 0;
  double likely = 0;
  double high = 0;
};

/// nvidia-smi's total less CUDA's total on Linux, 33 readings from Turing to Blackwell:
/// 370 MiB + 0.28 % of the total, median error under 50, 80 % within 170.
Taken nvidia_driver_reserve(const Device& device, Bytes total) {
  const double cc = device.compute_capability;
  constexpr double kBeforeTuring = 7.4;
  constexpr double kAmpereDataCenter = 8.0;
  constexpr double kTuring = 7.5;
  if (cc > 0 && cc < kBeforeTuring) return {85, 112, 140};
  // A T4 shows 266; GeForce cards of that generation were not seen and may follow the formula.
  if (std::abs(cc - kTuring) < 0.01) return {140, 266, 450};
  if (std::abs(cc - kAmpereDataCenter) < 0.01) return {625, 696, 768};  // A100
  const double likely = 370 + 0.0028 * static_cast<double>(total) / static_cast<double>(kMiB);
  return {likely - 170, likely, likely + 170};
}

/// Compute capabilities of data-centre chips (P100, V100, A100, H100, Blackwell).
bool has_hbm(const Device& device) {
  const double cc = device.compute_capability;
  const auto is = [&](double version) { return std::abs(cc - version) < 0.01; };
  return is(6.0) || is(7.0) || is(8.0) || is(9.0) || (cc > 9.9 && cc < 10.9);
}

/// Total that programs see below the memory chips' size: AMD 16 to 144 MiB (9 cards), Intel 112
/// (one card).
Taken driver_reserve(const Device& device, Bytes total, OperatingSystem os) {
  if (device.vendor == "NVIDIA") {
    // On Windows the display driver's budget replaces it (below).
    return os == OperatingSystem::windows ? Taken{} : nvidia_driver_reserve(device, total);
  }
  if (device.vendor == "AMD") return {0, 16, 144};
  if (device.vendor == "Intel") return {0, 112, 144};
  return {};
}

/// total - free before a program starts, less that program's own context.
Taken other_programs(const Device& device, Bytes total, const MachineUse& use) {
  Taken taken;
  if (use.os == OperatingSystem::windows) {
    constexpr Bytes kLargeCard = 64 * kGiB;
    if (device.vendor != "NVIDIA") {
      taken = {768, 812, 975};
    } else if (total >= kLargeCard) {
      taken = {1940, 1990, 2040};
    } else {
      taken = {890, 1050, 1210};
    }
  } else {
    taken = {0, 40, 80};
    if (use.drives_a_desktop) taken = {60, 500, 1500};
  }
  return taken;
}

/// What an operating system and its programs need of a memory shared with everything: 3 to 8 GiB
/// on machines of 64 GiB and more; small machines run on less, here at most a fifth to a half.
Taken operating_system(Bytes memory) {
  const double total = static_cast<double>(memory) / static_cast<double>(kMiB);
  return {std::min(3072.0, total * 0.2), std::min(5120.0, total * 0.3),
          std::min(8192.0, total * 0.5)};
}

struct Shares {
  double low = 0;
  double likely = 0;
  double high = 0;
  Evidence evidence = Evidence::measured;
};

struct SeenShare {
  double gib;
  double share;
};

Shares interpolate(std::span<const SeenShare> seen, double gib) {
  std::size_t above = 0;
  while (above < seen.size() && seen[above].gib < gib) ++above;
  if (above < seen.size() && std::abs(seen[above].gib - gib) < 0.01) {
    return {seen[above].share, seen[above].share, seen[above].share, Evidence::measured};
  }
  if (above == 0) return {seen[0].share, seen[0].share, seen[0].share, Evidence::assumed};
  if (above == seen.size()) {
    const double last = seen.back().share;
    return {last, last, last, Evidence::assumed};
  }
  const SeenShare& a = seen[above - 1];
  const SeenShare& b = seen[above];
  const double likely = a.share + (b.share - a.share) * (gib - a.gib) / (b.gib - a.gib);
  return {std::min(a.share, b.share), likely, std::max(a.share, b.share), Evidence::assumed};
}

Bytes memory_of(const Device& device, const MachineUse& use) {
  return use.memory > 0 ? use.memory : device.memory;
}

class Calculation {
 public:
  Calculation(const Device& device, const MachineUse& use) : use_(use) {
    capacity_.sold = memory_of(device, use);
    capacity_.usable.id = "usable";
    capacity_.usable.device = device.id;
    capacity_.usable.source = kReadings;
  }

  /// The amount that everything else is taken from.
  void start(std::string name, Bytes low, Bytes likely, Bytes high, Evidence evidence) {
    Term& term = capacity_.usable;
    term.low = low;
    term.bytes = likely;
    term.high = high;
    term.evidence = evidence;
    term.formula.expression = name;
    input(std::move(name), likely);
  }
  void share(std::string name, double value) {
    capacity_.usable.formula.expression = "memory x " + name;
    capacity_.usable.formula.inputs = {};
    input("memory", capacity_.sold);
    capacity_.usable.formula.inputs.push_back({std::move(name), value, ""});
  }
  void take(std::string name, const Taken& taken) {
    if (taken.high <= 0) return;
    Term& term = capacity_.usable;
    term.low -= mib(taken.high);
    term.bytes -= mib(taken.likely);
    term.high -= mib(taken.low);
    term.formula.expression += " - " + name;
    input(std::move(name), mib(taken.likely));
  }

  void set_reason(std::string reason) { capacity_.reason = std::move(reason); }
  void set_reported(Bytes bytes) { capacity_.reported = bytes; }

  Result<UsableCapacity> finish() {
    if (use_.reserve > 0) {
      const double reserve = static_cast<double>(use_.reserve) / static_cast<double>(kMiB);
      take("reserve", {reserve, reserve, reserve});
    }
    Term& term = capacity_.usable;
    term.low = std::max<Bytes>(term.low, 0);
    if (term.bytes <= 0) return Error{"reserve_over", "reserve", term.device};
    if (capacity_.reported == 0) capacity_.reported = capacity_.sold;
    return std::move(capacity_);
  }

 private:
  void input(std::string name, Bytes bytes) {
    capacity_.usable.formula.inputs.push_back(
        {std::move(name), static_cast<double>(bytes) / static_cast<double>(kMiB), "MiB"});
  }

  const MachineUse& use_;
  UsableCapacity capacity_;
};

Result<UsableCapacity> apple(Calculation calculation, Bytes memory, const MachineUse& use) {
  const MetalShare share = metal_share(memory, use.macos);
  calculation.start("memory", share_of(memory, share.low), share_of(memory, share.likely),
                    share_of(memory, share.high), share.evidence);
  calculation.share("recommendedMaxWorkingSetSize", share.likely);
  calculation.set_reported(share_of(memory, share.likely));
  calculation.set_reason("metal_share");
  return calculation.finish();
}

Result<UsableCapacity> shared_memory(Calculation calculation, const Device& device, Bytes memory,
                                     const MachineUse& use) {
  Shares shares;
  bool programs_share_it = true;
  if (device.shared == SharedMemory::gb10) {
    shares = {0.951, 0.951, 0.951, Evidence::measured};  // 124,610 of 131,072 MiB
  } else if (device.shared == SharedMemory::thor) {
    shares = {0.959, 0.959, 0.959, Evidence::measured};  // 125,748 of 131,072 MiB
  } else if (device.shared == SharedMemory::jetson) {
    // Not seen; the firmware of the two systems above takes about the same part.
    shares = {0.93, 0.95, 0.96, Evidence::assumed};
  } else {
    // A PC with an AMD or Intel graphics unit. Linux lends half of what it manages (63,395 of
    // 131,072 MiB), Windows 110,456; both are settings (MachineUse::gpu_limit).
    const bool windows = use.os == OperatingSystem::windows;
    const double share = windows ? 110456.0 / 131072 : 63395.0 / 131072;
    shares = {share, share, share, Evidence::measured};
    programs_share_it = windows;  // the Linux half leaves the other half to programs
  }
  const bool heap = device.shared == SharedMemory::apu && use.vulkan;
  const double free_of_heap = heap ? 0.95 : 1;
  calculation.start("memory", share_of(memory, shares.low * free_of_heap),
                    share_of(memory, shares.likely * free_of_heap),
                    share_of(memory, shares.high * free_of_heap), shares.evidence);
  calculation.share("share", shares.likely * free_of_heap);
  calculation.set_reported(share_of(memory, shares.likely));
  if (programs_share_it && device.shared != SharedMemory::apu) {
    calculation.take("operating_system", operating_system(memory));
  }
  calculation.set_reason("shared_memory");
  return calculation.finish();
}

Result<UsableCapacity> discrete(Calculation calculation, const Device& device, Bytes total,
                                const MachineUse& use) {
  const bool reported = device.reported_total > 0 && use.memory == 0;
  calculation.start("reported_total", total, total, total,
                    reported && device.reported_verified ? Evidence::measured : Evidence::assumed);
  calculation.set_reported(total);
  calculation.take("driver_reserve", driver_reserve(device, total, use.os));
  if (use.subtract_other_programs) {
    calculation.take("other_programs", other_programs(device, total, use));
  }
  // ECC of GDDR memory keeps 1/16, drivers alone under a hundredth; HBM has cells of its own for
  // it.
  const bool ecc = reported && !has_hbm(device) && total <= device.memory / 16 * 15;
  const bool same = total == device.memory;
  calculation.set_reason(ecc ? "ecc_hidden" : same ? "as_sold" : "driver_total");
  return calculation.finish();
}

}  // namespace

MetalShare metal_share(Bytes memory, MacOsVersion version) {
  // recommendedMaxWorkingSetSize / memory, 35 readings. 512 GiB on macOS 26 was not seen; the one
  // box on macOS 15 stands for it, since the share never fell.
  constexpr auto kOlder = std::to_array<SeenShare>({{8, 2.0 / 3},
                                                    {16, 2.0 / 3},
                                                    {18, 2.0 / 3},
                                                    {24, 2.0 / 3},
                                                    {32, 2.0 / 3},
                                                    {36, 0.75},
                                                    {48, 0.75},
                                                    {64, 0.75},
                                                    {128, 0.75},
                                                    {512, 0.90625}});
  constexpr auto kNewer = std::to_array<SeenShare>({{8, 2.0 / 3},
                                                    {16, 0.74},
                                                    {18, 0.74},
                                                    {24, 0.74},
                                                    {32, 0.78},
                                                    {36, 0.78},
                                                    {48, 0.78},
                                                    {64, 0.81},
                                                    {128, 0.84},
                                                    {512, 0.90625}});
  const bool newer = version == MacOsVersion::tahoe;
  const double gib = to_gib(memory);
  const Shares shares = newer ? interpolate(kNewer, gib) : interpolate(kOlder, gib);
  return {shares.low, shares.likely, shares.high, shares.evidence};
}

Result<UsableCapacity> usable_capacity(const Device& device, const MachineUse& use) {
  if (device.device_class == DeviceClass::link || device.device_class == DeviceClass::storage) {
    return Error{"not_memory", "device", device.id};
  }
  if (use.memory < 0 || use.reserve < 0 || use.gpu_limit < 0 || use.measured_free < 0) {
    return Error{"not_positive", "device", device.id};
  }
  const Bytes memory = memory_of(device, use);
  Calculation calculation(device, use);
  if (use.measured_free > 0) {
    calculation.start("free", use.measured_free, use.measured_free, use.measured_free,
                      Evidence::measured);
    calculation.set_reason("measured_free");
    return calculation.finish();
  }
  if (memory <= 0) return Error{"device_zero", "device", device.id};
  if (device.device_class == DeviceClass::ram) {
    calculation.start("memory", memory, memory, memory, Evidence::assumed);
    calculation.take("operating_system", operating_system(memory));
    calculation.set_reason("os_reserve");
    return calculation.finish();
  }
  if (use.gpu_limit > 0 && device.device_class == DeviceClass::unified) {
    const Bytes limit = std::min(use.gpu_limit, memory);
    calculation.start("gpu_limit", limit, limit, limit, Evidence::exact);
    calculation.set_reported(limit);
    // What lies above the limit serves the rest of the machine first.
    const double left = static_cast<double>(memory - limit) / static_cast<double>(kMiB);
    const Taken os = operating_system(memory);
    calculation.take("operating_system",
                     {std::max(0.0, os.low - left), std::max(0.0, os.likely - left),
                      std::max(0.0, os.high - left)});
    calculation.set_reason("gpu_limit");
    return calculation.finish();
  }
  if (device.shared == SharedMemory::apple) return apple(std::move(calculation), memory, use);
  if (device.shared != SharedMemory::none) {
    return shared_memory(std::move(calculation), device, memory, use);
  }
  const bool own_total = device.reported_total > 0 && use.memory == 0;
  return discrete(std::move(calculation), device, own_total ? device.reported_total : memory, use);
}

}  // namespace meyasu
