#include "core/training/loss.hpp"

#include <algorithm>
#include <cmath>

namespace meyasu {
namespace {

/// Rows of one piece: the next power of two of tokens / ceil(n_vocab / n_embd)
/// (Liger-Kernel, ops/fused_linear_cross_entropy.py).
std::int64_t liger_rows(std::int64_t tokens, std::int64_t n_vocab, std::int64_t n_embd) {
  const std::int64_t pieces = (n_vocab + n_embd - 1) / std::max<std::int64_t>(n_embd, 1);
  const std::int64_t least = (tokens + pieces - 1) / std::max<std::int64_t>(pieces, 1);
  std::int64_t rows = 1;
  while (rows < least) rows *= 2;
  return std::min(rows, tokens);
}

LossBytes of_logits(Bytes logits, double forward, double backward, double kept) {
  const auto bytes = [&](double each) {
    return static_cast<Bytes>(std::llround(static_cast<double>(logits) * each));
  };
  return {bytes(forward), bytes(backward), bytes(kept), backward};
}

}  // namespace

LossBytes loss_bytes(const TrainingSettings& settings, std::int64_t tokens, std::int64_t n_vocab,
                     std::int64_t n_embd, bool head_trains) {
  const Bytes logits = tokens * n_vocab;
  const bool fp32 = settings.precision == TrainingPrecision::fp32;
  const auto n = static_cast<double>(settings.loss_chunks);
  const Bytes e = fp32 ? 4 : 2;
  switch (settings.loss) {
    case LossPath::hf:
      return fp32 ? of_logits(logits, 8, 16, 4) : of_logits(logits, 10, 14, 2);
    case LossPath::hf_old:
      return fp32 ? of_logits(logits, 8, 16, 4) : of_logits(logits, 12, 16, 4);
    case LossPath::dropped:
      return fp32 ? of_logits(logits, 8, 12, 0) : of_logits(logits, 10, 12, 0);
    case LossPath::native:
      // Autocast promotes the loss to fp32.
      if (settings.precision == TrainingPrecision::autocast) return of_logits(logits, 10, 14, 2);
      return fp32 ? of_logits(logits, 8, 12, 0) : of_logits(logits, 4, 6, 0);
    case LossPath::native_shifted:
      return fp32 ? of_logits(logits, 8, 16, 4) : of_logits(logits, 6, 8, 2);
    case LossPath::chunked: {
      // Compiled (fused) pieces: 16-bit logits and one piece in fp32; each piece makes a gradient
      // of the head that is added to the sum. Uncompiled: 4 + 12 / n.
      if (settings.fused_norm && settings.fused_mlp) {
        LossBytes loss = of_logits(logits, 2 + 4 / n, 2 + 4 / n, 0);
        if (head_trains) loss.backward += 2 * e * n_vocab * n_embd;
        return loss;
      }
      return of_logits(logits, 2 + 8 / n, 4 + 12 / n, 0);
    }
    case LossPath::chunked_fp32:
      // The list of fp32 logits and the softmax of every piece; the list outlives the step.
      return of_logits(logits, 8, 8, 4);
    case LossPath::linear: {
      constexpr Bytes kPieceBytes = 6;  // logits and gradient of a piece, 16 bit and fp32
      const Bytes piece = liger_rows(tokens, n_vocab, n_embd) * n_vocab * kPieceBytes;
      const Bytes gradients = e * tokens * n_embd + (head_trains ? e * n_vocab * n_embd : 0);
      return {piece + gradients, piece + gradients, gradients, 0};
    }
    case LossPath::cce: {
      const Bytes rows = 8 * tokens + 4 * n_vocab;  // log-sum-exp and label logit; vocabulary order
      const Bytes gradients = e * tokens * n_embd + (head_trains ? e * n_vocab * n_embd : 0);
      return {rows, rows + gradients, 0, 0};
    }
  }
  return {};
}

Bytes evaluation_logits(const TrainingSettings& settings, std::int64_t tokens,
                        std::int64_t n_vocab) {
  // 16-bit logits, their fp32 copy and its softmax; no gradients.
  const Bytes each = settings.precision == TrainingPrecision::fp32 ? 8 : 10;
  return each * tokens * n_vocab;
}

}  // namespace meyasu
