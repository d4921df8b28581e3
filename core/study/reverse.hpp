// The question turned round: which devices run this model, how many of each; and which format of a
// model runs on this machine at which context. Both are sweeps, equal to single estimates.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/hardware/capacity.hpp"
#include "core/study/study.hpp"

namespace meyasu {

/// `n` devices alike. `needed` and `margin` are those of the fullest one.
struct DeviceChoice {
  const Device* device = nullptr;
  Bytes memory = 0;  // sold size of one; devices with shared memory come in several
  std::int64_t n = 1;
  Bytes usable = 0;
  Bytes needed = 0;
  Bytes margin = 0;
  Verdict verdict = Verdict::over;
  SpeedRange decode_tok_s;  // of all sequences together; 0: not known

  [[nodiscard]] Bytes capacity() const { return memory * n; }
};

/// Every GPU and unified-memory machine of `catalog` that llama.cpp runs on, with the fewest
/// devices (1, 2, 3, 4, 6, 8, 16) on which everything lies on
/// them and fits (slices of a device and machines with shared memory: one); without such a number,
/// the largest tried, `over`. Those that fit first, least
/// total capacity first, then fewer devices, then by id. `settings` is everything but devices and
/// os; each device has its usual backend on Linux or macOS. Errors: those of sweep().
[[nodiscard]] Result<std::vector<DeviceChoice>> devices_that_run(InferenceStudy& study,
                                                                 std::string_view mix,
                                                                 const LlamaCppSettings& settings,
                                                                 const SpeedWorkload& workload,
                                                                 const DeviceCatalog& catalog);

/// The same for a server: every GPU that CUDA or ROCm runs on, with the least tensor parallelism on
/// which the users' requests of the full length run at the same time. `margin` is what the KV pool
/// has left. `settings` is everything but the device and its number.
[[nodiscard]] Result<std::vector<DeviceChoice>> devices_that_serve(InferenceStudy& study,
                                                                   std::string_view format,
                                                                   const ServingSettings& settings,
                                                                   const SpeedWorkload& workload,
                                                                   const DeviceCatalog& catalog);

/// The largest mix of kMapMixes that fits at one context; absent: none does.
struct FormatFit {
  std::string_view mix;
  Verdict verdict = Verdict::over;
  Bytes margin = 0;
};
/// One answer for each of `contexts` (tokens of the whole -c). `settings` with devices, judged in
/// `room`, all layers on the devices.
[[nodiscard]] std::vector<std::optional<FormatFit>> best_formats(
    const Model& model, std::span<const std::int64_t> contexts, const LlamaCppSettings& settings,
    const MachineRoom& room);

}  // namespace meyasu
