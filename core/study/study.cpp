#include "core/study/study.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/quantization/mix.hpp"
#include "core/speed/serving.hpp"

namespace meyasu {
namespace {

Fit fit_of(const LlamaCppEstimate& estimate, std::string_view device, Bytes usable) {
  return {.usable = usable,
          .low = total_on(estimate, device, Amount::low),
          .likely = total_on(estimate, device, Amount::likely),
          .high = total_on(estimate, device, Amount::high)};
}

Bytes certain_on(const LlamaCppEstimate& estimate, std::string_view device) {
  Bytes certain = 0;
  for (const Term& term : estimate.terms) {
    const bool known = term.evidence == Evidence::exact || term.evidence == Evidence::derived;
    if (known && term.device == device) certain += term.bytes;
  }
  return certain;
}

double bits_of(GgmlType type) {
  const BlockLayout layout = block_layout(type);
  return 8.0 * layout.bytes / layout.block;
}

/// The rate at which a server multiplies weights of a format: activations in 8 bits where both
/// are, else 16 bits.
double dense_tflops(std::string_view format, const Device& gpu) {
  const double plain = half_rate_tflops(gpu);
  const auto is = [&](FormatMethod method) { return format == format_id(plain_format(method)); };
  if (is(FormatMethod::fp8_channel) || is(FormatMethod::fp8_block)) {
    return std::max(plain, gpu.fp8_tflops);
  }
  if (is(FormatMethod::int8_w8a8)) return std::max(plain, gpu.int8_tops);
  if (is(FormatMethod::nvfp4)) return std::max(plain, gpu.fp4_tflops);
  return plain;
}

Bytes room_on(const LlamaCppDevice& device, const MachineRoom& room) {
  return room.gpu_usable > 0 ? room.gpu_usable : device.free;
}

}  // namespace

std::vector<DeviceFit> fit_devices(const LlamaCppEstimate& estimate,
                                   const LlamaCppSettings& settings, const MachineRoom& room) {
  std::vector<DeviceFit> devices;
  for (const LlamaCppDevice& device : settings.devices) {
    devices.push_back({device.name, fit_of(estimate, device.name, room_on(device, room)),
                       certain_on(estimate, device.name)});
  }
  devices.push_back(
      {"host", fit_of(estimate, "host", room.host_usable), certain_on(estimate, "host")});
  return devices;
}

int tightest_device(std::span<const DeviceFit> devices) {
  int tightest = -1;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (devices[i].device == "host" && devices.size() > 1) continue;
    const bool first = tightest < 0;
    if (first ||
        devices[i].fit.margin() < devices[static_cast<std::size_t>(tightest)].fit.margin()) {
      tightest = static_cast<int>(i);
    }
  }
  return tightest;
}

Verdict worst_verdict(std::span<const DeviceFit> devices) {
  Verdict verdict = Verdict::fits;
  for (const DeviceFit& device : devices) {
    if (device.device == "host" && device.fit.usable == 0) continue;  // RAM not stated
    verdict = worse(verdict, device.fit.verdict());
  }
  return verdict;
}

FitGoal goal_of(const LlamaCppSettings& settings, const MachineRoom& room, Comfort comfort) {
  FitGoal goal;
  goal.comfort = comfort;
  for (const LlamaCppDevice& device : settings.devices) {
    goal.rooms.push_back({device.name, room_on(device, room)});
  }
  if (room.host_usable > 0) goal.rooms.push_back({"host", room.host_usable});
  return goal;
}

Fit fit_server(const ServingEstimate& estimate) {
  Fit fit{.usable = estimate.settings.device_total};
  for (const Term& term : estimate.terms) {
    fit.low += term.low;
    fit.likely += term.bytes;
    fit.high += term.high;
  }
  return fit;
}

Bytes pool_margin(const ServingEstimate& estimate, std::int64_t users) {
  const KvPool& pool = estimate.pool;
  return (pool.n_pages - pool.pages_per_request * users) * pool.page_bytes;
}

Bytes bytes_for_users(const ServingEstimate& estimate, std::int64_t users) {
  const KvPool& pool = estimate.pool;
  Bytes bytes = pool.pages_per_request * users * pool.page_bytes;
  for (const Term& term : estimate.terms) {
    if (term.id != "kv_pool") bytes += term.bytes;
  }
  return bytes;
}

LayerCosts layers_for_users(const ServingEstimate& estimate, std::int64_t users) {
  LayerCosts layers = estimate.layers;
  layers.outside_cache *= users;
  for (LayerCost& block : layers.blocks) {
    block.kv_cache *= users;
    block.recurrent_state *= users;
  }
  return layers;
}

WeightFormat serving_format_like(Ftype ftype) {
  const double bits = bits_of(ftype_info(ftype).default_type);
  if (bits >= 16) return plain_format(FormatMethod::bf16);
  if (bits >= 8) return plain_format(FormatMethod::fp8_channel);
  return awq(128);
}

KvCacheType serving_kv_like(GgmlType type) {
  const double bits = bits_of(type);
  if (bits >= 16) return KvCacheType::bf16;
  return bits >= 8 ? KvCacheType::fp8 : KvCacheType::nvfp4;
}

Result<InferenceStudy::Quantized*> InferenceStudy::quantized(std::string_view mix) {
  const auto known = quantized_.find(mix);
  if (known != quantized_.end()) return known->second.get();
  Model model = model_;
  if (mix != kAsInFile) {
    const auto name = mix_from_name(mix);
    if (!name) return Error{"mix_unknown", "mix", std::string(mix)};
    MixOptions options = name->options;
    options.imatrix = ftype_info(name->ftype).requires_imatrix;
    const auto types = quantize_mix(model_, name->ftype, options);
    if (!types) return types.error();
    for (std::size_t i = 0; i < model.tensors.size(); ++i) {
      model.tensors[i].type = types.value().types[i];
    }
  }
  auto [made, inserted] =
      quantized_.emplace(std::string(mix), std::make_unique<Quantized>(std::move(model)));
  return made->second.get();
}

Result<LlamaCppEstimate> InferenceStudy::llama_cpp(std::string_view mix,
                                                   const LlamaCppSettings& settings, bool explain) {
  const auto model = quantized(mix);
  if (!model) return model.error();
  return model.value()->estimator.estimate(settings, explain);
}

Result<Speed> InferenceStudy::speed(std::string_view mix, const LlamaCppSettings& settings,
                                    const SpeedMachine& machine, const SpeedWorkload& workload) {
  const auto model = quantized(mix);
  if (!model) return model.error();
  return estimate_speed(model.value()->model, settings, machine, workload);
}

Result<Speed> InferenceStudy::serving_speed(std::string_view format,
                                            const ServingSettings& settings, const Device& gpu,
                                            const SpeedWorkload& workload) {
  const auto bytes = tensor_bytes(format);
  if (!bytes) return bytes.error();
  const auto filled = with_defaults(settings, model_);
  if (!filled) return filled.error();
  const ServingSpeedDevice device{gpu.bandwidth_gb_s, dense_tflops(format, gpu), gpu.peer_gb_s};
  return estimate_serving_speed(model_, bytes.value(), filled.value(), device, workload);
}

Result<std::shared_ptr<const LlamaCppParts>> InferenceStudy::parts(const PartsQuestion& question,
                                                                   const Catalog& catalog) {
  if (question == parts_asked_) return parts_;
  std::shared_ptr<const LlamaCppParts> made;
  if (!question.empty()) {
    auto parts = make_parts(model_, question, catalog);
    if (!parts) return parts.error();
    made = std::make_shared<const LlamaCppParts>(std::move(parts.value()));
  }
  parts_asked_ = question;
  parts_ = std::move(made);
  return parts_;
}

Result<LlamaCppEstimator*> InferenceStudy::estimator(std::string_view mix) {
  const auto model = quantized(mix);
  if (!model) return model.error();
  return &model.value()->estimator;
}

Result<const Model*> InferenceStudy::quantized_model(std::string_view mix) {
  const auto model = quantized(mix);
  if (!model) return model.error();
  return &model.value()->model;
}

std::span<const Bytes> InferenceStudy::tensor_bytes(const WeightFormat& format) {
  std::string id = format_id(format);
  auto bytes = tensor_bytes_.find(id);
  if (bytes == tensor_bytes_.end()) {
    bytes = tensor_bytes_.emplace(std::move(id), tensor_bytes_in(model_, format)).first;
  }
  return bytes->second;
}

Result<std::span<const Bytes>> InferenceStudy::tensor_bytes(std::string_view format) {
  const auto bytes = tensor_bytes_.find(format);
  if (bytes != tensor_bytes_.end()) return std::span<const Bytes>(bytes->second);
  const auto* chosen =
      std::find_if(kServingFormats.begin(), kServingFormats.end(),
                   [&](const WeightFormat& candidate) { return format_id(candidate) == format; });
  if (chosen == kServingFormats.end()) {
    return Error{"format_unknown", "format", std::string(format)};
  }
  return tensor_bytes(*chosen);
}

Result<ServingEstimate> InferenceStudy::serving(std::string_view format,
                                                const ServingSettings& settings) {
  const auto bytes = tensor_bytes(format);
  if (!bytes) return bytes.error();
  return estimate_serving(model_, bytes.value(), settings);
}

Result<std::int64_t> InferenceStudy::largest_context_of(std::string_view mix,
                                                        const LlamaCppSettings& settings,
                                                        const MachineRoom& room) {
  const auto model = quantized(mix);
  if (!model) return model.error();
  const FitGoal goal = goal_of(settings, room, Comfort::tight);
  const auto solution =
      largest_context(model.value()->estimator, model.value()->model, settings, goal);
  if (!solution) return solution.error();
  const LlamaCppContext& context = solution.value().best.estimate.context;
  return context.n_ctx / context.n_stream;
}

SweepPoint InferenceStudy::llama_cpp_point(std::string_view mix, const LlamaCppSettings& settings,
                                           const MachineRoom& room) {
  const auto estimate = llama_cpp(mix, settings);
  if (!estimate) return {};
  const auto devices = fit_devices(estimate.value(), settings, room);
  SweepPoint point;
  point.possible = true;
  point.device = devices[static_cast<std::size_t>(tightest_device(devices))].fit.likely;
  point.host = devices.back().fit.likely;
  point.verdict = worst_verdict(devices);
  return point;
}

SweepPoint InferenceStudy::serving_point(std::string_view format, const ServingSettings& settings) {
  const auto estimate = serving(format, settings);
  if (!estimate) return {};
  SweepPoint point;
  point.possible = true;
  point.device = bytes_for_users(estimate.value(), settings.users);
  point.verdict = serves(estimate.value(), settings.users) ? Verdict::fits : Verdict::over;
  return point;
}

Result<ServingFormatSolution> best_serving_format(InferenceStudy& study,
                                                  const ServingSettings& settings) {
  ServingFormatSolution solution;
  for (const WeightFormat& format : kServingFormats) {
    const auto bytes = study.tensor_bytes(format);
    auto estimate = estimate_serving(study.model(), bytes, settings);
    if (!estimate) return estimate.error();
    ++solution.n_estimates;
    const Bytes weights = std::accumulate(bytes.begin(), bytes.end(), Bytes{0});
    if (!serves(estimate.value(), settings.users) || weights <= solution.weights) continue;
    solution.format = format_id(format);
    solution.weights = weights;
    solution.best = std::move(estimate.value());
  }
  if (solution.format.empty()) return Error{"none_fits", "format", {}};
  return solution;
}

}  // namespace meyasu
