#include <catch_amalgamated.hpp>
#include <cmath>
#include <vector>

#include "core/fit/serving.hpp"
#include "core/quantization/format.hpp"
#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;
using namespace meyasu::testing;

namespace {

ServingSettings vllm_on(double gib, std::int64_t context = 0, std::int64_t users = 1) {
  ServingSettings settings;
  settings.max_model_len = context;
  settings.users = users;
  settings.device_total = static_cast<Bytes>(gib * static_cast<double>(kGiB));
  return settings;
}

}  // namespace

TEST_CASE("one user more than the answer does not fit the pool", "[fit]") {
  for (const char* name : {"Llama-3.1-8B", "Gemma-3-4B", "DeepSeek-V2-Lite"}) {
    INFO(name);
    const Model model = truth_model(name);
    const auto bytes = tensor_bytes_in(model, plain_format(FormatMethod::bf16));
    const auto solution = most_users(model, bytes, vllm_on(79.2, 8192));
    REQUIRE(solution.ok());
    const ServingSolution& s = solution.value();
    CHECK(s.value > 1);
    CHECK(serves(s.best, s.value));
    REQUIRE(s.next);
    CHECK_FALSE(serves(*s.next, s.value + 1));
    CHECK(s.n_estimates <= 14);
  }
}

TEST_CASE("a set max_num_seqs is the limit", "[fit]") {
  const Model model = truth_model("Llama-3.2-1B");
  const auto bytes = tensor_bytes_in(model, plain_format(FormatMethod::bf16));
  ServingSettings settings = vllm_on(79.2, 4096);
  settings.max_num_seqs = 5;
  const auto solution = most_users(model, bytes, settings);
  REQUIRE(solution.ok());
  CHECK(solution.value().value == 5);
  CHECK_FALSE(solution.value().next);
  // The pool would hold more, but nobody has a place for them.
  const ServingEstimate& estimate = solution.value().best;
  CHECK(estimate.pool.max_concurrency > 6);
  CHECK(users_at_once(estimate) == 5);
  CHECK(serves(estimate, 5));
  CHECK_FALSE(serves(estimate, 6));
}

TEST_CASE("the longest context is whole blocks, and a block more is too long", "[fit]") {
  const Model model = truth_model("Llama-3.1-8B");
  const auto bytes = tensor_bytes_in(model, plain_format(FormatMethod::bf16));
  std::int64_t last = 1 << 30;
  for (const std::int64_t users : {1, 4, 16, 64}) {
    INFO(users);
    const auto solution = longest_context(model, bytes, vllm_on(23.6, 0, users));
    REQUIRE(solution.ok());
    const ServingSolution& s = solution.value();
    CHECK(s.value % 16 == 0);
    CHECK(s.value < last);
    last = s.value;
    CHECK(serves(s.best, users));
    REQUIRE(s.next);
    CHECK(s.next->settings.max_model_len == s.value + 16);
    CHECK_FALSE(serves(*s.next, users));
  }
}

TEST_CASE("servers that cannot start say what is missing", "[fit]") {
  const Model model = truth_model("Llama-3.1-8B");
  const auto bytes = tensor_bytes_in(model, plain_format(FormatMethod::bf16));
  CHECK(most_users(model, bytes, vllm_on(12, 8192)).error().code == "none_fits");
  CHECK(longest_context(model, bytes, vllm_on(12)).error().code == "none_fits");
  CHECK(most_users(model, bytes, vllm_on(24)).error().code == "ctx_range");
  CHECK(longest_context(model, bytes, vllm_on(24, 0, 0)).error().code == "users_range");
  CHECK(most_users(model, bytes, vllm_on(0, 1024)).error().code == "device_zero");
}
