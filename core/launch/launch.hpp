// What to type to start a runtime with exactly the settings of an estimate. Flags: tools/server and
// common/arg.cpp of llama.cpp v0.5.0; docs of Ollama (Modelfile, FAQ; llm/llama_server.go), vLLM
// (serve; config/cache.py), SGLang (server arguments), koboldcpp.py of 2026, TensorRT-LLM
// (trtllm-serve), Accelerate (big model inference); exllamav2 cache.py and generator, exllamav3
// examples/generator.py and cache/quant.py.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/inference/llama_cpp/estimate.hpp"
#include "core/launch/quote.hpp"
#include "core/serving/exllama.hpp"
#include "core/serving/settings.hpp"
#include "core/serving/transformers.hpp"
#include "core/study/library.hpp"

namespace meyasu {

/// Whether a checkpoint's format is plain 16-bit weights, which load without a quantization method.
[[nodiscard]] bool is_16_bit(std::string_view format);

/// A command, a file or a program. `title` is a message id ("command", "modelfile", "config_yaml",
/// "python"); `file` is the name to save it under, empty for commands.
struct LaunchBlock {
  std::string title;
  std::string file;
  std::string text;
};

struct Launch {
  std::vector<LaunchBlock> blocks;
  /// What the reader must see to, as message ids: "split_file" and the like; see the page.
  std::vector<std::string> notes;
  /// Options of the settings that this program has no flag for: "n_cpu_moe", "type_v", ...
  std::vector<std::string> missing;
};

/// One command: environment, then words. Line breaks between flags, as the shell allows.
struct Command {
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> words;
  std::vector<std::size_t> lines;  // words that begin one

  void flag(std::string_view name);
  void flag(std::string_view name, std::string value);
  [[nodiscard]] std::string text(Shell shell) const;
};

/// `file`: the model's file as the visitor has it or a name for it. `context`: normalize() of
/// `settings`.
[[nodiscard]] Launch launch_llama_cpp(LlamaCppProgram program, const LlamaCppSettings& settings,
                                      const LlamaCppContext& context, std::string_view file,
                                      Shell shell);

/// `model`: a repository id or a folder. `format`: id of its weight format ("bf16", "awq-4bit");
/// other than 16 bit it must be stored that way, noted as "quantized_checkpoint", except for FP8 of
/// vLLM and SGLang, which quantize while loading. Zero settings are left to the runtime.
[[nodiscard]] Launch launch_server(const ServingSettings& settings, std::string_view model,
                                   std::string_view format, Shell shell);

/// `memory`: what each GPU and the host may take, whole GiB, for device_map="auto".
struct TransformersMemory {
  std::vector<std::int64_t> gpu_gib;
  std::int64_t host_gib = 0;  // 0: not stated
};
[[nodiscard]] Launch launch_transformers(const TransformersSettings& settings,
                                         std::string_view model, std::string_view format,
                                         const TransformersMemory& memory);

/// What to run for a question about Transformers or ExLlama, with the sizes that its estimate has.
/// `model` as for the two below. Errors: those of estimate_library.
[[nodiscard]] Result<Launch> launch_library(InferenceStudy& study, const LibraryQuestion& question,
                                            std::string_view model);

/// A program for ExLlamaV2 or V3 (`version` 2 or 3). `settings` as allocated: pages of 256 tokens.
/// `model`: the folder of the checkpoint, noted as "local_folder".
[[nodiscard]] Launch launch_exllama(int version, const ExllamaSettings& settings,
                                    std::string_view model, std::string_view format);

}  // namespace meyasu
