// Sorting lists of which nobody waits for: one merge sort for all types. The standard library's are
// written out again for each type and each order, 3 KB a time of what the page downloads.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace meyasu {

/// How `a` and `b`, two of the numbers below the count, are compared; `order` is handed through.
using ComesBefore = bool (*)(const void* order, std::size_t a, std::size_t b);

/// The numbers below `count`, sorted; equal ones keep their order. n log n comparisons at most.
[[nodiscard]] std::vector<std::size_t> sorted_numbers(std::size_t count, const void* order,
                                                      ComesBefore before);

/// The same with a function object: before(a, b) of two numbers below `count`.
template <class Before>
[[nodiscard]] std::vector<std::size_t> sorted_numbers(std::size_t count, const Before& before) {
  return sorted_numbers(count, &before, [](const void* order, std::size_t a, std::size_t b) {
    return (*static_cast<const Before*>(order))(a, b);
  });
}

/// Sorts by before(item, item); equal items keep their order.
template <class T, class Before>
void sort_items(std::vector<T>& items, const Before& before) {
  std::vector<std::size_t> from = sorted_numbers(
      items.size(), [&](std::size_t a, std::size_t b) { return before(items[a], items[b]); });
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t at = from[i];
    while (at < i) at = from[at];  // where an exchange took it
    from[i] = at;
    if (at != i) std::swap(items[i], items[at]);
  }
}

}  // namespace meyasu
