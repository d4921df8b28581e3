// Properties of the solvers: what they answer fits by the estimate itself, and one step more does
// not. The models are the measured ones.
#include <catch_amalgamated.hpp>
#include <string>
#include <vector>

#include "core/fit/llama_cpp.hpp"
#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;
using namespace meyasu::testing;

namespace {

LlamaCppSettings server_on(int n_gpu) {
  LlamaCppSettings settings = default_settings(LlamaCppProgram::server);
  settings.n_ctx = 8192;
  for (int i = 0; i < n_gpu; ++i) {
    LlamaCppDevice device;
    device.name = "gpu" + std::to_string(i);
    settings.devices.push_back(device);
  }
  return settings;
}

FitGoal gpus(std::vector<double> gib) {
  FitGoal goal;
  for (std::size_t i = 0; i < gib.size(); ++i) {
    goal.rooms.push_back(
        {"gpu" + std::to_string(i), static_cast<Bytes>(gib[i] * static_cast<double>(kGiB))});
  }
  return goal;
}

FitGoal with_host(FitGoal goal, Bytes bytes) {
  goal.rooms.push_back({"host", bytes});
  return goal;
}

/// The two sides of the answer, evaluated again by somebody else.
void check_proof(const Model& model, const LlamaCppSolution& solution, const FitGoal& goal) {
  LlamaCppEstimator estimator(model);
  const auto best = fit_llama_cpp(estimator, solution.best.settings, goal);
  REQUIRE(best.ok());
  CHECK(accepts(goal.comfort, best.value().fit.verdict));
  CHECK(total_on(best.value().estimate, "gpu0") == total_on(solution.best.estimate, "gpu0"));
  if (solution.next) {
    const auto next = fit_llama_cpp(estimator, solution.next->settings, goal);
    REQUIRE(next.ok());
    CHECK_FALSE(accepts(goal.comfort, next.value().fit.verdict));
  }
}

}  // namespace

TEST_CASE("the most users are what settings_for() with one more no longer fits", "[fit]") {
  const Model model = truth_model("Llama-3.1-8B");
  LlamaCppEstimator estimator(model);
  LlamaCppSettings settings = settings_for(LlamaCppProgram::server, {4096, 1}).value();
  settings.devices.resize(1);
  const FitGoal goal = gpus({24});
  const auto most = most_users(estimator, LlamaCppProgram::server, settings, 4096, goal);
  REQUIRE(most.ok());
  const auto fits = [&](std::int64_t users) {
    LlamaCppSettings at = settings_for(LlamaCppProgram::server, {4096, users}).value();
    at.devices.resize(1);
    return fit_llama_cpp(estimator, at, goal).value().fit.verdict != Verdict::over;
  };
  CHECK(fits(most.value().value));
  CHECK_FALSE(fits(most.value().value + 1));
  const auto alone = most_users(estimator, LlamaCppProgram::cli, settings, 4096, goal);
  REQUIRE(alone.ok());
  CHECK(alone.value().value == 1);
}

TEST_CASE("the largest context fits and 256 tokens more do not", "[fit]") {
  for (const char* name :
       {"Llama-3.1-8B", "Gemma-3-4B", "Qwen3-8B", "DeepSeek-V2-Lite", "Granite-4.0-H-Tiny"}) {
    INFO(name);
    const Model model = truth_model(name);
    LlamaCppEstimator estimator(model);
    LlamaCppSettings settings = server_on(1);
    settings.n_ctx = 256;
    const auto small = fit_llama_cpp(estimator, settings, gpus({1000}));
    REQUIRE(small.ok());
    // Room for the model and half a GiB of context.
    FitGoal goal = gpus({0});
    goal.rooms[0].usable = total_on(small.value().estimate, "gpu0") + kGiB / 2;
    const auto solution = largest_context(estimator, model, settings, goal);
    REQUIRE(solution.ok());
    const LlamaCppSolution& s = solution.value();
    CHECK(s.value % 256 == 0);
    CHECK(s.value == s.best.estimate.context.n_ctx);
    CHECK(s.n_estimates <= 20);
    if (s.next) CHECK(*s.next_value == s.value + 256);
    if (!s.next) CHECK(s.value == round_up<std::int64_t>(model.n_ctx_train, 256));
    check_proof(model, s, goal);
  }
}

TEST_CASE("context is counted in steps of 256 for every stream", "[fit]") {
  const Model model = truth_model("Llama-3.2-1B");
  LlamaCppEstimator estimator(model);
  LlamaCppSettings settings = server_on(1);
  settings.kv_unified = false;
  settings.n_seq = 3;
  const auto solution = largest_context(estimator, model, settings, gpus({6}));
  REQUIRE(solution.ok());
  CHECK(solution.value().value % (3 * 256) == 0);
  REQUIRE(solution.value().next);
  CHECK(*solution.value().next_value == solution.value().value + 3 * 256);
  CHECK(solution.value().best.estimate.context.n_ctx == solution.value().value);
  check_proof(model, solution.value(), gpus({6}));
}

TEST_CASE("more memory never gives less context, slots or batch", "[fit]") {
  const Model model = truth_model("Llama-3.1-8B");
  LlamaCppEstimator estimator(model);
  std::int64_t context = 0;
  std::int64_t slots = 0;
  std::int64_t ubatch = 0;
  const double weights = to_gib(model.weight_bytes());
  for (const double extra : {1.8, 2.5, 4.0, 9.0}) {
    const FitGoal goal = gpus({weights + extra});
    LlamaCppSettings settings = server_on(1);
    const auto longest = largest_context(estimator, model, settings, goal);
    REQUIRE(longest.ok());
    CHECK(longest.value().value >= context);
    context = longest.value().value;
    const auto most = most_slots(estimator, settings, 2048, goal);
    REQUIRE(most.ok());
    CHECK(most.value().value >= slots);
    slots = most.value().value;
    check_proof(model, most.value(), goal);
    settings.n_ctx = 2048;
    const auto batch = largest_ubatch(estimator, settings, goal);
    REQUIRE(batch.ok());
    CHECK(batch.value().value >= ubatch);
    ubatch = batch.value().value;
    check_proof(model, batch.value(), goal);
  }
  CHECK(context > 8192);
}

TEST_CASE("comfort asks for more room than a tight fit", "[fit]") {
  const Model model = truth_model("Llama-3.1-8B");
  LlamaCppEstimator estimator(model);
  FitGoal goal = gpus({to_gib(model.weight_bytes()) + 4});
  const auto tight = largest_context(estimator, model, server_on(1), goal);
  goal.comfort = Comfort::roomy;
  const auto roomy = largest_context(estimator, model, server_on(1), goal);
  REQUIRE(tight.ok());
  REQUIRE(roomy.ok());
  CHECK(roomy.value().value < tight.value().value);
  CHECK(roomy.value().best.fit.verdict == Verdict::fits);
  CHECK(tight.value().best.fit.verdict == Verdict::tight);
}

TEST_CASE("layers are split between GPUs and host", "[fit]") {
  const Model model = truth_model("Llama-2-13B");
  LlamaCppEstimator estimator(model);
  const LlamaCppSettings settings = server_on(1);
  const double half = to_gib(model.weight_bytes()) / 2;
  const FitGoal goal = with_host(gpus({half + 2}), 64 * kGiB);
  const auto solution = best_gpu_layers(estimator, model, settings, goal);
  REQUIRE(solution.ok());
  CHECK(solution.value().value > 5);
  CHECK(solution.value().value < 41);
  CHECK(solution.value().n_estimates <= 9);
  check_proof(model, solution.value(), goal);

  // Two unequal cards hold more than the smaller alone.
  LlamaCppSettings two = server_on(2);
  two.devices[0].free = static_cast<Bytes>((half + 2) * static_cast<double>(kGiB));
  two.devices[1].free = 4 * kGiB;
  const FitGoal both = with_host(gpus({half + 2, 4}), 64 * kGiB);
  const auto wider = best_gpu_layers(estimator, model, two, both);
  REQUIRE(wider.ok());
  CHECK(wider.value().value > solution.value().value);
  check_proof(model, wider.value(), both);

  // Without room on the host there is no split.
  const auto none = best_gpu_layers(estimator, model, settings, with_host(gpus({half}), kGiB));
  CHECK(none.error().code == "none_fits");
}

TEST_CASE("experts go to the host before layers do", "[fit]") {
  const Model model = truth_model("Qwen3-30B-A3B");
  LlamaCppEstimator estimator(model);
  const LlamaCppSettings settings = server_on(1);
  const double whole = to_gib(model.weight_bytes());
  const FitGoal goal = with_host(gpus({whole / 2}), 128 * kGiB);
  const auto solution = least_cpu_moe(estimator, model, settings, goal);
  REQUIRE(solution.ok());
  CHECK(solution.value().value > 0);
  CHECK(solution.value().value < 48);
  REQUIRE(solution.value().next);
  CHECK(*solution.value().next_value == solution.value().value - 1);
  check_proof(model, solution.value(), goal);

  const auto plan = plan_offload(estimator, model, settings, goal);
  REQUIRE(plan.ok());
  CHECK(plan.value().best.settings.n_gpu_layers == 49);
  CHECK(plan.value().best.settings.n_cpu_moe == solution.value().value);

  const Model dense = truth_model("Llama-3.1-8B");
  LlamaCppEstimator dense_estimator(dense);
  CHECK(least_cpu_moe(dense_estimator, dense, settings, goal).error().code == "no_experts");
}

TEST_CASE("everything stays on the GPU when it fits", "[fit]") {
  const Model model = truth_model("Qwen3-0.6B");
  LlamaCppEstimator estimator(model);
  const auto plan = plan_offload(estimator, model, server_on(1), with_host(gpus({24}), 32 * kGiB));
  REQUIRE(plan.ok());
  CHECK(plan.value().value == 29);
  CHECK_FALSE(plan.value().next);
  CHECK(plan.value().n_estimates == 1);
}

TEST_CASE("the best mix fits and the next larger does not", "[fit]") {
  const Model model = truth_model("Llama-3.1-8B");
  const FitGoal goal = gpus({8});
  const auto solution = best_mix(model, server_on(1), goal);
  REQUIRE(solution.ok());
  const MixSolution& s = solution.value();
  CHECK(accepts(goal.comfort, s.best.fit.verdict));
  REQUIRE(s.next);
  CHECK_FALSE(accepts(goal.comfort, s.next->fit.verdict));
  CHECK_FALSE(s.next_mix.empty());
  CHECK(s.n_estimates <= 8);
  // 8.54 GB of Q8_0 exceed 8 GiB with context; 4.92 GB of Q4_K_M leave room.
  CHECK(s.file_bytes > 4'920'000'000);
  CHECK(s.file_bytes < 8'000'000'000);

  // Below 3 bits, where mixes need an importance matrix.
  const auto small = best_mix(model, server_on(1), gpus({4.5}));
  REQUIRE(small.ok());
  CHECK(small.value().file_bytes < 3'500'000'000);
  CHECK(accepts(goal.comfort, small.value().best.fit.verdict));

  const auto large = best_mix(model, server_on(1), gpus({80}));
  REQUIRE(large.ok());
  CHECK(large.value().next_mix.empty());
  CHECK(large.value().mix == "F16");
  // Q5_1 takes more than Q5_K_M and loses more: never the best.
  for (const double gib : {5.0, 5.5, 6.0, 6.5, 7.0, 7.5}) {
    const auto chosen = best_mix(model, server_on(1), gpus({gib}));
    REQUIRE(chosen.ok());
    CHECK(chosen.value().mix != "Q5_1");
    CHECK(chosen.value().mix != "Q4_1");
  }
  CHECK(best_mix(model, server_on(1), gpus({1})).error().code == "none_fits");
}

TEST_CASE("impossible questions get an error, with the missing bytes", "[fit]") {
  const Model model = truth_model("Llama-3.1-8B");
  LlamaCppEstimator estimator(model);
  const LlamaCppSettings settings = server_on(1);
  const auto none = largest_context(estimator, model, settings, gpus({1}));
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().code == "none_fits");
  CHECK(none.error().field == "n_ctx");
  CHECK(std::stoll(none.error().detail) > kGiB);
  CHECK(most_slots(estimator, settings, 0, gpus({80})).error().code == "ctx_range");
  CHECK(most_slots(estimator, settings, 1'000'000'000'000, gpus({80})).error().code == "ctx_range");
  CHECK(largest_context(estimator, model, settings, gpus({80}), 1'000'000'000'000).error().code ==
        "ctx_range");
  LlamaCppSettings refused = settings;
  refused.type_v = GgmlType::Q8_0;
  refused.flash_attention = FlashAttention::off;
  CHECK(largest_context(estimator, model, refused, gpus({80})).error().code == "v_needs_fa");
  refused = settings;
  refused.n_seq = 0;
  CHECK(largest_context(estimator, model, refused, gpus({80})).error().code == "batch_zero");
}

TEST_CASE("a verdict names the place and the term that bind", "[fit]") {
  const auto ranged = [](const char* id, const char* device, Bytes bytes, Bytes high) {
    Term term = exact_term(id, device, bytes, {}, Evidence::measured, "");
    term.high = high;
    return term;
  };
  const std::vector<Term> terms = {
      ranged("weights", "gpu0", 60, 60), ranged("kv_cache", "gpu0", 20, 30),
      ranged("weights", "gpu1", 90, 90), ranged("output_buffer", "host", 500, 500)};
  const std::vector<Room> rooms = {{"gpu0", 100}, {"gpu1", 80}};
  const MachineFit fit = judge(terms, rooms);
  CHECK(fit.verdict == Verdict::over);
  REQUIRE(fit.tightest == 1);
  CHECK(fit.shortage() == 10);
  CHECK(fit.places[1].binding_term == "weights");
  CHECK(fit.places[0].fit.high == 90);
  CHECK(fit.places[0].fit.verdict() == Verdict::fits);
  CHECK(judge(terms, std::vector<Room>{{"gpu0", 89}}).verdict == Verdict::tight);
  CHECK(judge(terms, std::vector<Room>{{"gpu0", 80}}).verdict == Verdict::tight);
  CHECK(judge(terms, std::vector<Room>{{"gpu0", 79}}).verdict == Verdict::over);
  CHECK(judge(terms, {}).tightest == -1);
}
