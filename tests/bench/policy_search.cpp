// Whole policy searches per second: OPT-175B on the paper's T4 machine, every GPU batch and every
// number of batches, a linear program for each. Prints one line of JSON; policy_search.mjs runs it
// natively and as WebAssembly and compares.
#include "core/offload/policy_search.hpp"

#include <chrono>
#include <cstdio>

#include "core/catalog/catalog.hpp"

int main() {
  using Clock = std::chrono::steady_clock;
  const auto catalog = meyasu::Catalog::built_in();
  if (!catalog) return 1;
  const meyasu::CatalogEntry* entry = catalog.value().find("facebook/opt-175b");
  if (entry == nullptr) return 1;
  const auto model = meyasu::model_of(*entry);
  if (!model) return 1;
  const auto shape = meyasu::offload_shape(model.value());
  if (!shape) return 1;
  const meyasu::OffloadMachine machine = meyasu::flexgen_t4(meyasu::t4_measured());
  constexpr int kRounds = 20;
  double fastest = 1e9;
  double tokens_per_second = 0;
  for (int round = 0; round < kRounds; ++round) {
    const Clock::time_point start = Clock::now();
    const auto best = meyasu::best_policy(shape.value(), machine, {512, 32}, {});
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (!best) return 1;
    if (seconds < fastest) fastest = seconds;
    tokens_per_second = best->times.tokens_per_second;
  }
  std::printf("{\"milliseconds\":%.3f,\"searches_per_second\":%.1f,\"tokens_per_second\":%.9f}\n",
              1e3 * fastest, 1 / fastest, tokens_per_second);
  return 0;
}
