// A log beside the estimate of the same run: term by term, with the cause of a difference, and what
// the log says about memory outside the buffers on this machine.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/readers/log.hpp"
#include "core/study/study.hpp"

namespace meyasu {

/// `device`: "gpu0", "host". `reason`, a message id:
/// - equal: the same digits as printed; in_range: inside the estimate's range
/// - not_printed: the runtime allocates it without saying so; no_estimate: not one of our terms
/// - other_model: the weights in all differ, so it is another model, mix or file
/// - other_place: the weights in all agree, but not where they lie
/// - other_build: the log is of an older build with other buffers; other_settings: the rest
struct LogRow {
  std::string term;
  std::string device;
  std::optional<Bytes> logged;
  Bytes rounding = 0;
  std::optional<Bytes> estimated;
  Bytes low = 0;
  Bytes high = 0;
  std::string reason;

  /// Estimated less logged; 0 where one is missing.
  [[nodiscard]] Bytes difference() const { return logged && estimated ? *estimated - *logged : 0; }
};

/// What one GPU holds beside the buffers: the context of the runtime, kernels, other programs.
struct MeasuredOverhead {
  std::string device;  // "gpu0"
  std::string name;    // of the card, empty if the log does not say
  Bytes bytes = 0;
  bool from_nvidia_smi = false;  // else from llama.cpp's table at exit
};

struct LogCheck {
  std::vector<LogRow> rows;
  std::string mix;  // what was estimated: of the log where it says so
};

/// The settings of the log over `settings`: sizes, cache types, layers and, where the log shows
/// GPUs, one device for each of them.
[[nodiscard]] LlamaCppSettings settings_of_log(const LogReading& log, LlamaCppSettings settings);

/// The settings of the log as options of the page (`name` as in estimate_llama_cpp or
/// estimate_serving, `value` as typed there), those that the log tells: "runtime" (of servers and
/// Ollama), "mix", "n_ctx" of one conversation, "users", "n_batch", "n_ubatch", "n_gpu_layers",
/// "type_k", "type_v", "flash_attention", "release", "memory_fraction", "kv_type".
[[nodiscard]] std::vector<LogFact> options_of_log(const LogReading& log);

/// The mix that a log names ("Q4_K - Medium"), else `fallback`.
[[nodiscard]] std::string mix_of_log(const LogReading& log, std::string_view fallback);

/// Errors: those of InferenceStudy::llama_cpp.
[[nodiscard]] Result<LogCheck> check_llama_cpp_log(InferenceStudy& study, const LogReading& log,
                                                   std::string_view mix,
                                                   const LlamaCppSettings& settings);
/// Errors: those of InferenceStudy::serving.
[[nodiscard]] Result<LogCheck> check_serving_log(InferenceStudy& study, const LogReading& log,
                                                 std::string_view format,
                                                 const ServingSettings& settings);

/// Needs no model. From llama.cpp's table at exit, else from nvidia-smi less the printed buffers.
[[nodiscard]] std::vector<MeasuredOverhead> measured_overhead(const LogReading& log);

/// Rows of a truth table, as CSV with its header: what a log printed, with the settings beside it.
[[nodiscard]] std::string truth_rows(const LogReading& log);

}  // namespace meyasu
