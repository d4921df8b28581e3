#include "core/inference/llama_cpp/compute_buffer_range.hpp"

#include <algorithm>
#include <cstddef>

namespace meyasu {
namespace {

// Largest errors of the closed form where it was measured, doubled: no such measurement exists for
// the architecture at hand.
constexpr double kLow = 1 - 2 * 0.18;
constexpr double kHigh = 1 + 2 * 0.36;

struct Stages {
  Bytes layers = 0;     // the largest of the blocks
  Bytes output = 0;     // final norm and logits
  Bytes embedding = 0;  // E
  Bytes masks = 0;
  Bytes v_index = 0;  // rows of a transposed V cache
};

Stages stages_of(const Model& model, const LlamaCppSettings& settings,
                 const LlamaCppContext& context) {
  const std::int64_t u = context.n_tokens;
  const Bytes b = 4 * u;
  const bool flash = settings.flash_attention != FlashAttention::off;
  const Bytes mask_element = flash && settings.release >= LlamaCppRelease::v0_5_0 ? 2 : 4;
  Stages stages;
  stages.embedding = model.n_embd * b;
  stages.masks = (context.n_cells + context.n_cells_swa) * u * mask_element;
  stages.output = 4 * model.n_vocab * context.n_outputs + stages.embedding;
  for (const Layer& layer : model.layers) {
    if (layer.is_mtp) continue;
    const Attention& attention = layer.attention;
    const Bytes q = attention.n_head * attention.head_dim_k * b;
    const Bytes k = attention.n_head_kv * attention.head_dim_k * b;
    const Bytes dense = 3 * layer.feed_forward.n_ff * b;
    const Bytes hidden = layer.feed_forward.n_expert_used * layer.feed_forward.n_ff_exp * b;
    const Bytes outs = layer.feed_forward.n_expert_used * stages.embedding;
    const Bytes routed = 3 * hidden + (outs > 2 * hidden ? outs : 0);
    const Bytes state = 5 * layer.recurrent.d_inner * b;
    Bytes block = 2 * stages.embedding + q + std::max({dense, routed, state});
    block += stages.masks;
    if (!flash && layer.kind == LayerKind::attention) {
      const Bytes scores = attention.n_head * context.n_cells * b;
      block = std::max(block, scores + stages.masks + 2 * stages.embedding + 2 * q + 2 * k);
      stages.v_index = std::max(stages.v_index, 2 * k);
    }
    stages.layers = std::max(stages.layers, block);
  }
  return stages;
}

}  // namespace

std::vector<ComputeBuffer> compute_buffer_range(const Model& model,
                                                const LlamaCppSettings& settings,
                                                const LlamaCppContext& context,
                                                const LlamaCppPlacement& placement) {
  const Stages stages = stages_of(model, settings, context);
  const Bytes inputs = 2 * stages.embedding + stages.masks + stages.v_index;
  std::vector<ComputeBuffer> buffers;
  const auto add = [&](int device, Bytes bytes) {
    ComputeBuffer buffer;
    buffer.device = device;
    buffer.bytes = bytes;
    buffer.low = static_cast<Bytes>(kLow * static_cast<double>(bytes));
    buffer.high = static_cast<Bytes>(kHigh * static_cast<double>(bytes));
    buffers.push_back(std::move(buffer));
  };
  const auto runs_layers = [&](int device) {
    return std::find(placement.layer_device.begin(), placement.layer_device.end(), device) !=
           placement.layer_device.end();
  };
  for (std::size_t i = 0; i < settings.devices.size(); ++i) {
    const int device = static_cast<int>(i);
    Bytes bytes = runs_layers(device) ? stages.layers : 0;
    if (placement.output_device == device) bytes = std::max(bytes, stages.output);
    add(device, bytes);
  }
  Bytes host = inputs;
  if (runs_layers(kHost)) host = std::max(host, stages.layers + stages.embedding);
  if (placement.output_device == kHost) {
    host = std::max(host, stages.output + stages.embedding);
  }
  add(kHost, host);
  return buffers;
}

}  // namespace meyasu
