// The lesson's cases, the ways to train one model, and a step against a machine.
#include "core/training/recipes.hpp"

#include <catch_amalgamated.hpp>
#include <cmath>
#include <utility>

#include "core/fit/training.hpp"
#include "core/training/explain.hpp"
#include "tests/unit/support/catalogs.hpp"

using namespace meyasu;

namespace {

DeviceCatalog devices() {
  auto made = DeviceCatalog::built_in();
  REQUIRE(made.ok());
  return std::move(made.value());
}

TrainingPreset preset_named(std::string_view id) {
  for (const TrainingPreset& preset : training_presets()) {
    if (preset.id == id) return preset;
  }
  FAIL("no such preset");
  return {};
}

TrainingEstimate estimate_of(const TrainingPreset& preset) {
  auto result = estimate_training(catalog_model_of(preset.model), preset.settings);
  REQUIRE(result.ok());
  return std::move(result.value());
}

Machine machine_with(const DeviceCatalog& catalog, std::string_view id, std::int64_t count) {
  const Device* device = catalog.find(id);
  REQUIRE(device != nullptr);
  Machine machine;
  machine.devices.push_back({*device, count, {}});
  machine.ram = 128 * kGiB;
  return machine;
}

}  // namespace

TEST_CASE("The lesson: 1B in full precision is 4 + 4 + 8 + about 1 GB", "[training]") {
  const TrainingEstimate e = estimate_of(preset_named("lesson_1b"));
  CHECK(std::round(to_gb(e.rank.weights)) == 4);
  CHECK(std::round(to_gb(e.rank.gradients)) == 4);
  CHECK(std::round(to_gb(e.rank.states)) == 8);
  const double peak = to_gb(e.peak_bytes());
  CHECK(peak >= 17);
  CHECK(peak <= 18);
  const double counted = to_gb(counted_bytes(e, MemoryCounter::nvidia_smi));
  CHECK(counted >= 18);
  CHECK(counted <= 20);
  const TrainingEstimate sgd = estimate_of(preset_named("lesson_1b_sgd"));
  CHECK(2 * sgd.rank.states == e.rank.states);
}

TEST_CASE("The lesson: 8B from more than 100 GB to less than 10", "[training]") {
  const double fp32 = to_gb(estimate_of(preset_named("lesson_8b_fp32")).peak_bytes());
  const double bf16 = to_gb(estimate_of(preset_named("lesson_8b_bf16")).peak_bytes());
  const double lora = to_gb(estimate_of(preset_named("lesson_8b_lora")).peak_bytes());
  const double qlora = to_gb(estimate_of(preset_named("lesson_8b_qlora")).peak_bytes());
  CHECK(fp32 > 100);
  CHECK(bf16 > 60);
  CHECK(bf16 < 70);
  CHECK(lora > 18);
  CHECK(lora < 24);
  CHECK(qlora < 10);
}

TEST_CASE("RTX 3090, A100 40 GB or H100 80 GB? Answered for each way", "[training][fit]") {
  const DeviceCatalog catalog = devices();
  const auto made = compare_training(catalog_model_of("meta-llama/Llama-3.1-8B"), {}, catalog);
  REQUIRE(made.ok());
  const auto& rows = made.value().rows;
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].card == nullptr);
  REQUIRE(rows[1].card != nullptr);
  CHECK(rows[1].card->id == "h100-sxm");
  REQUIRE(rows[2].card != nullptr);
  CHECK(rows[2].card->id == "rtx-3090");
  REQUIRE(rows[3].card != nullptr);
  CHECK(rows[3].card->id == "rtx-3090");
}

TEST_CASE("A step is judged on the worst rank of the smallest device", "[training][fit]") {
  const DeviceCatalog catalog = devices();
  const Model model = catalog_model_of("meta-llama/Llama-3.1-8B");
  Machine machine = machine_with(catalog, "a100-sxm-80gb", 1);
  machine.devices.push_back({*catalog.find("rtx-3090"), 1, {}});
  TrainingSettings s = usual_training(TrainingMethod::qlora);
  s.dp = usual_ranks(s, machine);
  CHECK(s.dp == 2);
  const auto estimate = estimate_training(model, s);
  REQUIRE(estimate.ok());
  const auto fit = fit_training(estimate.value(), s, machine);
  REQUIRE(fit.ok());
  CHECK(fit.value().device == "rtx-3090");
  CHECK(fit.value().gpu.likely == counted_bytes(estimate.value(), MemoryCounter::nvidia_smi));
  CHECK(fit.value().gpu.low <= fit.value().gpu.likely);
  CHECK(fit.value().gpu.likely <= fit.value().gpu.high);
  CHECK(fit.value().verdict() == Verdict::fits);
  const auto none = fit_training(estimate.value(), s, Machine{});
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().code == "no_gpu");
}

TEST_CASE("Offloaded states are judged against main memory", "[training][fit]") {
  const DeviceCatalog catalog = devices();
  const Model model = catalog_model_of("meta-llama/Llama-3.1-8B");
  Machine machine = machine_with(catalog, "h100-sxm", 8);
  machine.ram = 192 * kGiB;
  TrainingSettings s = usual_training(TrainingMethod::full);
  s.precision = TrainingPrecision::master_fp32;
  s.data_parallel = DataParallel::zero3;
  s.deepspeed = true;
  s.offload = StateOffload::optimizer;
  s.dp = usual_ranks(s, machine);
  const auto estimate = estimate_training(model, s);
  REQUIRE(estimate.ok());
  const auto fit = fit_training(estimate.value(), s, machine);
  REQUIRE(fit.ok());
  REQUIRE(fit.value().host.has_value());
  CHECK(fit.value().gpu.verdict() == Verdict::fits);
  // 16 bytes a parameter are 120 GiB.
  CHECK(fit.value().host->verdict() != Verdict::over);
  machine.ram = 96 * kGiB;
  CHECK(fit_training(estimate.value(), s, machine).value().verdict() == Verdict::over);
  machine.ram = 0;
  CHECK(fit_training(estimate.value(), s, machine).error().code == "ram_unknown");
}

TEST_CASE("Cards that train it: copies do not help, shards do", "[training][fit]") {
  const DeviceCatalog catalog = devices();
  const Model model = catalog_model_of("meta-llama/Llama-3.1-8B");
  TrainingSettings s = usual_training(TrainingMethod::full);
  const auto rows = devices_that_train(model, s, catalog, {"h100-sxm", "no such card", "b200-sxm"});
  REQUIRE(rows.ok());
  REQUIRE(rows.value().size() == 2);
  const TrainingDevices& h100 = rows.value()[0];
  CHECK(h100.sharded);
  CHECK(h100.n > 1);
  TrainingSettings sharded = s;
  shard_all(sharded);
  sharded.n_sm = h100.device->n_sm;
  sharded.threads_per_sm = h100.device->threads_per_sm();
  CHECK(fewest_gpus(model, sharded, h100.usable).value().value == h100.n);
  CHECK_FALSE(rows.value()[1].sharded);
  CHECK(rows.value()[1].n == 1);
}

TEST_CASE("Formulas of a stage multiply out to their terms", "[training]") {
  const Model model = catalog_model_of("meta-llama/Llama-3.1-8B");
  TrainingSettings s = usual_training(TrainingMethod::qlora);
  const auto made = estimate_training(model, s);
  REQUIRE(made.ok());
  const TrainingEstimate& e = made.value();
  for (std::size_t stage : {e.peak, e.stages.size() - 2}) {
    for (const Term& term :
         explained_training_terms(model, e, s, stage, MemoryCounter::allocated)) {
      const auto of = [&](std::string_view name) {
        for (const FormulaInput& input : term.formula.inputs) {
          if (input.name == name) return input.value;
        }
        return 1.0;
      };
      double made_of = 0;
      if (term.id == "logits") made_of = of("T") * of("n_vocab") * of("bytes_per_logit");
      if (term.id == "weights") made_of = of("P") * of("bytes_per_parameter") / of("N");
      if (term.id == "optimizer_states") made_of = of("P_trained") * of("bytes_per_parameter");
      if (term.id == "activations") {
        made_of =
            of("T") * of("blocks") * of("kept_per_token") + of("ends") * static_cast<double>(kGiB);
      }
      if (made_of == 0) continue;
      INFO(term.id);
      CHECK(std::abs(made_of - static_cast<double>(term.bytes)) < 1024);
    }
  }
}

TEST_CASE("The ZeRO paper's Table 1: 7.5B on 64 GPUs", "[training]") {
  const auto terms = zero_table(7.5e9, 64);
  REQUIRE(terms.size() == 4);
  const double printed[] = {120, 31.4, 16.6, 1.9};
  for (std::size_t i = 0; i < terms.size(); ++i) {
    CHECK(std::round(to_gb(terms[i].bytes) * 10) == std::round(printed[i] * 10));
  }
}
