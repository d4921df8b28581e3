#include "core/offload/policy.hpp"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>

namespace meyasu {

Result<OffloadPolicy> policy_from_percent(std::string_view text) {
  constexpr std::size_t kNumbers = 6;
  constexpr double kAll = 100;
  const Error bad{"percent_bad", "percent", {}};
  std::array<double, kNumbers> numbers{};
  const std::string words(text);
  const char* at = words.c_str();
  for (double& number : numbers) {
    char* end = nullptr;
    number = std::strtod(at, &end);
    if (end == at || !(number >= 0) || number > kAll) return bad;
    at = end;
    while (*at == ' ' || *at == ',') ++at;
  }
  if (*at != 0) return bad;
  OffloadPolicy policy;
  TierShares* const parts[] = {&policy.weights, &policy.cache, &policy.activations};
  for (std::size_t i = 0; i < std::size(parts); ++i) {
    const double gpu = numbers[2 * i];
    const double cpu = numbers[2 * i + 1];
    if (gpu + cpu > kAll) return bad;
    *parts[i] = {gpu / kAll, cpu / kAll, (kAll - gpu - cpu) / kAll};
  }
  // The runtime cannot keep activations on disk.
  if (policy.activations.disk > 0) return bad;
  return policy;
}

}  // namespace meyasu
