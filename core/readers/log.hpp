// Start-up logs of llama.cpp, Ollama, vLLM and SGLang, and the table of nvidia-smi: the sizes that
// they print, and the settings that they ran with. What people paste is cut, mixed and wrapped, so
// every line is read by itself and what is not known is passed over; nothing is an error.
// Sources: src/llama-context.cpp, llama-kv-cache*.cpp, llama-model*.cpp of llama.cpp v0.5.0 and
// builds since 2024; llm/server.go of Ollama; vllm/v1/worker, sglang/srt/model_executor.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/units/bytes.hpp"

namespace meyasu {

enum class LogSource { unknown, llama_cpp, ollama, vllm, sglang, nvidia_smi };
/// "llama.cpp", "ollama", "vllm", "sglang", "nvidia-smi"; empty for unknown.
[[nodiscard]] std::string_view log_source_name(LogSource source);

/// One printed size. `term`: id as in Term, "weights" for every kind of weights.
/// `place`: the name in the log, "CUDA0", "CUDA_Host", "CPU_Mapped"; servers: "gpu0".
/// The true size lies within `rounding` of `bytes`, which has as many digits as were printed.
struct LogBuffer {
  std::string term;
  std::string place;
  Bytes bytes = 0;
  Bytes rounding = 0;
};

/// `name`: as the options of estimates ("n_ctx", "type_k", "n_gpu_layers"), or "model", "file",
/// "arch", "ftype", "build", "n_params".
struct LogFact {
  std::string name;
  std::string value;
};

/// A GPU as the log or nvidia-smi sees it; -1: not said.
struct LogDevice {
  std::string place;  // "CUDA0"
  std::string name;   // "NVIDIA GeForce RTX 3090"
  Bytes total = -1;
  Bytes free = -1;         // before the model was loaded
  Bytes process = -1;      // of the runtime's process, by nvidia-smi
  Bytes unaccounted = -1;  // what llama.cpp's table at exit could not explain
};

struct LogReading {
  LogSource source = LogSource::unknown;
  std::vector<LogBuffer> buffers;
  std::vector<LogFact> facts;
  std::vector<LogDevice> devices;
  /// A second model was loaded after the first (a draft): its lines were passed over.
  bool second_model = false;

  /// Empty where the log does not say it.
  [[nodiscard]] std::string_view fact(std::string_view name) const;
  /// -1 where the log does not say it or it is no whole number.
  [[nodiscard]] std::int64_t number(std::string_view name) const;
};

/// Longer texts are read up to here, longer lines up to 4096 characters.
inline constexpr std::size_t kMaxLogBytes = std::size_t{4} << 20;

[[nodiscard]] LogReading read_log(std::string_view text);

/// "host" for memory of the machine, else the number of the GPU in its name: "CUDA1" is 1,
/// "Metal" is 0; -1 for the host.
[[nodiscard]] int gpu_of_place(std::string_view place);

}  // namespace meyasu
