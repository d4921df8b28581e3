#include "core/units/ruler_ticks.hpp"

#include <catch_amalgamated.hpp>

using namespace meyasu;

TEST_CASE("a ruler has round marks, few enough to read", "[units]") {
  const auto ticks = ruler_ticks(15 * kGiB);
  REQUIRE(ticks.size() == 4);  // 0, 5, 10, 15
  CHECK(ticks[0].bytes == 0);
  CHECK(ticks[1].bytes == 5 * kGiB);
  CHECK(ticks[3].position == 1);
  CHECK(ruler_ticks(5 * kGiB)[1].bytes == kGiB);
  CHECK(ruler_ticks(6 * kGiB)[1].bytes == 2 * kGiB);
  CHECK(ruler_ticks(600 * kGiB)[1].bytes == 200 * kGiB);
  CHECK(ruler_ticks(300 * kMiB)[1].bytes == 64 * kMiB);
}

TEST_CASE("every size has two to six marks", "[units]") {
  for (Bytes whole = kMiB; whole < Bytes{1} << 50; whole = whole * 9 / 8) {
    const auto ticks = ruler_ticks(whole);
    CHECK(ticks.size() >= 2);
    CHECK(ticks.size() <= 6);
    CHECK(ticks.back().position <= 1);
  }
  CHECK(ruler_ticks(0).empty());
}
