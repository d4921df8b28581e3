// "How much can I ask of llama.cpp on this machine": the largest context, most slots, largest
// batch, best mix and best split between GPUs and host, each the exact step at which the estimate
// stops fitting, with the estimates on both sides of it as proof.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/fit/fit.hpp"
#include "core/fit/largest_step.hpp"
#include "core/inference/llama_cpp/estimate.hpp"
#include "core/inference/llama_cpp/presets.hpp"

namespace meyasu {

struct LlamaCppFit {
  LlamaCppSettings settings;
  LlamaCppEstimate estimate;
  MachineFit fit;
};

/// `value` is in the unit of the question: tokens, slots, layers.
struct LlamaCppSolution {
  std::int64_t value = 0;
  LlamaCppFit best;
  /// The next step, which does not fit; absent when the search reached its limit.
  std::optional<std::int64_t> next_value;
  std::optional<LlamaCppFit> next;
  int n_estimates = 0;
};

/// Where everything has to fit. `host` may be left out of `rooms` when its size is unknown.
struct FitGoal {
  std::vector<Room> rooms;
  Comfort comfort = Comfort::tight;
};

/// Estimate and verdict of one configuration. Errors: those of LlamaCppEstimator.
[[nodiscard]] Result<LlamaCppFit> fit_llama_cpp(LlamaCppEstimator& estimator,
                                                const LlamaCppSettings& settings,
                                                const FitGoal& goal);

/// Largest -c in steps of 256 tokens per stream, up to the model's training length (the runtime
/// allows more but warns), or up to `limit` tokens per stream if that is positive.
/// At most 2 + log2(limit / 256) estimates: 11 for 128k.
/// Errors of all solvers: none_fits with the missing bytes as detail, and the estimator's.
[[nodiscard]] Result<LlamaCppSolution> largest_context(LlamaCppEstimator& estimator,
                                                       const Model& model,
                                                       const LlamaCppSettings& settings,
                                                       const FitGoal& goal, std::int64_t limit = 0);

/// Most slots (-np, at most 256) with `context` tokens for each of them.
[[nodiscard]] Result<LlamaCppSolution> most_slots(LlamaCppEstimator& estimator,
                                                  const LlamaCppSettings& settings,
                                                  std::int64_t context, const FitGoal& goal);

/// Most conversations of `context` tokens at the same time, with slots as the program sets them up
/// for so many (set_workload); 1 for programs that run one.
[[nodiscard]] Result<LlamaCppSolution> most_users(LlamaCppEstimator& estimator,
                                                  LlamaCppProgram program,
                                                  const LlamaCppSettings& settings,
                                                  std::int64_t context, const FitGoal& goal);

/// Largest -ub in steps of 32 tokens, at most 8192; -b grows with it where it is smaller.
[[nodiscard]] Result<LlamaCppSolution> largest_ubatch(LlamaCppEstimator& estimator,
                                                      const LlamaCppSettings& settings,
                                                      const FitGoal& goal);

/// Largest -ngl for which all GPUs fit; then the host, which holds the least, has to fit too.
[[nodiscard]] Result<LlamaCppSolution> best_gpu_layers(LlamaCppEstimator& estimator,
                                                       const Model& model,
                                                       const LlamaCppSettings& settings,
                                                       const FitGoal& goal);

/// Smallest --n-cpu-moe for which all GPUs fit. `value` is N; `next` has one block more on the GPU.
/// Error no_experts (field "model"): a dense model.
[[nodiscard]] Result<LlamaCppSolution> least_cpu_moe(LlamaCppEstimator& estimator,
                                                     const Model& model,
                                                     const LlamaCppSettings& settings,
                                                     const FitGoal& goal);

/// The split a person would choose: everything on the GPUs if it fits; else, with experts, only
/// some of them on the host; else fewer layers. `value` is n_gpu_layers.
[[nodiscard]] Result<LlamaCppSolution> plan_offload(LlamaCppEstimator& estimator,
                                                    const Model& model,
                                                    const LlamaCppSettings& settings,
                                                    const FitGoal& goal);

/// The largest mix (most bits) that fits, among those worth choosing: no mix for which a smaller
/// one was measured to lose no more, none for models trained in ternary weights.
struct MixSolution {
  std::string mix;  // "Q4_K_M"
  Bytes file_bytes = 0;
  LlamaCppFit best;
  std::string next_mix;  // the next larger, which does not fit; empty: even the largest fits
  std::optional<LlamaCppFit> next;
  int n_estimates = 0;
};
/// `model` must carry GGUF tensor names. Errors: none_fits (field "mix"); quant_names (field
/// "model") when it does not.
[[nodiscard]] Result<MixSolution> best_mix(const Model& model, const LlamaCppSettings& settings,
                                           const FitGoal& goal);

}  // namespace meyasu
