#include "core/serving/activation.hpp"

#include <algorithm>

namespace meyasu {

Bytes body_activation_bytes(const Model& model, std::int64_t n_token, std::int64_t tp) {
  constexpr Bytes kElement = 2;
  std::int64_t widest = 0;
  for (const Layer& layer : model.layers) {
    const FeedForward& ff = layer.feed_forward;
    const std::int64_t f =
        ff.n_expert > 0 ? ff.n_expert_used * ff.n_ff_exp + ff.n_ff_shexp : ff.n_ff;
    const std::int64_t dispatch = ff.n_expert > 0 ? 2 * ff.n_expert_used * model.n_embd : 0;
    widest = std::max(widest, 3 * f / tp + dispatch);
  }
  return n_token * kElement * (widest + 3 * model.n_embd);
}

Bytes sampler_bytes(const Model& model, std::int64_t max_num_seqs) {
  constexpr Bytes kPerLogit = 40;
  return kPerLogit * max_num_seqs * model.n_vocab;
}

}  // namespace meyasu
