#include "core/hardware/machine.hpp"

#include <algorithm>

namespace meyasu {
namespace {

/// Main memory for usable_capacity, which takes off what the system needs.
Device main_memory(Bytes size) {
  Device memory;
  memory.id = "host";
  memory.device_class = DeviceClass::ram;
  memory.memory = size;
  return memory;
}

}  // namespace

std::int64_t Machine::n_devices() const {
  std::int64_t sum = 0;
  for (const MachineDevice& device : devices) sum += device.count;
  return sum;
}

bool shares_memory(const Machine& machine) {
  return std::any_of(machine.devices.begin(), machine.devices.end(), [](const MachineDevice& it) {
    return it.device.device_class == DeviceClass::unified;
  });
}

Result<UsableCapacity> device_capacity(const Machine& machine, const MachineDevice& device) {
  MachineUse use = device.use;
  use.os = machine.os;
  use.macos = machine.macos;
  return usable_capacity(device.device, use);
}

Result<UsableCapacity> host_capacity(const Machine& machine) {
  for (const MachineDevice& device : machine.devices) {
    if (device.device.device_class != DeviceClass::unified) continue;
    const auto shared = device_capacity(machine, device);
    if (!shared) return shared.error();
    const UsableCapacity& of_device = shared.value();
    auto whole = usable_capacity(main_memory(of_device.sold), {});
    if (!whole) return whole.error();
    Term& left = whole.value().usable;
    const Bytes taken = of_device.reported;
    if (left.bytes <= taken) return Error{"ram_unknown", "ram", {}};
    left.low = std::max<Bytes>(left.low - taken, 0);
    left.bytes -= taken;
    left.high -= taken;
    left.formula.expression += " - reported_by_device";
    left.formula.inputs.push_back(
        {"reported_by_device", static_cast<double>(taken) / static_cast<double>(kMiB), "MiB"});
    whole.value().reason = "shared_memory";
    return whole;
  }
  if (machine.ram == 0) return Error{"ram_unknown", "ram", {}};
  if (machine.ram < 0) return Error{"not_positive", "ram", {}};
  return usable_capacity(main_memory(machine.ram), {});
}

Result<Bytes> host_room(const Machine& machine) {
  const auto host = host_capacity(machine);
  if (host) return host.value().usable.bytes;
  if (machine.devices.empty()) return host.error();
  return Bytes{0};
}

OperatingSystem usual_system(const Machine& machine) {
  const bool apple =
      std::any_of(machine.devices.begin(), machine.devices.end(),
                  [](const MachineDevice& it) { return it.device.vendor == "Apple"; });
  return apple ? OperatingSystem::macos : OperatingSystem::gnu_linux;
}

}  // namespace meyasu
