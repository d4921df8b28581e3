#include "core/serving/settings.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "core/serving/sharding.hpp"

namespace meyasu {
namespace {

constexpr std::int64_t kMaxTokens = std::int64_t{1} << 31;
/// Cards from this size on get the larger defaults: EngineArgs.get_batch_defaults in
/// vllm/engine/arg_utils.py ("H100, MI300x": at least 70 GiB of memory, and no A100).
constexpr Bytes kLargeCard = 70 * kGiB;

/// SGLang's defaults by memory of the card: tokens of a prefill chunk, and the largest batch with a
/// CUDA graph, which is smaller where fewer than four cards share a model.
/// ServerArgs._handle_gpu_memory_settings in srt/server_args.py.
struct SglangTier {
  Bytes below;
  std::int64_t chunk;
  std::int64_t graphs;
  std::int64_t graphs_of_four;
};

SglangTier sglang_tier(Bytes device_total) {
  constexpr std::array<SglangTier, 4> kTiers = {{{20 * kGiB, 2048, 8, 8},
                                                 {35 * kGiB, 2048, 24, 80},
                                                 {60 * kGiB, 4096, 32, 160},
                                                 {160 * kGiB, 8192, 256, 512}}};
  for (const SglangTier& tier : kTiers) {
    if (device_total < tier.below) return tier;
  }
  return {0, 16384, 512, 512};
}

/// SGLang's default: what is left after a reserve for activations and graphs (MiB in its source).
double sglang_fraction(const ServingSettings& s) {
  constexpr double kLeastOfLarge = 10 * 1024;  // cards above 60 GiB
  const double chunk = static_cast<double>(std::max<std::int64_t>(s.max_num_batched_tokens, 2048));
  const auto graphs = static_cast<double>(sglang_graph_batch(s));
  const double ranks = static_cast<double>(s.parallel.tp * s.parallel.pp);
  double reserve_mib = 512 + 1.5 * chunk + 2 * graphs + 1024 * ranks / 8;
  if (s.device_total > 60 * kGiB) reserve_mib = std::max(reserve_mib, kLeastOfLarge);
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

/// Requests that run at the same time unless asked for otherwise.
std::int64_t default_seqs(const ServingSettings& s, const Model& model, bool large) {
  switch (s.runtime) {
    case ServingRuntime::vllm:
      return large ? 1024 : 256;
    case ServingRuntime::sglang:
      // _apply_deepseek_v4_defaults; for others 2048 to 4096, the more the larger the pool is
      // (resolve_max_num_reqs in srt/model_executor/pool_configurator.py).
      return model.architecture == "deepseek4" ? 256 : 2048;
    case ServingRuntime::tensorrt_llm:
      return 2048;  // BuildConfig.max_batch_size in tensorrt_llm/builder.py
  }
  return 0;
}

std::int64_t default_batched_tokens(const ServingSettings& s, bool large) {
  switch (s.runtime) {
    case ServingRuntime::vllm:
      return large ? 8192 : 2048;
    case ServingRuntime::sglang:
      return sglang_tier(s.device_total).chunk;
    case ServingRuntime::tensorrt_llm:
      return 8192;  // BuildConfig.max_num_tokens
  }
  return 0;
}

/// vLLM fits its own numbers to each other and to the length, never those that were asked for
/// (_set_default_max_num_seqs_and_batched_tokens_args in the same file). Encoders read a text at
/// once, so a batch holds the longest.
void fit_batches(ServingSettings& s, const Model& model, bool asked_tokens, bool asked_seqs) {
  if (!asked_tokens) {
    if (model.is_encoder) {
      s.max_num_batched_tokens = std::max(s.max_num_batched_tokens, s.max_model_len);
    }
    s.max_num_batched_tokens = std::min(s.max_num_batched_tokens, s.max_num_seqs * s.max_model_len);
  }
  if (!asked_seqs) s.max_num_seqs = std::min(s.max_num_seqs, s.max_num_batched_tokens);
}

void fill_runtime_defaults(ServingSettings& s, const Model& model) {
  const bool large = s.device_total >= kLargeCard && !s.is_a100;
  const bool asked_tokens = s.max_num_batched_tokens > 0;
  const bool asked_seqs = s.max_num_seqs > 0;
  if (!asked_tokens) s.max_num_batched_tokens = default_batched_tokens(s, large);
  if (!asked_seqs) s.max_num_seqs = default_seqs(s, model, large);
  if (s.runtime == ServingRuntime::vllm) fit_batches(s, model, asked_tokens, asked_seqs);
  // As many places as users on each replica; a batch holds at least a token of each.
  if (!asked_seqs) s.max_num_seqs = std::max(s.max_num_seqs, divide_up(s.users, s.parallel.dp));
  if (!asked_tokens) s.max_num_batched_tokens = std::max(s.max_num_batched_tokens, s.max_num_seqs);
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
  if (s.users < 1 || s.users > kMaxTokens) return Error{"users_range", "users", "1.."};
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

bool names_a100(std::string_view device_name) {
  return device_name.find("A100") != std::string_view::npos;
}

std::int64_t sglang_graph_batch(const ServingSettings& settings) {
  const SglangTier tier = sglang_tier(settings.device_total);
  return settings.parallel.tp < 4 ? tier.graphs : tier.graphs_of_four;
}

Result<ServingSettings> with_defaults(const ServingSettings& settings, const Model& model) {
  const Result<ServingSettings> checked = check(settings, model);
  if (!checked) return checked.error();
  ServingSettings filled = checked.value();
  if (filled.max_model_len == 0) filled.max_model_len = model.n_ctx_train;
  if (filled.max_model_len <= 0) return Error{"ctx_range", "max_model_len", "1.."};
  fill_runtime_defaults(filled, model);
  return filled;
}

}  // namespace meyasu
