// The answer of the offload page in short steps, the plan first: between two steps a caller shows
// what is there, says how far it is, or stops because the question has changed.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/offload/plan.hpp"

namespace meyasu {

/// What one change would give; 0 where it does not run either.
struct WhatIf {
  std::string change;
  std::string part;  // id of the hardware catalog that is put in, where it is one
  double tokens_per_second = 0;
};

class OffloadRun {
 public:
  /// What a step has completed.
  enum class Part { none, plan, others, curve, what_if };

  /// `shape` comes from offload_shape(). Errors: those of PlanSearch::start().
  [[nodiscard]] static Result<OffloadRun> start(const OffloadShape& shape, const Machine& machine,
                                                const OffloadQuestion& question);

  /// At most one GPU batch of one search, or one point of the curve. With Part::what_if it is done,
  /// and further steps do nothing. Where the plan is an error, what follows says what would do.
  Part step();
  /// 0 to 1, by steps.
  [[nodiscard]] double progress() const;

  // Each is whole once its part was said to be.
  [[nodiscard]] const std::optional<Result<OffloadPlan>>& plan() const { return plan_; }
  [[nodiscard]] const std::vector<StreamingRow>& others() const { return others_; }
  [[nodiscard]] const std::vector<BlockPoint>& curve() const { return curve_; }
  [[nodiscard]] const std::vector<WhatIf>& what_if() const { return what_if_; }

 private:
  OffloadRun(PlanSearch search, Machine machine, const OffloadQuestion& question);
  Part next_change();

  PlanSearch search_;
  Machine machine_;
  OffloadQuestion question_;
  std::vector<std::int64_t> blocks_;
  std::vector<Change> changes_;
  std::optional<PlanSearch> change_search_;
  std::size_t next_block_ = 0;
  std::size_t next_change_ = 0;
  std::size_t steps_done_ = 0;
  std::size_t steps_ = 0;
  std::optional<Result<OffloadPlan>> plan_;
  bool others_done_ = false;
  std::vector<StreamingRow> others_;
  std::vector<BlockPoint> curve_;
  std::vector<WhatIf> what_if_;
};

}  // namespace meyasu
