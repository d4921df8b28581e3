#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "core/readers/log_lines.hpp"

namespace meyasu {
namespace {

using Pairs = std::pair<std::string_view, std::string_view>;

constexpr std::string_view kGpu = "gpu0";  // every GPU holds the same share

bool put_size_after(LogReading& log, std::string_view line, std::string_view words,
                    std::string_view term) {
  const auto rest = after(line, words);
  const auto size = rest ? leading_size(*rest) : std::nullopt;
  if (!size) return false;
  put_buffer(log, term, kGpu, *size);
  return true;
}

bool put_arguments(LogReading& log, std::string_view line, const auto& names) {
  bool any = false;
  for (const auto& [printed, name] : names) {
    const auto value = value_of(line, printed);
    if (!value || value->substr(0, 4) == "None") continue;
    put_fact(log, name, value->substr(0, value->find(' ')));
    any = true;
  }
  return any;
}

}  // namespace

bool read_vllm_line(std::string_view line, LogReading& log) {
  bool own = false;
  for (const auto& [words, term] :
       std::array<Pairs, 7>{{{"odel loading took ", "weights"},
                             {"oading model weights took ", "weights"},
                             {"model weights take ", "weights"},
                             {"non_torch_memory takes ", "non_torch"},
                             {"PyTorch activation peak memory takes ", "activations"},
                             {"reserved for KV Cache is ", "kv_pool"},
                             {"Available KV cache memory: ", "kv_pool"}}}) {
    own = put_size_after(log, line, words, term) || own;
  }
  if (const auto rest = after(line, "Graph capturing finished")) {
    own = put_size_after(log, *rest, "took ", "cuda_graphs") || own;
  }
  if (const auto rest = after(line, "GPU KV cache size: ")) {
    put_fact(log, "n_tokens", rest->substr(0, rest->find(" token")));
    own = true;
  }
  if (const auto rest = after(line, "# GPU blocks: ")) {
    put_fact(log, "n_blocks", rest->substr(0, rest->find(',')));
    own = true;
  }
  if (const auto rest = after(line, "x gpu_memory_utilization (")) {
    put_fact(log, "memory_fraction", rest->substr(0, rest->find(')')));
    own = true;
  }
  if (const auto rest = after(line, "total_gpu_memory (")) {
    LogDevice* device = device_at(log, kGpu);
    const auto size = leading_size(*rest);
    if (size && device != nullptr) device->total = size->bytes;
  }
  if (line.find("vLLM") != std::string_view::npos || line.find("vllm") != std::string_view::npos ||
      line.find("LLM engine") != std::string_view::npos) {
    constexpr std::array<Pairs, 9> kArguments = {{
        {"model", "model"},
        {"max_seq_len", "n_ctx"},
        {"max_model_len", "n_ctx"},
        {"tensor_parallel_size", "tp"},
        {"gpu_memory_utilization", "memory_fraction"},
        {"kv_cache_dtype", "kv_type"},
        {"quantization", "quantization"},
        {"max_num_seqs", "max_num_seqs"},
        {"max_num_batched_tokens", "max_num_batched_tokens"},
    }};
    put_arguments(log, line, kArguments);
    own = true;
  }
  return own;
}

bool read_sglang_line(std::string_view line, LogReading& log) {
  if (const auto rest = after(line, "Load weight end.")) {
    put_size_after(log, *rest, "mem usage=", "weights");
    return true;
  }
  if (const auto rest = after(line, "KV Cache is allocated.")) {
    if (const auto tokens = after(*rest, "#tokens: ")) {
      put_fact(log, "n_tokens", tokens->substr(0, tokens->find(',')));
    }
    const auto k = after(*rest, "K size: ");
    const auto v = after(*rest, "V size: ");
    const auto k_size = k ? leading_size(*k) : std::nullopt;
    const auto v_size = v ? leading_size(*v) : std::nullopt;
    if (k_size && v_size) {
      put_buffer(log, "kv_pool", kGpu,
                 {k_size->bytes + v_size->bytes, k_size->rounding + v_size->rounding});
    }
    return true;
  }
  if (const auto rest = after(line, "apture cuda graph end.")) {
    put_size_after(log, *rest, "mem usage=", "cuda_graphs");
    return true;
  }
  if (const auto rest = after(line, "Init torch distributed ends.")) {
    put_size_after(log, *rest, "mem usage=", "non_torch");
    return true;
  }
  if (line.find("server_args=") == std::string_view::npos &&
      line.find("max_total_num_tokens=") == std::string_view::npos) {
    return false;
  }
  constexpr std::array<Pairs, 7> kArguments = {{
      {"model_path", "model"},
      {"context_len", "n_ctx"},
      {"context_length", "n_ctx"},
      {"mem_fraction_static", "memory_fraction"},
      {"tp_size", "tp"},
      {"kv_cache_dtype", "kv_type"},
      {"chunked_prefill_size", "max_num_batched_tokens"},
  }};
  put_arguments(log, line, kArguments);
  return true;
}

bool read_nvidia_smi_line(std::string_view line, LogReading& log, int& gpu) {
  line = trim(line);
  if (line.find("NVIDIA-SMI") != std::string_view::npos) return true;
  if (line.size() < 2 || line.front() != '|') return false;
  const auto number = leading_integer(line.substr(1));
  constexpr std::int64_t kMostGpus = 255;
  // "|   0  NVIDIA GeForce RTX 3090   Off | 00000000:01:00.0 Off | N/A |"
  if (number && *number <= kMostGpus && line.find(':') != std::string_view::npos &&
      line.find("MiB") == std::string_view::npos) {
    gpu = static_cast<int>(*number);
    LogDevice* device = device_at(log, "CUDA" + std::to_string(gpu));
    std::string_view name = trim(line.substr(1));
    name = trim(name.substr(std::min(name.find(' '), name.size())));
    name = trim(name.substr(0, name.find("  ")));
    for (const std::string_view mode : {" Off", " On"}) {
      if (name.size() > mode.size() && name.substr(name.size() - mode.size()) == mode) {
        name = trim(name.substr(0, name.size() - mode.size()));
      }
    }
    if (device != nullptr && device->name.empty()) device->name = name;
    return true;
  }
  // "| 30%   45C    P8    20W / 350W |    512MiB / 24576MiB |      0%      Default |"
  if (const auto total = after(line, "MiB / ")) {
    LogDevice* device = gpu < 0 ? nullptr : device_at(log, "CUDA" + std::to_string(gpu));
    const auto size = leading_size(*total);
    if (device == nullptr || !size) return false;
    device->total = size->bytes;
    return true;
  }
  // "|    0   N/A  N/A      4242      C   ./llama-server      14838MiB |"
  if (!number || *number > kMostGpus) return false;
  const std::size_t unit = line.rfind("MiB");
  if (unit == std::string_view::npos || line.find(" C ") == std::string_view::npos) return false;
  const std::size_t blank = line.find_last_of(" \t", unit);
  const auto size =
      blank == std::string_view::npos ? std::nullopt : leading_size(line.substr(blank + 1));
  LogDevice* device = device_at(log, "CUDA" + std::to_string(*number));
  if (!size || device == nullptr) return false;
  device->process = std::max(device->process, size->bytes);
  return true;
}

}  // namespace meyasu
