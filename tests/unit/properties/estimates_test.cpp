// What holds for every estimate, whatever the model: more of anything takes no less, parts make up
// totals, and a solver's answer fits where the next step does not.
#include <array>
#include <catch_amalgamated.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "core/catalog/catalog.hpp"
#include "core/fit/llama_cpp.hpp"
#include "core/inference/llama_cpp/presets.hpp"
#include "core/study/study.hpp"

using namespace meyasu;

namespace {

constexpr std::array kModels = {"meta-llama/Llama-3.1-8B", "google/gemma-3-4b-it",
                                "Qwen/Qwen3-30B-A3B", "deepseek-ai/DeepSeek-V3",
                                "ibm-granite/granite-4.0-h-small"};

Model model_in(const char* id) {
  static const Catalog kCatalog = Catalog::built_in().value();
  return model_of(*kCatalog.find(id)).value();
}

LlamaCppSettings settings_on(std::int64_t n_gpu, const Workload& workload) {
  LlamaCppSettings settings = settings_for(LlamaCppProgram::server, workload).value();
  for (std::int64_t i = 0; i < n_gpu; ++i) {
    settings.devices.emplace_back().name = "gpu" + std::to_string(i);
  }
  return settings;
}

Bytes everywhere(const LlamaCppEstimate& estimate) {
  Bytes sum = 0;
  for (const Term& term : estimate.terms) sum += term.bytes;
  return sum;
}

Bytes needed(InferenceStudy& study, const LlamaCppSettings& settings,
             std::string_view mix = "Q4_K_M") {
  return everywhere(study.llama_cpp(mix, settings).value());
}

/// A number that follows the last, the same in every run.
std::uint32_t next(std::uint32_t& state) {
  state = state * 1664525u + 1013904223u;
  return state >> 8;
}

}  // namespace

TEST_CASE("more context, users, batch or bits take no less", "[properties]") {
  for (const char* id : kModels) {
    INFO(id);
    InferenceStudy study(model_in(id));
    Bytes before = 0;
    for (std::int64_t context = 512; context <= 131072; context *= 2) {
      const Bytes now = needed(study, settings_on(1, {.context = context, .users = 1}));
      CHECK(now >= before);
      before = now;
    }
    before = 0;
    // Nobody asks for slots of one user: llama-server makes four, so two come first.
    for (std::int64_t users = 2; users <= 32; users *= 2) {
      const Bytes now = needed(study, settings_on(1, {.context = 4096, .users = users}));
      CHECK(now >= before);
      before = now;
    }
    before = 0;
    for (std::int64_t ubatch = 32; ubatch <= 4096; ubatch *= 2) {
      LlamaCppSettings settings = settings_on(1, {.context = 8192, .users = 1});
      settings.n_ubatch = ubatch;
      settings.n_batch = 4096;
      const Bytes now = needed(study, settings);
      CHECK(now >= before);
      before = now;
    }
    before = 0;
    for (auto mix = kMapMixes.rbegin(); mix != kMapMixes.rend(); ++mix) {  // from few bits to many
      const Bytes now = needed(study, settings_on(1, {.context = 4096, .users = 1}), *mix);
      CHECK(now > before);
      before = now;
    }
  }
}

TEST_CASE("parts make up totals, on every place and in every layer", "[properties]") {
  for (const char* id : kModels) {
    INFO(id);
    InferenceStudy study(model_in(id));
    for (const std::int64_t n_gpu : {0, 1, 3}) {
      LlamaCppSettings settings = settings_on(n_gpu, {.context = 8192, .users = 2});
      if (n_gpu == 1) settings.n_gpu_layers = 7;
      const LlamaCppEstimate estimate = study.llama_cpp("Q4_K_M", settings).value();
      Bytes low = 0;
      Bytes likely = 0;
      Bytes high = 0;
      Bytes cache = 0;
      for (const Term& term : estimate.terms) {
        CHECK(term.low <= term.bytes);
        CHECK(term.bytes <= term.high);
        low += term.low;
        likely += term.bytes;
        high += term.high;
        if (term.id.starts_with("kv_cache")) cache += term.bytes;
      }
      Bytes on_low = total_on(estimate, "host", Amount::low);
      Bytes on_likely = total_on(estimate, "host");
      Bytes on_high = total_on(estimate, "host", Amount::high);
      for (const LlamaCppDevice& device : settings.devices) {
        on_low += total_on(estimate, device.name, Amount::low);
        on_likely += total_on(estimate, device.name);
        on_high += total_on(estimate, device.name, Amount::high);
      }
      CHECK(low == on_low);
      CHECK(likely == on_likely);
      CHECK(high == on_high);
      Bytes cache_of_layers = 0;
      for (const LayerCost& layer : estimate.layers.blocks) cache_of_layers += layer.kv_cache;
      CHECK(cache == cache_of_layers);
    }
  }
}

TEST_CASE("a solver's answer fits and the next step does not", "[properties]") {
  std::uint32_t state = 7;
  for (const char* id : {kModels[0], kModels[1], kModels[2]}) {
    INFO(id);
    InferenceStudy study(model_in(id));
    LlamaCppEstimator& estimator = *study.estimator("Q4_K_M").value();
    const Model& model = *study.quantized_model("Q4_K_M").value();
    const LlamaCppSettings settings = settings_on(1, {.context = 8192, .users = 1});
    const Bytes least = needed(study, settings_on(1, {.context = 256, .users = 1}));
    for (int round = 0; round < 12; ++round) {
      const Bytes room = least + (next(state) % 20000) * kMiB;
      const FitGoal goal{{{"gpu0", room}}, round % 2 == 0 ? Comfort::tight : Comfort::roomy};
      INFO(room);
      const auto solved = largest_context(estimator, model, settings, goal);
      if (!solved) {
        CHECK(solved.error().code == "none_fits");
        continue;
      }
      const auto again = fit_llama_cpp(estimator, solved.value().best.settings, goal);
      REQUIRE(again.ok());
      CHECK(accepts(goal.comfort, again.value().fit.verdict));
      if (!solved.value().next) continue;
      CHECK(*solved.value().next_value > solved.value().value);
      const auto beyond = fit_llama_cpp(estimator, solved.value().next->settings, goal);
      REQUIRE(beyond.ok());
      CHECK_FALSE(accepts(goal.comfort, beyond.value().fit.verdict));
    }
  }
}
