// The form's formula a million times, single estimates, and how their cost grows with layers (and
// so tensors) and devices. Prints one line of JSON; report.mjs runs it natively and as WebAssembly.
#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "core/catalog/catalog.hpp"
#include "core/inference/llama_cpp/presets.hpp"
#include "core/inference/machine.hpp"
#include "core/quick/weight_size.hpp"
#include "core/study/study.hpp"
#include "core/study/sweep.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using namespace meyasu;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Microseconds of one call: the fastest of some rounds, since others use the machine too.
template <class Call>
double microseconds(Call&& call) {
  constexpr int kRounds = 5;
  constexpr int kCalls = 20;
  call();
  double best = 1e30;
  for (int round = 0; round < kRounds; ++round) {
    const Clock::time_point start = Clock::now();
    for (int i = 0; i < kCalls; ++i) call();
    best = std::min(best, seconds_since(start) * 1e6 / kCalls);
  }
  return best;
}

/// The model with `n` blocks, all like its first.
Model stretched(const Model& model, std::size_t n) {
  Model made = model;
  made.layers.assign(n, model.layers.front());
  made.tensors.clear();
  for (const Tensor& tensor : model.tensors) {
    if (tensor.layer < 0) made.tensors.push_back(tensor);
    if (tensor.layer != 0) continue;
    for (std::size_t i = 0; i < n; ++i) {
      Tensor& copy = made.tensors.emplace_back(tensor);
      copy.layer = static_cast<int>(i);
      copy.name.replace(0, 6, "blk." + std::to_string(i) + ".");
    }
  }
  return made;
}

LlamaCppSettings settings_on(int n_gpu) {
  LlamaCppSettings settings =
      settings_for(LlamaCppProgram::server, {.context = 8192, .users = 1}).value();
  for (int i = 0; i < n_gpu; ++i) {
    settings.devices.emplace_back().name = "gpu" + std::to_string(i);
  }
  return settings;
}

double one_estimate(const Model& model, const LlamaCppSettings& settings) {
  LlamaCppEstimator estimator(model);
  return microseconds([&] { (void)estimator.estimate(settings); });
}

/// Nanoseconds of a point in a sweep over so many machines.
double one_point(const Model& model, std::size_t n_machines) {
  SweepMachine machine;
  machine.gpu_usable = 24 * kGiB;
  machine.device.n_sm = 128;
  const std::vector<SweepMachine> machines(n_machines, machine);
  const std::array<const Model*, 1> models = {&model};
  const std::array<std::string_view, 1> mixes = {kAsInFile};
  const std::array<std::int64_t, 4> contexts = {2048, 8192, 32768, 131072};
  const SweepAxes axes{models, mixes, contexts, machines,
                       default_settings(LlamaCppProgram::server)};
  const double all = microseconds([&] { (void)sweep(axes); });
  return all * 1e3 / static_cast<double>(contexts.size() * n_machines);
}

}  // namespace

int main() {
  const auto catalog = Catalog::built_in();
  if (!catalog) return 1;
  const Model model = model_of(*catalog.value().find("meta-llama/Llama-3.1-8B")).value();

  constexpr int kFormulas = 1'000'000;
  double sum = 0;
  const Clock::time_point start = Clock::now();
  for (int i = 0; i < kFormulas; ++i) {
    sum += original_weight_gib(1 + i % 1000, kPrecisions[static_cast<std::size_t>(i) % 5]);
  }
  const double formulas = kFormulas / seconds_since(start);

  std::string growth;
  const auto add = [&](const char* axis, double size, double cost) {
    char text[96];
    std::snprintf(text, sizeof text, "%s{\"axis\":\"%s\",\"size\":%.0f,\"cost\":%.4g}",
                  growth.empty() ? "" : ",", axis, size, cost);
    growth += text;
  };
  for (const std::size_t n : {8U, 16U, 32U, 64U, 128U}) {
    const Model made = stretched(model, n);
    const double cost = one_estimate(made, settings_on(1));
    add("layers", static_cast<double>(n), cost);
    add("tensors", static_cast<double>(made.tensors.size()), cost);
  }
  for (const int n : {1, 2, 4, 8, 16}) add("devices", n, one_estimate(model, settings_on(n)));
  for (const std::size_t n : {10U, 100U, 1000U, 10000U}) {
    add("points", static_cast<double>(4 * n), one_point(model, n));
  }
  std::printf(
      "{\"formulas_per_second\":%.0f,\"formula_sum\":%.6f,\"estimates_per_second\":%.0f,"
      "\"growth\":[%s]}\n",
      formulas, sum, 1e6 / one_estimate(model, settings_on(1)), growth.c_str());
  return 0;
}
