#include "core/units/sort.hpp"

#include <algorithm>
#include <catch_amalgamated.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

using namespace meyasu;

namespace {

using Row = std::pair<int, std::string>;

/// Rows with many equal keys in a scattered order, whose text tells where they stood.
std::vector<Row> scattered(int count) {
  std::vector<Row> rows;
  unsigned value = 1;
  for (int i = 0; i < count; ++i) {
    value = value * 1664525u + 1013904223u;
    rows.emplace_back(static_cast<int>(value >> 28), "row " + std::to_string(i));
  }
  return rows;
}

}  // namespace

TEST_CASE("sort_items sorts as the standard library's stable sort", "[units][sort]") {
  const auto by_key = [](const Row& a, const Row& b) { return a.first < b.first; };
  for (const int count : {0, 1, 2, 3, 5, 8, 31, 64, 65, 1000}) {
    CAPTURE(count);
    std::vector<Row> rows = scattered(count);
    std::vector<Row> expected = rows;
    std::stable_sort(expected.begin(), expected.end(), by_key);
    sort_items(rows, by_key);
    CHECK(rows == expected);
  }
}

TEST_CASE("sort_items takes sorted and reversed lists", "[units][sort]") {
  std::vector<std::string> words = {"a", "b", "c", "d", "e"};
  const std::vector<std::string> sorted = words;
  sort_items(words, std::less<>{});
  CHECK(words == sorted);
  std::reverse(words.begin(), words.end());
  sort_items(words, std::less<>{});
  CHECK(words == sorted);
}

TEST_CASE("sorted_numbers leaves what it compares where it is", "[units][sort]") {
  const std::vector<int> values = {3, 1, 3, 0};
  const auto order = sorted_numbers(
      values.size(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  CHECK(order == std::vector<std::size_t>{3, 1, 0, 2});
}
