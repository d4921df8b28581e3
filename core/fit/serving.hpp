// "How many users at which context" of the server runtimes, in their own steps, by searching over
// the same estimate.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/serving/estimate.hpp"

namespace meyasu {

/// Whether so many requests of the full length run at the same time.
[[nodiscard]] bool serves(const ServingEstimate& estimate, std::int64_t users);

/// `value` is users or tokens. `next`, one step on, does not fit; absent at the limit.
struct ServingSolution {
  std::int64_t value = 0;
  ServingEstimate best;
  std::optional<ServingEstimate> next;
  int n_estimates = 0;
};

/// Most requests of `context` tokens at the same time. max_num_seqs follows the number, since the
/// sampler's share of memory grows with it, unless it is set: then it is the limit. At most 4096.
/// Errors: none_fits (field "users") when not even one request fits; ctx_range; those of
/// estimate_serving.
[[nodiscard]] Result<ServingSolution> most_users(const Model& model,
                                                 std::span<const Bytes> tensor_bytes,
                                                 const ServingSettings& settings,
                                                 std::int64_t context);

/// Longest context, in blocks of the KV pool, that so many users can have at the same time; at
/// most the training length rounded up to a block.
/// Errors: none_fits (field "max_model_len"); users_range; those of estimate_serving.
[[nodiscard]] Result<ServingSolution> longest_context(const Model& model,
                                                      std::span<const Bytes> tensor_bytes,
                                                      const ServingSettings& settings,
                                                      std::int64_t users);

}  // namespace meyasu
