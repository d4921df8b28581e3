// The answer of the offload page: the best policy for a model on a machine, what lies where, what
// bounds it, and what another block size or another part would change.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/hardware/machine.hpp"
#include "core/offload/policy_search.hpp"
#include "core/offload/realised.hpp"
#include "core/offload/streaming.hpp"
#include "core/units/result.hpp"
#include "core/units/term.hpp"

namespace meyasu {

struct OffloadQuestion {
  OffloadWorkload work;
  std::int64_t block = 0;  // sequences in a block; 0: the best
  SearchSettings settings;
  /// The placement that somebody chose, in place of the best one; its sizes do not count.
  std::optional<OffloadPolicy> placement;
  bool pin = true;             // of a placement that was asked for: `--pin-weight`
  bool authors_rates = false;  // t4_authors() in place of t4_measured()
};

/// The machine of the page for the planner: the first device, main memory and disk. Rates are
/// `of_t4`, scaled part by part.
/// Errors (code, field): no_gpu machine.devices; one_memory machine.devices, where GPU and CPU have
/// the same memory and there is nothing to move; those of device_capacity and host_capacity.
[[nodiscard]] Result<OffloadMachine> offload_machine(const Machine& machine,
                                                     const OffloadConstants& of_t4 = t4_measured());

/// The range of a speed is likely / (1 + spread) to likely x (1 + spread).
[[nodiscard]] double rate_spread(const OffloadMachine& machine);

/// What the driver reports, or was measured, as free before a program starts. 0: unknown.
[[nodiscard]] Bytes free_on_gpu(const Machine& machine, const MachineDevice& device);

/// What is free of the disk; where nobody says, 1 TB. 0: there is none.
[[nodiscard]] Bytes disk_free(const Machine& machine);

/// One tier and what the policy puts there; terms have low = high = the model's figure.
struct OffloadTier {
  std::string tier;    // "gpu", "host", "disk"
  Bytes capacity = 0;  // what may be used is `usable_share` of it
  Bytes used = 0;
  std::vector<Term> terms;

  /// Left of the capacity.
  [[nodiscard]] Bytes spare() const { return capacity - used; }
};

/// One transfer or computation of a layer: "up", "up_cache", "down", "read", "write", "compute",
/// "gpu_memory"; seconds it takes alone.
struct PathTime {
  std::string path;
  double begin = 0;  // of its bar in the layer's time: everything else waits for the upload
  double seconds = 0;
  bool binding = false;
};

struct OffloadPlan {
  PlannedPolicy best;
  TierShares realised;  // of the weights: tensors move whole
  double realised_tokens_per_second = 0;
  RealisedRam ram;
  bool pinned = true;  // weights in pinned memory, each tensor rounded up
  std::vector<OffloadTier> tiers;
  std::vector<PathTime> paths;  // of one decoded token
  /// Tokens a second: the range is the spread of published runs on the machine that was measured
  /// (up to 20 %), wider where rates are scaled.
  double low = 0;
  double likely = 0;
  double high = 0;
  Formula formula;  // of `likely`
  Evidence evidence = Evidence::derived;
  std::string source;
  Bytes model_bytes = 0;  // in 16 bit
  bool fits_gpu = false;  // weights and cache of one sequence: no offload is needed
  /// Why FlexGen itself refuses the model, as message ids: "post_norm", "projected_embeddings". The
  /// plan then says what a program that knew it would do.
  std::vector<std::string> refusals;
};

/// One plan, searched for in steps: see PolicySearch.
class PlanSearch {
 public:
  /// Errors (code, field): batch_zero block; tokens_zero prompt or generated; ram_min machine.ram
  /// (detail: GiB that the program's own buffers need); those of offload_machine().
  [[nodiscard]] static Result<PlanSearch> start(const OffloadShape& shape, const Machine& machine,
                                                const OffloadQuestion& question);
  /// False: nothing is left to do.
  bool step();
  [[nodiscard]] std::size_t n_steps() const;
  /// Once step() said false. Errors (code, field; detail: GiB missing): offload_short, over all
  /// tiers together; with a placement that was asked for gpu_short, ram_short, ram_short_pinned
  /// (unpinned it would fit), disk_short; offload_buffers, no detail: there is room in all, but not
  /// for the work buffers of a layer.
  [[nodiscard]] Result<OffloadPlan> plan() const;

  [[nodiscard]] const OffloadShape& shape() const { return shape_; }
  [[nodiscard]] const OffloadMachine& machine() const { return machine_; }
  /// The machine less what the program takes before any tensor is placed: CUDA's context, copy
  /// buffers, interpreter.
  [[nodiscard]] const OffloadMachine& room() const { return room_; }

 private:
  PlanSearch() = default;
  [[nodiscard]] Result<OffloadPlan> described(const PlannedPolicy& best) const;
  [[nodiscard]] std::optional<Error> shortage_of_placement(const PlannedPolicy& asked) const;

  OffloadShape shape_;
  OffloadMachine machine_;
  OffloadMachine room_;
  std::vector<Term> fixed_;  // what it is less by
  OffloadQuestion question_;
  std::optional<PolicySearch> search_;
  std::optional<PlannedPolicy> best_;
  bool done_ = false;
};

/// A search from start to end.
[[nodiscard]] Result<OffloadPlan> plan_throughput(const OffloadShape& shape, const Machine& machine,
                                                  const OffloadQuestion& question);

/// Throughput and waiting time by block size: the best policy of each.
struct BlockPoint {
  std::int64_t block = 0;
  double tokens_per_second = 0;
  double seconds = 0;
};
/// 1, 2, 4 ... up to the largest block of the search.
[[nodiscard]] std::vector<std::int64_t> block_steps(const SearchSettings& settings);
/// Nothing where that block does not fit.
[[nodiscard]] std::optional<BlockPoint> throughput_of_block(const OffloadShape& shape,
                                                            const OffloadMachine& room,
                                                            const OffloadQuestion& question,
                                                            std::int64_t block);

/// The same question with one part changed.
struct Change {
  std::string change;  // "ram_64", "disk_2x", "pcie_5", "compress"
  std::string part;    // id of the hardware catalog that is put in, where it is one
  Machine machine;
  OffloadQuestion question;
};
/// Those that can be made: a faster disk only where there is one, PCIe 5 where it is not there yet.
[[nodiscard]] std::vector<Change> changes_of(const Machine& machine,
                                             const OffloadQuestion& question);

/// The same work by programs that stream every layer, in the batch that leaves room on the GPU.
struct StreamingRow {
  StreamingRuntime runtime = StreamingRuntime::accelerate;
  WeightHome home = WeightHome::cpu;
  std::int64_t batch = 0;
  double tokens_per_second = 0;  // 0: it does not run
};
[[nodiscard]] std::vector<StreamingRow> streaming_rows(const OffloadShape& shape,
                                                       const OffloadMachine& machine,
                                                       const OffloadQuestion& question);

}  // namespace meyasu
