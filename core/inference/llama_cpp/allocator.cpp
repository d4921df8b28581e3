#include "core/inference/llama_cpp/allocator.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace meyasu {
namespace {

constexpr std::int32_t kNeverFreed = std::numeric_limits<std::int32_t>::max();

/// F16 copies of quantized K and V behind the result of flash attention, each from a multiple of
/// 128 bytes. Source: ggml_cuda_flash_attn_ext_get_alloc_size in ggml-cuda/fattn.cu.
Bytes with_flash_attn_scratch(const Graph& graph, const GraphTensor& tensor, Bytes bytes) {
  constexpr Bytes kAlign = 128;
  constexpr Bytes kF16 = 2;
  const TensorId k = graph.source(tensor, 1);
  const TensorId v = graph.source(tensor, 2);
  const auto root = [&](TensorId id) { return graph[id].is_view() ? graph[id].root : id; };
  if (graph[k].type != GgmlType::F16) {
    bytes = round_up(bytes, kAlign) + kF16 * graph[k].elements();
  }
  const bool v_inside_k = root(k) == root(v);
  if (graph[v].type != GgmlType::F16 && !v_inside_k) {
    bytes = round_up(bytes, kAlign) + kF16 * graph[v].elements();
  }
  return bytes;
}

}  // namespace

void BlockAllocator::reset(Bytes alignment, Bytes max_chunk) {
  alignment_ = alignment;
  max_chunk_ = max_chunk;
  n_chunks_ = 0;
}

BlockAllocator::Address BlockAllocator::allocate(Bytes size) {
  size = round_up(size, alignment_);
  constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  std::size_t best_chunk = kNone;
  std::size_t best_block = 0;
  // The smallest fitting hole. The block at a chunk's end is kept for when nothing else fits, since
  // taking it may raise the mark. Each chunk starts the comparison afresh, as in the source.
  for (std::size_t c = 0; c < n_chunks_; ++c) {
    const std::vector<Block>& free = chunks_[c].free;
    Bytes best_size = std::numeric_limits<Bytes>::max();
    for (std::size_t b = 0; b + 1 < free.size(); ++b) {
      if (free[b].size >= size && free[b].size <= best_size) {
        best_chunk = c;
        best_block = b;
        best_size = free[b].size;
      }
    }
  }
  if (best_chunk == kNone) {
    // The end block with room below the mark to spare and least of it, else with least growth.
    Bytes best_slack = std::numeric_limits<Bytes>::min();
    for (std::size_t c = 0; c < n_chunks_; ++c) {
      const std::vector<Block>& free = chunks_[c].free;
      if (free.empty() || free.back().size < size) continue;
      const Bytes slack = chunks_[c].mark - free.back().offset - size;
      if ((best_slack < 0 && slack > best_slack) || (slack >= 0 && slack < best_slack)) {
        best_chunk = c;
        best_block = free.size() - 1;
        best_slack = slack;
      }
    }
  }
  if (best_chunk == kNone) {
    if (n_chunks_ == chunks_.size()) chunks_.emplace_back();
    best_chunk = n_chunks_++;
    best_block = 0;
    const bool last = n_chunks_ >= kMaxChunks;
    chunks_[best_chunk].free.assign(1, {0, last ? kUnlimited : std::max(size, max_chunk_)});
    chunks_[best_chunk].mark = 0;
  }
  Chunk& chunk = chunks_[best_chunk];
  Block& block = chunk.free[best_block];
  const Address address = {static_cast<int>(best_chunk), block.offset};
  block.offset += size;
  block.size -= size;
  if (block.size == 0) {
    chunk.free.erase(chunk.free.begin() + static_cast<std::ptrdiff_t>(best_block));
  }
  chunk.mark = std::max(chunk.mark, address.offset + size);
  return address;
}

void BlockAllocator::release(Address address, Bytes size) {
  size = round_up(size, alignment_);
  std::vector<Block>& free = chunks_[static_cast<std::size_t>(address.chunk)].free;
  for (std::size_t b = 0; b < free.size(); ++b) {
    Block& block = free[b];
    if (block.offset + block.size == address.offset) {
      block.size += size;
      if (b + 1 < free.size() && block.offset + block.size == free[b + 1].offset) {
        block.size += free[b + 1].size;
        free.erase(free.begin() + static_cast<std::ptrdiff_t>(b) + 1);
      }
      return;
    }
    if (address.offset + size == block.offset) {
      block.offset = address.offset;
      block.size += size;
      if (b > 0 && free[b - 1].offset + free[b - 1].size == block.offset) {
        free[b - 1].size += block.size;
        free.erase(free.begin() + static_cast<std::ptrdiff_t>(b));
      }
      return;
    }
  }
  const auto after = std::find_if(
      free.begin(), free.end(), [&](const Block& block) { return block.offset >= address.offset; });
  free.insert(after, {address.offset, size});
}

Bytes BlockAllocator::high_water() const {
  Bytes total = 0;
  for (std::size_t c = 0; c < n_chunks_; ++c) total += chunks_[c].mark;
  return total;
}

Bytes GraphAllocator::bytes_on(const Graph& graph, const GraphTensor& tensor,
                               const BackendMemory& memory) const {
  const Bytes bytes = graph_tensor_bytes(tensor);
  if (memory.flash_attn_scratch && tensor.op == GraphOp::flash_attn) {
    return with_flash_attn_scratch(graph, tensor, bytes);
  }
  if (memory.pads_quantized_rows && tensor.type != GgmlType::F32 &&
      block_layout(tensor.type).block > 1) {
    constexpr std::int64_t kRowMultiple = 512;  // MATRIX_ROW_PADDING in ggml-cuda
    const std::int64_t rest = tensor.ne[0] % kRowMultiple;
    if (rest != 0) return bytes + row_bytes(tensor.type, kRowMultiple - rest);
  }
  return bytes;
}

void GraphAllocator::place(const Graph& graph, TensorId id, BackendId backend) {
  const GraphTensor& tensor = graph[id];
  State& own = state(id);
  if (tensor.buffer != kNoBackend || own.owned || tensor.is_view()) return;
  own.owned = true;
  own.ever_placed = true;
  own.placed_at = step_;
  own.freed_at = kNeverFreed;
  if (can_overwrite_source(tensor.op)) {
    for (int slot = 0; slot < tensor.source_count; ++slot) {
      const TensorId source = graph.source(tensor, slot);
      const GraphTensor& parent = graph[source];
      State& from = state(source);
      if (!from.owned || parent.has(GraphTensor::kOutput) || parent.type != tensor.type ||
          parent.ne != tensor.ne || parent.nb != tensor.nb || from.readers != 1 ||
          from.views != 0) {
        continue;
      }
      own.address = from.address;
      own.size = from.size;
      own.backend = from.backend;
      from.owned = false;
      from.freed_at = step_;
      return;
    }
  }
  const auto index = static_cast<std::size_t>(backend);
  own.backend = backend;
  own.size = bytes_on(graph, tensor, memory_[index]);
  own.address = allocators_[index].allocate(own.size);
  const Bytes high = allocators_[index].high_water();
  if (high > peak_[index]) {
    peak_[index] = high;
    peak_step_[index] = step_;
  }
}

void GraphAllocator::release(const Graph& graph, TensorId id) {
  if (graph[id].has(GraphTensor::kOutput)) return;
  State& own = state(id);
  own.owned = false;
  own.freed_at = step_ + 1;  // still there during this step
  allocators_[static_cast<std::size_t>(own.backend)].release(own.address, own.size);
}

void GraphAllocator::run(const Graph& graph, std::span<const PlacedTensor> leafs,
                         std::span<const PlacedTensor> nodes,
                         std::span<const BackendMemory> memory) {
  memory_ = memory;
  states_.assign(graph.size(), State{});
  allocators_.resize(memory.size());
  peak_.assign(memory.size(), -1);
  peak_step_.assign(memory.size(), 0);
  for (std::size_t i = 0; i < memory.size(); ++i) {
    allocators_[i].reset(memory[i].alignment, memory[i].max_chunk);
  }
  step_ = 0;
  for (const PlacedTensor& leaf : leafs) place(graph, leaf.id, leaf.backend);
  for (const PlacedTensor& node : nodes) {
    const GraphTensor& tensor = graph[node.id];
    if (tensor.is_view() && tensor.op != GraphOp::none) ++state(tensor.root).views;
    if (tensor.has(GraphTensor::kInput)) place(graph, node.id, node.backend);
    for (int slot = 0; slot < tensor.source_count; ++slot) {
      const TensorId source = graph.source(tensor, slot);
      ++state(source).readers;
      if (graph[source].has(GraphTensor::kInput)) place(graph, source, node.backend);
    }
  }
  for (const PlacedTensor& node : nodes) {
    const GraphTensor& tensor = graph[node.id];
    ++step_;
    for (int slot = 0; slot < tensor.source_count; ++slot) {
      const TensorId source = graph.source(tensor, slot);
      if (graph[source].op == GraphOp::none && !state(source).ever_placed) {
        place(graph, source, node.backend);
      }
    }
    place(graph, node.id, node.backend);
    for (int slot = 0; slot < tensor.source_count; ++slot) {
      const TensorId source = graph.source(tensor, slot);
      State& parent = state(source);
      if (--parent.readers != 0 || parent.views != 0) continue;
      if (graph[source].is_view()) {
        const TensorId root = graph[source].root;
        State& viewed = state(root);
        --viewed.views;
        if (viewed.views == 0 && viewed.readers == 0 && viewed.owned) release(graph, root);
      } else if (parent.owned) {
        release(graph, source);
      }
    }
  }
}

std::vector<GraphAllocator::Resident> GraphAllocator::residents_at_peak(BackendId backend) const {
  std::vector<Resident> residents;
  const std::int32_t step = peak_step_[static_cast<std::size_t>(backend)];
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const State& own = states_[i];
    if (!own.ever_placed || own.backend != backend || own.placed_at > step ||
        own.freed_at <= step || own.size == 0) {
      continue;
    }
    residents.push_back({static_cast<TensorId>(i), own.size});
  }
  std::stable_sort(residents.begin(), residents.end(),
                   [](const Resident& a, const Resident& b) { return a.bytes > b.bytes; });
  return residents;
}

}  // namespace meyasu
