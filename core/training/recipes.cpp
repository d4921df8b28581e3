#include "core/training/recipes.hpp"

#include <cmath>

#include "core/training/model_states.hpp"

namespace meyasu {
namespace {

TrainingSettings fp32_training() {
  TrainingSettings s = usual_training(TrainingMethod::full);
  s.precision = TrainingPrecision::fp32;
  s.checkpointing = Checkpointing::none;
  return s;
}

/// As the lesson counts: weights, gradients and states of fp32, all there at once, because
/// gradients are accumulated.
TrainingSettings lesson_1b() {
  TrainingSettings s = fp32_training();
  s.sequence = 512;
  s.accumulation = 4;
  return s;
}

TrainingPreset with(TrainingPreset preset, std::string_view id) {
  preset.id = id;
  return preset;
}

}  // namespace

TrainingSettings usual_training(TrainingMethod method) {
  TrainingSettings s;
  s.update = UpdateKind::fused;
  if (method == TrainingMethod::full) return s;
  s.precision = TrainingPrecision::bf16;
  LoraSettings lora;
  lora.autocast = true;
  if (method == TrainingMethod::qlora) {
    lora.base = BaseFormat::nf4_double;
    lora.fp32_embeddings = true;
  }
  s.lora = lora;
  return s;
}

TrainingMethod method_of(const TrainingSettings& settings) {
  if (!settings.lora) return TrainingMethod::full;
  return settings.lora->base == BaseFormat::bits16 ? TrainingMethod::lora : TrainingMethod::qlora;
}

std::vector<TrainingPreset> training_presets() {
  const TrainingPreset one{"lesson_1b", "EleutherAI/pythia-1b", "rtx-3090", 1, lesson_1b()};
  TrainingPreset sgd = with(one, "lesson_1b_sgd");
  sgd.settings.optimizer = Optimizer::sgd_momentum;
  std::vector<TrainingPreset> presets = {one, sgd};
  const char* const cards[] = {"h100-sxm", "h100-sxm", "a100-sxm-40gb", "rtx-3090"};
  const char* const ids[] = {"lesson_8b_fp32", "lesson_8b_bf16", "lesson_8b_lora",
                             "lesson_8b_qlora"};
  std::size_t at = 0;
  for (const TrainingWay& way : training_ways({})) {
    presets.push_back({ids[at], "meta-llama/Llama-3.1-8B", cards[at], 1, way.settings});
    ++at;
  }
  return presets;
}

std::vector<TrainingWay> training_ways(const TrainingSettings& settings) {
  TrainingSettings bf16 = usual_training(TrainingMethod::full);
  bf16.precision = TrainingPrecision::bf16;
  TrainingSettings qlora = usual_training(TrainingMethod::qlora);
  // As Unsloth trains: no logits in memory, embeddings stay 16 bit.
  qlora.loss = LossPath::cce;
  qlora.lora->fp32_embeddings = false;
  std::vector<TrainingWay> ways = {{"fp32", fp32_training()},
                                   {"bf16", bf16},
                                   {"lora", usual_training(TrainingMethod::lora)},
                                   {"qlora", qlora}};
  for (TrainingWay& way : ways) {
    way.settings.batch = settings.batch;
    way.settings.sequence = settings.sequence;
    way.settings.accumulation = settings.accumulation;
  }
  return ways;
}

std::vector<Term> zero_table(double parameters, std::int64_t ranks) {
  constexpr double kAdam = 12;  // fp32 copy, momentum, variance
  struct Row {
    DataParallel stage;
    const char* formula;
  };
  constexpr Row kRows[] = {{DataParallel::ddp, "(2 + 2 + K) x P"},
                           {DataParallel::zero1, "(2 + 2 + K / N) x P"},
                           {DataParallel::zero2, "(2 + (2 + K) / N) x P"},
                           {DataParallel::zero3, "(2 + 2 + K) / N x P"}};
  std::vector<Term> terms;
  for (const Row& row : kRows) {
    const double bytes = zero_model_states(parameters, ranks, row.stage, kAdam);
    terms.push_back(exact_term(
        "model_states", std::string(name_of(kDataParallels, row.stage)),
        static_cast<Bytes>(std::llround(bytes)),
        {row.formula,
         {{"P", parameters, ""}, {"K", kAdam, "B"}, {"N", static_cast<double>(ranks), ""}}},
        Evidence::exact, "arXiv 1910.02054, section 5 and Table 1"));
  }
  return terms;
}

}  // namespace meyasu
