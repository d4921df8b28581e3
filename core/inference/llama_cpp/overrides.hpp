// `-ot` (--override-tensor) as it is typed, and the names of devices as llama.cpp prints them.
// Source: parse_tensor_buffer_overrides in common/arg.cpp, release v0.5.0.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/inference/llama_cpp/settings.hpp"

namespace meyasu {

/// "CUDA0", "ROCm1", "Vulkan0", "SYCL0", "Metal", "RPC0": the device at `index` counts those of its
/// own backend before it.
[[nodiscard]] std::string backend_device_name(std::span<const LlamaCppDevice> devices,
                                              std::size_t index);

/// "PATTERN=DEVICE,PATTERN=DEVICE": cut at every comma, then at the first "=", as the runtime does.
/// A device is "CPU", a name of backend_device_name() or a LlamaCppDevice::name.
/// Errors (field "overrides"): override_syntax (detail: the part without "="), override_pattern
/// (detail: the position in its pattern), override_device (detail: the name).
[[nodiscard]] Result<std::vector<TensorOverride>> parse_overrides(
    std::string_view text, std::span<const LlamaCppDevice> devices);

}  // namespace meyasu
