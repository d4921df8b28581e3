// The search behind every solver: bisection over the runtime's own steps, evaluated by the estimate
// itself. No second formula exists that could disagree with it.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "core/units/result.hpp"

namespace meyasu {

/// One evaluated step.
template <class Answer>
struct Step {
  std::int64_t value = 0;
  bool fits = false;
  Answer answer;
};

/// `best` fits; `next`, one step on, does not. Without `next` the search ended at its limit.
template <class Answer>
struct Largest {
  Step<Answer> best;
  std::optional<Step<Answer>> next;
  int n_estimates = 0;
};

/// Finds `value` in [first, last] with value fitting and value + 1 not. `evaluate(value)` gives
/// Result<Step<Answer>>; its first error ends the search. Both ends of the answer have been
/// evaluated, whether memory grows steadily or not; with several such steps (memory that falls
/// again) the one found is the limit that a person meets going up, as far as bisection sees it.
/// Error `none_fits` (field `field`): not even `first` does; detail from `shortage(answer)`.
template <class Answer, class Evaluate, class Shortage>
[[nodiscard]] Result<Largest<Answer>> largest_step(std::int64_t first, std::int64_t last,
                                                   const char* field, Evaluate&& evaluate,
                                                   Shortage&& shortage) {
  Largest<Answer> result;
  const auto at = [&](std::int64_t value) {
    ++result.n_estimates;
    return evaluate(value);
  };
  Result<Step<Answer>> top = at(last);
  if (!top) return top.error();
  if (top.value().fits) {
    result.best = std::move(top.value());
    return result;
  }
  if (first == last) return Error{"none_fits", field, shortage(top.value().answer)};
  Result<Step<Answer>> bottom = at(first);
  if (!bottom) return bottom.error();
  if (!bottom.value().fits) return Error{"none_fits", field, shortage(bottom.value().answer)};
  result.best = std::move(bottom.value());
  result.next = std::move(top.value());
  while (result.next->value - result.best.value > 1) {
    Result<Step<Answer>> middle =
        at(result.best.value + (result.next->value - result.best.value) / 2);
    if (!middle) return middle.error();
    if (middle.value().fits) {
      result.best = std::move(middle.value());
    } else {
      result.next = std::move(middle.value());
    }
  }
  return result;
}

}  // namespace meyasu
