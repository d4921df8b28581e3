// Many models x mixes x contexts x machines in one call: how much each needs, whether it fits. What
// does not change along an axis (a compute buffer of one model and setting, the weights of a mix,
// the share of a driver) is computed once; every point equals the single estimate to the byte.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/inference/llama_cpp/estimate.hpp"
#include "core/inference/verdict.hpp"
#include "core/units/result.hpp"

namespace meyasu {

/// One machine: `n_gpu` equal GPUs (0: CPU only), what programs can have of each and of the RAM.
struct SweepMachine {
  LlamaCppDevice device;
  std::int64_t n_gpu = 1;
  Bytes gpu_usable = 0;
  Bytes host_usable = 0;  // 0: unknown, not judged
  OperatingSystem os = OperatingSystem::gnu_linux;
};

/// The axes. `settings` is everything else; its devices, n_ctx and os are those of the axes.
struct SweepAxes {
  std::span<const Model* const> models;
  std::span<const std::string_view> mixes;  // names, or kAsInFile
  std::span<const std::int64_t> contexts;   // -c, as LlamaCppSettings::n_ctx
  std::span<const SweepMachine> machines;
  LlamaCppSettings settings;
};

/// Flat arrays, machines fastest: index ((model * n_mixes + mix) * n_contexts + context) *
/// n_machines + machine. A point that the runtime or llama-quantize refuses has `verdict`
/// kImpossible and zeros.
struct SweepGrid {
  static constexpr std::uint8_t kImpossible = 255;

  std::size_t n_models = 0;
  std::size_t n_mixes = 0;
  std::size_t n_contexts = 0;
  std::size_t n_machines = 0;
  std::vector<Bytes> device;          // likely bytes on the tightest GPU; CPU only: on the host
  std::vector<Bytes> margin;          // what that place has left; negative: over
  std::vector<Bytes> host;            // likely bytes on the host
  std::vector<std::uint8_t> verdict;  // Verdict

  [[nodiscard]] std::size_t size() const { return n_models * n_mixes * n_contexts * n_machines; }
  [[nodiscard]] std::size_t at(std::size_t model, std::size_t mix, std::size_t context,
                               std::size_t machine) const {
    return ((model * n_mixes + mix) * n_contexts + context) * n_machines + machine;
  }
};

/// Errors: sweep_range (field "models", "mixes", "contexts" or "machines"): an empty axis, or more
/// than kMaxSweepPoints in all; mix_unknown (field "mix", detail: the name).
inline constexpr std::size_t kMaxSweepPoints = 50'000'000;
[[nodiscard]] Result<SweepGrid> sweep(const SweepAxes& axes);

}  // namespace meyasu
