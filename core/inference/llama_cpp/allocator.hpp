// Where a graph's tensors would lie in the compute buffers: the placement that the runtime
// simulates before it reserves memory. The size of a buffer is the highest address ever reached.
//
// Source: ggml/src/ggml-alloc.c (ggml_dyn_tallocr, ggml_gallocr) of llama.cpp release v0.5.0.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "core/inference/llama_cpp/graph.hpp"

namespace meyasu {

/// Offsets inside one backend's buffer. A buffer is a list of chunks, one unless the device limits
/// the size of an allocation; each keeps its free blocks sorted by offset.
class BlockAllocator {
 public:
  static constexpr Bytes kUnlimited = std::numeric_limits<Bytes>::max() / 2;

  struct Address {
    int chunk = -1;
    Bytes offset = 0;
  };

  /// `alignment` > 0 rounds every size up; `max_chunk` bounds a chunk unless one tensor is larger.
  void reset(Bytes alignment, Bytes max_chunk);
  [[nodiscard]] Address allocate(Bytes size);
  void release(Address address, Bytes size);
  /// Sum of the chunks' high-water marks.
  [[nodiscard]] Bytes high_water() const;

 private:
  static constexpr std::size_t kMaxChunks = 16;  // the last one is endless
  struct Block {
    Bytes offset = 0;
    Bytes size = 0;
  };
  struct Chunk {
    std::vector<Block> free;
    Bytes mark = 0;
  };

  std::vector<Chunk> chunks_;  // never shrinks: keeps the memory of the lists
  std::size_t n_chunks_ = 0;
  Bytes alignment_ = 1;
  Bytes max_chunk_ = kUnlimited;
};

/// A tensor of the execution list and the backend whose buffer it would take memory from.
struct PlacedTensor {
  TensorId id = kNoTensor;
  BackendId backend = kNoBackend;
};

struct BackendMemory {
  Bytes alignment = 32;
  Bytes max_chunk = BlockAllocator::kUnlimited;
  bool flash_attn_scratch = false;   // CUDA: quantized K and V are converted inside the buffer
  bool pads_quantized_rows = false;  // CUDA: quantized rows end on a multiple of 512 elements
};

/// Runs the placement for a scheduled graph. Reusable.
class GraphAllocator {
 public:
  /// `leafs` are placed first and in order, then `nodes` are run. Backends index `memory`.
  void run(const Graph& graph, std::span<const PlacedTensor> leafs,
           std::span<const PlacedTensor> nodes, std::span<const BackendMemory> memory);

  [[nodiscard]] Bytes buffer_bytes(BackendId backend) const {
    return allocators_[static_cast<std::size_t>(backend)].high_water();
  }
  /// Tensors that occupied the buffer when its high-water mark was set, largest first.
  struct Resident {
    TensorId id = kNoTensor;
    Bytes bytes = 0;
  };
  [[nodiscard]] std::vector<Resident> residents_at_peak(BackendId backend) const;

 private:
  struct State {
    BlockAllocator::Address address;
    Bytes size = 0;
    std::int32_t readers = 0;
    std::int32_t views = 0;
    std::int32_t placed_at = 0;  // step, for the explanation
    std::int32_t freed_at = 0;   // exclusive
    BackendId backend = kNoBackend;
    bool owned = false;
    bool ever_placed = false;
  };

  void place(const Graph& graph, TensorId id, BackendId backend);
  void release(const Graph& graph, TensorId id);
  [[nodiscard]] Bytes bytes_on(const Graph& graph, const GraphTensor& tensor,
                               const BackendMemory& memory) const;
  State& state(TensorId id) { return states_[static_cast<std::size_t>(id)]; }

  std::vector<State> states_;
  std::vector<BlockAllocator> allocators_;
  std::vector<std::int32_t> peak_step_;
  std::vector<Bytes> peak_;
  std::span<const BackendMemory> memory_;
  std::int32_t step_ = 0;
};

}  // namespace meyasu
