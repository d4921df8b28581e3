#include "core/fit/llama_cpp.hpp"

#include <algorithm>
#include <utility>

#include "core/quantization/format_table.hpp"
#include "core/quantization/mix.hpp"

namespace meyasu {
namespace {

constexpr std::int64_t kCellStep = 256;  // llama.cpp pads the cells of every stream to this
constexpr std::int64_t kMaxSlots = 256;  // LLAMA_MAX_SEQ
constexpr std::int64_t kUbatchStep = 32;
constexpr std::int64_t kLargestUbatch = 8192;  // beyond it prefill no longer gains

using LlamaStep = Step<LlamaCppFit>;

bool is_host(const Room& room) {
  return room.device == "host";
}

FitGoal gpus_of(const FitGoal& goal) {
  FitGoal gpus = goal;
  std::erase_if(gpus.rooms, is_host);
  return gpus;
}

std::string shortage_text(const LlamaCppFit& fit) {
  return std::to_string(fit.fit.shortage());
}

/// Evaluates `change(settings, value)` for `value`.
template <class Change>
auto evaluator(LlamaCppEstimator& estimator, const LlamaCppSettings& settings, const FitGoal& goal,
               Change change) {
  return [&estimator, &settings, &goal, change](std::int64_t value) -> Result<LlamaStep> {
    LlamaCppSettings changed = settings;
    change(changed, value);
    Result<LlamaCppFit> fit = fit_llama_cpp(estimator, changed, goal);
    if (!fit) return fit.error();
    const bool fits = accepts(goal.comfort, fit.value().fit.verdict);
    return LlamaStep{value, fits, std::move(fit.value())};
  };
}

/// Searches steps first..last of `change`; `unit` turns a step into the value of the answer.
template <class Change, class Unit>
Result<LlamaCppSolution> solve(LlamaCppEstimator& estimator, const LlamaCppSettings& settings,
                               const FitGoal& goal, const char* field, std::int64_t first,
                               std::int64_t last, Change change, Unit unit) {
  auto found = largest_step<LlamaCppFit>(
      first, last, field, evaluator(estimator, settings, goal, change), shortage_text);
  if (!found) return found.error();
  Largest<LlamaCppFit>& largest = found.value();
  LlamaCppSolution solution;
  solution.value = unit(largest.best.value);
  solution.best = std::move(largest.best.answer);
  if (largest.next) {
    solution.next_value = unit(largest.next->value);
    solution.next = std::move(largest.next->answer);
  }
  solution.n_estimates = largest.n_estimates;
  return solution;
}

/// A solution found for the GPUs alone, judged with the host too.
Result<LlamaCppSolution> with_host(Result<LlamaCppSolution> found, const FitGoal& goal,
                                   const char* field) {
  if (!found) return found;
  LlamaCppSolution& solution = found.value();
  solution.best.fit = judge(solution.best.estimate.terms, goal.rooms);
  if (solution.next) solution.next->fit = judge(solution.next->estimate.terms, goal.rooms);
  if (!accepts(goal.comfort, solution.best.fit.verdict)) {
    return Error{"none_fits", field, shortage_text(solution.best)};
  }
  return found;
}

struct MixCandidate {
  std::string name;
  MixName mix;
  Bytes bytes = 0;
};

/// Mixes worth choosing, ascending in bytes: none for which a smaller one was measured to lose no
/// more (Q5_1 beside Q5_K_M), none for models trained in ternary weights; F16 at the end unless
/// the model was released in fewer bits. Empty when the tensors lack GGUF names.
std::vector<MixCandidate> mix_candidates(const Model& model, const MixPlan& plan) {
  std::vector<MixCandidate> candidates;
  std::vector<Quality> kept;
  bool released_quantized = false;
  const FormatTable table = format_table(model);
  for (const FormatRow& row : table.rows) {
    const Quality& quality = row.quality;
    if (row.family != FormatFamily::gguf || quality.level == QualityLevel::trained_only) continue;
    released_quantized = released_quantized || quality.level == QualityLevel::native;
    const bool beaten = std::any_of(kept.begin(), kept.end(), [&](const Quality& smaller) {
      return quality.measure != QualityMeasure::none && smaller.measure == quality.measure &&
             smaller.model == quality.model && smaller.value <= quality.value;
    });
    auto mix = mix_from_name(row.name);
    if (!mix || beaten) continue;
    mix->options.imatrix = row.requires_imatrix;
    candidates.push_back({row.name, *mix, row.file_bytes});
    kept.push_back(quality);
  }
  const auto whole = plan.totals(Ftype::F16, {});
  if (!candidates.empty() && !released_quantized && whole) {
    candidates.push_back({"F16", {Ftype::F16, {}}, whole.value().data_bytes});
  }
  return candidates;
}

}  // namespace

Result<LlamaCppFit> fit_llama_cpp(LlamaCppEstimator& estimator, const LlamaCppSettings& settings,
                                  const FitGoal& goal) {
  Result<LlamaCppEstimate> estimate = estimator.estimate(settings);
  if (!estimate) return estimate.error();
  MachineFit fit = judge(estimate.value().terms, goal.rooms);
  return LlamaCppFit{settings, std::move(estimate.value()), std::move(fit)};
}

Result<LlamaCppSolution> largest_context(LlamaCppEstimator& estimator, const Model& model,
                                         const LlamaCppSettings& settings, const FitGoal& goal,
                                         std::int64_t limit) {
  const std::int64_t longest = limit > 0 ? limit : model.n_ctx_train;
  if (longest < 1) return Error{"ctx_range", "n_ctx", "1.."};
  const std::int64_t n_stream = settings.kv_unified ? 1 : std::max<std::int64_t>(settings.n_seq, 1);
  const std::int64_t step = kCellStep * n_stream;
  return solve(
      estimator, settings, goal, "n_ctx", 1, round_up(longest, kCellStep) / kCellStep,
      [step](LlamaCppSettings& s, std::int64_t n) { s.n_ctx = n * step; },
      [step](std::int64_t n) { return n * step; });
}

Result<LlamaCppSolution> most_slots(LlamaCppEstimator& estimator, const LlamaCppSettings& settings,
                                    std::int64_t context, const FitGoal& goal) {
  if (context < 1) return Error{"ctx_range", "n_ctx", "1.."};
  return solve(
      estimator, settings, goal, "n_seq", 1, kMaxSlots,
      [context](LlamaCppSettings& s, std::int64_t n) {
        s.n_seq = n;
        s.n_ctx = context * n;
        // A server asks for one row of logits per slot.
        if (s.n_outputs_max > 0) s.n_outputs_max = n;
      },
      [](std::int64_t n) { return n; });
}

Result<LlamaCppSolution> most_users(LlamaCppEstimator& estimator, LlamaCppProgram program,
                                    const LlamaCppSettings& settings, std::int64_t context,
                                    const FitGoal& goal) {
  if (context < 1) return Error{"ctx_range", "n_ctx", "1.."};
  return solve(
      estimator, settings, goal, "users", 1, serves_several(program) ? kMaxSlots : 1,
      [program, context](LlamaCppSettings& s, std::int64_t n) {
        set_workload(s, program, {context, n});
      },
      [](std::int64_t n) { return n; });
}

Result<LlamaCppSolution> largest_ubatch(LlamaCppEstimator& estimator,
                                        const LlamaCppSettings& settings, const FitGoal& goal) {
  return solve(
      estimator, settings, goal, "n_ubatch", 1, kLargestUbatch / kUbatchStep,
      [](LlamaCppSettings& s, std::int64_t n) {
        s.n_ubatch = n * kUbatchStep;
        s.n_batch = std::max(s.n_batch, s.n_ubatch);
      },
      [](std::int64_t n) { return n * kUbatchStep; });
}

Result<LlamaCppSolution> best_gpu_layers(LlamaCppEstimator& estimator, const Model& model,
                                         const LlamaCppSettings& settings, const FitGoal& goal) {
  const auto all = static_cast<std::int64_t>(model.layers.size()) + 1;
  const FitGoal gpus = gpus_of(goal);
  auto found = solve(
      estimator, settings, gpus, "n_gpu_layers", 0, settings.devices.empty() ? 0 : all,
      [](LlamaCppSettings& s, std::int64_t n) { s.n_gpu_layers = n; },
      [](std::int64_t n) { return n; });
  return with_host(std::move(found), goal, "n_gpu_layers");
}

Result<LlamaCppSolution> least_cpu_moe(LlamaCppEstimator& estimator, const Model& model,
                                       const LlamaCppSettings& settings, const FitGoal& goal) {
  if (!model.has_experts()) return Error{"no_experts", "model", model.architecture};
  const auto n_layer = static_cast<std::int64_t>(model.layers.size());
  const FitGoal gpus = gpus_of(goal);
  auto found = solve(
      estimator, settings, gpus, "n_cpu_moe", 0, n_layer,
      [n_layer](LlamaCppSettings& s, std::int64_t on_gpu) {
        s.cpu_moe = false;
        s.n_cpu_moe = n_layer - on_gpu;
      },
      [n_layer](std::int64_t on_gpu) { return n_layer - on_gpu; });
  return with_host(std::move(found), goal, "n_cpu_moe");
}

Result<LlamaCppSolution> plan_offload(LlamaCppEstimator& estimator, const Model& model,
                                      const LlamaCppSettings& settings, const FitGoal& goal) {
  const auto all = static_cast<std::int64_t>(model.layers.size()) + 1;
  LlamaCppSettings whole = settings;
  whole.n_gpu_layers = all;
  int n_estimates = 0;
  if (model.has_experts() && !settings.devices.empty()) {
    auto experts = least_cpu_moe(estimator, model, whole, goal);
    if (experts) {
      experts.value().value = all;
      experts.value().next_value.reset();
      return experts;
    }
    if (experts.error().code != "none_fits") return experts;
    constexpr int kBothEnds = 2;
    n_estimates += kBothEnds;
    whole.cpu_moe = true;
    whole.n_cpu_moe = 0;
  }
  auto layers = best_gpu_layers(estimator, model, whole, goal);
  if (layers) layers.value().n_estimates += n_estimates;
  return layers;
}

Result<MixSolution> best_mix(const Model& model, const LlamaCppSettings& settings,
                             const FitGoal& goal) {
  const MixPlan plan(model);
  const std::vector<MixCandidate> candidates = mix_candidates(model, plan);
  if (candidates.empty()) return Error{"quant_names", "model", model.name};

  const auto evaluate = [&](std::int64_t index) -> Result<LlamaStep> {
    const MixCandidate& candidate = candidates[static_cast<std::size_t>(index)];
    Result<QuantizedMix> types = plan.quantize(candidate.mix.ftype, candidate.mix.options);
    if (!types) return types.error();
    Model quantized = model;
    for (std::size_t i = 0; i < quantized.tensors.size(); ++i) {
      quantized.tensors[i].type = types.value().types[i];
    }
    LlamaCppEstimator estimator(quantized);
    Result<LlamaCppFit> fit = fit_llama_cpp(estimator, settings, goal);
    if (!fit) return fit.error();
    const bool fits = accepts(goal.comfort, fit.value().fit.verdict);
    return LlamaStep{index, fits, std::move(fit.value())};
  };
  auto found = largest_step<LlamaCppFit>(0, static_cast<std::int64_t>(candidates.size()) - 1, "mix",
                                         evaluate, shortage_text);
  if (!found) return found.error();
  Largest<LlamaCppFit>& largest = found.value();
  const MixCandidate& best = candidates[static_cast<std::size_t>(largest.best.value)];
  MixSolution solution;
  solution.mix = best.name;
  solution.file_bytes = best.bytes;
  solution.best = std::move(largest.best.answer);
  if (largest.next) {
    solution.next_mix = candidates[static_cast<std::size_t>(largest.next->value)].name;
    solution.next = std::move(largest.next->answer);
  }
  solution.n_estimates = largest.n_estimates;
  return solution;
}

}  // namespace meyasu
