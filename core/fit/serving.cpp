#include "core/fit/serving.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/fit/largest_step.hpp"

namespace meyasu {
namespace {

constexpr std::int64_t kMostUsers = 4096;

using ServingStep = Step<ServingEstimate>;

/// Pages that are missing for one request, as bytes.
std::string missing_pages(const ServingEstimate& estimate) {
  const KvPool& pool = estimate.pool;
  const std::int64_t pages = std::max<std::int64_t>(0, pool.pages_per_request - pool.n_pages);
  return std::to_string(pages * pool.page_bytes);
}

template <class Evaluate>
Result<ServingSolution> solve(std::int64_t last, const char* field, Evaluate&& evaluate) {
  auto found = largest_step<ServingEstimate>(1, last, field, evaluate, missing_pages);
  if (!found) return found.error();
  ServingSolution solution;
  solution.value = found.value().best.value;
  solution.best = std::move(found.value().best.answer);
  if (found.value().next) solution.next = std::move(found.value().next->answer);
  solution.n_estimates = found.value().n_estimates;
  return solution;
}

}  // namespace

std::int64_t users_at_once(const ServingEstimate& estimate) {
  const ServingSettings& s = estimate.settings;
  const auto hold = static_cast<std::int64_t>(std::floor(estimate.pool.max_concurrency));
  return estimate.starts ? std::min(hold, s.max_num_seqs * s.parallel.dp) : 0;
}

bool serves(const ServingEstimate& estimate, std::int64_t users) {
  return users_at_once(estimate) >= users;
}

Result<ServingSolution> most_users(const Model& model, std::span<const Bytes> tensor_bytes,
                                   const ServingSettings& settings) {
  if (settings.max_model_len < 1) return Error{"ctx_range", "max_model_len", "1.."};
  const std::int64_t limit = settings.max_num_seqs > 0 ? settings.max_num_seqs : kMostUsers;
  return solve(limit, "users", [&](std::int64_t users) -> Result<ServingStep> {
    ServingSettings changed = settings;
    changed.users = users;
    Result<ServingEstimate> estimate = estimate_serving(model, tensor_bytes, changed);
    if (!estimate) return estimate.error();
    const bool fits = serves(estimate.value(), users);
    return ServingStep{users, fits, std::move(estimate.value())};
  });
}

Result<ServingSolution> longest_context(const Model& model, std::span<const Bytes> tensor_bytes,
                                        const ServingSettings& settings) {
  const Result<ServingSettings> filled = with_defaults(settings, model);
  if (!filled) return filled.error();
  if (model.n_ctx_train < 1) return Error{"ctx_range", "max_model_len", "1.."};
  const std::int64_t block = filled.value().block_size;
  auto solution = solve(round_up(model.n_ctx_train, block) / block, "max_model_len",
                        [&](std::int64_t blocks) -> Result<ServingStep> {
                          ServingSettings changed = settings;
                          changed.max_model_len = blocks * block;
                          Result<ServingEstimate> estimate =
                              estimate_serving(model, tensor_bytes, changed);
                          if (!estimate) return estimate.error();
                          const bool fits = serves(estimate.value(), settings.users);
                          return ServingStep{blocks, fits, std::move(estimate.value())};
                        });
  if (solution) solution.value().value *= block;
  return solution;
}

}  // namespace meyasu
