#include "core/inference/llama_cpp/scheduler.hpp"

#include <cstddef>

namespace meyasu {
namespace {

constexpr std::int32_t kMaxSplitInputs = 30;   // GGML_SCHED_MAX_SPLIT_INPUTS
constexpr std::int64_t kMinOffloadBatch = 32;  // below it, streaming a weight does not pay

/// Rows that share one read of the weight: what decides whether streaming it to a GPU pays.
std::int64_t batch_size(const GraphTensor& tensor) {
  switch (tensor.op) {
    case GraphOp::get_rows:
      return 0;
    case GraphOp::mul_mat:
      return tensor.ne[1];
    case GraphOp::mul_mat_id:
      return tensor.ne[2];
    default:
      return tensor.ne[1] * tensor.ne[2] * tensor.ne[3];
  }
}

}  // namespace

BackendId Schedule::backend_by_rule(const Graph& graph, const GraphTensor& tensor,
                                    const std::vector<ScheduledBackend>& backends) const {
  if (tensor.buffer != kNoBackend) return tensor.buffer;
  if (tensor.is_view() && graph[tensor.root].buffer != kNoBackend) {
    return graph[tensor.root].buffer;
  }
  if (tensor.has(GraphTensor::kInput)) return cpu_;
  // Rope factors and attention sinks are too small to decide where the operation runs.
  if (tensor.op == GraphOp::rope || tensor.op == GraphOp::flash_attn) return kNoBackend;
  for (int slot = 0; slot < tensor.source_count; ++slot) {
    const GraphTensor& source = graph[graph.source(tensor, slot)];
    if (!source.has(GraphTensor::kWeight)) continue;
    if (source.buffer == cpu_ && source.has(GraphTensor::kPlain) &&
        batch_size(tensor) >= kMinOffloadBatch) {
      for (std::size_t b = 0; b < backends.size(); ++b) {
        if (backends[b].op_offload) return static_cast<BackendId>(b);
      }
    }
    return source.buffer;
  }
  return kNoBackend;
}

BackendId Schedule::location(const Graph& graph, TensorId id) const {
  const GraphTensor& tensor = graph[id];
  const TensorId holder = tensor.is_view() ? tensor.root : id;
  if (graph[holder].buffer != kNoBackend) return graph[holder].buffer;
  const BackendId own = backend_of(id);
  return own != kNoBackend ? own : backend_of(holder);
}

std::int32_t Schedule::find_copy(TensorId id, BackendId backend) const {
  std::int32_t copy = first_copy_[static_cast<std::size_t>(id)];
  while (copy >= 0 && copies_[static_cast<std::size_t>(copy)].backend != backend) {
    copy = copies_[static_cast<std::size_t>(copy)].next;
  }
  return copy;
}

std::int32_t Schedule::make_copy(Graph& graph, TensorId id, BackendId backend, bool keep_original) {
  Copy copy;
  copy.backend = backend;
  copy.next = first_copy_[static_cast<std::size_t>(id)];
  for (int c = 0; c < n_copies_; ++c) {
    TensorId duplicate = id;
    if (c > 0 || !keep_original) {
      duplicate = graph.layout_copy(id);
      backend_.push_back(backend);
      first_copy_.push_back(-1);
    }
    if (n_copies_ > 1) graph[duplicate].flags |= GraphTensor::kInput | GraphTensor::kOutput;
    copy.ids[static_cast<std::size_t>(c)] = duplicate;
  }
  copies_.push_back(copy);
  const auto index = static_cast<std::int32_t>(copies_.size() - 1);
  first_copy_[static_cast<std::size_t>(id)] = index;
  return index;
}

void Schedule::split(Graph& graph, const std::vector<ScheduledBackend>& backends,
                     const std::vector<Pin>& pins, bool pipeline_copies) {
  cpu_ = static_cast<BackendId>(backends.size());
  n_copies_ = pipeline_copies ? kPipelineCopies : 1;
  backend_.assign(graph.size(), kNoBackend);
  first_copy_.assign(graph.size(), -1);
  copies_.clear();
  graph_inputs_.clear();
  inputs_.clear();
  splits_.clear();
  const std::vector<TensorId>& nodes = graph.nodes();
  for (const Pin& pin : pins) at(pin.id) = pin.backend;

  // Pass 1: what is decided by memory that already exists.
  for (const TensorId leaf : graph.leafs()) {
    if (at(leaf) == kNoBackend) at(leaf) = backend_by_rule(graph, graph[leaf], backends);
  }
  for (const TensorId node : nodes) {
    if (at(node) == kNoBackend) at(node) = backend_by_rule(graph, graph[node], backends);
  }

  // Pass 2: spread GPUs down and up, where a CPU node ends the spread; then whatever is left.
  const auto spread = [&](TensorId node, BackendId& current, bool cpu_too) {
    if (is_view_op(graph[node].op)) return;
    BackendId& own = at(node);
    if (own == kNoBackend) {
      own = current;
    } else {
      current = own == cpu_ && !cpu_too ? kNoBackend : own;
    }
  };
  for (const bool cpu_too : {false, true}) {
    BackendId current = kNoBackend;
    for (auto node = nodes.begin(); node != nodes.end(); ++node) spread(*node, current, cpu_too);
    current = kNoBackend;
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) spread(*node, current, cpu_too);
  }
  // Pass 3 moves nodes between backends that share a kind of memory; none of ours do.

  // Pass 4: views follow what they view, sources their reader.
  for (const TensorId node : nodes) {
    const GraphTensor& tensor = graph[node];
    if (at(node) == kNoBackend && tensor.is_view()) at(node) = at(tensor.root);
    for (int slot = 0; slot < tensor.source_count; ++slot) {
      const TensorId source = graph.source(tensor, slot);
      if (at(source) != kNoBackend) continue;
      at(source) = graph[source].is_view() ? at(graph[source].root) : at(node);
    }
  }
  cut(graph);
}

void Schedule::cut(Graph& graph) {
  // Pass 5: a split ends where the backend changes, or before a weight that must be streamed in.
  const std::vector<TensorId>& nodes = graph.nodes();
  Split current;
  bool started = false;
  const auto readable = [&](TensorId id, BackendId by) { return location(graph, id) == by; };
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const TensorId node = nodes[i];
    if (is_view_op(graph[node].op)) continue;
    const BackendId own = at(node);
    if (!started) {
      current.backend = own;
      started = true;
    }
    bool split_here = own != current.backend;
    const int source_count = graph[node].source_count;
    if (!split_here && current.input_count > 0) {
      for (int slot = 0; slot < source_count && !split_here; ++slot) {
        const TensorId source = graph.source(graph[node], slot);
        const bool foreign = !readable(source, own) && at(source) != own;
        if (graph[source].has(GraphTensor::kWeight) && foreign) split_here = true;
        if (bounded_inputs_ && current.input_count >= kMaxSplitInputs && foreign &&
            find_copy(source, own) < 0) {
          split_here = true;
        }
      }
    }
    if (split_here) {
      current.end = static_cast<std::int32_t>(i);
      splits_.push_back(current);
      current = {};
      current.backend = own;
      current.begin = static_cast<std::int32_t>(i);
      current.input_begin = static_cast<std::int32_t>(inputs_.size());
    }
    for (int slot = 0; slot < source_count; ++slot) {
      const TensorId source = graph.source(graph[node], slot);
      if (n_copies_ > 1 && graph[source].has(GraphTensor::kInput) &&
          find_copy(source, at(source)) < 0) {
        graph_inputs_.push_back({source, make_copy(graph, source, at(source), true)});
      }
      if (at(source) == own || readable(source, own)) continue;
      std::int32_t copy = find_copy(source, own);
      if (copy < 0) {
        copy = make_copy(graph, source, own, false);
        inputs_.push_back({source, copy});
        ++current.input_count;
      }
      graph.set_source(graph[node], slot, copies_[static_cast<std::size_t>(copy)].ids[0]);
    }
  }
  if (started) {
    current.end = static_cast<std::int32_t>(nodes.size());
    splits_.push_back(current);
  }
}

void Schedule::lay_out(Graph& graph, const std::vector<ScheduledBackend>& backends) {
  leafs_.clear();
  nodes_.clear();
  if (n_copies_ > 1) {
    const auto place_copies = [&](const SplitInput& input) {
      const Copy& copy = copies_[static_cast<std::size_t>(input.copy)];
      for (const TensorId id : copy.ids) leafs_.push_back({id, copy.backend});
    };
    for (const SplitInput& input : graph_inputs_) place_copies(input);
    for (const SplitInput& input : inputs_) place_copies(input);
  }
  for (const TensorId leaf : graph.leafs()) leafs_.push_back({leaf, at(leaf)});

  for (const Split& split : splits_) {
    const auto first_input = static_cast<std::size_t>(split.input_begin);
    const auto input_count = static_cast<std::size_t>(split.input_count);
    for (std::size_t i = first_input; i < first_input + input_count; ++i) {
      const SplitInput input = inputs_[i];
      // The original must live until it is copied, the copy from the start of the split.
      nodes_.push_back({graph.dependency(input.id, &input.id, 1), at(input.id)});
      nodes_.push_back({copies_[static_cast<std::size_t>(input.copy)].ids[0], split.backend});
    }
    const auto begin = static_cast<std::size_t>(split.begin);
    const auto end = static_cast<std::size_t>(split.end);
    const bool keeps_moe =
        split.backend != cpu_ && backends[static_cast<std::size_t>(split.backend)].keeps_moe;
    if (keeps_moe) {
      keep_fused_moe(graph, begin, end, split.backend);
    } else {
      for (std::size_t i = begin; i < end; ++i) {
        nodes_.push_back({graph.nodes()[i], at(graph.nodes()[i])});
      }
    }
  }
}

namespace {

constexpr int kMaxDependencies = 10;  // sources of one ggml tensor

/// Expert counts for which CUDA has a fused routing kernel.
bool fused_routing(std::int64_t n_expert) {
  const bool power_of_two = n_expert > 0 && (n_expert & (n_expert - 1)) == 0;
  return (power_of_two && n_expert <= 512) || n_expert == 288 || n_expert == 576;
}

/// Nodes [begin, result) that match, starting at a weighted sum of expert outputs; begin if none.
std::size_t match_expert_sum(const Graph& graph, std::size_t begin, std::size_t end) {
  constexpr std::int64_t kMaxUsed = 15;
  const std::vector<TensorId>& nodes = graph.nodes();
  const TensorId product = nodes[begin];
  if (graph[product].op != GraphOp::mul || graph[product].source_count != 2) return begin;
  const GraphTensor& experts = graph[graph.source(graph[product], 0)];
  if (experts.op != GraphOp::mul_mat_id && experts.op != GraphOp::add_id) return begin;
  const std::int64_t n_used = graph[product].ne[1];
  if (n_used < 2 || n_used > kMaxUsed) return begin;
  const std::size_t stop = begin + static_cast<std::size_t>(2 * n_used);
  if (stop > end) return begin;
  for (std::size_t i = begin + 1; i < stop; ++i) {
    const bool is_view = i <= begin + static_cast<std::size_t>(n_used);
    const GraphTensor& tensor = graph[nodes[i]];
    if (tensor.op != (is_view ? GraphOp::view : GraphOp::add)) return begin;
    if (is_view && tensor.root != product) return begin;
  }
  return stop;
}

/// The same for the routing: probabilities, selection, weights.
std::size_t match_routing(const Graph& graph, std::size_t begin, std::size_t end) {
  const std::vector<TensorId>& nodes = graph.nodes();
  const auto is = [&](std::size_t i, GraphOp op) { return i < end && graph[nodes[i]].op == op; };
  const bool probabilities = is(begin, GraphOp::soft_max) || is(begin, GraphOp::unary);
  if (!probabilities || !fused_routing(graph[nodes[begin]].ne[0])) return begin;
  std::size_t i = begin + 1;
  if (!is(i++, GraphOp::reshape)) return begin;
  if (is(i, GraphOp::add)) ++i;
  for (const GraphOp op : {GraphOp::argsort, GraphOp::view, GraphOp::get_rows}) {
    if (!is(i++, op)) return begin;
  }
  const std::array<GraphOp, 5> normalisation = {GraphOp::reshape, GraphOp::sum_rows, GraphOp::clamp,
                                                GraphOp::div, GraphOp::reshape};
  std::size_t after = i;
  for (const GraphOp op : normalisation) {
    if (!is(after++, op)) {
      after = i;
      break;
    }
  }
  if (is(after, GraphOp::scale)) ++after;
  return after;
}

}  // namespace

void Schedule::keep_fused_moe(Graph& graph, std::size_t begin, std::size_t end, BackendId backend) {
  const auto emit = [&](std::size_t i) {
    nodes_.push_back({graph.nodes()[i], at(graph.nodes()[i])});
  };
  const auto keep = [&]() {
    for (std::size_t from = 0; from < kept_.size(); from += kMaxDependencies) {
      std::array<TensorId, kMaxDependencies> ids{};
      int count = 0;
      for (std::size_t i = from; i < kept_.size() && count < kMaxDependencies; ++i) {
        ids[static_cast<std::size_t>(count++)] = kept_[i].id;
      }
      nodes_.push_back({graph.dependency(ids[0], ids.data(), count), backend});
    }
    kept_.clear();
  };
  const auto add_kept = [&](TensorId id) {
    for (const PlacedTensor& kept : kept_) {
      if (kept.id == id) return;
    }
    kept_.push_back({id, backend});
  };
  std::size_t i = begin;
  while (i < end) {
    const std::size_t sum_end = match_expert_sum(graph, i, end);
    if (sum_end > i) {
      const TensorId product = graph.nodes()[i];
      for (; i < sum_end; ++i) emit(i);
      add_kept(graph.source(graph[product], 0));
      add_kept(graph.source(graph[product], 1));
      keep();
      continue;
    }
    const std::size_t routing_end = match_routing(graph, i, end);
    if (routing_end > i) {
      for (; i < routing_end; ++i) {
        emit(i);
        const TensorId node = graph.nodes()[i];
        add_kept(node);
        for (int slot = 0; slot < graph[node].source_count; ++slot) {
          add_kept(graph.source(graph[node], slot));
        }
      }
      if (i < end) emit(i++);
      keep();
      continue;
    }
    emit(i++);
  }
}

}  // namespace meyasu
