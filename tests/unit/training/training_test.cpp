#include <catch_amalgamated.hpp>
#include <cmath>
#include <string>
#include <utility>

#include "core/training/model_states.hpp"
#include "core/training/solve.hpp"
#include "tests/unit/support/catalogs.hpp"

using namespace meyasu;

namespace {

TrainingEstimate estimate(const Model& model, const TrainingSettings& settings) {
  auto result = estimate_training(model, settings);
  REQUIRE(result.ok());
  return std::move(result.value());
}

std::string refusal(const Model& model, const TrainingSettings& settings) {
  const auto error = check_training(model, settings);
  return error ? error->code + " " + error->field : "";
}

double gb(Bytes bytes) {
  return to_gb(bytes);
}

}  // namespace

TEST_CASE("ZeRO's table for 7.5 billion parameters on 64 GPUs", "[training]") {
  CHECK(zero_model_states(7.5e9, 64, DataParallel::ddp) == 120e9);
  CHECK(std::round(zero_model_states(7.5e9, 64, DataParallel::zero1) / 1e8) == 314);
  CHECK(std::round(zero_model_states(7.5e9, 64, DataParallel::zero2) / 1e8) == 166);
  CHECK(std::round(zero_model_states(7.5e9, 64, DataParallel::zero3) / 1e8) == 19);
}

TEST_CASE("fp32 training takes 4 + 4 + 8 bytes per parameter before activations", "[training]") {
  const Model model = catalog_model_of("meta-llama/Llama-3.2-1B");
  TrainingSettings s;
  s.precision = TrainingPrecision::fp32;
  s.sequence = 512;
  const TrainingEstimate e = estimate(model, s);
  CHECK(e.rank.weights == 4 * e.trained);
  CHECK(e.rank.gradients == 4 * e.trained);
  CHECK(e.rank.states == 8 * e.trained);
  s.optimizer = Optimizer::sgd_momentum;
  CHECK(2 * estimate(model, s).rank.states == e.rank.states);
}

TEST_CASE("An 8B model from full precision to QLoRA", "[training]") {
  const Model model = catalog_model_of("meta-llama/Llama-3.1-8B");
  TrainingSettings s;
  s.precision = TrainingPrecision::fp32;
  s.update = UpdateKind::fused;
  s.checkpointing = Checkpointing::none;
  const double full = gb(estimate(model, s).peak_bytes());
  CHECK(full > 120);
  CHECK(full < 135);

  s.precision = TrainingPrecision::bf16;
  CHECK(std::abs(gb(estimate(model, s).peak_bytes()) - 65.0) < 1.5);

  LoraSettings lora;
  s.lora = lora;
  s.checkpointing = Checkpointing::full;
  CHECK(trained_parameters(model, s) == 41'943'040);
  CHECK(std::abs(gb(estimate(model, s).peak_bytes()) - 20.9) < 1);

  s.lora->base = BaseFormat::nf4_double;
  s.loss = LossPath::cce;
  CHECK(gb(estimate(model, s).peak_bytes()) < 10);
}

TEST_CASE("LoRA and DoRA count what they train", "[training]") {
  const Model model = catalog_model_of("meta-llama/Llama-3.2-3B");
  TrainingSettings s;
  LoraSettings lora;
  lora.rank = 32;
  lora.targets = kTargetQ | kTargetV;
  s.lora = lora;
  CHECK(trained_parameters(model, s) == 9'175'040);
  s.lora->dora = true;
  CHECK(trained_parameters(model, s) == 9'289'728);
}

TEST_CASE("The peak is the largest stage, and its terms add up to it", "[training]") {
  const Model model = catalog_model_of("meta-llama/Llama-3.2-1B");
  TrainingSettings s;
  const TrainingEstimate e = estimate(model, s);
  for (const TrainingStage& stage : e.stages) CHECK(stage.total() <= e.peak_bytes());
  Bytes sum = 0;
  for (const Term& term : training_terms(e, s, e.peak, MemoryCounter::allocated)) {
    if (term.device == "gpu0") sum += term.bytes;
  }
  CHECK(sum == e.peak_bytes());
}

TEST_CASE("Sharding divides states, then gradients, then weights", "[training]") {
  const Model model = catalog_model_of("meta-llama/Llama-3.2-1B");
  TrainingSettings s;
  s.precision = TrainingPrecision::master_fp32;
  s.dp = 8;
  const RankParameters whole = estimate(model, s).rank;
  s.data_parallel = DataParallel::zero1;
  CHECK(estimate(model, s).rank.states == (whole.states + 7) / 8);
  CHECK(estimate(model, s).rank.gradients == whole.gradients);
  s.data_parallel = DataParallel::zero2;
  CHECK(estimate(model, s).rank.gradients == (whole.gradients + 7) / 8);
  s.data_parallel = DataParallel::zero3;
  CHECK(estimate(model, s).rank.weights == (whole.weights + 7) / 8);
  s.offload = StateOffload::optimizer;
  const RankParameters offloaded = estimate(model, s).rank;
  CHECK(offloaded.states == 0);
  CHECK(offloaded.host > whole.states / 8);
}

TEST_CASE("Solvers answer the last value that fits", "[training]") {
  const Model model = catalog_model_of("meta-llama/Llama-3.1-8B");
  TrainingSettings s;
  LoraSettings lora;
  lora.base = BaseFormat::nf4_double;
  s.lora = lora;
  const Bytes usable = 24 * kGiB;
  const auto sequence = longest_sequence(model, s, usable);
  REQUIRE(sequence.ok());
  REQUIRE(sequence.value().value > 0);
  s.sequence = sequence.value().value;
  CHECK(training_fits(model, s, usable).value());
  s.sequence += 64;
  CHECK_FALSE(training_fits(model, s, usable).value());

  s.sequence = 1024;
  const auto batch = largest_batch(model, s, usable);
  REQUIRE(batch.ok());
  s.batch = batch.value().value;
  CHECK(training_fits(model, s, usable).value());
  ++s.batch;
  CHECK_FALSE(training_fits(model, s, usable).value());

  TrainingSettings full;
  full.data_parallel = DataParallel::zero3;
  full.precision = TrainingPrecision::master_fp32;
  const auto gpus = fewest_gpus(model, full, 80 * kGiB);
  REQUIRE(gpus.ok());
  full.dp = gpus.value().value;
  CHECK(full.dp > 1);
  CHECK(training_fits(model, full, 80 * kGiB).value());
  full.dp /= 2;
  CHECK_FALSE(training_fits(model, full, 80 * kGiB).value());
}

TEST_CASE("Settings that cannot be are refused by name", "[training]") {
  const Model model = catalog_model_of("meta-llama/Llama-3.1-8B");
  TrainingSettings s;
  CHECK(refusal(model, s).empty());
  s.batch = 0;
  CHECK(refusal(model, s) == "not_positive batch");
  s = {};
  s.tp = 5;
  CHECK(refusal(model, s) == "tp_heads tp");
  s = {};
  s.pp = 33;
  CHECK(refusal(model, s) == "pp_layers pp");
  s = {};
  s.sequence = 131'073;
  CHECK(refusal(model, s) == "ctx_over sequence");
  s = {};
  s.data_parallel = DataParallel::zero3;
  s.dp = 2;
  s.in_backward = true;
  CHECK(refusal(model, s) == "in_backward_zero3 in_backward");
  s = {};
  s.in_backward = true;
  s.accumulation = 2;
  CHECK(refusal(model, s) == "in_backward_accumulation in_backward");
  s = {};
  s.objective = Objective::grpo;
  s.completions = 1;
  CHECK(refusal(model, s) == "grpo_completions completions");
  s = {};
  s.lora = LoraSettings{};
  s.lora->rank = 0;
  CHECK(refusal(model, s) == "lora_rank rank");
  s.lora->rank = 4097;
  CHECK(refusal(model, s) == "lora_rank rank");
}
