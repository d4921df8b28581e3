#include "core/inference/llama_cpp/overrides.hpp"

#include <algorithm>

#include "core/inference/llama_cpp/weight_pattern.hpp"

namespace meyasu {
namespace {

const char* backend_prefix(LlamaCppBackend backend) {
  switch (backend) {
    case LlamaCppBackend::cuda:
      return "CUDA";
    case LlamaCppBackend::rocm:
      return "ROCm";
    case LlamaCppBackend::vulkan:
      return "Vulkan";
    case LlamaCppBackend::sycl:
      return "SYCL";
    case LlamaCppBackend::metal:
      return "Metal";
    case LlamaCppBackend::rpc:
      return "RPC";
  }
  return "";
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

/// As Terms call it; empty when there is no such device.
std::string known_device(std::string_view name, std::span<const LlamaCppDevice> devices) {
  if (name == "CPU") return "CPU";
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (name == devices[i].name || name == backend_device_name(devices, i)) return devices[i].name;
  }
  return {};
}

}  // namespace

std::string backend_device_name(std::span<const LlamaCppDevice> devices, std::size_t index) {
  const LlamaCppBackend backend = devices[index].backend;
  const auto before =
      std::count_if(devices.begin(), devices.begin() + static_cast<std::ptrdiff_t>(index),
                    [&](const LlamaCppDevice& device) { return device.backend == backend; });
  // A Mac has one device of its backend, without a number.
  if (backend == LlamaCppBackend::metal && before == 0) return backend_prefix(backend);
  return backend_prefix(backend) + std::to_string(before);
}

Result<std::vector<TensorOverride>> parse_overrides(std::string_view text,
                                                    std::span<const LlamaCppDevice> devices) {
  std::vector<TensorOverride> overrides;
  while (!trimmed(text).empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = trimmed(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return Error{"override_syntax", "overrides", std::string(part)};
    }
    TensorOverride entry;
    entry.pattern = part.substr(0, equals);
    const auto pattern = WeightPattern::compile(entry.pattern);
    if (!pattern) return Error{pattern.error().code, "overrides", pattern.error().detail};
    const std::string_view name = part.substr(equals + 1);
    entry.device = known_device(name, devices);
    if (entry.device.empty()) return Error{"override_device", "overrides", std::string(name)};
    overrides.push_back(std::move(entry));
  }
  return overrides;
}

}  // namespace meyasu
