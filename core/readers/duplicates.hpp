// Finding a name that occurs twice.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <vector>

#include "core/units/sort.hpp"

namespace meyasu {

/// The later index of two equal names among name_of(0) .. name_of(count - 1), if any. Sorting
/// instead of a hash table keeps its bound however a hostile file chooses the names.
template <class NameOf>
[[nodiscard]] std::optional<std::size_t> find_duplicate(std::size_t count, NameOf name_of) {
  const std::vector<std::size_t> order =
      sorted_numbers(count, [&](std::size_t a, std::size_t b) { return name_of(a) < name_of(b); });
  const auto twin =
      std::adjacent_find(order.begin(), order.end(),
                         [&](std::size_t a, std::size_t b) { return name_of(a) == name_of(b); });
  if (twin == order.end()) return std::nullopt;
  return *std::next(twin);
}

}  // namespace meyasu
