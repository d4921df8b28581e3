#include "core/study/reverse.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "core/inference/machine.hpp"
#include "core/study/sweep.hpp"
#include "core/units/sort.hpp"

namespace meyasu {
namespace {

constexpr std::array<std::int64_t, 7> kCounts = {1, 2, 3, 4, 6, 8, 16};

/// The sizes that a device is sold with.
std::vector<Bytes> sizes_of(const Device& device) {
  if (device.memory_options_gib.empty()) return {device.memory};
  std::vector<Bytes> sizes;
  for (const int gib : device.memory_options_gib) sizes.push_back(gib * kGiB);
  return sizes;
}

bool runs_llama_cpp(const Device& device) {
  const bool computes =
      device.device_class == DeviceClass::gpu || device.device_class == DeviceClass::unified;
  return computes && device.memory > 0;
}

/// A machine with shared memory is one device; of the slices of a device a program sees one.
bool stands_alone(const Device& device) {
  return device.device_class == DeviceClass::unified || !device.slice_of.empty();
}

MachineUse usual_use(const Device& device, Bytes size) {
  MachineUse use;
  if (size != device.memory) use.memory = size;
  if (device.vendor == "Apple") use.os = OperatingSystem::macos;
  use.vulkan = usual_backend(device) == LlamaCppBackend::vulkan;
  return use;
}

DeviceChoice candidate(const Device& device, Bytes size, std::int64_t n, Bytes usable) {
  DeviceChoice choice;
  choice.device = &device;
  choice.memory = size;
  choice.n = n;
  choice.usable = usable;
  return choice;
}

/// Candidates of one device and size stand together, fewest first.
void add_candidates(const Device& device, Bytes size, std::vector<DeviceChoice>& choices,
                    std::vector<SweepMachine>& machines) {
  const MachineUse use = usual_use(device, size);
  const auto capacity = usable_capacity(device, use);
  if (!capacity) return;
  const Bytes usable = capacity.value().usable.bytes;
  for (const std::int64_t n : kCounts) {
    if (stands_alone(device) && n > 1) return;
    choices.push_back(candidate(device, size, n, usable));
    machines.push_back(
        {llama_cpp_device(device, usual_backend(device), usable, false), n, usable, 0, use.os});
  }
}

void sort_choices(std::vector<DeviceChoice>& choices) {
  const auto key = [](const DeviceChoice& it) {
    return std::tuple(it.verdict == Verdict::over, it.capacity(), it.n, it.device->id);
  };
  sort_items(choices,
             [&](const DeviceChoice& a, const DeviceChoice& b) { return key(a) < key(b); });
}

/// How fast each of the choices runs. What is read where depends on the number of devices alone.
void add_speeds(const Model& model, const LlamaCppSettings& settings, const SpeedWorkload& workload,
                std::vector<DeviceChoice>& choices) {
  struct Split {
    LlamaCppSettings settings;
    std::optional<SpeedWork> work;
  };
  std::map<std::int64_t, Split> splits;
  for (DeviceChoice& choice : choices) {
    if (choice.verdict == Verdict::over) continue;
    auto known = splits.find(choice.n);
    if (known == splits.end()) {
      Split split{settings, std::nullopt};
      split.settings.devices.clear();
      for (std::int64_t i = 0; i < choice.n; ++i) {
        split.settings.devices.emplace_back().name = "gpu" + std::to_string(i);
      }
      auto work = speed_work(model, split.settings, workload);
      if (work) split.work = std::move(work.value());
      known = splits.emplace(choice.n, std::move(split)).first;
    }
    if (!known->second.work) continue;
    SpeedMachine machine;
    machine.gpus.assign(static_cast<std::size_t>(choice.n), *choice.device);
    if (choice.device->device_class == DeviceClass::unified) {
      machine.host_gb_s = choice.device->bandwidth_gb_s;
    }
    const auto speed =
        estimate_speed(*known->second.work, known->second.settings, machine, workload);
    if (speed) choice.decode_tok_s = speed.value().decode_tok_s;
  }
}

/// vLLM, SGLang and TensorRT-LLM: NVIDIA from Volta on, AMD's Instinct cards but for TensorRT-LLM.
bool runs_server(const Device& device, ServingRuntime runtime) {
  constexpr double kVolta = 7.0;
  if (!runs_llama_cpp(device)) return false;
  if (device.vendor == "NVIDIA") return device.compute_capability >= kVolta;
  return device.vendor == "AMD" && device.name.starts_with("Instinct") &&
         runtime != ServingRuntime::tensorrt_llm;
}

bool equal_devices(const LlamaCppSettings& settings, const MachineRoom& room) {
  return std::all_of(settings.devices.begin(), settings.devices.end(),
                     [&](const LlamaCppDevice& device) {
                       const LlamaCppDevice& first = settings.devices.front();
                       return device.backend == first.backend && device.n_sm == first.n_sm &&
                              device.drives_a_desktop == first.drives_a_desktop &&
                              (room.gpu_usable > 0 || device.free == first.free);
                     });
}

}  // namespace

Result<std::vector<DeviceChoice>> devices_that_run(InferenceStudy& study, std::string_view mix,
                                                   const LlamaCppSettings& settings,
                                                   const SpeedWorkload& workload,
                                                   const DeviceCatalog& catalog) {
  const auto quantized = study.quantized_model(mix);
  if (!quantized) return quantized.error();
  std::vector<DeviceChoice> candidates;
  std::vector<SweepMachine> machines;
  for (const Device& device : catalog.devices()) {
    if (!runs_llama_cpp(device)) continue;
    for (const Bytes size : sizes_of(device)) add_candidates(device, size, candidates, machines);
  }
  const std::array<const Model*, 1> models = {quantized.value()};
  const std::array<std::string_view, 1> mixes = {kAsInFile};
  const std::array<std::int64_t, 1> contexts = {settings.n_ctx};
  SweepAxes axes{models, mixes, contexts, machines, settings};
  const auto grid = sweep(axes);
  if (!grid) return grid.error();

  std::vector<DeviceChoice> choices;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::uint8_t verdict = grid.value().verdict[i];
    if (verdict == SweepGrid::kImpossible) continue;
    DeviceChoice choice = candidates[i];
    choice.needed = grid.value().device[i];
    choice.margin = grid.value().margin[i];
    choice.verdict = static_cast<Verdict>(verdict);
    const bool same = !choices.empty() && choices.back().device == choice.device &&
                      choices.back().memory == choice.memory;
    if (!same) {
      choices.push_back(choice);
    } else if (choices.back().verdict == Verdict::over) {
      choices.back() = choice;
    }
  }
  add_speeds(*quantized.value(), settings, workload, choices);
  sort_choices(choices);
  return choices;
}

Result<std::vector<DeviceChoice>> devices_that_serve(InferenceStudy& study, std::string_view format,
                                                     const ServingSettings& settings,
                                                     const SpeedWorkload& workload,
                                                     const DeviceCatalog& catalog) {
  const auto bytes = study.tensor_bytes(format);
  if (!bytes) return bytes.error();
  std::vector<DeviceChoice> choices;
  for (const Device& device : catalog.devices()) {
    if (!runs_server(device, settings.runtime)) continue;
    for (const Bytes size : sizes_of(device)) {
      const auto capacity = usable_capacity(device, usual_use(device, size));
      if (!capacity) continue;
      ServingSettings asked = settings;
      asked.device_total = capacity.value().usable.bytes;
      asked.is_a100 = names_a100(device.name);
      std::optional<DeviceChoice> found;
      for (const std::int64_t n : kCounts) {
        if (stands_alone(device) && n > 1) break;
        asked.parallel = {.tp = n};
        const auto estimate = study.serving(format, asked);
        if (!estimate) continue;  // heads that n does not divide
        found = candidate(device, size, n, asked.device_total);
        found->margin = pool_margin(estimate.value(), settings.users);
        found->needed = found->usable - found->margin;
        if (!serves(estimate.value(), settings.users)) continue;
        found->verdict = Verdict::fits;
        const auto speed = study.serving_speed(format, asked, device, workload);
        if (speed) found->decode_tok_s = speed.value().decode_tok_s;
        break;
      }
      if (found) choices.push_back(*found);
    }
  }
  sort_choices(choices);
  return choices;
}

std::vector<std::optional<FormatFit>> best_formats(const Model& model,
                                                   std::span<const std::int64_t> contexts,
                                                   const LlamaCppSettings& settings,
                                                   const MachineRoom& room) {
  std::vector<std::optional<FormatFit>> best(contexts.size());
  const auto offer = [&](std::size_t context, std::string_view mix, Verdict verdict, Bytes margin) {
    if (!best[context] && verdict != Verdict::over) best[context] = FormatFit{mix, verdict, margin};
  };
  if (equal_devices(settings, room)) {
    SweepMachine machine;
    machine.n_gpu = static_cast<std::int64_t>(settings.devices.size());
    if (!settings.devices.empty()) {
      machine.device = settings.devices.front();
      machine.gpu_usable = room.gpu_usable > 0 ? room.gpu_usable : machine.device.free;
    }
    machine.host_usable = room.host_usable;
    machine.os = settings.os;
    const std::array<const Model*, 1> models = {&model};
    const std::array<SweepMachine, 1> machines = {machine};
    const auto grid = sweep({models, kMapMixes, contexts, machines, settings});
    if (!grid) return best;
    for (std::size_t mix = 0; mix < kMapMixes.size(); ++mix) {
      for (std::size_t context = 0; context < contexts.size(); ++context) {
        const std::size_t at = grid.value().at(0, mix, context, 0);
        const std::uint8_t verdict = grid.value().verdict[at];
        if (verdict == SweepGrid::kImpossible) continue;
        offer(context, kMapMixes[mix], static_cast<Verdict>(verdict), grid.value().margin[at]);
      }
    }
    return best;
  }
  InferenceStudy study(model);
  for (const std::string_view mix : kMapMixes) {
    for (std::size_t context = 0; context < contexts.size(); ++context) {
      if (best[context]) continue;
      LlamaCppSettings asked = settings;
      asked.n_ctx = contexts[context];
      const auto estimate = study.llama_cpp(mix, asked);
      if (!estimate) continue;
      const auto devices = fit_devices(estimate.value(), asked, room);
      const auto tightest = static_cast<std::size_t>(tightest_device(devices));
      offer(context, mix, worst_verdict(devices), devices[tightest].fit.margin());
    }
  }
  return best;
}

}  // namespace meyasu
