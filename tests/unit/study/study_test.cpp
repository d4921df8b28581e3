// Presets, verdicts, and the study behind the inference page.
#include "core/study/study.hpp"

#include <catch_amalgamated.hpp>
#include <string>

#include "core/catalog/catalog.hpp"
#include "core/inference/machine.hpp"

namespace meyasu {
namespace {

Model llama_3_1_8b() {
  return model_of(*Catalog::built_in().value().find("meta-llama/Llama-3.1-8B")).value();
}

LlamaCppSettings on_one_gpu(const Workload& workload) {
  LlamaCppSettings settings = settings_for(LlamaCppProgram::server, workload).value();
  settings.devices.resize(1);
  return settings;
}

double mib_of(const LlamaCppEstimate& estimate, std::string_view id, std::string_view device) {
  for (const Term& term : estimate.terms) {
    if (term.id == id && term.device == device) {
      return static_cast<double>(term.bytes) / static_cast<double>(kMiB);
    }
  }
  return -1;
}

TEST_CASE("llama-server starts four slots over one pool; -np gives every user a context of his own",
          "[inference]") {
  const auto one = settings_for(LlamaCppProgram::server, {.context = 8192, .users = 1}).value();
  CHECK(one.n_seq == 4);
  CHECK(one.kv_unified);
  CHECK(one.n_ctx == 8192);
  const auto three = settings_for(LlamaCppProgram::server, {.context = 8192, .users = 3}).value();
  CHECK(three.n_seq == 3);
  CHECK_FALSE(three.kv_unified);
  CHECK(three.n_ctx == 3 * 8192);
  const auto cli = settings_for(LlamaCppProgram::cli, {.context = 8192, .users = 3}).value();
  CHECK(cli.n_seq == 1);
  CHECK(cli.n_ctx == 8192);
}

TEST_CASE("a context of zero is refused: it was typed, not left to the model", "[inference]") {
  CHECK(settings_for(LlamaCppProgram::server, {.context = 0}).error().code == "ctx_range");
  CHECK(settings_for(LlamaCppProgram::server, {.context = 1'000'000'000'000}).error().code ==
        "ctx_range");
  CHECK(settings_for(LlamaCppProgram::server, {.context = 8192, .users = 0}).error().code ==
        "users_range");
}

TEST_CASE("verdicts: room for the upper end and 5 %, for the likely amount, or for neither",
          "[inference]") {
  const auto verdict = [](Bytes likely, Bytes high) {
    return Fit{.usable = 100, .low = likely, .likely = likely, .high = high}.verdict();
  };
  CHECK(verdict(95, 100) == Verdict::fits);
  CHECK(verdict(96, 100) == Verdict::tight);
  CHECK(verdict(80, 101) == Verdict::tight);
  CHECK(verdict(100, 100) == Verdict::tight);
  CHECK(verdict(101, 101) == Verdict::over);
}

// Llama-3.1-8B Q4_K_M, -c 8192 -ngl 99, as CUDA builds print it when loading.
TEST_CASE("the study gives the buffers of a load log", "[inference]") {
  InferenceStudy study(llama_3_1_8b());
  const auto estimate = study.llama_cpp("Q4_K_M", on_one_gpu({.context = 8192})).value();
  CHECK(mib_of(estimate, "weights", "gpu0") == Catch::Approx(4403.49).margin(0.005));
  CHECK(mib_of(estimate, "weights_mapped", "host") == Catch::Approx(281.81).margin(0.005));
  CHECK(mib_of(estimate, "kv_cache", "gpu0") == 1024);
}

TEST_CASE("a point of a sweep is the estimate of that point", "[inference]") {
  InferenceStudy study(llama_3_1_8b());
  const MachineRoom room{.gpu_usable = 15 * kGiB, .host_usable = 28 * kGiB};
  const LlamaCppSettings settings = on_one_gpu({.context = 16384});
  const SweepPoint point = study.llama_cpp_point("Q8_0", settings, room);
  const auto estimate = study.llama_cpp("Q8_0", settings).value();
  CHECK(point.possible);
  CHECK(point.device == total_on(estimate, "gpu0"));
  CHECK(point.host == total_on(estimate, "host"));
  CHECK_FALSE(study.llama_cpp_point("Q99", settings, room).possible);
}

TEST_CASE("the largest context fits and 256 tokens more do not", "[inference]") {
  InferenceStudy study(llama_3_1_8b());
  const MachineRoom room{.gpu_usable = 15 * kGiB, .host_usable = 28 * kGiB};
  const auto largest = study.largest_context_of("Q4_K_M", on_one_gpu({.context = 8192}), room);
  REQUIRE(largest.ok());
  const auto at = [&](std::int64_t context) {
    return study.llama_cpp_point("Q4_K_M", on_one_gpu({.context = context}), room).verdict;
  };
  CHECK(at(largest.value()) != Verdict::over);
  CHECK(at(largest.value() + 256) == Verdict::over);
}

TEST_CASE("names that nobody knows are errors", "[inference]") {
  InferenceStudy study(llama_3_1_8b());
  CHECK(study.llama_cpp("Q99", on_one_gpu({})).error().code == "mix_unknown");
  CHECK(study.serving("q99", ServingSettings{}).error().code == "format_unknown");
}

TEST_CASE("servers get the format nearest in bits", "[inference]") {
  CHECK(format_id(serving_format_like(Ftype::F16)) == "bf16");
  CHECK(format_id(serving_format_like(Ftype::Q8_0)) == "fp8-channel");
  CHECK(format_id(serving_format_like(Ftype::Q4_K_M)) == "awq-4bit-g128");
  CHECK(serving_kv_like(GgmlType::F16) == KvCacheType::bf16);
  CHECK(serving_kv_like(GgmlType::Q8_0) == KvCacheType::fp8);
  CHECK(serving_kv_like(GgmlType::Q4_0) == KvCacheType::nvfp4);
}

TEST_CASE("without a GPU the host is the tightest device", "[inference]") {
  InferenceStudy study(llama_3_1_8b());
  const auto settings = settings_for(LlamaCppProgram::server, {.context = 8192}).value();
  const auto estimate = study.llama_cpp("Q4_K_M", settings).value();
  const auto devices = fit_devices(estimate, settings, {.host_usable = 4 * kGiB});
  REQUIRE(tightest_device(devices) == 0);
  CHECK(devices[0].device == "host");
  CHECK(worst_verdict(devices) == Verdict::over);
}

TEST_CASE("a server needs a user's KV cache more for each user, and serves while all fit",
          "[inference]") {
  InferenceStudy study(llama_3_1_8b());
  ServingSettings settings;
  settings.device_total = Bytes{24'564} * kMiB;
  settings.max_model_len = 8192;
  const auto estimate = study.serving("bf16", settings).value();
  // 2 (K and V) x 32 layers x 8 heads x 128 x 2 bytes = 128 KiB a token.
  const Bytes user = 8192 * 128 * kKiB;
  Bytes all = 0;
  for (const Term& term : estimate.terms) all += term.bytes;
  for (std::int64_t users = 1; users < 8; ++users) {
    CHECK(bytes_for_users(estimate, users + 1) - bytes_for_users(estimate, users) == user);
    CHECK((bytes_for_users(estimate, users) <= all) == serves(estimate, users));
  }
}

TEST_CASE("a point of a server says whether it serves the users of the question", "[inference]") {
  InferenceStudy study(llama_3_1_8b());
  ServingSettings settings;
  settings.device_total = Bytes{24'564} * kMiB;
  settings.max_model_len = 8192;
  const auto estimate = study.serving("bf16", settings).value();
  for (std::int64_t users = 1; users < 8; ++users) {
    settings.users = users;
    const SweepPoint point = study.serving_point("bf16", settings);
    CHECK(point.possible);
    CHECK(point.device == bytes_for_users(estimate, users));
    CHECK(point.verdict == (serves(estimate, users) ? Verdict::fits : Verdict::over));
  }
  CHECK(study.serving_point("bf16", settings).verdict == Verdict::over);
  settings.users = 1;
  CHECK(study.serving_point("bf16", settings).verdict == Verdict::fits);
  CHECK_FALSE(study.serving_point("q99", settings).possible);
  // It does not even start: known, and over.
  settings.device_total = 8 * kGiB;
  CHECK(study.serving_point("bf16", settings).possible);
  CHECK(study.serving_point("bf16", settings).verdict == Verdict::over);
}

}  // namespace
}  // namespace meyasu
