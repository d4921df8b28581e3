// Logits and cross entropy: usually the peak of a step with a large vocabulary.
// Source: training.md, section 5 (allocator traces; Liger-Kernel's own benchmark).
#pragma once

#include <cstdint>

#include "core/training/settings.hpp"
#include "core/units/bytes.hpp"

namespace meyasu {

struct LossBytes {
  Bytes forward = 0;   // highest while the loss is computed
  Bytes backward = 0;  // highest while its gradient is
  Bytes kept = 0;      // logits somebody still holds until the step ends
  /// Bytes per logit behind `backward`; 0 where logits exist only in pieces.
  double per_logit = 0;
};

/// For `tokens` rows of `n_vocab` logits on one rank. `head_trains`: the gradient of the head is
/// made along with the loss where the two are one kernel.
[[nodiscard]] LossBytes loss_bytes(const TrainingSettings& settings, std::int64_t tokens,
                                   std::int64_t n_vocab, std::int64_t n_embd, bool head_trains);

/// Logits of an evaluation over `tokens`: whole, upcast for the loss.
[[nodiscard]] Bytes evaluation_logits(const TrainingSettings& settings, std::int64_t tokens,
                                      std::int64_t n_vocab);

}  // namespace meyasu
