// One sweep over models, mixes, contexts and machines gives what single estimates give.
#include "core/study/sweep.hpp"

#include <array>
#include <catch_amalgamated.hpp>

#include "core/catalog/catalog.hpp"
#include "core/inference/machine.hpp"
#include "core/study/study.hpp"

namespace meyasu {
namespace {

SweepMachine machine(const char* id, LlamaCppBackend backend, std::int64_t n_gpu, Bytes host) {
  static const DeviceCatalog kDevices = DeviceCatalog::built_in().value();
  const Device& device = *kDevices.find(id);
  SweepMachine made;
  made.gpu_usable = device.memory;
  made.device = llama_cpp_device(device, backend, device.memory, false);
  made.n_gpu = n_gpu;
  made.host_usable = host;
  return made;
}

std::vector<SweepMachine> machines() {
  std::vector<SweepMachine> list = {
      machine("rtx-4090", LlamaCppBackend::cuda, 1, 64 * kGiB),
      machine("rtx-3060", LlamaCppBackend::cuda, 1, 0),
      machine("rtx-3060", LlamaCppBackend::cuda, 2, 16 * kGiB),
      machine("rx-7900-xtx", LlamaCppBackend::rocm, 1, 32 * kGiB),
      machine("rx-7900-xtx", LlamaCppBackend::vulkan, 1, 32 * kGiB),
      machine("arc-b580", LlamaCppBackend::sycl, 1, 32 * kGiB),
      machine("rtx-4090", LlamaCppBackend::cuda, 0, 64 * kGiB),
  };
  list.push_back(list.front());
  list.back().os = OperatingSystem::windows;
  return list;
}

/// Checks every point against a study of its own.
void check_against_single_estimates(const LlamaCppSettings& settings) {
  const Catalog catalog = Catalog::built_in().value();
  std::vector<Model> models;
  for (const char* id : {"meta-llama/Llama-3.1-8B", "Qwen/Qwen3-30B-A3B", "google/gemma-3-4b-it",
                         "tiiuae/falcon-7b", "ibm-granite/granite-4.0-h-small"}) {
    const CatalogEntry* entry = catalog.find(id);
    REQUIRE(entry != nullptr);
    models.push_back(model_of(*entry).value());
  }
  std::vector<const Model*> pointers;
  for (const Model& model : models) pointers.push_back(&model);
  const std::array<std::string_view, 4> mixes = {"F16", "Q4_K_M", "IQ2_XXS", kAsInFile};
  const std::array<std::int64_t, 3> contexts = {4096, 40000, 131072};
  const auto list = machines();
  const auto grid = sweep({pointers, mixes, contexts, list, settings});
  REQUIRE(grid.ok());
  const SweepGrid& found = grid.value();
  for (std::size_t m = 0; m < models.size(); ++m) {
    InferenceStudy study(models[m]);
    for (std::size_t q = 0; q < mixes.size(); ++q) {
      for (std::size_t c = 0; c < contexts.size(); ++c) {
        for (std::size_t k = 0; k < list.size(); ++k) {
          LlamaCppSettings single = settings;
          single.n_ctx = contexts[c];
          single.os = list[k].os;
          for (std::int64_t i = 0; i < list[k].n_gpu; ++i) {
            single.devices.push_back(list[k].device);
            single.devices.back().name = "gpu" + std::to_string(i);
          }
          const SweepPoint point =
              study.llama_cpp_point(mixes[q], single, {list[k].gpu_usable, list[k].host_usable});
          const std::size_t at = found.at(m, q, c, k);
          CAPTURE(models[m].name, mixes[q], contexts[c], k);
          REQUIRE(point.possible == (found.verdict[at] != SweepGrid::kImpossible));
          REQUIRE(point.device == found.device[at]);
          REQUIRE(point.host == found.host[at]);
          if (point.possible) REQUIRE(static_cast<Verdict>(found.verdict[at]) == point.verdict);
        }
      }
    }
  }
}

TEST_CASE("a sweep equals the single estimates to the byte", "[sweep]") {
  check_against_single_estimates(default_settings(LlamaCppProgram::server));
}

TEST_CASE("a sweep equals the single estimates where weights stay on the host", "[sweep]") {
  LlamaCppSettings experts = default_settings(LlamaCppProgram::server);
  experts.cpu_moe = true;
  check_against_single_estimates(experts);
  LlamaCppSettings layers = default_settings(LlamaCppProgram::cli);
  layers.n_gpu_layers = 10;
  layers.release = LlamaCppRelease::build_2025_11;
  layers.type_k = GgmlType::Q8_0;
  check_against_single_estimates(layers);
}

TEST_CASE("a sweep refuses empty axes, unknown mixes and more points than it can hold", "[sweep]") {
  const Catalog catalog = Catalog::built_in().value();
  const Model model = model_of(*catalog.find("meta-llama/Llama-3.1-8B")).value();
  const std::array<const Model*, 1> models = {&model};
  const std::array<std::string_view, 1> mixes = {"Q4_K_M"};
  const std::array<std::string_view, 1> unknown = {"Q9_Z"};
  const std::array<std::int64_t, 1> contexts = {4096};
  const std::vector<std::int64_t> many(kMaxSweepPoints, 4096);
  const auto list = machines();
  CHECK(sweep({{}, mixes, contexts, list, {}}).error() == Error{"sweep_range", "models", ""});
  CHECK(sweep({models, mixes, many, list, {}}).error() == Error{"sweep_range", "machines", ""});
  CHECK(sweep({models, unknown, contexts, list, {}}).error() ==
        Error{"mix_unknown", "mix", "Q9_Z"});
}

}  // namespace
}  // namespace meyasu
