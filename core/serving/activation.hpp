// The memory peak of one forward pass in vLLM, which its profile run measures at start-up and takes
// out of the budget before the KV pool. Checked against start-up logs (serving.csv of the tests).
#pragma once

#include "core/serving/settings.hpp"

namespace meyasu {

/// Peak of the layers for `n_token` tokens in 16 bit: fused gate_up (2 f), its product (f), hidden,
/// residual and normed input (3 h). With experts, f is n_expert_used x n_ff_exp plus the shared
/// width, and 2 x n_expert_used x h of dispatch buffers are added.
///   n_token x 2 B x (3 f / tp + 3 h)
[[nodiscard]] Bytes body_activation_bytes(const Model& model, std::int64_t n_token,
                                          std::int64_t tp);

/// Peak of the sampler's dummy run: about 40 bytes per logit of max_num_seqs rows (fp32 logits,
/// sorted values and their int64 indices, probabilities, cumulative sums).
[[nodiscard]] Bytes sampler_bytes(const Model& model, std::int64_t max_num_seqs);

}  // namespace meyasu
