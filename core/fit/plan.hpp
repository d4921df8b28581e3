// The best place for everything: which layers, experts and caches llama.cpp keeps on the GPUs of
// this machine, and how several GPUs share them. Found by asking the same estimate, never by a
// second formula.
#pragma once

#include "core/fit/llama_cpp.hpp"

namespace meyasu {

/// Bytes that one new token makes the machine read, by where they lie. Experts count by the part
/// of them that a token uses; the token table is a lookup of one row; the cache counts whole.
struct TokenReads {
  Bytes gpu = 0;
  Bytes host = 0;

  /// Part that the host reads, 0 to 1: what makes decoding slow.
  [[nodiscard]] double host_share() const;
};
/// Errors: those of normalize() and place_weights().
[[nodiscard]] Result<TokenReads> token_reads(const Model& model, const LlamaCppSettings& settings);

/// -ts that uses unequal GPUs, or GPUs unequally filled (--n-cpu-moe), evenly: layers move from the
/// fullest to the emptiest until all fit or nothing gains. The runtime's own split (by free memory)
/// stays where it fits. `settings.tensor_split` is left alone when given. Errors: the estimator's.
[[nodiscard]] Result<LlamaCppFit> fit_with_best_split(LlamaCppEstimator& estimator,
                                                      const LlamaCppSettings& settings,
                                                      const FitGoal& goal);

struct PlacementPlan {
  LlamaCppFit fit;  // its settings hold n_gpu_layers, n_cpu_moe, offload_kv, tensor_split
  TokenReads reads;
};

/// Everything fits, and the GPUs read as much of every token as they can: all on the GPUs if that
/// fits; else the least of: some experts on the host (smallest --n-cpu-moe, then fewer layers),
/// fewer layers (largest -ngl), or the same with the cache in RAM (-nkvo).
/// Errors: none_fits (field "n_gpu_layers") with the missing bytes as detail; the estimator's.
[[nodiscard]] Result<PlacementPlan> plan_machine(LlamaCppEstimator& estimator, const Model& model,
                                                 const LlamaCppSettings& settings,
                                                 const FitGoal& goal);

}  // namespace meyasu
