#include "core/offload/run.hpp"

#include <algorithm>

namespace meyasu {

Result<OffloadRun> OffloadRun::start(const OffloadShape& shape, const Machine& machine,
                                     const OffloadQuestion& question) {
  auto search = PlanSearch::start(shape, machine, question);
  if (!search.ok()) return search.error();
  return OffloadRun(std::move(search.value()), machine, question);
}

OffloadRun::OffloadRun(PlanSearch search, Machine machine, const OffloadQuestion& question)
    : search_(std::move(search)), machine_(std::move(machine)), question_(question) {
  blocks_ = block_steps(question_.settings);
  changes_ = changes_of(machine_, question_);
  // The plan and each change are searches of the same length; one step for the other programs.
  steps_ = search_.n_steps() * (1 + changes_.size()) + blocks_.size() + 1;
}

OffloadRun::Part OffloadRun::step() {
  ++steps_done_;
  if (!plan_) {
    if (search_.step()) return Part::none;
    plan_ = search_.plan();
    return Part::plan;
  }
  if (!others_done_) {
    others_done_ = true;
    others_ = streaming_rows(search_.shape(), search_.machine(), question_);
    return Part::others;
  }
  if (next_block_ < blocks_.size()) {
    const auto point =
        throughput_of_block(search_.shape(), search_.room(), question_, blocks_[next_block_++]);
    if (point) curve_.push_back(*point);
    return next_block_ == blocks_.size() ? Part::curve : Part::none;
  }
  return next_change();
}

OffloadRun::Part OffloadRun::next_change() {
  if (next_change_ == changes_.size()) return Part::what_if;
  const Change& change = changes_[next_change_];
  double tokens_per_second = 0;
  if (!change_search_) {
    auto started = PlanSearch::start(search_.shape(), change.machine, change.question);
    if (started.ok()) change_search_ = std::move(started.value());
  }
  if (change_search_) {
    if (change_search_->step()) return Part::none;
    const auto plan = change_search_->plan();
    if (plan.ok()) tokens_per_second = plan.value().likely;
    change_search_.reset();
  }
  what_if_.push_back({change.change, change.part, tokens_per_second});
  ++next_change_;
  return next_change_ == changes_.size() ? Part::what_if : Part::none;
}

double OffloadRun::progress() const {
  return std::min(1.0, static_cast<double>(steps_done_) / static_cast<double>(steps_));
}

}  // namespace meyasu
