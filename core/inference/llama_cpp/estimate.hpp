// Everything that llama.cpp allocates for one configuration, term by term and device by device.
// Terms (Term::id; devices are LlamaCppDevice::name or "host"):
//   weights           buffer of a device; on the host plain or pinned memory
//   weights_mapped    span of the file that the CPU reads: page cache, given back under pressure
//   weights_repacked  copies in the layout of the CPU's kernels
//   kv_cache, kv_cache_window, recurrent_state
//   output_buffer     logits on the host
//   compute_buffer    activations: the graph, scheduled and placed
//   runtime_context   CUDA's context of the process; runtime_overhead: what else no log shows
//   mtp_kv_cache, mtp_compute       of multi-token prediction, if loaded
//   mmproj_weights, mmproj_compute  of a vision or audio tower
//   lora_weights      adapters, on the devices of their base weights
//   draft_*           the same terms of a draft model
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/inference/llama_cpp/compute_buffer.hpp"
#include "core/inference/llama_cpp/kv_cache.hpp"
#include "core/inference/llama_cpp/parts.hpp"
#include "core/inference/llama_cpp/recurrent_state.hpp"
#include "core/model/layer_cost.hpp"
#include "core/units/term.hpp"

namespace meyasu {

struct LlamaCppEstimate {
  LlamaCppContext context;
  std::vector<Term> terms;  // their sum per device is the total
  /// Weights as the file has them, without padding and the gaps of a mapped file.
  LayerCosts layers;
  ComputeBuffers compute;
  /// "ctx_over", "ngl_over", "arch_unknown" (detail: what is missing)...: the estimate stands, with
  /// this beside it.
  std::vector<Error> warnings;
};

/// Sum over the terms of one device; `reclaimable` says whether mapped file pages count.
enum class Amount { low, likely, high };
[[nodiscard]] Bytes total_on(const LlamaCppEstimate& estimate, std::string_view device,
                             Amount amount = Amount::likely, bool reclaimable = true);

/// Prepares a model once; a sweep calls estimate() for every point.
class LlamaCppEstimator {
 public:
  /// `model` must outlive the estimator.
  explicit LlamaCppEstimator(const Model& model) : model_(&model), compute_(model) {}

  /// Errors: those of normalize() and place_weights(). `explain` lists what fills the compute
  /// buffers at their peak.
  [[nodiscard]] Result<LlamaCppEstimate> estimate(const LlamaCppSettings& settings,
                                                  bool explain = false);

 private:
  const Model* model_;
  [[nodiscard]] Result<LlamaCppEstimate> estimate_draft(const LlamaCppSettings& target,
                                                        std::int64_t n_ctx);

  ComputeBufferEstimator compute_;
  /// Of the draft model that was asked about last.
  std::shared_ptr<const Model> draft_model_;
  std::unique_ptr<LlamaCppEstimator> draft_;
};

/// One estimate with explanation.
[[nodiscard]] Result<LlamaCppEstimate> estimate_llama_cpp(const Model& model,
                                                          const LlamaCppSettings& settings);

/// Settings that a program of the family starts with. Devices are left to the caller.
enum class LlamaCppProgram {
  server,     // llama-server: 4 slots over one pool of cells, logits of the last tokens only
  cli,        // llama-cli: one sequence
  library,    // the C API and programs that keep its defaults: all logits, full window caches
  ollama,     // one slot of 4096 tokens, or more by memory; runs llama-server since 2026-08
  lm_studio,  // 4096 tokens, batches of 512; since 0.4 four slots over one pool
  koboldcpp,  // 8192 tokens, batches of 512, the library's logits for whole batches
};
[[nodiscard]] LlamaCppSettings default_settings(LlamaCppProgram program);

}  // namespace meyasu
