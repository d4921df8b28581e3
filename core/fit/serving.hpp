// "How many users at which context" of the server runtimes, in their own steps, by searching over
// the same estimate.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/serving/estimate.hpp"

namespace meyasu {

/// Requests of the full length that run at the same time: as many as the pool holds, and the
/// runtime has places for. 0 where it does not start.
[[nodiscard]] std::int64_t users_at_once(const ServingEstimate& estimate);

/// Whether so many do.
[[nodiscard]] bool serves(const ServingEstimate& estimate, std::int64_t users);

/// `value` is users or tokens. `next`, one step on, does not fit; absent at the limit.
struct ServingSolution {
  std::int64_t value = 0;
  ServingEstimate best;
  std::optional<ServingEstimate> next;
  int n_estimates = 0;
};

/// Most requests of max_model_len tokens at the same time, at most 4096. Above the runtime's own
/// number of places max_num_seqs follows, and with it the sampler's share of memory, unless it is
/// set: then it is the limit. Errors: none_fits (field "users") when not even one request fits;
/// ctx_range; those of estimate_serving.
[[nodiscard]] Result<ServingSolution> most_users(const Model& model,
                                                 std::span<const Bytes> tensor_bytes,
                                                 const ServingSettings& settings);

/// Longest context, in blocks of the KV pool, that the users can have at the same time; at
/// most the training length rounded up to a block.
/// Errors: none_fits (field "max_model_len"); users_range; those of estimate_serving.
[[nodiscard]] Result<ServingSolution> longest_context(const Model& model,
                                                      std::span<const Bytes> tensor_bytes,
                                                      const ServingSettings& settings);

}  // namespace meyasu
