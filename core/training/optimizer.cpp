#include "core/training/optimizer.hpp"

#include <algorithm>

namespace meyasu {
namespace {

// bitsandbytes optim/optimizer.py: tensors below this size keep 32-bit states.
constexpr std::int64_t kSmallest8Bit = 4096;
constexpr std::int64_t kBlock8Bit = 256;

/// One byte per element and an fp32 maximum per block of 256, `n` states.
Bytes states_8bit(std::int64_t elements, std::int64_t n) {
  if (elements < kSmallest8Bit) return n * 4 * elements;
  return n * (elements + 4 * ((elements + kBlock8Bit - 1) / kBlock8Bit));
}

}  // namespace

Bytes optimizer_state_bytes(Optimizer optimizer, const TrainedTensor& tensor, std::int64_t element,
                            std::int64_t galore_rank) {
  const std::int64_t n = tensor.elements();
  const Bytes adam = 2 * element * n;
  switch (optimizer) {
    case Optimizer::adamw:
      return adam;
    case Optimizer::adamw_8bit:
      return states_8bit(n, 2);
    case Optimizer::adafactor:  // row and column sums; a vector keeps its own
      return tensor.matrix ? 4 * (tensor.rows + tensor.cols) * tensor.count : 4 * n;
    case Optimizer::lion:
    case Optimizer::sgd_momentum:
      return element * n;
    case Optimizer::lion_8bit:
      return states_8bit(n, 1);
    case Optimizer::sgd:
    case Optimizer::lomo:
      return 0;
    case Optimizer::adam_mini:  // one second moment per row
      return element * n + 4 * tensor.rows * tensor.count;
    case Optimizer::muon:
      return tensor.matrix && tensor.hidden ? element * n : adam;
    case Optimizer::galore: {
      if (!tensor.matrix || !tensor.hidden) return adam;
      const std::int64_t small = std::min(tensor.rows, tensor.cols);
      const std::int64_t large = std::max(tensor.rows, tensor.cols);
      const std::int64_t rank = std::min(galore_rank, small);
      return element * (2 * large * rank + small * rank) * tensor.count;
    }
    case Optimizer::apollo: {  // states of the projected gradient; the projection is random
      if (!tensor.matrix || !tensor.hidden) return adam;
      const std::int64_t rank = std::min({galore_rank, tensor.rows, tensor.cols});
      return element * 2 * std::max(tensor.rows, tensor.cols) * rank * tensor.count;
    }
  }
  return 0;
}

Bytes update_temporary(Optimizer optimizer, UpdateKind kind, Bytes trained, Bytes largest,
                       const TrainedTensor& largest_hidden) {
  switch (optimizer) {
    case Optimizer::sgd:
    case Optimizer::lomo:
      return 0;
    case Optimizer::muon: {
      // Newton-Schulz in 16 bit: X, X X^T and the polynomial of the matrix in flight.
      const std::int64_t small = std::min(largest_hidden.rows, largest_hidden.cols);
      return 2 * (largest_hidden.rows * largest_hidden.cols + 2 * small * small);
    }
    case Optimizer::adamw:
      if (kind == UpdateKind::fused) return 0;
      if (kind == UpdateKind::foreach_all) return trained;
      if (kind == UpdateKind::foreach_torch_2_0) return 2 * trained;
      break;
    default:
      break;
  }
  return 2 * largest;  // numerator and denominator of the largest tensor
}

}  // namespace meyasu
