#include "core/study/sweep.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/inference/llama_cpp/overhead.hpp"
#include "core/quantization/mix.hpp"
#include "core/study/study.hpp"

namespace meyasu {
namespace {

constexpr std::size_t kMaxDevices = 16;  // GGML_CUDA_MAX_DEVICES

/// What lies on one place: the likely amount and the ends of its range.
struct Amounts {
  Bytes low = 0;
  Bytes likely = 0;
  Bytes high = 0;

  void operator+=(const Amounts& more) {
    low += more.low;
    likely += more.likely;
    high += more.high;
  }
};

bool is_weights(const Term& term) {
  return term.id == "weights" || term.id == "weights_mapped" || term.id == "weights_repacked";
}
/// The part that follows from the machine alone.
bool is_overhead(const Term& term) {
  return term.id == "runtime_context" || term.id == "runtime_overhead";
}

/// Machines that llama.cpp allocates the same buffers on: estimates are shared among them.
struct MachineClass {
  LlamaCppSettings settings;
  std::vector<std::size_t> machines;  // indices into SweepAxes::machines
};

/// CUDA and ROCm are one code (core/inference asks for nothing else of a backend); with a single
/// device no events are needed. The shares of drivers, which differ, are added afterwards.
bool same_buffers(const LlamaCppSettings& a, const LlamaCppSettings& b) {
  if (a.devices.size() != b.devices.size() || a.os != b.os) return false;
  if (a.devices.empty()) return true;
  const LlamaCppDevice& x = a.devices.front();
  const LlamaCppDevice& y = b.devices.front();
  const auto cuda_code = [](const LlamaCppDevice& device) {
    return device.backend == LlamaCppBackend::cuda || device.backend == LlamaCppBackend::rocm;
  };
  return cuda_code(x) == cuda_code(y) && x.alignment == y.alignment &&
         x.op_offload == y.op_offload &&
         (x.async_events == y.async_events || a.devices.size() == 1);
}

LlamaCppSettings settings_on(const LlamaCppSettings& settings, const SweepMachine& machine) {
  LlamaCppSettings result = settings;
  result.os = machine.os;
  result.devices.clear();
  for (std::int64_t i = 0; i < machine.n_gpu; ++i) {
    result.devices.push_back(machine.device);
    result.devices.back().name = "gpu" + std::to_string(i);
    result.devices.back().free = 0;  // equal devices: equal shares
  }
  return result;
}

std::vector<MachineClass> classes_of(const SweepAxes& axes) {
  std::vector<MachineClass> classes;
  for (std::size_t i = 0; i < axes.machines.size(); ++i) {
    LlamaCppSettings settings = settings_on(axes.settings, axes.machines[i]);
    const auto known = std::find_if(classes.begin(), classes.end(), [&](const MachineClass& it) {
      return same_buffers(it.settings, settings);
    });
    if (known == classes.end()) {
      classes.push_back({std::move(settings), {i}});
    } else {
      known->machines.push_back(i);
    }
  }
  return classes;
}

Amounts overhead_amounts(const SweepMachine& machine, const OverheadInputs& inputs) {
  const DeviceOverhead overhead = llama_cpp_overhead(machine.device, machine.os, inputs);
  Amounts amounts{overhead.context.low, overhead.context.likely, overhead.context.high};
  amounts += {overhead.rest.low, overhead.rest.likely, overhead.rest.high};
  return amounts;
}

/// Amounts per place: GPUs in order, the host last.
using Places = std::array<Amounts, kMaxDevices + 1>;

struct Rest {
  bool possible = false;
  Places places;
  OverheadInputs overhead;
};

class ModelSweep {
 public:
  /// `overheads`: what each machine's driver keeps, whatever the model.
  ModelSweep(const SweepAxes& axes, const std::vector<MachineClass>& classes,
             std::span<const Amounts> overheads, const Model& model)
      : axes_(axes),
        classes_(classes),
        overheads_(overheads),
        source_(model),
        model_(model),
        plan_(source_) {
    for (const Tensor& tensor : model.tensors) {
      if (tensor.name == "output.weight") head_ = &tensor - model.tensors.data();
      if (tensor.name == "token_embd.weight" && head_ < 0) head_ = &tensor - model.tensors.data();
    }
  }

  void run(SweepGrid& grid, std::size_t index) {
    std::vector<std::vector<Rest>> rests(classes_.size());
    for (std::size_t mix = 0; mix < axes_.mixes.size(); ++mix) {
      if (!quantize(axes_.mixes[mix])) continue;
      std::optional<LlamaCppEstimator> estimator;  // of this mix, for all classes
      for (std::size_t i = 0; i < classes_.size(); ++i) {
        const LlamaCppSettings& settings = classes_[i].settings;
        // With every block on GPUs no weight passes through a compute buffer, so that the buffers
        // of one mix are those of all. What stays on the host is copied there in the mix's types.
        if (rests[i].empty() || !whole_on_gpus(settings)) {
          if (!estimator) estimator.emplace(model_);
          rests[i] = rests_of(*estimator, settings);
        }
        Places weights;
        if (!weights_of(settings, weights)) continue;
        for (std::size_t context = 0; context < axes_.contexts.size(); ++context) {
          const Rest& rest = rests[i][context];
          if (!rest.possible) continue;
          fill(grid, classes_[i], weights, rest, grid.at(index, mix, context, 0));
        }
      }
    }
  }

 private:
  static bool whole_on_gpus(const LlamaCppSettings& settings) {
    return !settings.devices.empty() && settings.n_gpu_layers < 0 && settings.offload_kv &&
           settings.overrides.empty() && !settings.cpu_moe && settings.n_cpu_moe == 0;
  }

  bool quantize(std::string_view name) {
    if (name == kAsInFile) {
      for (std::size_t i = 0; i < model_.tensors.size(); ++i) {
        model_.tensors[i].type = source_.tensors[i].type;
      }
      return true;
    }
    auto mix = mix_from_name(name);
    mix->options.imatrix = ftype_info(mix->ftype).requires_imatrix;
    const auto types = plan_.quantize(mix->ftype, mix->options);
    if (!types) return false;
    for (std::size_t i = 0; i < model_.tensors.size(); ++i) {
      model_.tensors[i].type = types.value().types[i];
    }
    return true;
  }

  static std::size_t place_of(const LlamaCppSettings& settings, int device) {
    return device == kHost ? settings.devices.size() : static_cast<std::size_t>(device);
  }

  bool weights_of(const LlamaCppSettings& settings, Places& places) const {
    LlamaCppSettings at = settings;
    at.n_ctx = axes_.contexts.front();
    const auto context = normalize(at, model_);
    if (!context) return false;
    const auto placement = place_weights(model_, at, context.value());
    if (!placement) return false;
    for (const WeightBuffer& buffer : placement.value().buffers) {
      places[place_of(settings, buffer.device)] += {buffer.bytes, buffer.bytes, buffer.bytes};
    }
    return true;
  }

  /// All terms but the weights and the driver's share, for every context.
  std::vector<Rest> rests_of(LlamaCppEstimator& estimator, const LlamaCppSettings& settings) const {
    std::vector<Rest> rests(axes_.contexts.size());
    LlamaCppSettings at = settings;
    for (std::size_t i = 0; i < rests.size(); ++i) {
      at.n_ctx = axes_.contexts[i];
      const auto estimate = estimator.estimate(at);
      if (!estimate) continue;
      rests[i].possible = true;
      for (const Term& term : estimate.value().terms) {
        if (is_weights(term) || is_overhead(term)) continue;
        std::size_t place = 0;
        while (place < at.devices.size() && at.devices[place].name != term.device) ++place;
        rests[i].places[place] += {term.low, term.bytes, term.high};
      }
      rests[i].overhead.n_ctx = estimate.value().context.n_ctx;
      rests[i].overhead.kv_scratch_per_layer = kv_scratch(estimate.value(), at, rests[i].overhead);
    }
    return rests;
  }

  /// What builds before v0.5.0 convert outside the compute buffer: the part of the overhead's upper
  /// end that the machine does not explain.
  [[nodiscard]] Bytes kv_scratch(const LlamaCppEstimate& estimate, const LlamaCppSettings& settings,
                                 OverheadInputs inputs) const {
    if (settings.release >= LlamaCppRelease::v0_5_0 || settings.devices.empty()) return 0;
    inputs.output_weight = output_weight();
    const LlamaCppDevice& device = settings.devices.front();
    const Bytes without = llama_cpp_overhead(device, settings.os, inputs).rest.high;
    for (const Term& term : estimate.terms) {
      if (term.id == "runtime_overhead" && term.device == device.name) return term.high - without;
    }
    return 0;
  }

  [[nodiscard]] Bytes output_weight() const {
    return head_ < 0 ? 0 : model_.tensors[static_cast<std::size_t>(head_)].bytes();
  }

  [[nodiscard]] Amounts overhead_of(std::size_t index, OverheadInputs inputs) const {
    const SweepMachine& machine = axes_.machines[index];
    if (!overhead_depends_on(machine.device, inputs)) return overheads_[index];
    inputs.output_weight = output_weight();
    return overhead_amounts(machine, inputs);
  }

  void fill(SweepGrid& grid, const MachineClass& machines, const Places& weights, const Rest& rest,
            std::size_t first) const {
    const std::size_t n_gpu = machines.settings.devices.size();
    Places sum = rest.places;
    for (std::size_t place = 0; place <= n_gpu; ++place) sum[place] += weights[place];
    const Amounts host = sum[n_gpu];
    // Equal GPUs have equal room: the fullest is the tightest, and its range is the widest shown.
    std::size_t fullest = 0;
    for (std::size_t place = 1; place < n_gpu; ++place) {
      if (sum[place].likely > sum[fullest].likely) fullest = place;
    }
    for (const std::size_t index : machines.machines) {
      const SweepMachine& machine = axes_.machines[index];
      const std::size_t at = first + index;
      Amounts device = sum[fullest];
      const Bytes usable = n_gpu == 0 ? machine.host_usable : machine.gpu_usable;
      Verdict verdict = Verdict::fits;
      if (n_gpu > 0) {
        const Amounts overhead = overhead_of(index, rest.overhead);
        device += overhead;
        for (std::size_t place = 0; place < n_gpu; ++place) {
          Amounts one = sum[place];
          one += overhead;
          verdict =
              worse(verdict, Fit{machine.gpu_usable, one.low, one.likely, one.high}.verdict());
        }
      }
      if (machine.host_usable > 0) {
        verdict =
            worse(verdict, Fit{machine.host_usable, host.low, host.likely, host.high}.verdict());
      }
      grid.device[at] = device.likely;
      grid.margin[at] = usable - device.likely;
      grid.host[at] = host.likely;
      grid.verdict[at] = static_cast<std::uint8_t>(verdict);
    }
  }

  const SweepAxes& axes_;
  const std::vector<MachineClass>& classes_;
  std::span<const Amounts> overheads_;
  const Model& source_;
  Model model_;  // its tensors take the types of one mix after the other
  MixPlan plan_;
  std::ptrdiff_t head_ = -1;
};

std::optional<Error> check(const SweepAxes& axes) {
  std::size_t points = 1;
  const auto axis = [&](std::size_t size, const char* name) -> std::optional<Error> {
    if (size == 0 || size > kMaxSweepPoints / points) return Error{"sweep_range", name, {}};
    points *= size;
    return std::nullopt;
  };
  for (const auto& [size, name] :
       {std::pair{axes.models.size(), "models"}, std::pair{axes.mixes.size(), "mixes"},
        std::pair{axes.contexts.size(), "contexts"}, std::pair{axes.machines.size(), "machines"}}) {
    if (auto error = axis(size, name)) return error;
  }
  for (const std::string_view mix : axes.mixes) {
    if (mix != kAsInFile && !mix_from_name(mix))
      return Error{"mix_unknown", "mix", std::string(mix)};
  }
  for (const SweepMachine& machine : axes.machines) {
    if (machine.n_gpu < 0 || machine.n_gpu > static_cast<std::int64_t>(kMaxDevices)) {
      return Error{"sweep_range", "machines", {}};
    }
  }
  return std::nullopt;
}

}  // namespace

Result<SweepGrid> sweep(const SweepAxes& axes) {
  if (auto error = check(axes)) return *error;
  SweepGrid grid;
  grid.n_models = axes.models.size();
  grid.n_mixes = axes.mixes.size();
  grid.n_contexts = axes.contexts.size();
  grid.n_machines = axes.machines.size();
  grid.device.resize(grid.size());
  grid.margin.resize(grid.size());
  grid.host.resize(grid.size());
  grid.verdict.resize(grid.size(), SweepGrid::kImpossible);
  const std::vector<MachineClass> classes = classes_of(axes);
  std::vector<Amounts> overheads;
  overheads.reserve(axes.machines.size());
  for (const SweepMachine& machine : axes.machines) {
    overheads.push_back(overhead_amounts(machine, {}));
  }
  for (std::size_t i = 0; i < axes.models.size(); ++i) {
    ModelSweep(axes, classes, overheads, *axes.models[i]).run(grid, i);
  }
  return grid;
}

}  // namespace meyasu
