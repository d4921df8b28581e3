#include "core/quick/weight_size.hpp"

#include <catch_amalgamated.hpp>
#include <cmath>
#include <string>

using namespace meyasu;

namespace {

WeightSize size_of(std::string_view typed, Precision precision) {
  return weight_size(parse_parameter_count(typed).value(), precision).value();
}

struct Reference {
  std::string typed;
  Precision precision;
  std::int64_t bytes;  // by hand
  double rounded_gib;  // the original's figures, four decimals
};

}  // namespace

TEST_CASE("weights have the size that the original form gives") {
  const auto reference = GENERATE(values<Reference>({
      {"7", Precision::FP32, 28'000'000'000, 26.0770},
      {"7", Precision::FP16, 14'000'000'000, 13.0385},
      {"7", Precision::BF16, 14'000'000'000, 13.0385},
      {"7", Precision::INT8, 7'000'000'000, 6.5193},
      {"7", Precision::INT4, 3'500'000'000, 3.2596},
      {"70", Precision::FP16, 140'000'000'000, 130.3852},
      {"0.5", Precision::INT4, 250'000'000, 0.2328},
      {"405", Precision::FP32, 1'620'000'000'000, 1508.7426},
      {"1000000", Precision::FP32, 4'000'000'000'000'000, 3725290.2985},
  }));
  CAPTURE(reference.typed, precision_name(reference.precision));
  const WeightSize size = size_of(reference.typed, reference.precision);
  const double gib = static_cast<double>(reference.bytes) / 1073741824.0;
  CHECK(std::abs(size.gib - gib) <= 1e-9 * gib);
  CHECK(std::abs(size.gib - reference.rounded_gib) <= 0.00005);
  CHECK(size.gb == static_cast<double>(reference.bytes) / 1e9);
  CHECK(size.vram.bytes == reference.bytes);
  CHECK(size.ram.bytes == reference.bytes);
}

TEST_CASE("a weight term shows its formula with the visitor's numbers") {
  const WeightSize size = size_of("7", Precision::INT4);
  CHECK(size.vram.id == "weights");
  CHECK(size.vram.device == "gpu0");
  CHECK(size.vram.evidence == Evidence::exact);
  CHECK(size.ram.device == "host");
  CHECK(size.ram.evidence == Evidence::assumed);
  for (const Term* term : {&size.vram, &size.ram}) {
    CHECK(term->low == term->bytes);
    CHECK(term->high == term->bytes);
    REQUIRE(term->formula.inputs.size() == 2);
    CHECK(term->formula.inputs[0].value == 7);
    CHECK(term->formula.inputs[1].value == 0.5);
    CHECK_FALSE(term->source.empty());
  }
}

TEST_CASE("the RAM to look for is the next common size above weights and working room") {
  const auto installed = [](std::string_view typed, Precision precision) {
    return size_of(typed, precision).installed_ram;
  };
  const auto gib = [&](std::string_view typed, Precision precision) {
    return installed(typed, precision)->bytes / kGiB;
  };
  CHECK(gib("7", Precision::FP16) == 32);  // 13.04 + 4
  CHECK(gib("7", Precision::INT8) == 16);  // 6.52 + 4
  CHECK(gib("7", Precision::INT4) == 8);   // 3.26 + 4
  CHECK(gib("1", Precision::INT4) == 8);   // 0.47 + 4
  CHECK(gib("0.000001", Precision::INT4) == 8);
  CHECK(gib("70", Precision::FP16) == 192);  // 130.39 + 4
  CHECK(gib("405", Precision::FP32) == 1536);
  CHECK_FALSE(installed("2000", Precision::FP32).has_value());
  CHECK(installed("7", Precision::FP16)->evidence == Evidence::assumed);
  CHECK(installed("7", Precision::FP16)->formula.inputs[1].value == 4);
}

TEST_CASE("RAM that weights and working room fill to the byte is enough") {
  const ParameterCount exactly{12.884901888, 12 * kGiB};  // INT8: 12 GiB
  CHECK(weight_size(exactly, Precision::INT8).value().installed_ram->bytes == 16 * kGiB);
  const ParameterCount one_more{12.884901889, 12 * kGiB + 1};
  CHECK(weight_size(one_more, Precision::INT8).value().installed_ram->bytes == 32 * kGiB);
}

TEST_CASE("bytes of odd counts and fractional bits are rounded up") {
  CHECK(weight_bytes({1e-9, 1}, 4) == 1);
  CHECK(weight_bytes({3e-9, 3}, 4) == 2);
  CHECK(weight_bytes({8.0, 8'000'000'000}, 4.5) == 4'500'000'000);
  CHECK(weight_bytes({8.0, std::nullopt}, 4) == 4'000'000'000);
  CHECK(weight_bytes({0.12345678912, std::nullopt}, 8) == 123'456'790);
}

TEST_CASE("a count outside the form's range has no size") {
  for (const double billions : {0.0, -7.0, 1e6 + 1, std::nan(""), HUGE_VAL}) {
    CAPTURE(billions);
    CHECK_FALSE(weight_size({billions, std::nullopt}, Precision::FP16).ok());
    CHECK(std::isnan(original_weight_gib(billions, Precision::FP16)));
  }
  CHECK(weight_size({0, 0}, Precision::FP16).error().code == "not_positive");
}

TEST_CASE("precisions have their bits and are found by name in any letter case") {
  CHECK(bits_of(Precision::FP32) == 32);
  CHECK(bits_of(Precision::FP16) == 16);
  CHECK(bits_of(Precision::BF16) == 16);
  CHECK(bits_of(Precision::INT8) == 8);
  CHECK(bits_of(Precision::INT4) == 4);
  CHECK(bytes_per_parameter(Precision::INT4) == 0.5);
  CHECK(precision_from_name("bf16") == Precision::BF16);
  CHECK(precision_from_name("Int4") == Precision::INT4);
  CHECK_FALSE(precision_from_name("FP64").has_value());
  CHECK_FALSE(precision_from_name("").has_value());
  for (const Precision precision : kPrecisions) {
    CHECK(precision_from_name(precision_name(precision)) == precision);
  }
}
