// How the settings of training are called wherever they leave the core: on the page, in links, in
// advice. One table for each enum.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "core/training/settings.hpp"

namespace meyasu {

template <class Value, std::size_t n>
using Names = std::array<std::pair<std::string_view, Value>, n>;

inline constexpr Names<TrainingPrecision, 6> kTrainingPrecisions = {{
    {"fp32", TrainingPrecision::fp32},
    {"bf16", TrainingPrecision::bf16},
    {"autocast", TrainingPrecision::autocast},
    {"master_fp32", TrainingPrecision::master_fp32},
    {"fsdp_mixed", TrainingPrecision::fsdp_mixed},
    {"master_bf16", TrainingPrecision::master_bf16},
}};
inline constexpr Names<Optimizer, 12> kOptimizers = {{
    {"adamw", Optimizer::adamw},
    {"adamw_8bit", Optimizer::adamw_8bit},
    {"adafactor", Optimizer::adafactor},
    {"lion", Optimizer::lion},
    {"lion_8bit", Optimizer::lion_8bit},
    {"sgd", Optimizer::sgd},
    {"sgd_momentum", Optimizer::sgd_momentum},
    {"adam_mini", Optimizer::adam_mini},
    {"muon", Optimizer::muon},
    {"galore", Optimizer::galore},
    {"apollo", Optimizer::apollo},
    {"lomo", Optimizer::lomo},
}};
inline constexpr Names<BaseFormat, 5> kBaseFormats = {{
    {"bits16", BaseFormat::bits16},
    {"nf4", BaseFormat::nf4},
    {"nf4_double", BaseFormat::nf4_double},
    {"int8", BaseFormat::int8},
    {"gptq4", BaseFormat::gptq4},
}};
inline constexpr Names<Checkpointing, 5> kCheckpointings = {{
    {"none", Checkpointing::none},
    {"selective", Checkpointing::selective},
    {"selective_op", Checkpointing::selective_op},
    {"full", Checkpointing::full},
    {"offloaded", Checkpointing::offloaded},
}};
inline constexpr Names<LossPath, 9> kLossPaths = {{
    {"hf", LossPath::hf},
    {"hf_old", LossPath::hf_old},
    {"dropped", LossPath::dropped},
    {"native", LossPath::native},
    {"native_shifted", LossPath::native_shifted},
    {"chunked", LossPath::chunked},
    {"chunked_fp32", LossPath::chunked_fp32},
    {"linear", LossPath::linear},
    {"cce", LossPath::cce},
}};
inline constexpr Names<DataParallel, 5> kDataParallels = {{
    {"ddp", DataParallel::ddp},
    {"zero1", DataParallel::zero1},
    {"zero2", DataParallel::zero2},
    {"zero3", DataParallel::zero3},
    {"fsdp", DataParallel::fsdp},
}};
inline constexpr Names<PipelineSchedule, 3> kPipelineSchedules = {{
    {"gpipe", PipelineSchedule::gpipe},
    {"1f1b", PipelineSchedule::one_f_one_b},
    {"interleaved", PipelineSchedule::interleaved},
}};
inline constexpr Names<StateOffload, 4> kStateOffloads = {{
    {"none", StateOffload::none},
    {"optimizer", StateOffload::optimizer},
    {"optimizer_and_weights", StateOffload::optimizer_and_weights},
    {"nvme", StateOffload::nvme},
}};
inline constexpr Names<Objective, 6> kObjectives = {{
    {"supervised", Objective::supervised},
    {"dpo", Objective::dpo},
    {"orpo", Objective::orpo},
    {"kto", Objective::kto},
    {"ppo", Objective::ppo},
    {"grpo", Objective::grpo},
}};
inline constexpr Names<MemoryCounter, 3> kMemoryCounters = {{
    {"allocated", MemoryCounter::allocated},
    {"reserved", MemoryCounter::reserved},
    {"nvidia_smi", MemoryCounter::nvidia_smi},
}};
inline constexpr Names<UpdateKind, 4> kUpdateKinds = {{
    {"for_loop", UpdateKind::for_loop},
    {"foreach", UpdateKind::foreach_all},
    {"foreach_2_0", UpdateKind::foreach_torch_2_0},
    {"fused", UpdateKind::fused},
}};
/// Sets of modules that a LoRA adapts, as papers and libraries choose them.
inline constexpr Names<unsigned, 5> kLoraTargets = {{
    {"all", kTargetAll},
    {"attention", kTargetAttention},
    {"qv", kTargetQ | kTargetV},
    {"mlp", kTargetGate | kTargetUp | kTargetDown},
    {"all_head", kTargetAll | kTargetHead},
}};

/// The name of a value; empty for one without.
template <class Value, std::size_t n>
[[nodiscard]] constexpr std::string_view name_of(const Names<Value, n>& names, Value value) {
  for (const auto& [name, known] : names) {
    if (known == value) return name;
  }
  return {};
}

}  // namespace meyasu
