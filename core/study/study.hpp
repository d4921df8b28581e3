// One model on one machine: the answers of the inference page and its sweeps. Everything that does
// not change from one point of a sweep to the next (quantized tensor lists, prepared graphs) is
// made once and kept.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/fit/llama_cpp.hpp"
#include "core/fit/serving.hpp"
#include "core/inference/llama_cpp/estimate.hpp"
#include "core/inference/llama_cpp/presets.hpp"
#include "core/inference/verdict.hpp"
#include "core/quantization/format.hpp"
#include "core/quantization/ftype.hpp"
#include "core/serving/estimate.hpp"
#include "core/speed/speed.hpp"
#include "core/study/parts.hpp"

namespace meyasu {

/// What the estimate has to fit into.
struct MachineRoom {
  Bytes gpu_usable = 0;   // of each GPU alike; 0: each has its LlamaCppDevice::free
  Bytes host_usable = 0;  // 0: unknown, not judged
};

/// One device of an answer. `device` as in Term: "gpu0", "host". `certain`: its exact and derived
/// terms alone, without what was measured elsewhere or assumed.
struct DeviceFit {
  std::string device;
  Fit fit;
  Bytes certain = 0;
};

/// Devices in order, host last. File pages that the host maps are counted as taken: a machine
/// without room for them reads the file again and again.
[[nodiscard]] std::vector<DeviceFit> fit_devices(const LlamaCppEstimate& estimate,
                                                 const LlamaCppSettings& settings,
                                                 const MachineRoom& room);
/// The GPU with the least room left or, without a GPU, the host; -1 when the list is empty.
[[nodiscard]] int tightest_device(std::span<const DeviceFit> devices);
[[nodiscard]] Verdict worst_verdict(std::span<const DeviceFit> devices);

/// All terms of one GPU against what it has. Server runtimes fill their budget whatever the load,
/// so that this says nothing about users: serves() does.
[[nodiscard]] Fit fit_server(const ServingEstimate& estimate);
/// Bytes of the KV pool of one GPU beyond what the users need; negative: short.
[[nodiscard]] Bytes pool_margin(const ServingEstimate& estimate, std::int64_t users);
/// What one GPU needs for `users` requests of the full length at once: all terms, and of the pool
/// the pages of these requests. Grows with the context, where the terms always fill the budget.
[[nodiscard]] Bytes bytes_for_users(const ServingEstimate& estimate, std::int64_t users);

/// The blocks with the cache that these requests take of the pool.
[[nodiscard]] LayerCosts layers_for_users(const ServingEstimate& estimate, std::int64_t users);

/// The rooms of the machine for a solver; a host of unknown size is left out.
[[nodiscard]] FitGoal goal_of(const LlamaCppSettings& settings, const MachineRoom& room,
                              Comfort comfort);

/// One point of a sweep. A configuration that the runtime refuses has `possible` false and zeros.
struct SweepPoint {
  bool possible = false;
  Bytes device = 0;  // likely bytes on the tightest device; of a server, for the users asked for
  Bytes host = 0;    // llama.cpp
  Verdict verdict = Verdict::over;
};

/// A mix by name ("Q4_K_M", "Q4_K_L"), or "file": the types that the model came with.
inline constexpr std::string_view kAsInFile = "file";

/// Rows of the map quantization x context, from many bits to few.
inline constexpr std::array<std::string_view, 8> kMapMixes = {
    "F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS", "Q3_K_M", "Q2_K"};

/// Formats that the server runtimes load.
inline constexpr std::array kServingFormats = {
    plain_format(FormatMethod::bf16),
    plain_format(FormatMethod::fp8_channel),
    plain_format(FormatMethod::fp8_block),
    plain_format(FormatMethod::int8_w8a8),
    gptq(8, -1),
    gptq(4, 128),
    awq(128),
    plain_format(FormatMethod::nvfp4),
    plain_format(FormatMethod::mxfp4_experts),
};

/// What a server would load where llama.cpp loads `ftype`: 16, 8 (FP8) or 4 bits (AWQ).
[[nodiscard]] WeightFormat serving_format_like(Ftype ftype);
/// The same for the cache: 16 bits, FP8, or NVFP4 below 8 bits.
[[nodiscard]] KvCacheType serving_kv_like(GgmlType type);

class InferenceStudy {
 public:
  explicit InferenceStudy(Model model) : model_(std::move(model)) {}

  [[nodiscard]] const Model& model() const { return model_; }

  /// Errors: mix_unknown (field "mix", detail: the name); those of MixPlan and LlamaCppEstimator.
  [[nodiscard]] Result<LlamaCppEstimate> llama_cpp(std::string_view mix,
                                                   const LlamaCppSettings& settings,
                                                   bool explain = false);
  /// Errors: format_unknown (field "format"); those of estimate_serving.
  [[nodiscard]] Result<ServingEstimate> serving(std::string_view format,
                                                const ServingSettings& settings);

  /// Tokens of one stream: largest_context of core/fit in the room of the machine.
  [[nodiscard]] Result<std::int64_t> largest_context_of(std::string_view mix,
                                                        const LlamaCppSettings& settings,
                                                        const MachineRoom& room);

  /// How fast the same settings run. Errors: mix_unknown; those of estimate_speed.
  [[nodiscard]] Result<Speed> speed(std::string_view mix, const LlamaCppSettings& settings,
                                    const SpeedMachine& machine, const SpeedWorkload& workload);

  /// The same of a server on GPUs like `gpu`, as many as `settings` divide the model over. Errors:
  /// format_unknown; those of with_defaults and estimate_serving_speed.
  [[nodiscard]] Result<Speed> serving_speed(std::string_view format,
                                            const ServingSettings& settings, const Device& gpu,
                                            const SpeedWorkload& workload);

  /// Kept while the question stays the same; null where it asks for nothing. Errors: those of
  /// make_parts.
  [[nodiscard]] Result<std::shared_ptr<const LlamaCppParts>> parts(const PartsQuestion& question,
                                                                   const Catalog& catalog);

  /// For solvers, which ask for many estimates. All live as long as the study.
  [[nodiscard]] Result<LlamaCppEstimator*> estimator(std::string_view mix);
  [[nodiscard]] Result<const Model*> quantized_model(std::string_view mix);
  /// By id, of kServingFormats. Errors: format_unknown (field "format").
  [[nodiscard]] Result<std::span<const Bytes>> tensor_bytes(std::string_view format);
  [[nodiscard]] std::span<const Bytes> tensor_bytes(const WeightFormat& format);

  /// The estimate of llama.cpp, reduced to what a chart or a map shows.
  [[nodiscard]] SweepPoint llama_cpp_point(std::string_view mix, const LlamaCppSettings& settings,
                                           const MachineRoom& room);
  /// The same of a server: it serves the users at once (fits) or does not (over).
  [[nodiscard]] SweepPoint serving_point(std::string_view format, const ServingSettings& settings);

 private:
  struct Quantized {
    explicit Quantized(Model quantized) : model(std::move(quantized)), estimator(model) {}
    Model model;
    LlamaCppEstimator estimator;  // refers to `model`: never moved apart
  };

  [[nodiscard]] Result<Quantized*> quantized(std::string_view mix);

  Model model_;
  std::map<std::string, std::unique_ptr<Quantized>, std::less<>> quantized_;
  std::map<std::string, std::vector<Bytes>, std::less<>> tensor_bytes_;
  PartsQuestion parts_asked_;
  std::shared_ptr<const LlamaCppParts> parts_;
};

/// The format of kServingFormats with the largest weights that serves the users.
struct ServingFormatSolution {
  std::string format;  // its id
  Bytes weights = 0;   // of one copy of the model
  ServingEstimate best;
  int n_estimates = 0;
};
/// Errors: none_fits (field "format"); those of estimate_serving.
[[nodiscard]] Result<ServingFormatSolution> best_serving_format(InferenceStudy& study,
                                                                const ServingSettings& settings);

}  // namespace meyasu
