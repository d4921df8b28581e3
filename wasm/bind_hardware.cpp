// The hardware catalog and its search.
#include <emscripten/bind.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "core/hardware/search.hpp"
#include "wasm/convert_device.hpp"
#include "wasm/machine_options.hpp"

namespace meyasu {

using emscripten::val;

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

EMSCRIPTEN_BINDINGS(hardware) {
  emscripten::function("hardware_version", &hardware_version);
  emscripten::function("hardware_search", &hardware_search);
  emscripten::function("hardware_count_in", &hardware_count_in);
  emscripten::function("hardware_named_in", &hardware_named_in);
  emscripten::function("hardware_choices", &hardware_choices);
  emscripten::function("hardware_device", &hardware_device);
}

}  // namespace meyasu
