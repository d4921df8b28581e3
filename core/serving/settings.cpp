#include "core/serving/settings.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/serving/sharding.hpp"

namespace meyasu {
namespace {

constexpr std::int64_t kMaxTokens = std::int64_t{1} << 31;
/// Cards from this size on get the larger defaults: EngineArgs.get_batch_defaults in
/// vllm/engine/arg_utils.py ("H100, MI300x": at least 70 GiB of memory).
constexpr Bytes kLargeCard = 70 * kGiB;

// SGLang: ServerArgs in srt/server_args.py picks the prefill chunk by memory of the card.
std::int64_t sglang_prefill_chunk(Bytes device_total) {
  if (device_total < 20 * kGiB) return 2048;
  if (device_total < 60 * kGiB) return 4096;
  return 8192;
}

/// SGLang's default: what is left after a reserve for activations and graphs (MiB in its source).
double sglang_fraction(const ServingSettings& s) {
  const double chunk = static_cast<double>(std::max<std::int64_t>(s.max_num_batched_tokens, 2048));
  const double graphs = 2.0 * static_cast<double>(std::min<std::int64_t>(s.max_num_seqs, 512));
  const double ranks = static_cast<double>(s.parallel.tp * s.parallel.pp);
  const double reserve_mib = 512 + 1.5 * chunk + graphs + 1024 * ranks / 8;
  const double total_mib = static_cast<double>(s.device_total) / static_cast<double>(kMiB);
  return std::max(0.0, 1 - reserve_mib / total_mib);
}

double default_fraction(const ServingSettings& s) {
  switch (s.runtime) {
    case ServingRuntime::vllm:
      return 0.92;  // CacheConfig.gpu_memory_utilization since 2026; 0.9 before
    case ServingRuntime::sglang:
      return sglang_fraction(s);
    case ServingRuntime::tensorrt_llm:
      return 0.9;  // KvCacheConfig.free_gpu_memory_fraction
  }
  return 0;
}

/// Tokens of a page. Kernels of latent attention read 64 (FlashMLA); models that have some beside
/// states are aligned to that, which logs of Kimi Linear show (vllm-project/vllm#28228: 960
/// tokens).
std::int64_t default_block_size(ServingRuntime runtime, const Model& model) {
  const bool latent = std::any_of(model.layers.begin(), model.layers.end(), [](const Layer& layer) {
    return layer.attention.mla.has_value();
  });
  switch (runtime) {
    case ServingRuntime::vllm:
      return latent ? 64 : 16;
    case ServingRuntime::sglang:
      return 1;
    case ServingRuntime::tensorrt_llm:
      return 32;
  }
  return 0;
}

void fill_runtime_defaults(ServingSettings& s, const Model& model) {
  const bool large = s.device_total >= kLargeCard;
  const bool sglang = s.runtime == ServingRuntime::sglang;
  if (s.max_num_batched_tokens == 0) {
    if (sglang) {
      s.max_num_batched_tokens = sglang_prefill_chunk(s.device_total);
    } else {
      s.max_num_batched_tokens = large ? 8192 : 2048;
    }
  }
  if (s.max_num_seqs == 0) s.max_num_seqs = large && !sglang ? 1024 : 256;
  if (s.block_size == 0) s.block_size = default_block_size(s.runtime, model);
  if (s.memory_fraction == 0) s.memory_fraction = default_fraction(s);
}

Result<ServingSettings> check(const ServingSettings& s, const Model& model) {
  const Parallelism& p = s.parallel;
  if (p.tp < 1 || p.tp > 1024) return Error{"gpu_count", "tp", "1..1024"};
  if (p.pp < 1 || p.pp > 1024) return Error{"gpu_count", "pp", "1..1024"};
  if (p.dp < 1 || p.dp > 1024) return Error{"gpu_count", "dp", "1..1024"};
  if (s.device_total <= 0) return Error{"device_zero", "device", ""};
  if (!std::isfinite(s.memory_fraction) || s.memory_fraction < 0 || s.memory_fraction > 1) {
    return Error{"fraction_range", "memory_fraction", "0..1"};
  }
  if (s.max_model_len < 0 || s.max_model_len > kMaxTokens) {
    return Error{"ctx_range", "max_model_len", "1.." + std::to_string(kMaxTokens)};
  }
  if (s.max_num_seqs < 0 || s.max_num_seqs > kMaxTokens)
    return Error{"batch_zero", "max_num_seqs", ""};
  if (s.max_num_batched_tokens < 0 || s.max_num_batched_tokens > kMaxTokens) {
    return Error{"batch_zero", "max_num_batched_tokens", ""};
  }
  if (s.block_size < 0 || s.block_size > 4096) return Error{"not_positive", "block_size", ""};
  const std::int64_t n_layer = model.n_layer();
  if (p.pp > std::max<std::int64_t>(n_layer, 1)) {
    return Error{"pp_layers", "pp", std::to_string(n_layer)};
  }
  for (const Layer& layer : model.layers) {
    const std::int64_t heads = layer.attention.n_head;
    if (layer.kind == LayerKind::attention && heads % p.tp != 0) {
      return Error{"tp_heads", "tp", std::to_string(heads) + "/" + std::to_string(p.tp)};
    }
  }
  return s;
}

}  // namespace

Result<ServingSettings> with_defaults(const ServingSettings& settings, const Model& model) {
  const Result<ServingSettings> checked = check(settings, model);
  if (!checked) return checked.error();
  ServingSettings filled = checked.value();
  fill_runtime_defaults(filled, model);
  if (filled.max_model_len == 0) filled.max_model_len = model.n_ctx_train;
  if (filled.max_model_len <= 0) return Error{"ctx_range", "max_model_len", "1.."};
  return filled;
}

}  // namespace meyasu
