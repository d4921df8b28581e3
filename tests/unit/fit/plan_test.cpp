// The plan of a machine: everything fits by the estimate, and nothing more would fit on the GPUs.
#include "core/fit/plan.hpp"

#include <catch_amalgamated.hpp>
#include <string>
#include <vector>

#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;
using namespace meyasu::testing;

namespace {

LlamaCppSettings server_on(std::size_t n_gpu) {
  LlamaCppSettings settings = default_settings(LlamaCppProgram::server);
  settings.n_ctx = 8192;
  for (std::size_t i = 0; i < n_gpu; ++i) {
    settings.devices.emplace_back().name = "gpu" + std::to_string(i);
  }
  return settings;
}

FitGoal rooms(const std::vector<double>& gpu_gib, double host_gib) {
  const auto bytes = [](double gib) { return static_cast<Bytes>(gib * static_cast<double>(kGiB)); };
  FitGoal goal;
  for (std::size_t i = 0; i < gpu_gib.size(); ++i) {
    goal.rooms.push_back({"gpu" + std::to_string(i), bytes(gpu_gib[i])});
  }
  goal.rooms.push_back({"host", bytes(host_gib)});
  return goal;
}

bool fits(LlamaCppEstimator& estimator, const LlamaCppSettings& settings, const FitGoal& goal) {
  const auto fit = fit_llama_cpp(estimator, settings, goal);
  REQUIRE(fit.ok());
  return accepts(goal.comfort, fit.value().fit.verdict);
}

}  // namespace

TEST_CASE("a model with room stays whole on the GPU", "[plan]") {
  const Model model = truth_model("Llama-3.2-1B");
  LlamaCppEstimator estimator(model);
  const auto plan = plan_machine(estimator, model, server_on(1), rooms({24}, 32));
  REQUIRE(plan.ok());
  CHECK(plan.value().fit.settings.n_gpu_layers > static_cast<std::int64_t>(model.layers.size()));
  CHECK(plan.value().fit.settings.offload_kv);
  CHECK(plan.value().reads.host == 0);
}

TEST_CASE("a dense model gives up as few layers as it must", "[plan]") {
  const Model model = truth_model("Llama-3.1-8B");
  LlamaCppEstimator estimator(model);
  for (const double gib : {3.0, 5.0, 6.5}) {
    INFO(gib);
    const FitGoal goal = rooms({gib}, 32);
    const auto plan = plan_machine(estimator, model, server_on(1), goal);
    REQUIRE(plan.ok());
    CHECK(fits(estimator, plan.value().fit.settings, goal));
    LlamaCppSettings more = plan.value().fit.settings;
    more.n_gpu_layers += 1;
    CHECK_FALSE(fits(estimator, more, goal));
    // No other place for the cache reads less on the host.
    for (const bool cache_on_gpu : {true, false}) {
      LlamaCppSettings other = server_on(1);
      other.offload_kv = cache_on_gpu;
      const auto layers = best_gpu_layers(estimator, model, other, goal);
      if (!layers) continue;
      const auto reads = token_reads(model, layers.value().best.settings);
      REQUIRE(reads.ok());
      CHECK(plan.value().reads.host <= reads.value().host);
    }
  }
}

TEST_CASE("with experts the host gets experts before layers", "[plan]") {
  const Model model = truth_model("Qwen3-30B-A3B");
  LlamaCppEstimator estimator(model);
  const double weights = to_gib(model.weight_bytes());
  const FitGoal goal = rooms({weights * 0.6}, 64);
  const auto plan = plan_machine(estimator, model, server_on(1), goal);
  REQUIRE(plan.ok());
  const LlamaCppSettings& s = plan.value().fit.settings;
  CHECK(s.n_gpu_layers > static_cast<std::int64_t>(model.layers.size()));
  CHECK(s.n_cpu_moe > 0);
  CHECK(fits(estimator, s, goal));
  LlamaCppSettings fewer = s;
  fewer.n_cpu_moe -= 1;
  CHECK_FALSE(fits(estimator, fewer, goal));
  // Whole layers instead would make the host read more of every token.
  const auto layers = best_gpu_layers(estimator, model, server_on(1), goal);
  REQUIRE(layers.ok());
  const auto reads = token_reads(model, layers.value().best.settings);
  REQUIRE(reads.ok());
  CHECK(plan.value().reads.host < reads.value().host);
}

TEST_CASE("unequal GPUs share by what each can hold", "[plan]") {
  const Model model = truth_model("Llama-3.1-8B");
  LlamaCppEstimator estimator(model);
  const auto whole = fit_llama_cpp(estimator, server_on(1), rooms({1000}, 1000));
  REQUIRE(whole.ok());
  const double needed = to_gib(total_on(whole.value().estimate, "gpu0"));
  // The runtime halves it, which the small one cannot hold.
  const FitGoal goal = rooms({needed, needed * 0.3}, 64);
  CHECK_FALSE(fits(estimator, server_on(2), goal));
  const auto split = fit_with_best_split(estimator, server_on(2), goal);
  REQUIRE(split.ok());
  CHECK(accepts(goal.comfort, split.value().fit.verdict));
  REQUIRE(split.value().settings.tensor_split.size() == 2);
  CHECK(split.value().settings.tensor_split[0] > split.value().settings.tensor_split[1]);
  const auto plan = plan_machine(estimator, model, server_on(2), goal);
  REQUIRE(plan.ok());
  CHECK(plan.value().reads.host == 0);
}

TEST_CASE("nothing helps when RAM is short too", "[plan]") {
  const Model model = truth_model("Llama-3.1-8B");
  LlamaCppEstimator estimator(model);
  const auto plan = plan_machine(estimator, model, server_on(1), rooms({1}, 1));
  REQUIRE_FALSE(plan.ok());
  CHECK(plan.error().code == "none_fits");
  CHECK(std::stoll(plan.error().detail) > 0);
}

TEST_CASE("a token reads the experts it uses, the head, and not the token table", "[plan]") {
  const Model model = truth_model("Qwen3-30B-A3B");
  LlamaCppSettings settings = server_on(1);
  const auto reads = token_reads(model, settings);
  REQUIRE(reads.ok());
  CHECK(reads.value().host == 0);
  CHECK(reads.value().host_share() == 0);
  CHECK(reads.value().gpu < model.weight_bytes() / 4);  // 8 of 128 experts
  settings.devices.clear();
  const auto on_host = token_reads(model, settings);
  REQUIRE(on_host.ok());
  CHECK(on_host.value().host == reads.value().gpu);
  CHECK(on_host.value().host_share() == 1);
}
