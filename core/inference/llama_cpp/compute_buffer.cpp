#include "core/inference/llama_cpp/compute_buffer.hpp"

#include <algorithm>
#include <cstddef>

#include "core/inference/llama_cpp/allocator.hpp"
#include "core/inference/llama_cpp/compute_buffer_range.hpp"
#include "core/inference/llama_cpp/graph.hpp"
#include "core/inference/llama_cpp/graph_builder.hpp"
#include "core/inference/llama_cpp/graph_model.hpp"
#include "core/inference/llama_cpp/scheduler.hpp"

namespace meyasu {
namespace {

// Norms are pinned in batches smaller than this even if not all layers are on GPUs.
constexpr std::int64_t kSmallBatch = 32;

bool is_cuda_like(const LlamaCppDevice& device) {
  return device.backend == LlamaCppBackend::cuda || device.backend == LlamaCppBackend::rocm;
}

GraphRequest make_request(const LlamaCppSettings& settings, const LlamaCppContext& context,
                          const LlamaCppPlacement& placement, const GraphModel& model) {
  GraphRequest request;
  request.n_tokens = context.n_tokens;
  request.n_seq = context.n_seq;
  request.n_outputs = context.n_outputs;
  request.n_stream = context.n_stream;
  request.n_cells = context.n_cells;
  // At load the cache is empty, and what is laid out by position gets the least it can; it grows to
  // the whole context while the model runs (get_n_pos in src/llama-kv-cache-msa.cpp).
  constexpr std::int64_t kPositionsAtLoad = 256;
  request.n_positions = settings.real_load ? context.n_cells : kPositionsAtLoad;
  request.n_cells_swa = context.n_cells_swa;
  request.flash_attention =
      settings.flash_attention != FlashAttention::off && !context.no_flash_attention;
  request.v_transposed = context.v_transposed;
  request.type_k = settings.type_k;
  request.type_v = settings.type_v;
  request.long_context = context.n_cells > model.hparams.n_ctx_orig;
  request.release = settings.release;
  request.placement = &placement;
  request.cpu = static_cast<BackendId>(settings.devices.size());
  return request;
}

bool uses_pipeline(const LlamaCppSettings& settings, const LlamaCppPlacement& placement) {
  return settings.devices.size() > 1 && placement.all_layers_offloaded && settings.offload_kv &&
         !placement.has_overrides &&
         std::all_of(settings.devices.begin(), settings.devices.end(),
                     [](const LlamaCppDevice& device) { return device.async_events; });
}

/// Sizes whose products would leave 64 bits: far beyond any machine, so refused.
bool is_absurd(const Model& model, const LlamaCppContext& context) {
  constexpr double kLimit = 1e15;  // bytes of one tensor
  double widest = static_cast<double>(model.n_vocab);
  // T5's decoder attends to a text of the trained length, too.
  const std::int64_t n_keys =
      model.has_encoder ? std::max(context.n_cells, model.n_ctx_train) : context.n_cells;
  for (const Layer& layer : model.layers) {
    const auto heads = static_cast<double>(layer.attention.n_head);
    widest = std::max(widest, heads * static_cast<double>(n_keys));
  }
  for (const Tensor& tensor : model.tensors) {
    const auto used = static_cast<double>(std::max<std::int64_t>(tensor.ne[2], 1));
    widest = std::max(widest, static_cast<double>(tensor.ne[1]) * used);
    widest = std::max(widest, static_cast<double>(tensor.ne[0]) * used);
  }
  return widest * static_cast<double>(context.n_tokens) * 8 > kLimit;
}

/// Everything but the token table is on one backend, so flash attention cannot run elsewhere.
bool flash_attention_is_at_home(const LlamaCppSettings& settings,
                                const LlamaCppPlacement& placement) {
  if (settings.devices.empty()) return true;
  return settings.devices.size() == 1 && placement.all_layers_offloaded && settings.offload_kv &&
         !placement.has_overrides;
}

}  // namespace

struct ComputeBufferEstimator::State {
  GraphModel model;
  Graph graph;
  Schedule schedule;
  GraphAllocator allocator;

  [[nodiscard]] std::vector<Pin> pins(const GraphBuilder& builder, const LlamaCppSettings& settings,
                                      const LlamaCppPlacement& placement,
                                      const GraphRequest& request) const {
    std::vector<Pin> pins;
    if (placement.all_layers_offloaded || request.n_tokens < kSmallBatch) {
      for (const GraphBuilder::Mark& mark : builder.norms()) {
        if (mark.layer >= 0) pins.push_back({mark.id, builder.layer_backend(mark.layer)});
      }
    }
    if (!settings.offload_kv) {
      for (const GraphBuilder::Mark& mark : builder.attention_results()) {
        pins.push_back({mark.id, request.cpu});
      }
    }
    return pins;
  }

  /// Flash attention "auto": a graph of one token per sequence is scheduled; if any of its flash
  /// attention nodes is not on its layer's device, the whole model goes without.
  bool flash_attention_fits(const LlamaCppSettings& settings, const LlamaCppPlacement& placement,
                            GraphRequest request, const std::vector<ScheduledBackend>& backends) {
    request.n_tokens = request.n_seq;
    request.n_outputs = request.n_seq;
    const GraphBuilder builder(graph, model, request);
    schedule.split(graph, backends, pins(builder, settings, placement, request), false);
    return std::all_of(builder.flash_attentions().begin(), builder.flash_attentions().end(),
                       [&](const GraphBuilder::Mark& mark) {
                         return schedule.backend_of(mark.id) == builder.layer_backend(mark.layer);
                       });
  }

  void explain(ComputeBuffer& buffer, BackendId backend) const {
    buffer.gaps = buffer.bytes;
    for (const GraphAllocator::Resident& resident : allocator.residents_at_peak(backend)) {
      const GraphTensor& tensor = graph[resident.id];
      PeakTensor entry;
      entry.name = tensor.label == GraphLabel::none ? graph_op_name(tensor.op)
                                                    : graph_label_name(tensor.label);
      entry.layer = tensor.layer;
      entry.bytes = resident.bytes;
      buffer.gaps -= resident.bytes;
      buffer.at_peak.push_back(std::move(entry));
    }
  }
};

ComputeBufferEstimator::ComputeBufferEstimator(const Model& model)
    : state_(std::make_unique<State>()) {
  state_->model = prepare_graph_model(model);
}
ComputeBufferEstimator::~ComputeBufferEstimator() = default;
ComputeBufferEstimator::ComputeBufferEstimator(ComputeBufferEstimator&&) noexcept = default;
ComputeBufferEstimator& ComputeBufferEstimator::operator=(ComputeBufferEstimator&&) noexcept =
    default;

Result<ComputeBuffers> ComputeBufferEstimator::estimate(const LlamaCppSettings& settings,
                                                        bool explain) {
  const Model& model = *state_->model.model;
  const auto context = normalize(settings, model);
  if (!context) return context.error();
  const auto placed = place_weights(model, settings, context.value());
  if (!placed) return placed.error();
  return estimate(settings, context.value(), placed.value(), explain);
}

Result<ComputeBuffers> ComputeBufferEstimator::estimate(const LlamaCppSettings& settings,
                                                        const LlamaCppContext& context,
                                                        const LlamaCppPlacement& placement,
                                                        bool explain) {
  State& state = *state_;
  if (is_absurd(*state.model.model, context)) {
    return Error{"ctx_range", "n_ctx", std::to_string(context.n_ctx)};
  }
  state.schedule.bound_inputs(settings.release < LlamaCppRelease::v0_5_0);

  ComputeBuffers result;
  result.pipeline_copies = uses_pipeline(settings, placement);
  if (state.model.traits == nullptr) {
    result.graph_known = false;
    result.flash_attention = settings.flash_attention != FlashAttention::off;
    result.buffers = compute_buffer_range(*state.model.model, settings, context, placement);
    return result;
  }
  GraphRequest request = make_request(settings, context, placement, state.model);
  std::vector<ScheduledBackend> backends;
  std::vector<BackendMemory> memory;
  for (const LlamaCppDevice& device : settings.devices) {
    backends.push_back({settings.op_offload && device.op_offload,
                        settings.cuda_keeps_moe_tensors && is_cuda_like(device)});
    BackendMemory of_device;
    of_device.alignment = device.alignment;
    of_device.flash_attn_scratch = settings.cuda_quantized_kv_scratch && is_cuda_like(device);
    of_device.pads_quantized_rows = is_cuda_like(device);
    memory.push_back(of_device);
  }
  memory.push_back({.alignment = kHostAlignment});

  if (request.flash_attention && settings.flash_attention == FlashAttention::automatic &&
      !flash_attention_is_at_home(settings, placement)) {
    request.flash_attention = state.flash_attention_fits(settings, placement, request, backends);
  }
  result.flash_attention = request.flash_attention;

  const GraphBuilder builder(state.graph, state.model, request);
  std::vector<Pin> pins;
  if (settings.real_load) pins = state.pins(builder, settings, placement, request);
  state.schedule.split(state.graph, backends, pins, result.pipeline_copies);
  state.schedule.lay_out(state.graph, backends);
  state.allocator.run(state.graph, state.schedule.leafs(), state.schedule.nodes(), memory);
  result.n_nodes = static_cast<std::int64_t>(state.graph.nodes().size());
  result.n_splits = static_cast<std::int64_t>(state.schedule.splits().size());

  for (std::size_t i = 0; i < memory.size(); ++i) {
    const auto backend = static_cast<BackendId>(i);
    ComputeBuffer buffer;
    buffer.device = i + 1 == memory.size() ? kHost : static_cast<int>(i);
    buffer.bytes = state.allocator.buffer_bytes(backend);
    buffer.low = buffer.bytes;
    buffer.high = buffer.bytes;
    if (explain) state.explain(buffer, backend);
    result.buffers.push_back(std::move(buffer));
  }
  return result;
}

std::optional<std::int64_t> count_operations(const Model& model, const LlamaCppSettings& settings) {
  const GraphModel prepared = prepare_graph_model(model);
  const auto context = normalize(settings, model);
  if (prepared.traits == nullptr || !context || is_absurd(model, context.value())) {
    return std::nullopt;
  }
  const auto placed = place_weights(model, settings, context.value());
  if (!placed) return std::nullopt;
  Graph graph;
  const GraphBuilder builder(graph, prepared,
                             make_request(settings, context.value(), placed.value(), prepared));
  std::int64_t count = 0;
  for (const TensorId id : graph.nodes()) {
    const GraphTensor& node = graph[id];
    if (node.op == GraphOp::none || is_view_op(node.op)) continue;
    const bool scales_a_norm = node.op == GraphOp::mul && node.source_count > 0 &&
                               graph[graph.source(node, 0)].op == GraphOp::rms_norm;
    if (!scales_a_norm) ++count;
  }
  return count;
}

Result<ComputeBuffers> llama_cpp_compute_buffers(const Model& model,
                                                 const LlamaCppSettings& settings) {
  return ComputeBufferEstimator(model).estimate(settings, true);
}

}  // namespace meyasu
