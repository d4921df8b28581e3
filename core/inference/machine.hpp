// From a device of the hardware catalog to what llama.cpp sees of it.
#pragma once

#include <vector>

#include "core/hardware/machine.hpp"
#include "core/inference/llama_cpp/settings.hpp"

namespace meyasu {

/// The backend that releases for this vendor are built with.
[[nodiscard]] LlamaCppBackend usual_backend(const Device& device);
/// The one that all devices of the machine have in common: Vulkan for several makers.
[[nodiscard]] LlamaCppBackend usual_backend(const Machine& machine);

/// `total` is what programs see of the memory. Buffers of CUDA and ROCm (the same code) align
/// tensors to 128 bytes, the other backends to 32; Metal has no events for pipeline copies.
[[nodiscard]] LlamaCppDevice llama_cpp_device(const Device& device, LlamaCppBackend backend,
                                              Bytes total, bool drives_a_desktop);

/// All devices of the machine as llama.cpp lists them, "gpu0" first, each with what is free of it.
/// Errors: those of device_capacity, in field "machine.devices.0.reserve_gib".
[[nodiscard]] Result<std::vector<LlamaCppDevice>> llama_cpp_devices(const Machine& machine,
                                                                    LlamaCppBackend backend);

}  // namespace meyasu
