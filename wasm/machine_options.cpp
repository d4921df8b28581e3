#include "wasm/machine_options.hpp"

#include <string>

namespace meyasu {

using emscripten::val;

const DeviceCatalog& hardware_catalog() {
  static const DeviceCatalog kCatalog = [] {
    auto made = DeviceCatalog::built_in();
    return made ? std::move(made.value()) : DeviceCatalog{};
  }();
  return kCatalog;
}

namespace {

constexpr std::array<std::pair<std::string_view, MacOsVersion>, 2> kMacOs = {
    {{"26", MacOsVersion::tahoe}, {"15", MacOsVersion::sequoia_or_older}}};

/// A size in `unit`; absent leaves the default, zero and less is an error.
void read_size(Options& options, const char* field, Bytes unit, Bytes& target) {
  constexpr double kMost = 1e15;
  double number = 0;
  if (!options.given(field)) return;
  options.read(field, number);
  const double bytes = number * static_cast<double>(unit);
  if (!(bytes >= 1)) return options.fail("not_positive", field);
  if (bytes > kMost) return options.fail("too_large", field);
  target = static_cast<Bytes>(bytes + 0.5);
}

Result<MachineDevice> device_from_js(const val& object) {
  Options options(object);
  MachineDevice result;
  const std::string id = options.text("id").value_or("");
  if (id == "custom") {
    Bytes total = 0;
    double bandwidth = 0;
    read_size(options, "total_mib", kMiB, total);
    options.read("bandwidth_gb_s", bandwidth);
    if (options.error()) return *options.error();
    auto made =
        custom_device(options.text("name").value_or(""), DeviceClass::gpu, total, bandwidth);
    if (!made)
      return total > 0 ? Error{made.error().code, "bandwidth_gb_s", {}}
                       : Error{"total_missing", "total_mib", {}};
    result.device = std::move(made.value());
  } else {
    const Device* known = hardware_catalog().find(id);
    if (known == nullptr) return Error{"device_unknown", "id", id};
    result.device = *known;
    // Only sizes that differ from the largest sold: another total is another card.
    if (!known->memory_options_gib.empty()) {
      read_size(options, "memory_gib", kGiB, result.use.memory);
    }
  }
  options.read("count", result.count);
  if (result.count < 1 || result.count > kMaxDevices) {
    return Error{"gpu_count", "count", "1.." + std::to_string(kMaxDevices)};
  }
  read_size(options, "usable_gib", kGiB, result.use.measured_free);
  read_size(options, "reserve_gib", kGiB, result.use.reserve);
  read_size(options, "overhead_bytes", 1, result.use.measured_overhead);
  options.read("desktop", result.use.drives_a_desktop);
  if (options.error()) return *options.error();
  return result;
}

/// A row of the catalog of one class; an empty id means that nobody said.
void read_class(Options& options, const char* field, DeviceClass device_class,
                std::optional<Device>& target) {
  const auto id = options.text(field);
  if (!id || id->empty()) return;
  const Device* known = hardware_catalog().find(*id);
  if (known == nullptr || known->device_class != device_class) {
    return options.fail("unknown_choice", field);
  }
  target = *known;
}

}  // namespace

Result<Machine> machine_from_js(const val& object) {
  Options options(object);
  Machine machine;
  const val devices = object["devices"];
  const int n_devices = devices.isUndefined() ? 0 : devices["length"].as<int>();
  for (int i = 0; i < n_devices; ++i) {
    auto device = device_from_js(devices[i]);
    if (!device) {
      const Error& error = device.error();
      return Error{error.code, "devices." + std::to_string(i) + "." + error.field, error.detail};
    }
    machine.devices.push_back(std::move(device.value()));
  }
  if (machine.n_devices() > kMaxDevices) {
    return Error{"gpu_count", "devices." + std::to_string(n_devices - 1) + ".count",
                 "1.." + std::to_string(kMaxDevices)};
  }
  machine.os = usual_system(machine);
  options.read("os", kSystems, machine.os);
  options.read("macos", kMacOs, machine.macos);
  read_size(options, "ram_gib", kGiB, machine.ram);
  read_class(options, "ram_class", DeviceClass::ram, machine.ram_class);
  read_class(options, "storage", DeviceClass::storage, machine.storage);
  read_size(options, "storage_free_gb", kGB, machine.storage_free);
  read_class(options, "link", DeviceClass::link, machine.link);
  if (options.error()) return *options.error();
  return machine;
}

}  // namespace meyasu
