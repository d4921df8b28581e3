// The hardware catalog, its search, and how much of a memory programs can have.
#include <emscripten/bind.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "core/hardware/machine.hpp"
#include "core/hardware/search.hpp"
#include "core/inference/machine.hpp"
#include "wasm/convert.hpp"
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

static val to_js(const Device& device) {
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

static std::string hardware_version() {
  return hardware_catalog().version();
}

static const DeviceSearch& device_search() {
  static const DeviceSearch kSearch(hardware_catalog());
  return kSearch;
}

/// Devices that run models; the rest of the catalog is main memory, disks and links.
static bool computes(const Device& device) {
  return device.device_class == DeviceClass::gpu || device.device_class == DeviceClass::unified;
}

static val computing(const std::vector<std::size_t>& positions, std::size_t limit) {
  val found = val::array();
  int index = 0;
  for (const std::size_t at : positions) {
    const Device& device = hardware_catalog().devices()[at];
    if (computes(device) && static_cast<std::size_t>(index) < limit) {
      found.set(index++, to_js(device));
    }
  }
  return found;
}

static val hardware_search(const std::string& query, double limit) {
  constexpr double kMost = 1e6;
  const auto count = static_cast<std::size_t>(limit > 0 ? std::min(limit, kMost) : 0);
  return computing(device_search().find(query, static_cast<std::size_t>(kMost)), count);
}

static int hardware_count_in(const std::string& query) {
  return read_device_query(query).count;
}

static val hardware_named_in(const std::string& text) {
  return computing(device_search().named_in(text), hardware_catalog().devices().size());
}

static val hardware_choices() {
  const auto of = [](DeviceClass device_class) {
    val list = val::array();
    int index = 0;
    for (const Device& device : hardware_catalog().devices()) {
      if (device.device_class == device_class) list.set(index++, to_js(device));
    }
    return list;
  };
  return object({{"ram", of(DeviceClass::ram)},
                 {"storage", of(DeviceClass::storage)},
                 {"link", of(DeviceClass::link)}});
}

static val hardware_device(const std::string& id) {
  const Device* device = hardware_catalog().find(id);
  return device == nullptr ? val::null() : to_js(*device);
}

static val device_to_js(const Machine& machine, const MachineDevice& device) {
  return object({{"device", to_js(device.device)},
                 {"count", to_js(device.count)},
                 {"desktop", to_js(device.use.drives_a_desktop)},
                 {"capacity", to_js(device_capacity(machine, device))}});
}

static val machine_summary(const val& options) {
  const auto result = machine_from_js(options);
  if (!result) return object({{"ok", to_js(false)}, {"error", to_js(result.error())}});
  const Machine& machine = result.value();
  val devices = val::array();
  int index = 0;
  for (const MachineDevice& device : machine.devices) {
    devices.set(index++, device_to_js(machine, device));
  }
  const auto host = host_capacity(machine);
  return object({{"ok", to_js(true)},
                 {"value", object({{"devices", devices},
                                   {"n_devices", to_js(machine.n_devices())},
                                   {"shares_memory", to_js(shares_memory(machine))},
                                   {"os", name_in(kSystems, machine.os)},
                                   {"backend", name_in(kBackends, usual_backend(machine))},
                                   {"ram", to_js(machine.ram)},
                                   {"host", host ? to_js(host.value()) : val::null()},
                                   {"ram_class", to_js(machine.ram_class)},
                                   {"storage", to_js(machine.storage)},
                                   {"storage_free", to_js(machine.storage_free)},
                                   {"link", to_js(machine.link)}})}});
}

EMSCRIPTEN_BINDINGS(hardware) {
  emscripten::function("hardware_version", &hardware_version);
  emscripten::function("hardware_search", &hardware_search);
  emscripten::function("hardware_count_in", &hardware_count_in);
  emscripten::function("hardware_named_in", &hardware_named_in);
  emscripten::function("hardware_choices", &hardware_choices);
  emscripten::function("hardware_device", &hardware_device);
  emscripten::function("machine_summary", &machine_summary);
}

}  // namespace meyasu
