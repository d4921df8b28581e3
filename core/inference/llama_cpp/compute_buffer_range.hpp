// Compute buffers of architectures whose graph is not known: a closed form over the sizes that
// every transformer has, with a range as wide as its errors on other architectures.
#pragma once

#include <vector>

#include "core/inference/llama_cpp/compute_buffer.hpp"
#include "core/inference/llama_cpp/placement.hpp"
#include "core/inference/llama_cpp/settings.hpp"

namespace meyasu {

/// One entry per device and one for the host, like ComputeBuffers::buffers.
///
/// With B = 4 bytes * U tokens: E = n_embd B, Q = n_head head_dim B, K = n_head_kv head_dim B,
/// F = n_ff B, G = n_expert_used n_ff_exp B, X = n_expert_used E, L = 4 n_vocab n_outputs,
/// M = masks, KQ = n_head n_cells B:
///   GPU = max(L + E, S + M, [no flash attention] KQ + M + 2E + 2Q + 2K),
///   S   = 2E + Q + max(3F, 3G + [X > 2G] X), host = 2E + M [+ 2K].
/// Source: llama-cpp.md section 7, whose worst errors on 57 other architectures were -18 % and
/// +36 %: the range takes twice that.
[[nodiscard]] std::vector<ComputeBuffer> compute_buffer_range(const Model& model,
                                                              const LlamaCppSettings& settings,
                                                              const LlamaCppContext& context,
                                                              const LlamaCppPlacement& placement);

}  // namespace meyasu
