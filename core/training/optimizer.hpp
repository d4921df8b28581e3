// Optimizer states of one trained tensor. Source: training.md, section 3.
#pragma once

#include <cstdint>

#include "core/training/settings.hpp"
#include "core/units/bytes.hpp"

namespace meyasu {

/// A tensor that trains, or the part of it on one rank.
struct TrainedTensor {
  std::int64_t rows = 1;   // output width
  std::int64_t cols = 1;   // input width
  std::int64_t count = 1;  // experts
  bool matrix = false;     // two-dimensional weight
  bool hidden = false;     // inside a block: what Muon and GaLore treat
  [[nodiscard]] std::int64_t elements() const { return rows * cols * count; }
};

/// States of `tensor`; `element`: bytes of the type that plain states are kept in.
[[nodiscard]] Bytes optimizer_state_bytes(Optimizer optimizer, const TrainedTensor& tensor,
                                          std::int64_t element, std::int64_t galore_rank);

/// Extra during the update. `trained`: bytes of all trained tensors of the rank in the type of
/// their states; `largest`: of the largest; `largest_hidden`: the largest matrix inside a block.
[[nodiscard]] Bytes update_temporary(Optimizer optimizer, UpdateKind kind, Bytes trained,
                                     Bytes largest, const TrainedTensor& largest_hidden);

}  // namespace meyasu
