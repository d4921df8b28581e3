// Estimates with fit per second: every catalog model with a shape x mixes x contexts x every GPU of
// the hardware catalog, in one sweep per model. Prints one line of JSON; sweep.mjs runs it natively
// and as WebAssembly and compares.
#include "core/study/sweep.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <vector>

#include "core/catalog/catalog.hpp"
#include "core/inference/machine.hpp"

namespace {

using Clock = std::chrono::steady_clock;

struct Pass {
  int n_models = 0;
  long long n_estimates = 0;
  long long n_fit = 0;
  long long checksum = 0;
};

constexpr std::array<std::string_view, 12> kMixes = {"F16",    "Q8_0",   "Q6_K",    "Q5_K_M",
                                                     "Q5_K_S", "Q4_K_M", "Q4_K_S",  "IQ4_XS",
                                                     "Q3_K_M", "Q2_K",   "IQ3_XXS", "IQ2_XXS"};
constexpr std::array<std::int64_t, 12> kContexts = {2048,  4096,  8192,  12288, 16384,  24576,
                                                    32768, 49152, 65536, 98304, 131072, 262144};

Pass run(const std::vector<meyasu::Model>& models,
         const std::vector<meyasu::SweepMachine>& machines) {
  Pass pass;
  for (const meyasu::Model& model : models) {
    const std::array<const meyasu::Model*, 1> one = {&model};
    const auto grid = meyasu::sweep({one, kMixes, kContexts, machines,
                                     meyasu::default_settings(meyasu::LlamaCppProgram::server)});
    if (!grid) continue;
    ++pass.n_models;
    for (std::size_t i = 0; i < grid.value().size(); ++i) {
      if (grid.value().verdict[i] == meyasu::SweepGrid::kImpossible) continue;
      ++pass.n_estimates;
      if (grid.value().margin[i] >= 0) ++pass.n_fit;
      pass.checksum = (pass.checksum * 31 + grid.value().device[i]) % 1'000'000'007;
    }
  }
  return pass;
}

}  // namespace

int main() {
  const auto catalog = meyasu::Catalog::built_in();
  const auto devices = meyasu::DeviceCatalog::built_in();
  if (!catalog || !devices) return 1;
  std::vector<meyasu::Model> models;
  for (const meyasu::CatalogEntry& entry : catalog.value().entries()) {
    if (!entry.has_shape) continue;
    auto model = meyasu::model_of(entry);
    if (model && !model.value().tensors.empty()) models.push_back(std::move(model.value()));
  }
  std::vector<meyasu::SweepMachine> machines;
  for (const meyasu::Device& device : devices.value().devices()) {
    const bool computes = device.device_class == meyasu::DeviceClass::gpu ||
                          device.device_class == meyasu::DeviceClass::unified;
    if (!computes || device.memory == 0) continue;
    meyasu::SweepMachine machine;
    machine.device =
        meyasu::llama_cpp_device(device, meyasu::usual_backend(device), device.memory, false);
    machine.gpu_usable = device.memory;
    machines.push_back(machine);
  }
  // Once before the clock runs, on both sides: WebAssembly starts in the engine's baseline code and
  // moves to optimised code function by function; native code has cold caches and fresh pages.
  run(models, machines);
  const Clock::time_point start = Clock::now();
  const Pass pass = run(models, machines);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::printf(
      "{\"models\":%d,\"machines\":%zu,\"estimates\":%lld,\"fit\":%lld,\"seconds\":%.3f,"
      "\"estimates_per_second\":%.0f,\"checksum\":%lld}\n",
      pass.n_models, machines.size(), pass.n_estimates, pass.n_fit, seconds,
      static_cast<double>(pass.n_estimates) / seconds, pass.checksum);
  return 0;
}
