#include "core/units/decimal.hpp"

#include <array>
#include <catch_amalgamated.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace meyasu;

namespace {

std::string printed(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*g", digits, value);
  return text.data();
}

/// The same numbers every time.
class Numbers {
 public:
  std::uint64_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return state_ >> 11;
  }
  /// Between 10^-8 and 10^16.
  double positive() {
    const double mantissa = std::ldexp(static_cast<double>(next()), -53);
    return mantissa * std::pow(10, static_cast<double>(next() % 24) - 8);
  }

 private:
  std::uint64_t state_ = 7;
};

}  // namespace

TEST_CASE("significant digits are those of the C library", "[units][decimal]") {
  Numbers numbers;
  for (int i = 0; i < 20000; ++i) {
    // Any number, short decimals, and sums of halves: the middle between two texts.
    const double value = i % 3 == 0   ? numbers.positive()
                         : i % 3 == 1 ? std::round(numbers.positive() * 1000) / 1000
                                      : static_cast<double>(numbers.next() % 2000000) / 64;
    for (const int digits : {4, 6, 10}) {
      CAPTURE(value, digits);
      CHECK(significant_digits(value, digits) == printed(value, digits));
    }
  }
}

TEST_CASE("significant digits of numbers at the ends", "[units][decimal]") {
  for (const double value :
       {0.0, -2.5, 9.9995, 99995.0, 0.00012345, 0.000099999, 1e15, 1e22, 1.5e-20}) {
    CAPTURE(value);
    CHECK(significant_digits(value, 4) == printed(value, 4));
  }
  CHECK(significant_digits(1.7e308, 4) == "1.7e+308");
  CHECK(significant_digits(HUGE_VAL, 4) == "inf");
}

TEST_CASE("decimals are read to the nearest double", "[units][decimal]") {
  Numbers numbers;
  for (int i = 0; i < 20000; ++i) {
    std::string text = std::to_string(numbers.next() >> (numbers.next() % 40));
    if (i % 3 == 0) text.insert(numbers.next() % (text.size() + 1), ".");
    if (i % 3 == 1) text += "e-" + std::to_string(numbers.next() % 12);
    CAPTURE(text);
    std::string_view rest = text;
    const auto value = take_decimal(rest);
    CHECK(value == std::strtod(text.c_str(), nullptr));
    CHECK(rest.empty());
  }
}

TEST_CASE("a decimal ends where its digits do", "[units][decimal]") {
  struct Case {
    std::string_view text;
    double value;
    std::string_view rest;
  };
  for (const Case& it : {Case{"  7", 7, ""}, Case{"5e+3x", 5000, "x"}, Case{"1e", 1, "e"},
                         Case{"1.5.2", 1.5, ".2"}, Case{".5,", 0.5, ","}, Case{"1.", 1, ""}}) {
    CAPTURE(it.text);
    std::string_view rest = it.text;
    CHECK(take_decimal(rest) == it.value);
    CHECK(rest == it.rest);
  }
  for (const std::string_view text : {"", ".", "-1", "e5", "abc", " "}) {
    CAPTURE(text);
    std::string_view rest = text;
    CHECK_FALSE(take_decimal(rest));
    CHECK(rest == text);
  }
}

TEST_CASE("decimals past the range of doubles are infinite or zero", "[units][decimal]") {
  for (const std::string_view text : {"1e400", "9e99999999999999999999"}) {
    std::string_view rest = text;
    CHECK(take_decimal(rest) == HUGE_VAL);
  }
  std::string_view small = "1e-400";
  CHECK(take_decimal(small) == 0.0);
}
