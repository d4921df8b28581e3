#include "core/quick/parameter_count.hpp"

#include <catch_amalgamated.hpp>
#include <cmath>
#include <limits>
#include <string>

using namespace meyasu;

namespace {

struct Typed {
  std::string text;
  double billions;
  std::int64_t exact;
};

struct Refused {
  std::string text;
  std::string code;
};

}  // namespace

TEST_CASE("a typed parameter count is read in billions unless a unit says otherwise") {
  const auto typed = GENERATE(values<Typed>({
      {"7", 7, 7'000'000'000},
      {" 7 ", 7, 7'000'000'000},
      {"\t7\n", 7, 7'000'000'000},
      {"+7", 7, 7'000'000'000},
      {"007", 7, 7'000'000'000},
      {"7.", 7, 7'000'000'000},
      {"7.0", 7, 7'000'000'000},
      {"7B", 7, 7'000'000'000},
      {"7b", 7, 7'000'000'000},
      {"7 B", 7, 7'000'000'000},
      {"7G", 7, 7'000'000'000},
      {"7bn", 7, 7'000'000'000},
      {"7 billion", 7, 7'000'000'000},
      {"7 Billion parameters", 7, 7'000'000'000},
      {"0.5B", 0.5, 500'000'000},
      {"0.5", 0.5, 500'000'000},
      {".5", 0.5, 500'000'000},
      {"135M", 0.135, 135'000'000},
      {"135 million", 0.135, 135'000'000},
      {"560K", 0.00056, 560'000},
      {"30 thousand", 0.00003, 30'000},
      {"1.1T", 1100, 1'100'000'000'000},
      {"1 trillion", 1000, 1'000'000'000'000},
      {"7,000,000,000", 7, 7'000'000'000},
      {"1,000,000", 0.001, 1'000'000},
      {"999,999", 999'999, 999'999'000'000'000},  // under a million: still billions
      {"1,000", 1000, 1'000'000'000'000},
      {"1,234.5M", 1.2345, 1'234'500'000},
      {"1e3", 1000, 1'000'000'000'000},
      {"1E-3", 0.001, 1'000'000},
      {"２．５Ｂ", 2.5, 2'500'000'000},
      {"７", 7, 7'000'000'000},
      {"７Ｂ", 7, 7'000'000'000},
      {"７．５", 7.5, 7'500'000'000},
      {"　７　Ｂ　", 7, 7'000'000'000},
      {"７，０００，０００，０００", 7, 7'000'000'000},
      {"70億", 7, 7'000'000'000},
      {"７０億", 7, 7'000'000'000},
      {"70 億 パラメータ", 7, 7'000'000'000},
      {"1.5億", 0.15, 150'000'000},
      {"7000万", 0.07, 70'000'000},
      {"7千万", 0.07, 70'000'000},
      {"1兆", 1000, 1'000'000'000'000},
      {"1兆500億", 1050, 1'050'000'000'000},
      {"1億3500万", 0.135, 135'000'000},
      {"1億3500万5", 0.135000005, 135'000'005},
      {"405", 405, 405'000'000'000},
      {"6.738415616", 6.738415616, 6'738'415'616},
      {"1000000", 1e6, 1'000'000'000'000'000},
      {"1,000,000B", 1e6, 1'000'000'000'000'000},
      {"0.000000001", 1e-9, 1},
  }));
  CAPTURE(typed.text);
  const auto count = parse_parameter_count(typed.text);
  REQUIRE(count.ok());
  CHECK(count.value().billions == typed.billions);
  CHECK(count.value().exact == typed.exact);
}

TEST_CASE("an unreadable parameter count is refused with the reason") {
  const auto refused = GENERATE(values<Refused>({
      {"", "empty"},
      {"   ", "empty"},
      {"　", "empty"},
      {"abc", "not_number"},
      {"B", "not_number"},
      {".", "not_number"},
      {"7x", "not_number"},
      {"7BB", "not_number"},
      {"7B7", "not_number"},
      {"7 7", "not_number"},
      {"1.2.3", "not_number"},
      {"1..2", "not_number"},
      {"1e", "not_number"},
      {"1e+", "not_number"},
      {"e5", "not_number"},
      {"0x7", "not_number"},
      {"0x1p3", "not_number"},
      {"NaN", "not_number"},
      {"-nan", "not_number"},
      {"inf", "not_number"},
      {"Infinity", "not_number"},
      {"∞", "not_number"},
      {"7,5", "not_number"},
      {"7,", "not_number"},
      {",7", "not_number"},
      {"7000,000", "not_number"},
      {"70,00,000", "not_number"},
      {"1,,000", "not_number"},
      {"億", "not_number"},
      {"7千", "not_number"},
      {"500億1兆", "not_number"},
      {"1億1億", "not_number"},
      {"70億B", "not_number"},
      {"七十億", "not_number"},
      {"7;rm", "not_number"},
      {"\xff\xfe", "not_number"},
      {"7\xff", "not_number"},
      {"--7", "not_number"},
      {"0", "not_positive"},
      {"0.0", "not_positive"},
      {"0e9", "not_positive"},
      {"-0", "not_positive"},
      {"-7", "not_positive"},
      {"−7", "not_positive"},
      {"－７", "not_positive"},
      {"-1e999", "not_positive"},
      {"0億", "not_positive"},
      {"1e-400", "not_positive"},
      {"0.0000000001", "not_positive"},
      {"1000000.1", "too_big"},
      {"1000001", "too_big"},
      {"1,000,000.5B", "too_big"},
      {"1e7", "too_big"},
      {"1e400", "too_big"},
      {"1e99999999999999999999", "too_big"},
      {"1001T", "too_big"},
      {"1001兆", "too_big"},
      {"2000兆1", "too_big"},
      {"7e9M", "too_big"},
      {"99999999999999999999999999", "too_big"},
  }));
  CAPTURE(refused.text);
  const auto count = parse_parameter_count(refused.text);
  REQUIRE_FALSE(count.ok());
  CHECK(count.error().code == refused.code);
  CHECK(count.error().field == "parameters");
}

TEST_CASE("a plain count typed into a field of billions is refused with what it may have meant") {
  const auto hint = [](std::string_view text) { return parse_parameter_count(text).error(); };
  CHECK(hint("7000000000") == Error{"too_big", "parameters", "7B"});
  CHECK(hint("6738415616") == Error{"too_big", "parameters", "6.738415616B"});
  CHECK(hint("7e9") == Error{"too_big", "parameters", "7B"});
  CHECK(hint("1e20") == Error{"too_big", "parameters", ""});
  CHECK(hint("1001T") == Error{"too_big", "parameters", ""});
}

TEST_CASE("a count that is not a whole number of parameters has no exact value") {
  const auto count = parse_parameter_count("0.12345678912B");
  REQUIRE(count.ok());
  CHECK(count.value().billions == 0.12345678912);
  CHECK_FALSE(count.value().exact.has_value());
  CHECK_FALSE(parse_parameter_count("1億0.5").value().exact.has_value());
}

TEST_CASE("very long input is refused and not worked through") {
  CHECK(parse_parameter_count(std::string(5'000'000, '7')).error().code == "not_number");
  CHECK(parse_parameter_count(std::string(200, '9')).error().code == "too_big");
  CHECK(parse_parameter_count("0." + std::string(200, '3')).ok());
}

TEST_CASE("a count given as a double is checked like a typed one") {
  CHECK(parameter_count_from_billions(7).value() == ParameterCount{7, 7'000'000'000});
  CHECK(parameter_count_from_billions(0.1).value().exact == 100'000'000);
  CHECK(parameter_count_from_billions(6.738415616).value().exact == 6'738'415'616);
  CHECK_FALSE(parameter_count_from_billions(1.00000000055).value().exact.has_value());
  CHECK(parameter_count_from_billions(1e6).ok());
  CHECK(parameter_count_from_billions(1e6 + 1).error().code == "too_big");
  CHECK(parameter_count_from_billions(0).error().code == "not_positive");
  CHECK(parameter_count_from_billions(-7).error().code == "not_positive");
  CHECK(parameter_count_from_billions(1e-10).error().code == "not_positive");
  CHECK(parameter_count_from_billions(std::nan("")).error().code == "not_number");
  CHECK(parameter_count_from_billions(std::numeric_limits<double>::infinity()).error().code ==
        "not_number");
}
