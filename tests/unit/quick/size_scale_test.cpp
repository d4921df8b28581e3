#include "core/quick/size_scale.hpp"

#include <catch_amalgamated.hpp>
#include <cmath>
#include <limits>

using namespace meyasu;

TEST_CASE(
    "a size is placed between the largest card that is too small and the smallest that fits") {
  const SizeOnScale at_7b_fp16 = size_on_scale(14'000'000'000);  // 13.04 GiB
  CHECK(at_7b_fp16.largest_not_gb == 12);
  CHECK(at_7b_fp16.smallest_fit_gb == 16);
  CHECK(at_7b_fp16.band == SizeBand::upper_medium);

  const SizeOnScale at_7b_int4 = size_on_scale(3'500'000'000);  // 3.26 GiB
  CHECK_FALSE(at_7b_int4.largest_not_gb.has_value());
  CHECK(at_7b_int4.smallest_fit_gb == 4);
  CHECK(at_7b_int4.band == SizeBand::small);

  const SizeOnScale at_7b_int8 = size_on_scale(7'000'000'000);  // 6.52 GiB
  CHECK(at_7b_int8.largest_not_gb == 6);
  CHECK(at_7b_int8.smallest_fit_gb == 8);
  CHECK(at_7b_int8.band == SizeBand::medium);

  const SizeOnScale at_70b_fp16 = size_on_scale(140'000'000'000);  // 130.4 GiB
  CHECK(at_70b_fp16.largest_not_gb == 96);
  CHECK(at_70b_fp16.smallest_fit_gb == 141);
  CHECK(at_70b_fp16.band == SizeBand::large);

  const SizeOnScale at_405b_fp16 = size_on_scale(810'000'000'000);
  CHECK(at_405b_fp16.largest_not_gb == 180);
  CHECK_FALSE(at_405b_fp16.smallest_fit_gb.has_value());
  CHECK(at_405b_fp16.band == SizeBand::large);
}

TEST_CASE("a card's memory is what it reports and not its sales figure") {
  // A 16 GB A2 or T4 keeps 1/16 for error correction.
  CHECK(size_on_scale(15356 * kMiB).smallest_fit_gb == 16);
  CHECK(size_on_scale(15356 * kMiB + 1).smallest_fit_gb == 20);
  for (const GpuClass& gpu_class : gpu_classes()) {
    CAPTURE(gpu_class.nominal_gb);
    CHECK(gpu_class.memory <= gpu_class.nominal_gb * kGiB);
    CHECK(gpu_class.memory * 16 >= gpu_class.nominal_gb * kGiB * 15 - 256 * kMiB);
    CHECK(size_on_scale(gpu_class.memory).smallest_fit_gb == gpu_class.nominal_gb);
  }
}

TEST_CASE("bands follow the smallest card that fits") {
  const auto band = [](Bytes gib) { return size_on_scale(gib * kGiB).band; };
  CHECK(size_on_scale(0).band == SizeBand::small);
  CHECK(band(3) == SizeBand::small);
  CHECK(band(5) == SizeBand::small);
  CHECK(band(6) == SizeBand::medium);  // 6 GB cards report a little less than 6 GiB
  CHECK(band(7) == SizeBand::medium);
  CHECK(band(9) == SizeBand::medium);
  CHECK(band(11) == SizeBand::medium);
  CHECK(band(12) == SizeBand::upper_medium);
  CHECK(band(14) == SizeBand::upper_medium);
  CHECK(band(15) == SizeBand::large);
  CHECK(band(19) == SizeBand::large);
  CHECK(band(100) == SizeBand::large);
  CHECK(size_band_name(SizeBand::small) == "small");
  CHECK(size_band_name(SizeBand::medium) == "medium");
  CHECK(size_band_name(SizeBand::upper_medium) == "upper_medium");
  CHECK(size_band_name(SizeBand::large) == "large");
}

TEST_CASE("the drawn scale is logarithmic from 1 to 256 GiB and held at its ends") {
  CHECK(scale_position(0) == 0);
  CHECK(scale_position(kGiB / 2) == 0);
  CHECK(scale_position(kGiB) == 0);
  CHECK(scale_position(16 * kGiB) == 0.5);
  CHECK(scale_position(256 * kGiB) == 1);
  CHECK(scale_position(std::numeric_limits<Bytes>::max()) == 1);
  CHECK(std::abs(scale_position(14'000'000'000) - std::log2(13.0385160446) / 8) < 1e-9);
  CHECK(size_on_scale(16 * kGiB).position == 0.5);
}

TEST_CASE("ticks stand at the cards and bands cover the scale without gaps") {
  const auto ticks = scale_ticks();
  REQUIRE(ticks.size() == gpu_classes().size());
  double previous = 0;
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    CHECK(ticks[i].nominal_gb == gpu_classes()[i].nominal_gb);
    CHECK(ticks[i].position > previous);
    CHECK(ticks[i].position < 1);
    previous = ticks[i].position;
  }
  const auto bands = scale_bands();
  REQUIRE(bands.size() == 4);
  CHECK(bands.front().begin == 0);
  CHECK(bands.back().end == 1);
  for (std::size_t i = 0; i + 1 < bands.size(); ++i) CHECK(bands[i].end == bands[i + 1].begin);
  CHECK(bands[0].end == scale_position(6138 * kMiB));
  CHECK(bands[1].end == scale_position(12227 * kMiB));
  CHECK(bands[2].end == scale_position(15356 * kMiB));
  // A size drawn inside a band belongs to it.
  for (Bytes gib = 1; gib < 256; ++gib) {
    const SizeOnScale place = size_on_scale(gib * kGiB);
    for (const ScaleBand& band : bands) {
      if (band.band == place.band) CHECK(place.position >= band.begin);
      if (band.band == place.band) CHECK(place.position <= band.end);
    }
  }
}
