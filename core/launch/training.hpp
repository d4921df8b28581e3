// A ready program or configuration that trains with exactly the settings of an estimate. Options:
// documentation of transformers (TrainingArguments), TRL 1.10 (SFTConfig), PEFT, DeepSpeed (config
// JSON), Accelerate (FSDP), Unsloth, Axolotl 0.18 (utils/schemas) and torchtune (recipes/configs).
#pragma once

#include <string_view>

#include "core/launch/launch.hpp"
#include "core/training/names.hpp"

namespace meyasu {

enum class TrainingFramework { transformers, unsloth, axolotl, torchtune };
inline constexpr Names<TrainingFramework, 4> kTrainingFrameworks = {{
    {"transformers", TrainingFramework::transformers},
    {"unsloth", TrainingFramework::unsloth},
    {"axolotl", TrainingFramework::axolotl},
    {"torchtune", TrainingFramework::torchtune},
}};

/// `model`: a repository id or a folder. `missing`: settings that the framework has no option for,
/// by the names of the page's options. Notes: "no_torchtune_config", "your_dataset",
/// "gptq_checkpoint".
[[nodiscard]] Launch launch_training(TrainingFramework framework, const TrainingSettings& settings,
                                     std::string_view model);

}  // namespace meyasu
