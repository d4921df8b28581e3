// Models per second for "derive the tensor list, weigh it in every format", over the catalog.
// Prints one line of JSON; formats.mjs runs it natively and as WebAssembly and compares.
#include <chrono>
#include <cstdio>

#include "core/catalog/catalog.hpp"
#include "core/quantization/format_table.hpp"

namespace {

using Clock = std::chrono::steady_clock;
constexpr double kMinimumSeconds = 2.0;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Pass {
  int n_models = 0;
  long long n_estimates = 0;
  meyasu::Bytes checksum = 0;
};

Pass sweep(const meyasu::Catalog& catalog) {
  Pass pass;
  for (const meyasu::CatalogEntry& entry : catalog.entries()) {
    if (!entry.has_shape) continue;
    const auto model = meyasu::model_of(entry);
    if (!model) continue;
    const meyasu::FormatSweep formats = meyasu::sweep_formats(model.value());
    ++pass.n_models;
    pass.n_estimates += formats.n_formats;
    pass.checksum += formats.total_bytes % 1'000'000'007;
  }
  return pass;
}

}  // namespace

int main() {
  const auto catalog = meyasu::Catalog::built_in();
  if (!catalog) return 1;
  const Pass warm_up = sweep(catalog.value());
  const Clock::time_point start = Clock::now();
  int passes = 0;
  do {
    if (sweep(catalog.value()).checksum != warm_up.checksum) return 1;
    ++passes;
  } while (seconds_since(start) < kMinimumSeconds);
  const double seconds = seconds_since(start);
  std::printf(
      "{\"models\":%d,\"estimates\":%lld,\"models_per_second\":%.0f,"
      "\"estimates_per_second\":%.0f,\"checksum\":%lld}\n",
      warm_up.n_models, warm_up.n_estimates, warm_up.n_models * passes / seconds,
      static_cast<double>(warm_up.n_estimates) * passes / seconds,
      static_cast<long long>(warm_up.checksum));
  return 0;
}
