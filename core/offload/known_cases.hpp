// Cases that people know: the machines of the FlexGen paper and of the article on it, with what was
// published or said of them. The page offers them; the unit tests reproduce them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/offload/plan.hpp"

namespace meyasu {

struct KnownCase {
  std::string_view id;
  std::string_view group;  // "paper", "colab_free", "colab_pro", "cards"
  std::string_view model;  // of the model catalog
  std::string_view title;  // how people call it: "OPT-30B"
  // Of the hardware catalog.
  std::string_view device;
  std::int64_t n_devices = 1;
  double ram_gib = 0;
  std::string_view ram_class;
  std::string_view storage;
  double storage_free_gb = 0;
  std::int64_t block = 0;    // 0: the best
  bool compress = false;     // weights and cache
  std::string_view percent;  // `--percent`; empty: the best placement
  bool pin = true;           // `--pin-weight`
  double published = 0;      // tokens a second; 0: none
  std::string_view source;
};

[[nodiscard]] std::span<const KnownCase> known_cases();

/// Errors: device_unknown; those of policy_from_percent.
[[nodiscard]] Result<Machine> machine_of(const KnownCase& known, const DeviceCatalog& devices);
[[nodiscard]] Result<OffloadQuestion> question_of(const KnownCase& known);

}  // namespace meyasu
