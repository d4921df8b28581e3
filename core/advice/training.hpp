// Changes that make room for a training step, each evaluated by the estimate itself: what it saves,
// what it costs in time, and whether the step then fits. In order of what they cost.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/advice/advice.hpp"
#include "core/fit/training.hpp"

namespace meyasu {

enum class TrainingAdviceKind {
  flash_attention,
  loss,  // fused linear cross entropy: no logits in memory
  embeddings_16bit,
  fused_update,
  checkpointing,
  batch,  // half the batch, twice the accumulation: the same step
  zero,   // a higher stage
  checkpoint_offload,
  optimizer_8bit,
  bf16,
  lora,
  qlora,
  state_offload,
  sequence,  // the longest that fits
  more_gpus,
};
[[nodiscard]] std::string_view training_advice_name(TrainingAdviceKind kind);

struct TrainingAdvice {
  std::vector<TrainingAdviceKind> kinds;
  /// Options as the page has them; "method" starts from what is usual for it, "add_gpus": so many
  /// more of the last device.
  std::vector<OptionChange> changes;
  /// The worse of quality (8-bit states, 16-bit embeddings: slight; bf16, LoRA, QLoRA: some;
  /// shorter texts: by the part given up) and time (up to 1.05: none, 1.4: slight, 2: some).
  AdviceCost cost = AdviceCost::none;
  Bytes saving = 0;  // on the worst rank, as the driver counts it
  Bytes margin = 0;  // afterwards
  Verdict verdict = Verdict::over;
  /// Time per token beside now: with transfers hidden behind arithmetic, and with none hidden.
  double time_low = 1;
  double time_high = 1;
};

/// Cheapest first, equal costs by saving; where it does not fit now, those that suffice alone
/// before the others. Where no single change suffices, the first entry is the fewest of them that
/// together do. Errors: those of the estimate and of fit_training.
[[nodiscard]] Result<std::vector<TrainingAdvice>> advise_training(const Model& model,
                                                                  const TrainingSettings& settings,
                                                                  const Machine& machine);

}  // namespace meyasu
