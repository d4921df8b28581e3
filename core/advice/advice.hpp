// "The smallest change that makes it fit": single changes and, where those cost much, pairs, each
// evaluated by the estimate itself, in order of what they cost in quality or speed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/fit/plan.hpp"
#include "core/inference/llama_cpp/presets.hpp"
#include "core/quantization/format_table.hpp"
#include "core/study/reverse.hpp"
#include "core/study/study.hpp"

namespace meyasu {

/// One option set to another value. Names are those of the options of an estimate: "mix",
/// "type_k", "type_v", "n_ctx", "users", "n_ubatch", "n_gpu_layers", "n_cpu_moe", "offload_kv",
/// "tensor_split", "flash_attention", "runtime"; of servers "format", "kv_type",
/// "memory_fraction", "enforce_eager"; "add_gpus": so many more of the last; and
/// "device": instead of all devices one with this id, of "device_gib" where it is sold in sizes.
struct OptionChange {
  std::string option;
  std::string value;

  friend bool operator==(const OptionChange&, const OptionChange&) = default;
};

enum class AdviceKind {
  flash_attention,
  ubatch,
  kv_type,
  mix,
  context,
  users,
  offload,
  runtime,
  memory_fraction,
  eager,
  more_gpus,
  other_gpu,
};
[[nodiscard]] std::string_view advice_name(AdviceKind kind);

/// What a change costs. Quality: `some` from a visible loss on, `much` from a large one (classes of
/// Quality). Speed: `some` up to a tenth of a token's bytes read by the host, which about doubles
/// the time of a token at the usual 10:1 of the bandwidths. Context and users: `some` down to half.
enum class AdviceCost { none, slight, some, much, hardware };
[[nodiscard]] std::string_view advice_cost_name(AdviceCost cost);

struct Advice {
  std::vector<AdviceKind> kinds;  // one or two
  std::vector<OptionChange> changes;
  AdviceCost cost = AdviceCost::none;
  double amount = 0;  // orders advice of one cost: loss of quality or part given up, 0 to 1
  /// For each kind, of the new weights or cache; level `none` where they stay.
  std::vector<Quality> qualities;
  double host_share = 0;  // part of a token's bytes that the host reads afterwards
  /// Tokens a second of all sequences as the question stands, if only it fitted, and afterwards; 0:
  /// not known.
  double tok_s_before = 0;
  double tok_s_after = 0;
  Bytes saving = 0;  // at the place that was short; of servers in the KV pool
  Bytes margin = 0;  // there, afterwards, at the tightest place
  Verdict verdict = Verdict::over;
};

/// What a plan (core/fit/plan.hpp) changes of where things lie; an empty value is the default.
[[nodiscard]] std::vector<OptionChange> placement_changes(const LlamaCppSettings& before,
                                                          const LlamaCppSettings& after);

struct LlamaCppAdviceQuestion {
  std::string mix;
  LlamaCppProgram program = LlamaCppProgram::server;
  LlamaCppSettings settings;
  FitGoal goal;  // what counts as fitting
  /// For the speed beside each change; without devices nothing is said about speed.
  SpeedMachine machine;
  SpeedWorkload workload;
  const DeviceCatalog* catalog = nullptr;  // where another device is looked for
};

/// Cheapest first; equal costs in the order of AdviceKind. Empty when the configuration already
/// meets the goal. Pairs are tried only when no single change costs less than `much`.
/// Errors: those of the estimate of the configuration itself.
[[nodiscard]] Result<std::vector<Advice>> advise_llama_cpp(InferenceStudy& study,
                                                           const LlamaCppAdviceQuestion& question);

struct ServingAdviceQuestion {
  std::string format;  // id of one of kServingFormats
  ServingSettings settings;
  std::optional<Device> gpu;  // as above: of equal devices one
  SpeedWorkload workload;
  const DeviceCatalog* catalog = nullptr;
};
[[nodiscard]] Result<std::vector<Advice>> advise_serving(InferenceStudy& study,
                                                         const ServingAdviceQuestion& question);

}  // namespace meyasu
