#include <cmath>
#include <string>

#include "core/launch/launch.hpp"

namespace meyasu {
namespace {

std::string percent(double fraction) {
  const auto hundredths = static_cast<std::int64_t>(std::llround(fraction * 100));
  return std::to_string(hundredths / 100) + "." + std::to_string(hundredths % 100 + 100).substr(1);
}

/// A flag and its value, for numbers that were set.
void number(Command& command, std::string_view flag, std::int64_t value) {
  if (value > 0) command.flag(flag, std::to_string(value));
}

/// --kv-cache-dtype of vLLM; empty: the model's own.
std::string vllm_kv(KvCacheType type) {
  switch (type) {
    case KvCacheType::bf16:
      return {};
    case KvCacheType::fp8:
      return "fp8";
    case KvCacheType::int8_per_token_head:
      return "int8_per_token_head";
    case KvCacheType::nvfp4:
      return "nvfp4";
  }
  return {};
}

Launch vllm(const ServingSettings& s, std::string_view model, std::string_view format,
            Shell shell) {
  Command command;
  command.words = {"vllm", "serve", std::string(model)};
  number(command, "--max-model-len", s.max_model_len);
  number(command, "--max-num-seqs", s.max_num_seqs);
  number(command, "--max-num-batched-tokens", s.max_num_batched_tokens);
  if (s.memory_fraction > 0) command.flag("--gpu-memory-utilization", percent(s.memory_fraction));
  if (s.parallel.tp > 1) command.flag("--tensor-parallel-size", std::to_string(s.parallel.tp));
  if (s.parallel.pp > 1) command.flag("--pipeline-parallel-size", std::to_string(s.parallel.pp));
  if (s.parallel.dp > 1) command.flag("--data-parallel-size", std::to_string(s.parallel.dp));
  if (s.parallel.expert_parallel) command.flag("--enable-expert-parallel");
  if (s.block_size > 0) command.flag("--block-size", std::to_string(s.block_size));
  if (is_16_bit(format)) command.flag("--dtype", format == "bf16" ? "bfloat16" : "float16");
  // Quantizes a 16-bit checkpoint while loading.
  if (format == "fp8-channel") command.flag("--quantization", "fp8");
  const std::string kv = vllm_kv(s.kv_type);
  if (!kv.empty()) command.flag("--kv-cache-dtype", kv);
  if (s.enforce_eager) command.flag("--enforce-eager");
  return {{{"command", "", command.text(shell)}}, {}, {}};
}

Launch sglang(const ServingSettings& s, std::string_view model, std::string_view format,
              Shell shell) {
  Command command;
  command.words = {"python3", "-m", "sglang.launch_server"};
  command.flag("--model-path", std::string(model));
  number(command, "--context-length", s.max_model_len);
  number(command, "--max-running-requests", s.max_num_seqs);
  number(command, "--chunked-prefill-size", s.max_num_batched_tokens);
  if (s.memory_fraction > 0) command.flag("--mem-fraction-static", percent(s.memory_fraction));
  if (s.parallel.tp > 1) command.flag("--tp-size", std::to_string(s.parallel.tp));
  if (s.parallel.pp > 1) command.flag("--pp-size", std::to_string(s.parallel.pp));
  if (s.parallel.dp > 1) command.flag("--dp-size", std::to_string(s.parallel.dp));
  if (is_16_bit(format)) command.flag("--dtype", format == "bf16" ? "bfloat16" : "float16");
  if (format == "fp8-channel") command.flag("--quantization", "fp8");
  if (s.kv_type == KvCacheType::fp8) command.flag("--kv-cache-dtype", "fp8_e4m3");
  if (s.enforce_eager) command.flag("--disable-cuda-graph");
  return {{{"command", "", command.text(shell)}}, {}, {}};
}

Launch tensorrt_llm(const ServingSettings& s, std::string_view model, Shell shell) {
  Launch launch;
  Command command;
  command.words = {"trtllm-serve", std::string(model)};
  number(command, "--max_seq_len", s.max_model_len);
  number(command, "--max_batch_size", s.max_num_seqs);
  number(command, "--max_num_tokens", s.max_num_batched_tokens);
  if (s.memory_fraction > 0) {
    command.flag("--kv_cache_free_gpu_memory_fraction", percent(s.memory_fraction));
  }
  if (s.parallel.tp > 1) command.flag("--tp_size", std::to_string(s.parallel.tp));
  if (s.parallel.pp > 1) command.flag("--pp_size", std::to_string(s.parallel.pp));
  // The type of the cache has no flag; it stands in a file of options.
  if (s.kv_type == KvCacheType::fp8) {
    command.flag("--extra_llm_api_options", "config.yml");
    launch.blocks.push_back({"config_yaml", "config.yml", "kv_cache_config:\n  dtype: fp8\n"});
  }
  launch.blocks.push_back({"command", "", command.text(shell)});
  return launch;
}

}  // namespace

bool is_16_bit(std::string_view format) {
  return format == "bf16" || format == "fp16";
}

Launch launch_server(const ServingSettings& settings, std::string_view model,
                     std::string_view format, Shell shell) {
  // As in core/launch/llama_cpp.cpp: a name that begins with "-" is no option.
  const std::string path =
      (!model.empty() && model.front() == '-' ? "./" : "") + std::string(model);
  Launch launch;
  const bool trt = settings.runtime == ServingRuntime::tensorrt_llm;
  switch (settings.runtime) {
    case ServingRuntime::vllm:
      launch = vllm(settings, path, format, shell);
      break;
    case ServingRuntime::sglang:
      launch = sglang(settings, path, format, shell);
      break;
    case ServingRuntime::tensorrt_llm:
      launch = tensorrt_llm(settings, path, shell);
      break;
  }
  const bool while_loading = format == "fp8-channel" && !trt;
  if (!is_16_bit(format) && !while_loading) launch.notes.emplace_back("quantized_checkpoint");
  const bool rare = settings.kv_type == KvCacheType::int8_per_token_head ||
                    settings.kv_type == KvCacheType::nvfp4;
  if (rare && settings.runtime != ServingRuntime::vllm) launch.missing.emplace_back("kv_type");
  if (trt && settings.parallel.dp > 1) launch.missing.emplace_back("dp");
  return launch;
}

}  // namespace meyasu
