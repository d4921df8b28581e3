// The policy with the most tokens a second on a machine: a linear program for each block size.
// Source: arXiv 2303.06865 section 4.3; FlexLLMGen experimental/cost_model.py.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/offload/constants.hpp"
#include "core/offload/cost_model.hpp"
#include "core/offload/memory_model.hpp"

namespace meyasu {

struct SearchSettings {
  double usable_share = 0.8;  // of every capacity, as the released optimiser keeps
  std::int64_t most_batches = 64;
  std::int64_t largest_gpu_batch = 64;
  bool compress_weights = false;
  bool compress_cache = false;
  bool cpu_attention = true;
};

struct PlannedPolicy {
  OffloadPolicy policy;
  PassTimes times;
  OffloadPeaks peaks;
};

/// The best placement for one block size; nothing when it does not fit.
[[nodiscard]] std::optional<PlannedPolicy> best_placement(
    const OffloadShape& shape, const OffloadMachine& machine, const OffloadWorkload& work,
    const SearchSettings& settings, std::int64_t gpu_batch, std::int64_t n_batches);

/// GPU batches 1, 2, 3, 4, 8, 16... up to the bound, the released optimiser's steps.
[[nodiscard]] std::vector<std::int64_t> gpu_batch_steps(const SearchSettings& settings);

/// The search over every block size in steps of one GPU batch: between two of them a caller may say
/// how far it is, or stop. The smallest block wins among equals. Every number of batches is tried:
/// throughput is not always unimodal in it.
class PolicySearch {
 public:
  PolicySearch(OffloadShape shape, OffloadMachine machine, const OffloadWorkload& work,
               const SearchSettings& settings);

  /// Tries the next GPU batch. False: none is left.
  bool step();
  [[nodiscard]] std::size_t n_steps() const { return gpu_batches_.size(); }
  /// The best so far; nothing while none fits.
  [[nodiscard]] const std::optional<PlannedPolicy>& best() const { return best_; }

 private:
  OffloadShape shape_;
  OffloadMachine machine_;
  OffloadWorkload work_;
  SearchSettings settings_;
  std::vector<std::int64_t> gpu_batches_;
  std::size_t next_ = 0;
  std::optional<PlannedPolicy> best_;
};

/// The whole search at once.
[[nodiscard]] std::optional<PlannedPolicy> best_policy(const OffloadShape& shape,
                                                       const OffloadMachine& machine,
                                                       const OffloadWorkload& work,
                                                       const SearchSettings& settings);

}  // namespace meyasu
