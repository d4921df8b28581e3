// The reverse questions answer what the estimate of the same configuration says.
#include "core/study/reverse.hpp"

#include <algorithm>
#include <catch_amalgamated.hpp>
#include <string>

#include "core/fit/llama_cpp.hpp"
#include "core/inference/llama_cpp/presets.hpp"
#include "core/inference/machine.hpp"
#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;
using namespace meyasu::testing;

namespace {

LlamaCppSettings server(std::int64_t context) {
  return settings_for(LlamaCppProgram::server, {.context = context, .users = 1}).value();
}

void add_gpu(LlamaCppSettings& settings, Bytes usable) {
  LlamaCppDevice& device = settings.devices.emplace_back();
  device.name = "gpu" + std::to_string(settings.devices.size() - 1);
  device.free = usable;
}

}  // namespace

TEST_CASE("devices that run a model: the fewest of each, least capacity first", "[reverse]") {
  InferenceStudy study(truth_model("Llama-3.1-8B"));
  const auto catalog = DeviceCatalog::built_in();
  REQUIRE(catalog.ok());
  const auto choices =
      devices_that_run(study, "Q8_0", server(8192), usual_question(8192, 1), catalog.value());
  REQUIRE(choices.ok());
  CHECK(choices.value().size() > 150);
  const auto fits = [](const DeviceChoice& it) { return it.verdict != Verdict::over; };
  CHECK(std::is_partitioned(choices.value().begin(), choices.value().end(), fits));
  Bytes capacity = 0;
  for (const DeviceChoice& choice : choices.value()) {
    if (!fits(choice)) break;
    CHECK(choice.capacity() >= capacity);
    capacity = choice.capacity();
    CHECK(choice.margin >= 0);
  }
  const auto find = [&](std::string_view id) {
    return *std::find_if(choices.value().begin(), choices.value().end(),
                         [&](const DeviceChoice& it) { return it.device->id == id; });
  };
  CHECK(find("rtx-4090").n == 1);
  CHECK(find("rtx-4060").n == 2);  // 8 GB
  // The same configuration, asked directly.
  const DeviceChoice pair = find("rtx-4060");
  LlamaCppSettings settings = server(8192);
  const LlamaCppDevice device =
      llama_cpp_device(*pair.device, LlamaCppBackend::cuda, pair.usable, false);
  for (const std::int64_t n : {1, 2}) {
    settings.devices.clear();
    for (std::int64_t i = 0; i < n; ++i) {
      settings.devices.push_back(device);
      settings.devices.back().name = "gpu" + std::to_string(i);
    }
    const auto point = study.llama_cpp_point("Q8_0", settings, {.gpu_usable = pair.usable});
    CHECK((point.verdict != Verdict::over) == (n == pair.n));
    if (n == pair.n) CHECK(point.device == pair.needed);
  }
}

TEST_CASE("a machine with shared memory stands alone, in every size it is sold with", "[reverse]") {
  InferenceStudy study(truth_model("Qwen2.5-14B"));
  const auto catalog = DeviceCatalog::built_in();
  REQUIRE(catalog.ok());
  const auto choices =
      devices_that_run(study, "Q8_0", server(8192), usual_question(8192, 1), catalog.value());
  REQUIRE(choices.ok());
  int sizes = 0;
  for (const DeviceChoice& choice : choices.value()) {
    if (choice.device->id != "m4-max-40") continue;
    CHECK(choice.n == 1);
    ++sizes;
  }
  CHECK(sizes > 1);
}

TEST_CASE("each device that runs a model has the speed of the same configuration", "[reverse]") {
  InferenceStudy study(truth_model("Llama-3.1-8B"));
  const auto catalog = DeviceCatalog::built_in();
  const SpeedWorkload workload = usual_question(8192, 1);
  const auto choices = devices_that_run(study, "Q8_0", server(8192), workload, catalog.value());
  REQUIRE(choices.ok());
  for (const DeviceChoice& choice : choices.value()) {
    if (choice.device->id != "rtx-4090" && choice.device->id != "rtx-4060") continue;
    LlamaCppSettings settings = server(8192);
    SpeedMachine machine;
    for (std::int64_t i = 0; i < choice.n; ++i) {
      settings.devices.emplace_back().name = "gpu" + std::to_string(i);
      machine.gpus.push_back(*choice.device);
    }
    const auto speed = study.speed("Q8_0", settings, machine, workload);
    REQUIRE(speed.ok());
    CHECK(choice.decode_tok_s.likely == speed.value().decode_tok_s.likely);
    CHECK(choice.decode_tok_s.low < choice.decode_tok_s.high);
  }
}

TEST_CASE("devices that serve: the least tensor parallelism with room for all users", "[reverse]") {
  InferenceStudy study(truth_model("Llama-3.1-8B"));
  const auto catalog = DeviceCatalog::built_in();
  ServingSettings settings;
  settings.max_model_len = 8192;
  settings.users = 8;
  const std::string format = format_id(kServingFormats.front());
  const auto choices =
      devices_that_serve(study, format, settings, usual_question(8192, 8), catalog.value());
  REQUIRE(choices.ok());
  int fitting = 0;
  for (const DeviceChoice& choice : choices.value()) {
    if (choice.verdict == Verdict::over) continue;
    ++fitting;
    CHECK(choice.margin >= 0);
    CHECK(choice.decode_tok_s.likely > 0);
    CHECK((choice.device->slice_of.empty() || choice.n == 1));
    settings.device_total = choice.usable;
    settings.parallel.tp = choice.n;
    CHECK(serves(study.serving(format, settings).value(), 8));
    settings.parallel.tp = choice.n / 2;
    if (choice.n > 1) CHECK_FALSE(serves(study.serving(format, settings).value(), 8));
  }
  CHECK(fitting > 20);
}

TEST_CASE("the best format at each context is the largest that fits", "[reverse]") {
  const Model model = truth_model("Llama-3.1-8B");
  const std::vector<std::int64_t> contexts = {4096, 32768, 131072};
  for (const bool unequal : {false, true}) {
    INFO(unequal);
    LlamaCppSettings settings = server(4096);
    add_gpu(settings, 12 * kGiB);
    if (unequal) add_gpu(settings, 2 * kGiB);
    const auto best = best_formats(model, contexts, settings, {});
    REQUIRE(best.size() == contexts.size());
    InferenceStudy study(model);
    for (std::size_t i = 0; i < contexts.size(); ++i) {
      std::string_view expected;
      for (const std::string_view mix : kMapMixes) {
        LlamaCppSettings asked = settings;
        asked.n_ctx = contexts[i];
        const SweepPoint point = study.llama_cpp_point(mix, asked, {});
        if (!expected.empty() || !point.possible || point.verdict == Verdict::over) continue;
        expected = mix;
      }
      CHECK((best[i] ? best[i]->mix : std::string_view()) == expected);
    }
    CHECK(best[0]);
  }
}
