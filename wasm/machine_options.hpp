// The machine of the page (MachineOptions in web/core-types.d.ts) as the core's Machine: one
// reading for every tab.
#pragma once

#include <emscripten/val.h>

#include <array>
#include <string_view>
#include <utility>

#include "core/hardware/machine.hpp"
#include "wasm/options.hpp"

namespace meyasu {

inline constexpr std::array<std::pair<std::string_view, OperatingSystem>, 3> kSystems = {{
    {"linux", OperatingSystem::gnu_linux},
    {"windows", OperatingSystem::windows},
    {"macos", OperatingSystem::macos},
}};

/// Built on first use.
const DeviceCatalog& hardware_catalog();

/// Errors: those of Options; device_unknown, device_zero, gpu_count, not_positive. The field names
/// the input and, of a device, its place: "devices.0.count".
Result<Machine> machine_from_js(const emscripten::val& object);

}  // namespace meyasu
