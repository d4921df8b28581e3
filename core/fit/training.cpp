#include "core/fit/training.hpp"

#include <algorithm>
#include <utility>

namespace meyasu {
namespace {

/// The fewest of a card with data parallel as chosen; copies of everything take no more and no less
/// room however many there are.
std::int64_t fewest_of(const Model& model, TrainingSettings settings, Bytes usable) {
  settings.shard_group = 0;
  if (settings.data_parallel == DataParallel::ddp) {
    settings.dp = 1;
    const auto fits = training_fits(model, settings, usable);
    return fits && fits.value() ? settings.n_gpus() : 0;
  }
  const auto fewest = fewest_gpus(model, settings, usable);
  return fewest ? fewest.value().value : 0;
}

void set_card(TrainingSettings& settings, const Device& device) {
  settings.n_sm = device.n_sm;
  settings.threads_per_sm = device.threads_per_sm();
}

}  // namespace

void use_machine(TrainingSettings& settings, const Machine& machine) {
  settings.dp = usual_ranks(settings, machine);
  if (!machine.devices.empty()) set_card(settings, machine.devices.front().device);
}

std::int64_t usual_ranks(const TrainingSettings& settings, const Machine& machine) {
  const std::int64_t others = std::max<std::int64_t>(settings.tp * settings.pp * settings.cp, 1);
  return std::max<std::int64_t>(machine.n_devices() / others, 1);
}

void shard_all(TrainingSettings& settings) {
  settings.data_parallel = DataParallel::fsdp;
  settings.in_backward = false;
  if (!settings.lora && settings.precision == TrainingPrecision::autocast) {
    settings.precision = TrainingPrecision::fsdp_mixed;
  }
}

Result<UsableCapacity> least_device(const Machine& machine) {
  if (machine.devices.empty()) return Error{"no_gpu", "machine", {}};
  std::optional<UsableCapacity> least;
  for (MachineDevice device : machine.devices) {
    // The estimate holds the step alone, not what a desktop takes.
    device.use.subtract_other_programs = true;
    auto capacity = device_capacity(machine, device);
    if (!capacity) return capacity.error();
    if (!least || capacity.value().usable.bytes < least->usable.bytes) {
      least = std::move(capacity.value());
      least->usable.device = device.device.id;
    }
  }
  return std::move(*least);
}

Result<TrainingFit> fit_training(const TrainingEstimate& estimate, const TrainingSettings& settings,
                                 const Machine& machine) {
  const auto least = least_device(machine);
  if (!least) return least.error();
  TrainingFit fit;
  fit.device = least.value().usable.device;
  fit.gpu.usable = training_room(settings, least.value().usable.bytes);
  for (const Term& term :
       training_terms(estimate, settings, estimate.peak, MemoryCounter::nvidia_smi)) {
    if (term.device != "gpu0") continue;
    fit.gpu.low += term.low;
    fit.gpu.likely += term.bytes;
    fit.gpu.high += term.high;
  }
  fit.n_gpus = settings.n_gpus();
  fit.n_machine = machine.n_devices();
  const std::int64_t here = std::min(fit.n_gpus, fit.n_machine);
  if (estimate.rank.host > 0) {
    const auto host = host_capacity(machine);
    if (!host) return host.error();
    const Bytes bytes = estimate.rank.host * here;
    fit.host =
        Fit{.usable = host.value().usable.bytes, .low = bytes, .likely = bytes, .high = bytes};
  }
  if (estimate.rank.nvme > 0 && machine.storage_free > 0) {
    const Bytes bytes = estimate.rank.nvme * here;
    fit.disk = Fit{.usable = machine.storage_free, .low = bytes, .likely = bytes, .high = bytes};
  }
  return fit;
}

Verdict TrainingFit::verdict() const {
  Verdict all = gpu.verdict();
  if (host) all = worse(all, host->verdict());
  if (disk) all = worse(all, disk->verdict());
  return all;
}

Result<std::vector<TrainingDevices>> devices_that_train(const Model& model,
                                                        const TrainingSettings& settings,
                                                        const DeviceCatalog& catalog,
                                                        const std::vector<std::string_view>& ids) {
  if (auto error = check_training(model, settings)) return *error;
  TrainingSettings chosen = settings;
  TrainingSettings sharded = settings;
  shard_all(sharded);
  std::vector<TrainingDevices> rows;
  for (const std::string_view id : ids) {
    const Device* device = catalog.find(id);
    if (device == nullptr) continue;
    const auto capacity = usable_capacity(*device, {});
    if (!capacity) continue;
    TrainingDevices row{device, capacity.value().usable.bytes, 0, false};
    set_card(chosen, *device);
    set_card(sharded, *device);
    row.n = fewest_of(model, chosen, row.usable);
    if (row.n == 0) {
      row.n = fewest_of(model, sharded, row.usable);
      row.sharded = row.n > 0;
    }
    rows.push_back(row);
  }
  return rows;
}

Result<TrainingComparison> compare_training(const Model& model, const TrainingSettings& settings,
                                            const DeviceCatalog& catalog) {
  TrainingComparison result;
  for (const char* id : {"rtx-3090", "a100-sxm-40gb", "h100-sxm"}) {
    const Device* device = catalog.find(id);
    if (device == nullptr) continue;
    const auto capacity = usable_capacity(*device, {});
    if (capacity) result.cards.push_back({device, capacity.value().usable.bytes, 1, false});
  }
  for (const TrainingWay& way : training_ways(settings)) {
    const auto estimate = estimate_training(model, way.settings);
    if (!estimate) return estimate.error();
    ComparedWay row{way, estimate.value().peak_bytes(),
                    counted_bytes(estimate.value(), MemoryCounter::nvidia_smi), nullptr};
    const auto fits =
        std::find_if(result.cards.begin(), result.cards.end(),
                     [&](const TrainingDevices& card) { return row.bytes <= card.usable; });
    if (fits != result.cards.end()) row.card = fits->device;
    result.rows.push_back(row);
  }
  return result;
}

}  // namespace meyasu
