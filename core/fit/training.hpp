// A training step against a machine: the worst rank on the device with the least room, what moved
// to main memory, and how many devices of a kind it takes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/hardware/machine.hpp"
#include "core/inference/verdict.hpp"
#include "core/training/recipes.hpp"
#include "core/training/solve.hpp"

namespace meyasu {

/// Data parallel ranks, where nobody chose them: all devices that the other kinds of parallelism
/// leave. At least one.
[[nodiscard]] std::int64_t usual_ranks(const TrainingSettings& settings, const Machine& machine);

/// What the machine says about settings that nobody chose: its ranks, the size of its CUDA context.
void use_machine(TrainingSettings& settings, const Machine& machine);

struct TrainingFit {
  Fit gpu;                     // of the worst rank at its peak, as the driver counts it
  std::string device;          // id of the device with the least room
  std::optional<Fit> host;     // of what lies in main memory; absent: nothing does
  std::optional<Fit> disk;     // the same of the disk, where its free space is known
  std::int64_t n_gpus = 1;     // that the settings take
  std::int64_t n_machine = 0;  // that the machine has

  [[nodiscard]] Verdict verdict() const;
};

/// Errors (code, field): no_gpu machine; ram_unknown ram and those of device_capacity.
[[nodiscard]] Result<TrainingFit> fit_training(const TrainingEstimate& estimate,
                                               const TrainingSettings& settings,
                                               const Machine& machine);

/// Room of a step on the device of the machine that has least. Errors: no_gpu machine and those of
/// device_capacity.
[[nodiscard]] Result<UsableCapacity> least_device(const Machine& machine);

/// Weights, gradients and states sharded by FSDP, whose own mixed precision takes the place of
/// autocast's copies.
void shard_all(TrainingSettings& settings);

/// How many devices of one kind the settings take: with the data parallel method chosen and, where
/// that does not suffice, with all states, gradients and weights sharded (FSDP).
struct TrainingDevices {
  const Device* device = nullptr;
  Bytes usable = 0;
  std::int64_t n = 0;  // 0: no number suffices
  bool sharded = false;
};

/// Cards that people train on, smallest first: those of `ids` that the catalog has. Errors: those
/// of check_training.
[[nodiscard]] Result<std::vector<TrainingDevices>> devices_that_train(
    const Model& model, const TrainingSettings& settings, const DeviceCatalog& catalog,
    const std::vector<std::string_view>& ids);
inline constexpr std::array<std::string_view, 11> kTrainingCards = {
    "t4",        "rtx-4060-ti-16gb", "rtx-3090", "rtx-4090", "rtx-5090", "a100-sxm-40gb",
    "rtx-a6000", "a100-sxm-80gb",    "h100-sxm", "h200-sxm", "b200-sxm"};

/// One way to train, its peak and the first of the cards that holds it.
struct ComparedWay {
  TrainingWay way;
  Bytes allocated = 0;
  Bytes bytes = 0;               // as the driver counts it
  const Device* card = nullptr;  // none does
};
struct TrainingComparison {
  std::vector<ComparedWay> rows;
  std::vector<TrainingDevices> cards;  // smallest first: RTX 3090, A100 40 GB, H100
};

/// Errors: those of estimate_training.
[[nodiscard]] Result<TrainingComparison> compare_training(const Model& model,
                                                          const TrainingSettings& settings,
                                                          const DeviceCatalog& catalog);

}  // namespace meyasu
