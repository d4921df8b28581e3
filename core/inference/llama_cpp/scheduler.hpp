// Which backend runs each operation, where the graph is cut, and which tensors are copied across
// the cuts: the order in which the allocator then sees the tensors.
//
// Source: ggml_backend_sched_split_graph in ggml/src/ggml-backend.cpp of llama.cpp release v0.5.0.
#pragma once

#include <cstdint>
#include <vector>

#include "core/inference/llama_cpp/allocator.hpp"
#include "core/inference/llama_cpp/graph.hpp"

namespace meyasu {

struct ScheduledBackend {
  bool op_offload = false;  // may take products with host weights when the batch is large
  bool keeps_moe = false;   // CUDA: sources of fused mixture-of-experts kernels stay alive
};

/// A tensor pinned to a backend before the passes, as llama.cpp does with norms.
struct Pin {
  TensorId id = kNoTensor;
  BackendId backend = kNoBackend;
};

struct Split {
  BackendId backend = kNoBackend;
  std::int32_t begin = 0;  // into Graph::nodes()
  std::int32_t end = 0;
  std::int32_t input_begin = 0;  // into Schedule::inputs()
  std::int32_t input_count = 0;
};

/// Reusable. Changes the graph: adds copies and lets nodes read them.
class Schedule {
 public:
  /// Copies of every split input when several GPUs work on consecutive batches at once.
  static constexpr int kPipelineCopies = 4;

  /// Builds of 2025 start a new split when one has 30 inputs.
  void bound_inputs(bool bounded) { bounded_inputs_ = bounded; }

  /// `backends` without the CPU, which is number backends.size().
  void split(Graph& graph, const std::vector<ScheduledBackend>& backends,
             const std::vector<Pin>& pins, bool pipeline_copies);
  /// Fills leafs() and nodes(), what the allocator is given. After split().
  void lay_out(Graph& graph, const std::vector<ScheduledBackend>& backends);

  [[nodiscard]] const std::vector<Split>& splits() const { return splits_; }
  [[nodiscard]] BackendId backend_of(TensorId id) const {
    return backend_[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] const std::vector<PlacedTensor>& leafs() const { return leafs_; }
  [[nodiscard]] const std::vector<PlacedTensor>& nodes() const { return nodes_; }

 private:
  bool bounded_inputs_ = false;
  struct Copy {
    BackendId backend = kNoBackend;
    std::int32_t next = -1;  // next copy of the same tensor on another backend
    std::array<TensorId, kPipelineCopies> ids{};
  };
  struct SplitInput {
    TensorId id = kNoTensor;
    std::int32_t copy = -1;  // into copies_
  };

  [[nodiscard]] BackendId backend_by_rule(const Graph& graph, const GraphTensor& tensor,
                                          const std::vector<ScheduledBackend>& backends) const;
  [[nodiscard]] BackendId location(const Graph& graph, TensorId id) const;
  [[nodiscard]] std::int32_t find_copy(TensorId id, BackendId backend) const;
  std::int32_t make_copy(Graph& graph, TensorId id, BackendId backend, bool keep_original);
  void cut(Graph& graph);
  void keep_fused_moe(Graph& graph, std::size_t begin, std::size_t end, BackendId backend);
  BackendId& at(TensorId id) { return backend_[static_cast<std::size_t>(id)]; }

  BackendId cpu_ = 0;
  int n_copies_ = 1;
  std::vector<BackendId> backend_;
  std::vector<std::int32_t> first_copy_;
  std::vector<Copy> copies_;
  std::vector<SplitInput> graph_inputs_;
  std::vector<SplitInput> inputs_;
  std::vector<Split> splits_;
  std::vector<PlacedTensor> leafs_;
  std::vector<PlacedTensor> nodes_;
  std::vector<PlacedTensor> kept_;
};

}  // namespace meyasu
