// The machine all tabs share: how the core understood it, and whether so many bytes go into it.
#include <emscripten/bind.h>

#include <algorithm>

#include "core/fit/machine_fit.hpp"
#include "core/hardware/machine.hpp"
#include "core/inference/machine.hpp"
#include "wasm/convert_device.hpp"
#include "wasm/inference_options.hpp"

namespace meyasu {

using emscripten::val;

static const char* class_name(DeviceClass device_class) {
  switch (device_class) {
    case DeviceClass::gpu:
      return "gpu";
    case DeviceClass::unified:
      return "unified";
    case DeviceClass::accelerator:
      return "accelerator";
    case DeviceClass::ram:
      return "ram";
    case DeviceClass::storage:
      return "storage";
    case DeviceClass::link:
      return "link";
  }
  return "";
}

val to_js(const Device& device) {
  return object({{"id", to_js(device.id)},
                 {"vendor", to_js(device.vendor)},
                 {"name", to_js(device.name)},
                 {"device_class", val(class_name(device.device_class))},
                 {"memory", to_js(device.memory)},
                 {"memory_options_gib", array(device.memory_options_gib)},
                 {"reported_total", to_js(device.reported_total)},
                 {"reported_verified", to_js(device.reported_verified)},
                 {"bandwidth_gb_s", to_js(device.bandwidth_gb_s)},
                 {"n_sm", to_js(device.n_sm)},
                 {"fp16_tflops", to_js(device.fp16_tflops)},
                 {"link", to_js(device.link)},
                 {"confidence", to_js(confidence_name(device.confidence))},
                 {"source", to_js(device.source)}});
}

static val to_js(const UsableCapacity& capacity) {
  return object({{"sold", to_js(capacity.sold)},
                 {"reported", to_js(capacity.reported)},
                 {"usable", to_js(capacity.usable)},
                 {"reason", to_js(capacity.reason)}});
}

static val device_to_js(const Machine& machine, const MachineDevice& device) {
  return object({{"device", to_js(device.device)},
                 {"count", to_js(device.count)},
                 {"desktop", to_js(device.use.drives_a_desktop)},
                 {"capacity", to_js(device_capacity(machine, device))}});
}

static val machine_summary(const val& options) {
  const auto result = machine_from_js(options);
  if (!result) return failed(result.error());
  const Machine& machine = result.value();
  val devices = val::array();
  int index = 0;
  for (const MachineDevice& device : machine.devices) {
    devices.set(index++, device_to_js(machine, device));
  }
  const auto host = host_capacity(machine);
  return succeeded(object({{"devices", devices},
                           {"n_devices", to_js(machine.n_devices())},
                           {"shares_memory", to_js(shares_memory(machine))},
                           {"os", name_in(kSystems, machine.os)},
                           {"backend", name_in(kBackends, usual_backend(machine))},
                           {"ram", to_js(machine.ram)},
                           {"host", host ? to_js(host.value()) : val::null()},
                           {"ram_class", to_js(machine.ram_class)},
                           {"storage", to_js(machine.storage)},
                           {"storage_free", to_js(machine.storage_free)},
                           {"link", to_js(machine.link)}}));
}

static val machine_fit(const val& machine, double bytes) {
  const auto read = machine_from_js(machine);
  if (!read) return failed(read.error());
  constexpr double kMost = 1e18;
  return to_js(fit_machine(read.value(), static_cast<Bytes>(std::clamp(bytes, 0.0, kMost))));
}

EMSCRIPTEN_BINDINGS(machine) {
  emscripten::function("machine_summary", &machine_summary);
  emscripten::function("machine_fit", &machine_fit);
}

}  // namespace meyasu
