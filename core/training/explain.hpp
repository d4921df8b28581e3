// The terms of a stage with formulas whose numbers multiply out to the term.
#pragma once

#include <vector>

#include "core/training/timeline.hpp"

namespace meyasu {

/// training_terms, each part of the step explained by its counts: parameters, bytes of each,
/// tokens, bytes a token and block keep, bytes a logit takes.
[[nodiscard]] std::vector<Term> explained_training_terms(const Model& model,
                                                         const TrainingEstimate& estimate,
                                                         const TrainingSettings& settings,
                                                         std::size_t stage, MemoryCounter counter);

}  // namespace meyasu
