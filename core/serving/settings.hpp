// What a person chooses when starting a serving runtime (vLLM, SGLang, TensorRT-LLM).
#pragma once

#include <cstdint>
#include <string_view>

#include "core/model/model.hpp"
#include "core/units/bytes.hpp"
#include "core/units/result.hpp"

namespace meyasu {

enum class ServingRuntime { vllm, sglang, tensorrt_llm };

/// Element type of the KV cache in server runtimes.
enum class KvCacheType {
  bf16,                 // also fp16: 2 bytes
  fp8,                  // 1 byte, scales per tensor
  int8_per_token_head,  // 1 byte and an fp32 scale for K and for V per token and head
  nvfp4,                // 4 bits and one fp8 scale per 16 elements
};

/// How the model is spread. Ranks form a grid of pp stages of tp GPUs; data parallel replicas
/// repeat the grid. With `expert_parallel`, routed experts are spread whole over tp x dp ranks.
struct Parallelism {
  std::int64_t tp = 1;
  std::int64_t pp = 1;
  std::int64_t dp = 1;
  bool expert_parallel = false;

  [[nodiscard]] std::int64_t n_gpu() const { return tp * pp * dp; }
};

/// Zero means the runtime's own default.
struct ServingSettings {
  ServingRuntime runtime = ServingRuntime::vllm;
  Parallelism parallel;
  Bytes device_total = 0;          // of one GPU, as CUDA reports it
  bool is_a100 = false;            // vLLM gives it the batches of small cards, whatever its size
  double memory_fraction = 0;      // gpu_memory_utilization, mem_fraction_static, kv fraction
  std::int64_t max_model_len = 0;  // 0: the model's training length
  std::int64_t max_num_batched_tokens = 0;
  std::int64_t max_num_seqs = 0;
  std::int64_t users = 1;  // to be served at once
  std::int64_t block_size = 0;
  KvCacheType kv_type = KvCacheType::bf16;
  bool enforce_eager = false;     // no CUDA graphs
  bool hybrid_kv_manager = true;  // vLLM: window layers pay for their window only
};

/// vLLM's own test of the driver's name of a device.
[[nodiscard]] bool names_a100(std::string_view device_name);

/// The largest batch that SGLang captures a CUDA graph for, by memory of the card.
[[nodiscard]] std::int64_t sglang_graph_batch(const ServingSettings& settings);

/// The settings with the runtime's defaults filled in. Where more `users` are to be served than the
/// runtime starts with places for, it is asked for as many; one that has fewer lets the rest wait.
/// Errors (code, field): device_zero device; fraction_range memory_fraction; ctx_range
/// max_model_len; batch_zero max_num_seqs or max_num_batched_tokens; tp_heads tp (detail
/// "heads/tp"); pp_layers pp (detail: layers).
[[nodiscard]] Result<ServingSettings> with_defaults(const ServingSettings& settings,
                                                    const Model& model);

}  // namespace meyasu
