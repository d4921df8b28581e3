#include "core/inference/llama_cpp/settings.hpp"

#include <algorithm>

#include "core/model/pooling.hpp"
#include "core/units/limits.hpp"

namespace meyasu {
namespace {

constexpr std::int64_t kCellPadding = 256;
constexpr std::int64_t kOldCellPadding = 32;  // to 2025-05, without flash attention
constexpr std::int64_t kMaxSequences = 256;   // LLAMA_MAX_SEQ
constexpr std::int64_t kMaxDraft = 1024;
constexpr std::int64_t kMaxBatch = std::int64_t{1} << 22;

Error out_of_range(std::string field, std::int64_t low, std::int64_t high) {
  const char* code = field == "n_ctx" ? "ctx_range" : "value_range";
  return {code, std::move(field), std::to_string(low) + ".." + std::to_string(high)};
}

bool is_hybrid(const Model& model) {
  const auto has = [&](bool attention) {
    return std::any_of(model.layers.begin(), model.layers.end(), [&](const Layer& layer) {
      return (layer.kind == LayerKind::attention) == attention &&
             layer.kind != LayerKind::feed_forward_only;
    });
  };
  return has(true) && has(false);
}

bool divides(GgmlType type, std::int64_t width) {
  return width % block_layout(type).block == 0;
}

}  // namespace

std::string_view release_name(LlamaCppRelease release) {
  for (const auto& [name, known] : kReleases) {
    if (known == release) return name;
  }
  return "";
}

bool has_window_cache(const Model& model) {
  if (model.sliding_window <= 0) return false;
  if (model.has_compressed_keys()) return true;
  return std::any_of(model.layers.begin(), model.layers.end(), [](const Layer& layer) {
    return layer.keeps_keys() && layer.attention.span != AttentionSpan::full;
  });
}

bool is_absorbed_mla(const Model& model) {
  return std::any_of(model.layers.begin(), model.layers.end(), [](const Layer& layer) {
    return layer.attention.mla.has_value() && layer.attention.mla->absorbed;
  });
}

Result<LlamaCppContext> normalize(const LlamaCppSettings& settings, const Model& model) {
  if (settings.n_seq < 1) return Error{"batch_zero", "n_seq", {}};
  if (settings.n_seq > kMaxSequences) return out_of_range("n_seq", 1, kMaxSequences);
  if (settings.n_draft < 0 || settings.n_draft > kMaxDraft) {
    return out_of_range("n_draft", 0, kMaxDraft);
  }
  if (settings.n_batch < 1) return Error{"batch_zero", "n_batch", {}};
  if (settings.n_batch > kMaxBatch) return out_of_range("n_batch", 1, kMaxBatch);
  if (settings.n_ubatch < 0) return Error{"batch_zero", "n_ubatch", {}};
  if (settings.n_ubatch > settings.n_batch) {
    return Error{"ubatch_over", "n_ubatch", std::to_string(settings.n_batch)};
  }
  const std::int64_t asked = settings.n_ctx == 0 ? model.n_ctx_train : settings.n_ctx;
  if (asked < 1 || asked > kMaxContext) return out_of_range("n_ctx", 1, kMaxContext);
  if (is_quantized(settings.type_v) && settings.flash_attention == FlashAttention::off) {
    return Error{"v_needs_fa", "type_v", std::string(ggml_type_name(settings.type_v))};
  }
  if ((is_absorbed_mla(model) || model.has_compressed_keys()) &&
      settings.type_k != settings.type_v) {
    return Error{"mla_kv", "type_k", std::string(ggml_type_name(settings.type_k))};
  }
  for (const Layer& layer : model.layers) {
    if (layer.kind != LayerKind::attention || layer.attention.mla) continue;
    if (!divides(settings.type_k, layer.attention.head_dim_k)) {
      return Error{"kv_block", "type_k", std::to_string(layer.attention.head_dim_k)};
    }
    if (!divides(settings.type_v, layer.attention.head_dim_v)) {
      return Error{"kv_block", "type_v", std::to_string(layer.attention.head_dim_v)};
    }
  }
  if (!settings.tensor_split.empty()) {
    const auto used = std::min(settings.tensor_split.size(), settings.devices.size());
    double sum = 0;
    for (std::size_t i = 0; i < used; ++i) {
      if (!(settings.tensor_split[i] >= 0)) return Error{"not_positive", "tensor_split", {}};
      sum += settings.tensor_split[i];
    }
    if (!(sum > 0)) return Error{"split_empty", "tensor_split", {}};
  }

  LlamaCppContext context;
  if (model.is_encoder) {
    const bool ranks = pooling_of(model) == Pooling::rank;
    context.purpose = ranks ? Purpose::ranking : Purpose::embeddings;
  }
  context.n_seq = settings.n_seq;
  context.n_stream = settings.kv_unified ? 1 : settings.n_seq;
  const bool old = settings.release < LlamaCppRelease::build_2025_11;
  const bool fine_cells = old && settings.flash_attention != FlashAttention::on;
  const std::int64_t padding = fine_cells ? kOldCellPadding : kCellPadding;
  context.n_cells = round_up(round_up(asked, padding) / context.n_stream, padding);
  context.n_ctx = context.n_cells * context.n_stream;
  // Hybrid models of older builds gave every stream the whole context.
  if (settings.release < LlamaCppRelease::v0_5_0 && is_hybrid(model)) {
    context.n_cells = context.n_ctx;
  }
  // Compressed keys are kept per sequence even with one common cache, each as long as the context.
  if (model.has_compressed_keys()) context.n_stream = context.n_seq;
  // Without causal attention the batch may be longer than the context.
  context.n_batch = model.is_encoder ? settings.n_batch : std::min(settings.n_batch, context.n_ctx);
  context.n_ubatch =
      std::min(settings.n_ubatch == 0 ? context.n_batch : settings.n_ubatch, context.n_batch);
  // An encoder reads a batch at once; llama-server shortens its batches to that.
  if (model.is_encoder) {
    context.n_batch = context.n_ubatch;
    const std::int64_t longest =
        std::min(context.n_cells, round_up(model.n_ctx_train, kCellPadding));
    if (context.n_ubatch < longest) {
      context.warnings.push_back({"text_over", "model", std::to_string(context.n_ubatch)});
    }
  }
  if (has_window_cache(model) && (!old || model.has_compressed_keys())) {
    const std::int64_t sequences = context.n_seq / context.n_stream;
    const std::int64_t window = model.sliding_window * sequences + context.n_ubatch;
    context.n_cells_swa = settings.swa_full
                              ? context.n_cells
                              : round_up(std::min(context.n_cells, window), kCellPadding);
  }
  const std::int64_t tokens = std::min(context.n_ctx, context.n_ubatch);
  context.n_tokens = round_up(tokens, context.n_seq);
  // A text's vector is made of all its tokens (server_n_outputs_max in llama-server); T5 encodes
  // in the same context.
  const bool all_rows = model.is_encoder || model.has_encoder;
  const std::int64_t rows = all_rows ? 0 : settings.n_outputs_max * (1 + settings.n_draft);
  context.n_outputs = std::min(tokens, rows == 0 ? context.n_batch : rows);
  // Grok's scores go through a tanh that flash attention lacks: the runtime turns it off.
  context.no_flash_attention = model.architecture == "grok";
  context.v_transposed =
      settings.flash_attention == FlashAttention::off || context.no_flash_attention;

  const auto n_layers = static_cast<std::int64_t>(model.layers.size());
  const bool all = settings.n_gpu_layers < 0 || settings.n_gpu_layers > n_layers;
  if (settings.devices.empty()) {
    context.n_gpu_layers = 0;
  } else {
    context.n_gpu_layers = all ? n_layers + 1 : settings.n_gpu_layers;
    if (settings.n_gpu_layers > n_layers + 1) {
      context.warnings.push_back({"ngl_over", "n_gpu_layers", std::to_string(n_layers + 1)});
    }
  }
  if (model.n_ctx_train > 0 && context.n_cells > round_up(model.n_ctx_train, kCellPadding)) {
    context.warnings.push_back({"ctx_over", "n_ctx", std::to_string(model.n_ctx_train)});
  }
  return context;
}

}  // namespace meyasu
