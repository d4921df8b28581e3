// Advice: each row fits by the estimate itself once its changes are applied, costs are in order,
// and nothing is advised to who needs nothing.
#include "core/advice/advice.hpp"

#include <algorithm>
#include <catch_amalgamated.hpp>
#include <string>
#include <vector>

#include "core/fit/serving.hpp"
#include "core/hardware/hardware.hpp"
#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;
using namespace meyasu::testing;

namespace {

LlamaCppAdviceQuestion question(double gpu_gib, double host_gib, const std::string& mix = "Q8_0") {
  LlamaCppAdviceQuestion q;
  q.mix = mix;
  q.settings = settings_for(LlamaCppProgram::server, {.context = 16384, .users = 1}).value();
  q.settings.devices.emplace_back().name = "gpu0";
  const auto bytes = [](double gib) { return static_cast<Bytes>(gib * static_cast<double>(kGiB)); };
  q.goal.rooms = {{"gpu0", bytes(gpu_gib)}, {"host", bytes(host_gib)}};
  return q;
}

/// Applies a change as the page does.
void apply(LlamaCppAdviceQuestion& q, const OptionChange& change) {
  LlamaCppSettings& s = q.settings;
  const std::string& value = change.value;
  if (change.option == "mix") {
    q.mix = value;
  } else if (change.option == "type_k") {
    s.type_k = *ggml_type_from_name(value);
  } else if (change.option == "type_v") {
    s.type_v = *ggml_type_from_name(value);
  } else if (change.option == "n_ctx") {
    s.n_ctx = std::stoll(value) * (s.kv_unified ? 1 : s.n_seq);
  } else if (change.option == "users") {
    s.n_ctx = s.n_ctx / s.n_seq * std::stoll(value);
    s.n_seq = s.n_outputs_max = std::stoll(value);
  } else if (change.option == "n_ubatch") {
    s.n_ubatch = std::stoll(value);
  } else if (change.option == "n_gpu_layers") {
    s.n_gpu_layers = std::stoll(value);
  } else if (change.option == "n_cpu_moe") {
    s.n_cpu_moe = std::stoll(value);
  } else if (change.option == "offload_kv") {
    s.offload_kv = value == "true";
  } else if (change.option == "flash_attention") {
    s.flash_attention = FlashAttention::on;
  } else if (change.option == "runtime") {
    s.n_seq = s.n_outputs_max = 1;
    s.kv_unified = false;
  } else if (change.option == "add_gpus") {
    for (std::int64_t i = std::stoll(value); i > 0; --i) {
      const std::string name = "gpu" + std::to_string(s.devices.size());
      s.devices.emplace_back().name = name;
      q.goal.rooms.insert(q.goal.rooms.end() - 1, {name, q.goal.rooms.front().usable});
    }
  } else {
    FAIL(change.option);
  }
}

std::vector<Advice> check_all(InferenceStudy& study, const LlamaCppAdviceQuestion& q) {
  const auto advice = advise_llama_cpp(study, q);
  REQUIRE(advice.ok());
  for (const Advice& row : advice.value()) {
    INFO(advice_name(row.kinds.front()));
    REQUIRE_FALSE(row.changes.empty());
    CHECK(row.qualities.size() == row.kinds.size());
    LlamaCppAdviceQuestion changed = q;
    for (const OptionChange& change : row.changes) apply(changed, change);
    const auto estimator = study.estimator(changed.mix);
    REQUIRE(estimator.ok());
    const auto fit = fit_llama_cpp(*estimator.value(), changed.settings, changed.goal);
    REQUIRE(fit.ok());
    CHECK(fit.value().fit.verdict == row.verdict);
    CHECK(accepts(changed.goal.comfort, row.verdict));
    CHECK(row.saving > 0);
    CHECK(fit.value().fit.places[static_cast<std::size_t>(fit.value().fit.tightest)].fit.margin() ==
          row.margin);
  }
  CHECK(std::is_sorted(advice.value().begin(), advice.value().end(),
                       [](const Advice& a, const Advice& b) { return a.cost < b.cost; }));
  return advice.value();
}

bool has(const std::vector<Advice>& advice, AdviceKind kind) {
  return std::any_of(advice.begin(), advice.end(),
                     [&](const Advice& row) { return row.kinds == std::vector<AdviceKind>{kind}; });
}

}  // namespace

TEST_CASE("no advice for what fits", "[advice]") {
  InferenceStudy study(truth_model("Llama-3.1-8B"));
  CHECK(check_all(study, question(24, 32)).empty());
}

TEST_CASE("a little short: every kind of change is offered, the harmless first", "[advice]") {
  InferenceStudy study(truth_model("Llama-3.1-8B"));
  const auto advice = check_all(study, question(9.4, 32));
  REQUIRE_FALSE(advice.empty());
  CHECK(has(advice, AdviceKind::mix));
  CHECK(has(advice, AdviceKind::kv_type));
  CHECK(has(advice, AdviceKind::offload));
  CHECK(has(advice, AdviceKind::context));
  CHECK(has(advice, AdviceKind::more_gpus));
  CHECK(advice.front().cost == AdviceCost::slight);
  CHECK(advice.back().cost == AdviceCost::hardware);
  for (const Advice& row : advice) {
    if (row.kinds.front() == AdviceKind::mix) {
      CHECK(row.changes == std::vector<OptionChange>{{"mix", "Q6_K"}});
      CHECK(row.qualities.front().measure == QualityMeasure::ppl_delta);
      CHECK_FALSE(row.qualities.front().source.empty());
    }
    if (row.kinds.front() == AdviceKind::offload) CHECK(row.host_share > 0);
  }
}

TEST_CASE("another GPU: the smallest of its line on which all fits; speeds beside it", "[advice]") {
  InferenceStudy study(truth_model("Llama-3.1-8B"));
  const DeviceCatalog catalog = DeviceCatalog::built_in().value();
  LlamaCppAdviceQuestion q = question(9.4, 32);
  q.machine.gpus = {*catalog.find("rtx-3080")};
  q.workload = usual_question(16384, 1);
  q.catalog = &catalog;
  const auto advice = advise_llama_cpp(study, q);
  REQUIRE(advice.ok());
  const auto other =
      std::find_if(advice.value().begin(), advice.value().end(),
                   [](const Advice& row) { return row.kinds.front() == AdviceKind::other_gpu; });
  REQUIRE(other != advice.value().end());
  const Device& device = *catalog.find(other->changes.front().value);
  CHECK(device.name.starts_with("GeForce"));
  CHECK(device.memory > 10 * kGiB);
  CHECK(device.memory <= 12 * kGiB);
  for (const Advice& row : advice.value()) {
    CHECK(row.tok_s_before > 0);
    CHECK(row.tok_s_after > 0);
    if (row.kinds.front() == AdviceKind::offload) CHECK(row.tok_s_after < row.tok_s_before);
    if (row.kinds.front() == AdviceKind::mix) CHECK(row.tok_s_after > row.tok_s_before);
  }
}

TEST_CASE("pairs come when single changes cost much", "[advice]") {
  InferenceStudy study(truth_model("Llama-3.1-8B"));
  LlamaCppAdviceQuestion q = question(6.5, 4);
  q.settings.n_ctx = 32768;
  const auto advice = check_all(study, q);
  const auto pair = std::find_if(advice.begin(), advice.end(),
                                 [](const Advice& row) { return row.kinds.size() == 2; });
  REQUIRE(pair != advice.end());
  for (const Advice& row : advice) {
    if (row.kinds.size() == 1) CHECK(row.cost >= AdviceCost::much);
  }
  CHECK(pair->cost < AdviceCost::much);
}

TEST_CASE("what is tight gets advice towards roomy", "[advice]") {
  InferenceStudy study(truth_model("Llama-3.1-8B"));
  LlamaCppAdviceQuestion q = question(10.3, 32);
  q.goal.comfort = Comfort::roomy;
  const auto advice = check_all(study, q);
  REQUIRE_FALSE(advice.empty());
  for (const Advice& row : advice) CHECK(row.verdict == Verdict::fits);
}

TEST_CASE("advice does not depend on earlier questions", "[advice]") {
  InferenceStudy fresh(truth_model("Llama-3.1-8B"));
  InferenceStudy used(truth_model("Llama-3.1-8B"));
  (void)advise_llama_cpp(used, question(5, 16));
  const auto a = advise_llama_cpp(fresh, question(9.4, 32));
  const auto b = advise_llama_cpp(used, question(9.4, 32));
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  REQUIRE(a.value().size() == b.value().size());
  for (std::size_t i = 0; i < a.value().size(); ++i) {
    CHECK(a.value()[i].changes == b.value()[i].changes);
    CHECK(a.value()[i].saving == b.value()[i].saving);
  }
}

TEST_CASE("an encoder is not told to read shorter texts", "[advice]") {
  InferenceStudy study(truth_model("bge-m3"));
  LlamaCppAdviceQuestion q = question(1, 16);
  q.settings.n_ctx = 8192;
  q.settings.n_batch = q.settings.n_ubatch = 8192;
  q.settings.flash_attention = FlashAttention::off;
  const auto has_ubatch = [](const std::vector<Advice>& advice) {
    return std::any_of(advice.begin(), advice.end(),
                       [](const Advice& row) { return row.kinds.front() == AdviceKind::ubatch; });
  };
  const auto advice = advise_llama_cpp(study, q);
  REQUIRE(advice.ok());
  CHECK_FALSE(advice.value().empty());
  CHECK_FALSE(has_ubatch(advice.value()));
  // What writes text may read prompts in smaller pieces, also where 0 says "as -b".
  q.settings.n_ubatch = 0;
  InferenceStudy writer(truth_model("Llama-3.2-1B"));
  q.goal.rooms.front().usable = 3 * kGiB;
  const auto pieces = advise_llama_cpp(writer, q);
  REQUIRE(pieces.ok());
  CHECK(has_ubatch(pieces.value()));
}

TEST_CASE("servers: users fit after each change", "[advice]") {
  InferenceStudy study(truth_model("Llama-3.1-8B"));
  ServingAdviceQuestion q;
  q.format = "bf16";
  q.settings.device_total = 24 * kGiB;
  q.settings.max_model_len = 16384;
  q.settings.users = 16;
  const auto advice = advise_serving(study, q);
  REQUIRE(advice.ok());
  REQUIRE_FALSE(advice.value().empty());
  for (const Advice& row : advice.value()) {
    INFO(advice_name(row.kinds.front()));
    ServingAdviceQuestion changed = q;
    for (const auto& [option, value] : row.changes) {
      if (option == "format") changed.format = value;
      if (option == "kv_type") changed.settings.kv_type = KvCacheType::fp8;
      if (option == "n_ctx") changed.settings.max_model_len = std::stoll(value);
      if (option == "users") changed.settings.users = std::stoll(value);
      if (option == "memory_fraction") changed.settings.memory_fraction = std::stod(value);
      if (option == "enforce_eager") changed.settings.enforce_eager = true;
      if (option == "add_gpus") changed.settings.parallel.tp += std::stoll(value);
    }
    const auto estimate = study.serving(changed.format, changed.settings);
    REQUIRE(estimate.ok());
    CHECK(serves(estimate.value(), changed.settings.users));
    CHECK(row.saving > 0);
  }
  // SGLang keeps activations and graphs outside its fraction: on a small card 0.95 leaves too
  // little for them.
  ServingAdviceQuestion outside = q;
  outside.settings.runtime = ServingRuntime::sglang;
  outside.settings.device_total = 18 * kGiB;
  outside.settings.max_model_len = 64;
  outside.settings.users = 100;
  ServingSettings full = outside.settings;
  full.memory_fraction = 0.95;
  const auto filled = study.serving(q.format, full);
  REQUIRE(serves(filled.value(), outside.settings.users));
  REQUIRE(fit_server(filled.value()).verdict() == Verdict::over);
  const auto refused = advise_serving(study, outside);
  REQUIRE(refused.ok());
  for (const Advice& row : refused.value()) {
    CHECK(row.kinds.front() != AdviceKind::memory_fraction);
  }
  // The longest context is one as vLLM runs, with all the places that it sets aside: a block more
  // is too long.
  q.settings.users = 1;
  const auto longest =
      longest_context(study.model(), study.tensor_bytes(q.format).value(), q.settings);
  REQUIRE(longest.ok());
  q.settings.max_model_len = longest.value().value;
  CHECK(advise_serving(study, q).value().empty());
  q.settings.max_model_len += 16;
  const auto shorter = advise_serving(study, q);
  REQUIRE(shorter.ok());
  CHECK(std::any_of(shorter.value().begin(), shorter.value().end(), [](const Advice& row) {
    return row.kinds == std::vector<AdviceKind>{AdviceKind::context};
  }));
}
