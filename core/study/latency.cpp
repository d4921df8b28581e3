#include "core/study/latency.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <utility>

#include "core/fit/plan.hpp"
#include "core/inference/machine.hpp"
#include "core/offload/device_map.hpp"
#include "core/offload/streaming.hpp"

namespace meyasu {
namespace {

constexpr const char* kFlexGen = "arXiv 2303.06865, section 4.2 and appendix A.3";
constexpr const char* kAccelerate =
    "accelerate utils/modeling.py; rates from arXiv 2303.06865, figure 1";
constexpr const char* kZero =
    "DeepSpeed ZeRO-Inference (2022-09); rates from arXiv 2303.06865, figure 1";
constexpr const char* kLlamaCpp = "llama.cpp v0.5.0; rates fit to tests/truth/throughput.csv";

/// What people compare: the same 16 bits as the other programs, and the mix that is used most.
constexpr std::array<std::string_view, 2> kMixes = {"F16", "Q4_K_M"};

Bytes whole(double bytes) {
  return static_cast<Bytes>(std::llround(bytes));
}

/// `missing` not above zero: it is a matter of how the tiers are cut, and no amount can be named.
LatencyRow short_of(LatencyRow row, Bytes missing, const char* where) {
  row.missing = std::max<Bytes>(missing, 0);
  row.missing_on = where;
  return row;
}

/// Programs that keep the checkpoint's 16 bits and move weights to one kind of GPU.
class Moving {
 public:
  Moving(const Model& model, const Machine& machine, const OffloadShape& shape,
         const OffloadMachine& rates, const OffloadWorkload& work)
      : machine_(machine), shape_(shape), rates_(rates), work_(work) {
    cache_ = whole(2 * shape.kv_elements * shape.n_layer * (work.prompt + work.generated));
    modules_ = placed_modules(model);
    for (const PlacedModule& module : modules_) {
      weights_ += module.bytes;
      largest_ = std::max(largest_, module.bytes);
    }
  }

  [[nodiscard]] LatencyRow flexgen(const SearchSettings& asked) const {
    LatencyRow row = made(LatencyRuntime::flexgen, kFlexGen);
    SearchSettings settings = asked;
    settings.compress_weights = settings.compress_cache = false;
    const auto plan = best_placement(shape_, rates_, work_, settings, 1, 1);
    if (!plan) {
      const double room =
          settings.usable_share * static_cast<double>(rates_.gpu + rates_.cpu + rates_.disk);
      return short_of(row, weights_ + cache_ - whole(room), rates_.disk > 0 ? "disk" : "host");
    }
    // Tensors move whole: what is really placed, and how long that takes.
    OffloadPolicy policy = plan->policy;
    policy.weights = realised_weights(shape_, policy.weights);
    const TierShares& w = policy.weights;
    const double layer = pass_times(shape_, rates_.rates, work_, policy).decode_layer;
    row.gpu = whole(w.gpu * static_cast<double>(weights_));
    row.host = whole(w.cpu * static_cast<double>(weights_));
    row.disk = weights_ - row.gpu - row.host;
    row.formula = {
        "1 / (n_layer x t_layer)",
        {{"n_layer", static_cast<double>(shape_.n_layer), ""}, {"t_layer", layer * 1e3, "ms"}}};
    return timed(row, layer * shape_.n_layer);
  }

  [[nodiscard]] LatencyRow accelerate(DeviceMapMode mode) const {
    LatencyRow row = made(mode == DeviceMapMode::balanced ? LatencyRuntime::accelerate_auto
                                                          : LatencyRuntime::accelerate_sequential,
                          kAccelerate);
    std::vector<Bytes> free;
    for (const MachineDevice& device : machine_.devices) {
      const Bytes bytes = free_on_gpu(machine_, device);
      free.insert(free.end(), static_cast<std::size_t>(device.count), bytes);
    }
    const DeviceMap map = infer_device_map(modules_, free, rates_.cpu, mode);
    row.gpu = std::accumulate(map.gpus.begin(), map.gpus.end(), Bytes{0});
    row.host = map.cpu;
    row.disk = map.disk;
    if (map.disk > rates_.disk) return short_of(row, map.disk - rates_.disk, "disk");
    // The map leaves no room for the cache: it has to fit beside the weights and, where some are
    // brought in, the largest of those.
    const Bytes room = std::accumulate(free.begin(), free.end(), Bytes{0});
    const Bytes needed = row.gpu + cache_ + (row.host + row.disk > 0 ? largest_ : 0);
    if (needed > room) return short_of(row, needed - room, "gpu");
    return streamed(row, StreamingRuntime::accelerate);
  }

  [[nodiscard]] LatencyRow zero(bool from_disk) const {
    LatencyRow row = made(from_disk ? LatencyRuntime::zero_disk : LatencyRuntime::zero_cpu, kZero);
    (from_disk ? row.disk : row.host) = weights_;
    const Bytes home = from_disk ? rates_.disk : rates_.cpu;
    if (weights_ > home) return short_of(row, weights_ - home, from_disk ? "disk" : "host");
    // The layer in use and the one that is read ahead.
    const Bytes needed = cache_ + 2 * largest_;
    if (needed > rates_.gpu) return short_of(row, needed - rates_.gpu, "gpu");
    return streamed(row, StreamingRuntime::zero_inference);
  }

 private:
  [[nodiscard]] LatencyRow made(LatencyRuntime runtime, const char* source) const {
    LatencyRow row;
    row.runtime = runtime;
    row.source = source;
    row.evidence = rates_.evidence == Evidence::measured ? Evidence::derived : Evidence::assumed;
    return row;
  }

  [[nodiscard]] LatencyRow streamed(LatencyRow row, StreamingRuntime runtime) const {
    const StreamedWeights weights = {static_cast<double>(row.host), static_cast<double>(row.disk)};
    const StreamingTimes times = streaming_times(shape_, rates_.rates, work_, runtime, weights, 1);
    row.formula = times.formula;
    row.formula.expression = "1 / (" + row.formula.expression + ")";
    return timed(std::move(row), times.token);
  }

  [[nodiscard]] LatencyRow timed(LatencyRow row, double token) const {
    const double spread = rate_spread(rates_);
    row.likely = 1 / token;
    row.low = row.likely / (1 + spread);
    row.high = row.likely * (1 + spread);
    return row;
  }

  const Machine& machine_;
  const OffloadShape& shape_;
  const OffloadMachine& rates_;
  const OffloadWorkload& work_;
  std::vector<PlacedModule> modules_;
  Bytes weights_ = 0;
  Bytes largest_ = 0;
  Bytes cache_ = 0;
};

Bytes weights_on(const LlamaCppEstimate& estimate, bool host) {
  Bytes bytes = 0;
  for (const Term& term : estimate.terms) {
    const bool weights = term.id == "weights" || term.id == "weights_mapped";
    if (weights && (term.device == "host") == host) bytes += term.bytes;
  }
  return bytes;
}

std::string flags_of(const LlamaCppSettings& settings) {
  std::string flags;
  const auto add = [&](const std::string& flag) {
    if (!flags.empty()) flags += ' ';
    flags += flag;
  };
  if (settings.devices.empty()) return flags;
  if (settings.n_gpu_layers >= 0) add("-ngl " + std::to_string(settings.n_gpu_layers));
  if (settings.n_cpu_moe > 0) add("--n-cpu-moe " + std::to_string(settings.n_cpu_moe));
  if (!settings.offload_kv) add("-nkvo");
  if (!settings.tensor_split.empty()) {
    std::string split;
    for (const double layers : settings.tensor_split) {
      split += (split.empty() ? "" : ",") + std::to_string(std::llround(layers));
    }
    add("-ts " + split);
  }
  return flags;
}

/// The split that a person would choose for one sequence, and its speed. Nothing where the mix does
/// not exist for the model.
std::optional<LatencyRow> llama_cpp(InferenceStudy& study, std::string_view mix,
                                    const Machine& machine, const OffloadWorkload& work,
                                    Bytes disk_free) {
  LatencyRow row;
  row.runtime = LatencyRuntime::llama_cpp;
  row.mix = std::string(mix);
  row.source = kLlamaCpp;
  const auto context = static_cast<std::int64_t>(std::ceil(work.prompt + work.generated));
  auto settings = settings_for(LlamaCppProgram::cli, {context, 1});
  const auto estimator = study.estimator(mix);
  const auto model = study.quantized_model(mix);
  auto devices = llama_cpp_devices(machine, usual_backend(machine));
  if (!settings || !estimator || !model || !devices) return std::nullopt;
  settings.value().os = machine.os;
  settings.value().devices = std::move(devices.value());

  const auto host = host_capacity(machine);
  const Bytes ram = host ? host.value().usable.bytes : 0;
  const auto planned = [&](Bytes host_usable) {
    const FitGoal goal = goal_of(settings.value(), {0, host_usable}, Comfort::tight);
    return plan_machine(*estimator.value(), *model.value(), settings.value(), goal);
  };
  auto plan = planned(ram);
  // The file is mapped: what finds no room in RAM is read from the disk again and again.
  const bool mapped = !plan && plan.error().code == "none_fits" && ram > 0;
  if (mapped) plan = planned(0);
  if (!plan) {
    if (plan.error().code != "none_fits") return std::nullopt;
    return short_of(row, std::atoll(plan.error().detail.c_str()), "gpu");
  }
  const LlamaCppFit& fit = plan.value().fit;
  row.flags = flags_of(fit.settings);
  row.gpu = weights_on(fit.estimate, false);
  row.host = weights_on(fit.estimate, true);
  SpeedMachine speeds = speed_machine(machine);
  speeds.host_usable = 0;
  if (mapped) {
    const Bytes others = total_on(fit.estimate, "host") - row.host;
    const Bytes room = std::clamp<Bytes>(ram - others, 1, row.host);
    const Bytes missing = row.host - room;
    if (!machine.storage) return short_of(row, missing, "host");
    const Bytes file = row.gpu + row.host;
    if (file > disk_free) return short_of(row, file - disk_free, "disk");
    speeds.host_usable = room;
    row.host = room;
    row.disk = missing;
  }
  const auto speed =
      study.speed(mix, fit.settings, speeds, {work.prompt, work.prompt + work.generated / 2, 1, 0});
  if (!speed) return std::nullopt;
  const SpeedRange& tokens = speed.value().decode_tok_s_each;
  row.low = tokens.low;
  row.likely = tokens.likely;
  row.high = tokens.high;
  for (const SpeedPart& part : speed.value().decode) {
    const std::string name = part.id + " " + part.place;
    row.formula.expression += row.formula.expression.empty() ? name : " + " + name;
    row.formula.inputs.push_back({name, part.seconds * 1e3, "ms"});
    if (part.evidence == Evidence::assumed) row.evidence = Evidence::assumed;
  }
  row.formula.expression = "1 / (" + row.formula.expression + ")";
  return row;
}

}  // namespace

std::string_view latency_runtime_name(LatencyRuntime runtime) {
  switch (runtime) {
    case LatencyRuntime::flexgen:
      return "flexgen";
    case LatencyRuntime::llama_cpp:
      return "llama_cpp";
    case LatencyRuntime::accelerate_auto:
      return "accelerate_auto";
    case LatencyRuntime::accelerate_sequential:
      return "accelerate_sequential";
    case LatencyRuntime::zero_cpu:
      return "zero_cpu";
    case LatencyRuntime::zero_disk:
      return "zero_disk";
  }
  return "";
}

std::vector<LatencyRow> latency_rows(InferenceStudy& study, const Machine& machine,
                                     const OffloadQuestion& question) {
  std::vector<LatencyRow> rows;
  const OffloadWorkload& work = question.work;
  if (!(work.prompt >= 1) || !(work.generated >= 1)) return rows;
  const auto shape = offload_shape(study.model());
  const auto rates = offload_machine(machine);
  const bool moves = shape.ok() && rates.ok();
  std::optional<Moving> moving;
  if (moves) moving.emplace(study.model(), machine, shape.value(), rates.value(), work);
  if (moving) rows.push_back(moving->flexgen(question.settings));
  for (const std::string_view mix : kMixes) {
    if (auto row = llama_cpp(study, mix, machine, work, disk_free(machine))) {
      rows.push_back(std::move(*row));
    }
  }
  if (!moving) return rows;
  rows.push_back(moving->accelerate(DeviceMapMode::balanced));
  if (machine.n_devices() > 1) rows.push_back(moving->accelerate(DeviceMapMode::sequential));
  rows.push_back(moving->zero(false));
  if (rates.value().disk > 0) rows.push_back(moving->zero(true));
  return rows;
}

std::vector<LatencyReference> latency_references(const Model& model) {
  const bool experts =
      std::any_of(model.layers.begin(), model.layers.end(),
                  [](const Layer& layer) { return layer.feed_forward.n_expert > 0; });
  // Of the architectures here OPT alone has ReLU; the others it was made for are trained anew.
  const bool relu = model.architecture == "opt";
  return {{"KTransformers", "DeepSeek-R1 671B Q4_K_M", "RTX 4090D, 2x Xeon Gold 6454S", 8.73, 12.2,
           experts, "KTransformers doc/en/DeepseekR1_V3_tutorial.md"},
          {"PowerInfer", "ReLU", "RTX 4090", 13.2, 29, relu, "arXiv 2312.12456"}};
}

}  // namespace meyasu
