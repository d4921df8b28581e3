#include "core/training/solve.hpp"

#include <cmath>

namespace meyasu {
namespace {

/// Largest n in [1, most] with fits(n), which gets no easier as n grows.
template <class Fits>
Result<TrainingSolution> largest_of(std::int64_t most, Fits fits) {
  const Result<bool> first = fits(1);
  if (!first) return first.error();
  if (!first.value()) return TrainingSolution{};
  std::int64_t good = 1;
  std::int64_t bad = most + 1;
  while (bad - good > 1) {
    const std::int64_t middle = good + (bad - good) / 2;
    const Result<bool> answer = fits(middle);
    // A value that is refused (above a limit) counts as too large.
    (answer.ok() && answer.value() ? good : bad) = middle;
  }
  return TrainingSolution{good, good == most};
}

}  // namespace

Bytes training_room(const TrainingSettings& settings, Bytes usable) {
  const double share = settings.objective == Objective::grpo ? settings.rollout_share : 0;
  return static_cast<Bytes>(std::floor(static_cast<double>(usable) * (1 - share)));
}

Result<bool> training_fits(const Model& model, const TrainingSettings& settings, Bytes usable) {
  const auto estimate = estimate_training(model, settings);
  if (!estimate) return estimate.error();
  return counted_bytes(estimate.value(), MemoryCounter::nvidia_smi) <=
         training_room(settings, usable);
}

Result<TrainingSolution> largest_batch(const Model& model, TrainingSettings settings,
                                       Bytes usable) {
  constexpr std::int64_t kMost = 65536;
  return largest_of(kMost, [&](std::int64_t batch) {
    settings.batch = batch;
    return training_fits(model, settings, usable);
  });
}

Result<TrainingSolution> longest_sequence(const Model& model, TrainingSettings settings,
                                          Bytes usable) {
  constexpr std::int64_t kStep = 64;
  constexpr std::int64_t kMost = 1 << 24;
  const std::int64_t most = model.n_ctx_train > 0 ? model.n_ctx_train : kMost;
  auto steps = largest_of(most / kStep, [&](std::int64_t count) {
    settings.sequence = count * kStep;
    return training_fits(model, settings, usable);
  });
  if (steps) steps.value().value *= kStep;
  return steps;
}

Result<TrainingSolution> fewest_gpus(const Model& model, TrainingSettings settings, Bytes usable) {
  constexpr std::int64_t kMost = 1024;
  for (std::int64_t dp = 1; dp <= kMost; dp *= 2) {
    settings.dp = dp;
    settings.shard_group = 0;
    const auto fits = training_fits(model, settings, usable);
    if (!fits) return fits.error();
    if (fits.value()) return TrainingSolution{settings.n_gpus(), false};
  }
  return TrainingSolution{};
}

}  // namespace meyasu
