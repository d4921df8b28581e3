#include "core/inference/machine.hpp"

#include <cstddef>
#include <string>

namespace meyasu {

LlamaCppBackend usual_backend(const Device& device) {
  if (device.vendor == "NVIDIA") return LlamaCppBackend::cuda;
  if (device.vendor == "AMD") return LlamaCppBackend::rocm;
  if (device.vendor == "Apple") return LlamaCppBackend::metal;
  return LlamaCppBackend::vulkan;
}

LlamaCppBackend usual_backend(const Machine& machine) {
  if (machine.devices.empty()) return LlamaCppBackend::cuda;
  const LlamaCppBackend first = usual_backend(machine.devices.front().device);
  for (const MachineDevice& device : machine.devices) {
    if (usual_backend(device.device) != first) return LlamaCppBackend::vulkan;
  }
  return first;
}

LlamaCppDevice llama_cpp_device(const Device& device, LlamaCppBackend backend, Bytes total,
                                bool drives_a_desktop) {
  LlamaCppDevice result;
  result.backend = backend;
  const bool cuda_code = backend == LlamaCppBackend::cuda || backend == LlamaCppBackend::rocm;
  result.alignment = cuda_code ? 128 : 32;
  result.async_events = backend != LlamaCppBackend::metal;
  result.total = total;
  result.n_sm = device.n_sm;
  result.threads_per_sm = device.threads_per_sm();
  result.drives_a_desktop = drives_a_desktop;
  return result;
}

Result<std::vector<LlamaCppDevice>> llama_cpp_devices(const Machine& machine,
                                                      LlamaCppBackend backend) {
  std::vector<LlamaCppDevice> devices;
  for (std::size_t i = 0; i < machine.devices.size(); ++i) {
    MachineDevice kind = machine.devices[i];
    kind.use.vulkan = backend == LlamaCppBackend::vulkan;
    const auto capacity = device_capacity(machine, kind);
    if (!capacity) {
      const Error& error = capacity.error();
      return Error{error.code, "machine.devices." + std::to_string(i) + ".reserve_gib",
                   error.detail};
    }
    const Bytes usable = capacity.value().usable.bytes;
    for (std::int64_t n = 0; n < kind.count; ++n) {
      LlamaCppDevice& device = devices.emplace_back(
          llama_cpp_device(kind.device, backend, usable, kind.use.drives_a_desktop));
      device.name = "gpu" + std::to_string(devices.size() - 1);
      device.free = usable;
      device.measured_overhead = kind.use.measured_overhead;
    }
  }
  return devices;
}

}  // namespace meyasu
