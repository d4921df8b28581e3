// Compute buffers of llama.cpp: what it reserves for activations on every device and on the host.
// Not a formula: the worst-case graph is built, scheduled and placed as the runtime does it, which
// reproduces every measured buffer to the byte. See graph_builder.hpp, scheduler.hpp,
// allocator.hpp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/inference/llama_cpp/placement.hpp"
#include "core/inference/llama_cpp/settings.hpp"
#include "core/model/model.hpp"
#include "core/units/bytes.hpp"
#include "core/units/result.hpp"

namespace meyasu {

/// A tensor that occupies memory when a buffer is fullest.
struct PeakTensor {
  std::string name;  // as in llama.cpp's graph: "ffn_gate", "inp_kq_mask"
  int layer = -1;    // -1 outside the blocks
  Bytes bytes = 0;   // rounded up to the buffer's alignment
};

struct ComputeBuffer {
  int device = -1;  // index into LlamaCppSettings::devices; kHost for host memory
  Bytes bytes = 0;
  Bytes low = 0;  // equal to bytes unless the architecture's graph is unknown
  Bytes high = 0;
  /// Filled on request, largest first; their sum and `gaps` (free holes below the highest address)
  /// make up `bytes`.
  std::vector<PeakTensor> at_peak;
  Bytes gaps = 0;
};

struct ComputeBuffers {
  std::vector<ComputeBuffer> buffers;  // every device in order, then the host
  std::int64_t n_nodes = 0;
  std::int64_t n_splits = 0;
  bool flash_attention = false;  // what "auto" became
  bool pipeline_copies = false;  // four copies of every tensor that crosses devices
  /// False: no graph is known for the architecture. The sizes are a guess between low and high,
  /// see compute_buffer_range.hpp; n_nodes and n_splits are 0.
  bool graph_known = true;
};

/// Prepares a model once for many estimates. Keeps its working memory between them.
class ComputeBufferEstimator {
 public:
  /// `model` must outlive the estimator.
  explicit ComputeBufferEstimator(const Model& model);
  ~ComputeBufferEstimator();
  ComputeBufferEstimator(ComputeBufferEstimator&&) noexcept;
  ComputeBufferEstimator& operator=(ComputeBufferEstimator&&) noexcept;
  ComputeBufferEstimator(const ComputeBufferEstimator&) = delete;
  ComputeBufferEstimator& operator=(const ComputeBufferEstimator&) = delete;

  /// Errors: those of normalize() and place_weights().
  /// `explain` fills ComputeBuffer::at_peak.
  [[nodiscard]] Result<ComputeBuffers> estimate(const LlamaCppSettings& settings,
                                                bool explain = false);
  /// The same for who has normalized and placed already. Error `ctx_range`.
  [[nodiscard]] Result<ComputeBuffers> estimate(const LlamaCppSettings& settings,
                                                const LlamaCppContext& context,
                                                const LlamaCppPlacement& placement, bool explain);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Operations of one batch that a device computes: without views, a norm and the product that
/// follows it counted once, since they run as one. Absent: no graph is known, or the settings are
/// refused.
[[nodiscard]] std::optional<std::int64_t> count_operations(const Model& model,
                                                           const LlamaCppSettings& settings);

/// One estimate with its explanation.
[[nodiscard]] Result<ComputeBuffers> llama_cpp_compute_buffers(const Model& model,
                                                               const LlamaCppSettings& settings);

}  // namespace meyasu
