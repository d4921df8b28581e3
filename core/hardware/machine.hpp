// The machine that a question is about: its devices, main memory, disk, link and system, with how
// much of each a program can have. All tabs ask about the same machine.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/hardware/capacity.hpp"

namespace meyasu {

/// `count` devices of one kind that are used alike.
struct MachineDevice {
  Device device;
  std::int64_t count = 1;
  MachineUse use;  // os and macos are those of the machine
};

struct Machine {
  std::vector<MachineDevice> devices;  // in the order in which runtimes list them; empty: CPU only
  OperatingSystem os = OperatingSystem::gnu_linux;
  MacOsVersion macos = MacOsVersion::tahoe;
  Bytes ram = 0;                    // main memory as sold; 0: unknown
  std::optional<Device> ram_class;  // its bandwidth; absent: unknown
  std::optional<Device> storage;    // the disk that holds the model
  Bytes storage_free = 0;           // 0: unknown
  std::optional<Device> link;       // between host and devices; absent: what the device itself has

  [[nodiscard]] std::int64_t n_devices() const;
};

/// Most devices of a machine: GGML_CUDA_MAX_DEVICES.
inline constexpr std::int64_t kMaxDevices = 16;

/// Whether devices and CPU have one memory.
[[nodiscard]] bool shares_memory(const Machine& machine);

/// What one of the devices can give; the same for each of its `count`.
/// Errors: those of usable_capacity.
[[nodiscard]] Result<UsableCapacity> device_capacity(const Machine& machine,
                                                     const MachineDevice& device);

/// What programs can have of main memory. A machine whose devices share their memory with the CPU
/// has no other: its host gets what the devices cannot take, less what the system needs.
/// Error (code, field): ram_unknown ram, when no size is given, or when nothing is left.
[[nodiscard]] Result<UsableCapacity> host_capacity(const Machine& machine);

/// Bytes of main memory that an estimate is judged by; 0: not stated, and devices take the model.
/// Errors: those of host_capacity where there is no device, so that nothing else can take it.
[[nodiscard]] Result<Bytes> host_room(const Machine& machine);

/// macOS for Apple's devices, else Linux.
[[nodiscard]] OperatingSystem usual_system(const Machine& machine);

}  // namespace meyasu
