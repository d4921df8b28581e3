// Where a choice of method starts: what its usual trainer does when nobody sets anything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/training/names.hpp"
#include "core/units/term.hpp"

namespace meyasu {

enum class TrainingMethod { full, lora, qlora };
inline constexpr Names<TrainingMethod, 3> kTrainingMethods = {{
    {"full", TrainingMethod::full},
    {"lora", TrainingMethod::lora},
    {"qlora", TrainingMethod::qlora},
}};

/// As transformers and TRL train (SFTConfig: bf16 autocast, checkpointing; fused AdamW), LoRA on
/// all linear layers by PEFT (rank 16, fp32 adapters), QLoRA prepared by
/// prepare_model_for_kbit_training (NF4 with double quantization, fp32 embeddings).
[[nodiscard]] TrainingSettings usual_training(TrainingMethod method);
[[nodiscard]] TrainingMethod method_of(const TrainingSettings& settings);

/// A known case: model of the catalog, device of the hardware catalog with its number, settings.
struct TrainingPreset {
  std::string_view id;
  std::string_view model;
  std::string_view device;
  std::int64_t n_devices = 1;
  TrainingSettings settings;
};

/// The cases of the lesson "how much memory does training take": 1B in full precision (4 + 4 + 8 +
/// about 1 GB) and with SGD, and 8B from full precision to QLoRA.
[[nodiscard]] std::vector<TrainingPreset> training_presets();

/// Table 1 of the ZeRO paper (arXiv 1910.02054): model states of mixed precision Adam on each of
/// `ranks` GPUs, as terms whose device is the kind of data parallel: "ddp", "zero1", "zero2",
/// "zero3". With 7.5 billion parameters on 64 GPUs 120, 31.4, 16.6 and 1.9 GB.
[[nodiscard]] std::vector<Term> zero_table(double parameters, std::int64_t ranks);

/// The ways to train one model, most memory first: in fp32, in bf16, LoRA, QLoRA with a loss that
/// keeps no logits; batch, sequence and accumulation of `settings`.
struct TrainingWay {
  std::string_view id;
  TrainingSettings settings;
};
[[nodiscard]] std::vector<TrainingWay> training_ways(const TrainingSettings& settings);

}  // namespace meyasu
