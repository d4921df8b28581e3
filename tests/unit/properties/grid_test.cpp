// The whole catalog in every format, runtime and device: no number is negative, none overflows,
// and every speed is a number.
#include <array>
#include <catch_amalgamated.hpp>
#include <cmath>
#include <vector>

#include "core/catalog/catalog.hpp"
#include "core/inference/llama_cpp/presets.hpp"
#include "core/inference/machine.hpp"
#include "core/study/study.hpp"
#include "core/study/sweep.hpp"

using namespace meyasu;

namespace {

constexpr Bytes kBeyond = Bytes{1} << 60;  // more than any machine: an overflow

std::vector<Model> all_models() {
  const Catalog catalog = Catalog::built_in().value();
  std::vector<Model> models;
  for (const CatalogEntry& entry : catalog.entries()) {
    if (!entry.has_shape) continue;
    auto model = model_of(entry);
    if (model && !model.value().tensors.empty()) models.push_back(std::move(model.value()));
  }
  return models;
}

const DeviceCatalog& devices() {
  static const DeviceCatalog kDevices = DeviceCatalog::built_in().value();
  return kDevices;
}

std::vector<SweepMachine> all_machines() {
  std::vector<SweepMachine> machines;
  for (const Device& device : devices().devices()) {
    const bool computes =
        device.device_class == DeviceClass::gpu || device.device_class == DeviceClass::unified;
    if (!computes || device.memory == 0) continue;
    SweepMachine machine;
    machine.device = llama_cpp_device(device, usual_backend(device), device.memory, false);
    machine.gpu_usable = device.memory;
    machine.host_usable = 64 * kGiB;
    machines.push_back(machine);
  }
  machines.push_back(machines.front());
  machines.back().n_gpu = 16;
  machines.push_back(machines.front());
  machines.back().n_gpu = 0;
  return machines;
}

bool is_amount(Bytes bytes) {
  return bytes >= 0 && bytes < kBeyond;
}
bool is_rate(const SpeedRange& range) {
  return std::isfinite(range.high) && range.low > 0 && range.low <= range.likely &&
         range.likely <= range.high;
}

}  // namespace

TEST_CASE("llama.cpp: every model x mix x context x device", "[grid]") {
  const std::vector<Model> models = all_models();
  const std::vector<SweepMachine> machines = all_machines();
  constexpr std::array<std::string_view, 4> kMixes = {"F16", "Q4_K_M", "IQ2_XXS", kAsInFile};
  constexpr std::array<std::int64_t, 3> kContexts = {256, 32768, 1048576};
  CHECK(models.size() > 200);
  for (const Model& model : models) {
    INFO(model.name);
    const std::array<const Model*, 1> one = {&model};
    const auto grid =
        sweep({one, kMixes, kContexts, machines, default_settings(LlamaCppProgram::server)});
    REQUIRE(grid.ok());
    bool any = false;
    for (std::size_t i = 0; i < grid.value().size(); ++i) {
      if (grid.value().verdict[i] == SweepGrid::kImpossible) continue;
      any = true;
      const bool good = is_amount(grid.value().device[i]) && is_amount(grid.value().host[i]) &&
                        grid.value().device[i] > 0 && std::abs(grid.value().margin[i]) < kBeyond &&
                        grid.value().verdict[i] <= 2;
      if (!good) FAIL_CHECK("point " << i);
    }
    CHECK(any);
  }
}

TEST_CASE("servers: every model x format x runtime x device", "[grid]") {
  for (Model& model : all_models()) {
    InferenceStudy study(std::move(model));
    INFO(study.model().name);
    for (const WeightFormat& format : kServingFormats) {
      for (const ServingRuntime runtime :
           {ServingRuntime::vllm, ServingRuntime::sglang, ServingRuntime::tensorrt_llm}) {
        for (const std::int64_t tp : {1, 8}) {
          ServingSettings settings;
          settings.runtime = runtime;
          settings.parallel.tp = tp;
          settings.device_total = tp == 1 ? 8 * kGiB : 141 * kGiB;
          settings.max_model_len = tp == 1 ? 4096 : 131072;
          const auto estimate = study.serving(format_id(format), settings);
          if (!estimate) continue;  // heads that tp does not divide
          for (const Term& term : estimate.value().terms) {
            if (!is_amount(term.low) || term.bytes < term.low || term.high < term.bytes ||
                !is_amount(term.high)) {
              FAIL_CHECK(format_id(format) << ' ' << term.id);
            }
          }
          const KvPool& pool = estimate.value().pool;
          CHECK((pool.n_tokens >= 0 && pool.n_pages >= 0));
          CHECK((std::isfinite(pool.max_concurrency) && pool.max_concurrency >= 0));
        }
      }
    }
    ServingSettings settings;
    settings.device_total = 80 * kGiB;
    settings.max_model_len = 4096;
    const auto speed = study.serving_speed(format_id(kServingFormats.front()), settings,
                                           *devices().find("h100-sxm"), {1000, 1000, 4, 0});
    REQUIRE(speed.ok());
    CHECK(is_rate(speed.value().decode_tok_s));
    CHECK(is_rate(speed.value().prompt_tok_s));
  }
}

TEST_CASE("speed: every model on every device", "[grid]") {
  constexpr SpeedWorkload kQuestion = {1000, 1000, 1, 0};
  for (Model& model : all_models()) {
    INFO(model.name);
    LlamaCppSettings settings = settings_for(LlamaCppProgram::server, {4096, 1}).value();
    settings.devices.emplace_back();
    const auto work = speed_work(model, settings, kQuestion);
    REQUIRE(work.ok());
    for (const Device& device : devices().devices()) {
      if (device.device_class != DeviceClass::gpu && device.device_class != DeviceClass::unified) {
        continue;
      }
      SpeedMachine machine;
      machine.gpus = {device};
      const auto speed = estimate_speed(work.value(), settings, machine, kQuestion);
      if (!speed || !is_rate(speed.value().decode_tok_s)) FAIL_CHECK(device.id);
    }
  }
}
