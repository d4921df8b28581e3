#include "core/hardware/hardware.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "core/readers/json.hpp"

namespace meyasu {
namespace {

constexpr std::array<std::pair<std::string_view, DeviceClass>, 6> kClasses = {{
    {"gpu", DeviceClass::gpu},
    {"unified", DeviceClass::unified},
    {"accelerator", DeviceClass::accelerator},
    {"ram", DeviceClass::ram},
    {"storage", DeviceClass::storage},
    {"link", DeviceClass::link},
}};
constexpr std::array<std::pair<std::string_view, SharedMemory>, 5> kShared = {{
    {"apple", SharedMemory::apple},
    {"gb10", SharedMemory::gb10},
    {"thor", SharedMemory::thor},
    {"jetson", SharedMemory::jetson},
    {"apu", SharedMemory::apu},
}};

template <class Value, std::size_t n>
bool choose(const std::array<std::pair<std::string_view, Value>, n>& names, const JsonValue* text,
            Value& value) {
  if (text == nullptr) return false;
  for (const auto& [name, candidate] : names) {
    if (name == text->text()) {
      value = candidate;
      return true;
    }
  }
  return false;
}

double number(const JsonValue& row, std::string_view key, double fallback = 0) {
  const JsonValue* value = row.find(key);
  return value == nullptr ? fallback : value->as_double().value_or(fallback);
}

std::string text(const JsonValue& row, std::string_view key) {
  const JsonValue* value = row.find(key);
  return value == nullptr ? std::string() : value->text();
}

Bytes mebibytes(const JsonValue& row, std::string_view key) {
  const JsonValue* value = row.find(key);
  return value == nullptr ? 0 : value->as_integer().value_or(0) * kMiB;
}

void read_memory(const JsonValue& row, Device& device) {
  device.memory = static_cast<Bytes>(number(row, "gib") * static_cast<double>(kGiB));
  device.reported_total = mebibytes(row, "mib");
  if (const JsonValue* seen = row.find("seen")) {
    device.reported_verified = seen->as_bool().value_or(false);
  }
  if (const JsonValue* options = row.find("options")) {
    for (const JsonValue& option : options->items()) {
      device.memory_options_gib.push_back(static_cast<int>(option.as_integer().value_or(0)));
    }
  }
  if (const JsonValue* also = row.find("also")) {
    for (const JsonValue& other : also->items()) {
      device.reported_alternatives.push_back(other.as_integer().value_or(0) * kMiB);
    }
  }
}

void read_speed(const JsonValue& row, Device& device) {
  device.bandwidth_gb_s = number(row, "gb_s");
  device.write_gb_s = number(row, "write_gb_s");
  device.n_sm = static_cast<int>(number(row, "sm"));
  device.compute_capability = number(row, "cc");
  device.power_w = number(row, "watts");
  device.fp16_tflops = number(row, "fp16");
  device.bf16_tflops = number(row, "bf16", device.fp16_tflops);
  device.fp8_tflops = number(row, "fp8");
  device.fp4_tflops = number(row, "fp4");
  device.int8_tops = number(row, "int8");
  device.fp32_tflops = number(row, "fp32");
  device.link = text(row, "link");
  device.peer_gb_s = number(row, "peer_gb_s");
}

}  // namespace

int Device::threads_per_sm() const {
  const double cc = compute_capability;
  const auto is = [&](double version) { return std::abs(cc - version) < 0.01; };
  if (is(7.5)) return 1024;
  const bool data_center = is(8.0) || is(9.0) || (cc > 9.9 && cc < 10.9);
  const bool before_turing = cc > 0 && cc < 7.4;
  return data_center || before_turing ? 2048 : 1536;
}

Result<DeviceCatalog> DeviceCatalog::parse(std::string_view json) {
  Result<JsonValue> root = parse_json(json, "devices");
  if (!root) return root.error();
  const JsonValue* sources = root.value().find("sources");
  const JsonValue* groups = root.value().find("groups");
  if (sources == nullptr || groups == nullptr) return Error{"damaged", "devices", "groups"};
  DeviceCatalog catalog;
  catalog.version_ = text(root.value(), "version");
  for (const JsonValue& group : groups->items()) {
    DeviceClass device_class = DeviceClass::gpu;
    const JsonValue* rows = group.find("devices");
    if (rows == nullptr || !choose(kClasses, group.find("class"), device_class)) {
      return Error{"damaged", "devices", text(group, "vendor")};
    }
    for (const JsonValue& row : rows->items()) {
      Device device;
      device.id = text(row, "id");
      device.vendor = text(group, "vendor");
      device.name = text(row, "name");
      device.device_class = device_class;
      read_memory(row, device);
      read_speed(row, device);
      device.slice_of = text(row, "of");
      device.confidence = confidence_from(text(row, "confidence"));
      const JsonValue* source = sources->find(text(row, "src"));
      const bool shares = choose(kShared, row.find("memory"), device.shared) ==
                          (device_class == DeviceClass::unified);
      if (device.id.empty() || source == nullptr || !shares || device.bandwidth_gb_s <= 0) {
        return Error{"damaged", "devices", device.id};
      }
      device.source = source->text();
      catalog.devices_.push_back(std::move(device));
    }
  }
  return catalog;
}

Result<DeviceCatalog> DeviceCatalog::built_in() {
  return parse(built_in_devices_json());
}

const Device* DeviceCatalog::find(std::string_view id) const {
  for (const Device& device : devices_) {
    if (device.id == id) return &device;
  }
  return nullptr;
}

double link_gb_s(std::string_view link) {
  constexpr double kPerLane3 = 0.985;
  if (link.size() < 5 || link[0] < '1' || link[0] > '7') return 0;
  const std::size_t at = link.find('x');
  if (at == std::string_view::npos) return 0;
  double lanes = 0;
  for (const char c : link.substr(at + 1)) {
    if (c < '0' || c > '9') break;
    lanes = 10 * lanes + (c - '0');
  }
  return lanes * kPerLane3 * std::exp2(link[0] - '3');
}

Result<Device> custom_device(std::string name, DeviceClass device_class, Bytes total,
                             double bandwidth_gb_s) {
  if (total <= 0) return Error{"device_zero", "device", std::move(name)};
  if (!(bandwidth_gb_s >= 0)) return Error{"not_positive", "bandwidth", std::move(name)};
  Device device;
  device.id = "custom";
  device.name = std::move(name);
  device.vendor = "generic";
  device.device_class = device_class;
  device.memory = total;
  device.reported_total = total;
  device.bandwidth_gb_s = bandwidth_gb_s;
  device.source = "entered by hand";
  return device;
}

}  // namespace meyasu
