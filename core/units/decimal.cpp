#include "core/units/decimal.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace meyasu {
namespace {

constexpr int kMostExact = 22;  // 10^22 is the largest power of ten that is a double

double power_of_ten(int exponent) {
  constexpr std::array<double, kMostExact + 1> kPowers = {
      1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  return kPowers[static_cast<std::size_t>(exponent)];
}

/// A number as the sum of its nearest double and the rest.
struct Sum {
  double nearest = 0;
  double rest = 0;
};

/// a b - product, exactly (Dekker, "A floating-point technique for extending the available
/// precision", 1971).
double lost_in_product(double a, double b, double product) {
  const auto upper_half = [](double x) {
    const double wide = 134217729 * x;  // 2^27 + 1
    return wide - (wide - x);
  };
  const double a1 = upper_half(a);
  const double a2 = a - a1;
  const double b1 = upper_half(b);
  const double b2 = b - b1;
  return ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2;
}

/// number x 10^exponent.
Sum scaled(Sum number, int exponent) {
  constexpr double kLarge = 1e270;  // from here on the halves of a product could overflow
  for (; exponent < 0 && number.nearest >= kLarge; exponent += kMostExact) {
    number.nearest /= power_of_ten(kMostExact);
  }
  while (exponent != 0 && number.nearest != 0 && number.nearest < kLarge) {
    const int step = std::clamp(exponent, -kMostExact, kMostExact);
    const double power = power_of_ten(step < 0 ? -step : step);
    exponent -= step;
    if (step > 0) {
      const double product = number.nearest * power;
      number.rest = lost_in_product(number.nearest, power, product) + number.rest * power;
      number.nearest = product;
    } else {
      const double quotient = number.nearest / power;
      const double product = quotient * power;
      const double left = (number.nearest - product) - lost_in_product(quotient, power, product);
      number.rest = (left + number.rest) / power;
      number.nearest = quotient;
    }
  }
  if (exponent > 0 && number.nearest != 0) return {HUGE_VAL, 0};
  return number;
}

bool is_digit(std::string_view text, std::size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

}  // namespace

double decimal_value(std::uint64_t digits, int exponent) {
  const auto nearest = static_cast<double>(digits);
  // As signed: the nearest double may be the larger one, and 2^64.
  const auto rest = nearest < 18446744073709551616.0
                        ? static_cast<std::int64_t>(digits - static_cast<std::uint64_t>(nearest))
                        : static_cast<std::int64_t>(digits);
  const Sum value = scaled({nearest, static_cast<double>(rest)}, exponent);
  return value.nearest + value.rest;
}

std::optional<double> take_decimal(std::string_view& text) {
  constexpr std::uint64_t kFull = 1'000'000'000'000'000'000;  // 10^18: one more digit fits
  constexpr int kMostExponent = 9999;
  std::size_t at = std::min(text.find_first_not_of(" \t\n\v\f\r"), text.size());
  std::uint64_t digits = 0;
  int exponent = 0;
  bool any = false;
  bool fraction = false;
  for (;; ++at) {
    if (!fraction && at < text.size() && text[at] == '.' && (any || is_digit(text, at + 1))) {
      fraction = true;
      continue;
    }
    if (!is_digit(text, at)) break;
    any = true;
    if (digits < kFull) {
      digits = digits * 10 + static_cast<std::uint64_t>(text[at] - '0');
      if (fraction) --exponent;
    } else if (!fraction) {
      ++exponent;
    }
  }
  if (!any) return std::nullopt;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    std::size_t power_at = at + 1;
    const bool negative = power_at < text.size() && text[power_at] == '-';
    if (negative || (power_at < text.size() && text[power_at] == '+')) ++power_at;
    if (is_digit(text, power_at)) {
      int power = 0;
      for (; is_digit(text, power_at); ++power_at) {
        power = std::min(power * 10 + (text[power_at] - '0'), kMostExponent);
      }
      exponent += negative ? -power : power;
      at = power_at;
    }
  }
  text.remove_prefix(at);
  return decimal_value(digits, exponent);
}

std::string significant_digits(double value, int digits) {
  if (value == 0) return "0";
  const std::string sign = value < 0 ? "-" : "";
  const double size = std::fabs(value);
  if (!std::isfinite(size)) return size > 0 ? sign + "inf" : "nan";
  const double least = power_of_ten(digits - 1);
  int exponent = 0;  // of the first digit
  while (exponent < 308 && scaled({size, 0}, -exponent).nearest >= 10) ++exponent;
  while (exponent > -324 && scaled({size, 0}, -exponent).nearest < 1) --exponent;
  // To the nearest whole number, of two to the even one.
  const Sum shifted = scaled({size, 0}, digits - 1 - exponent);
  double whole = std::floor(shifted.nearest);
  const double above = (shifted.nearest - whole) + shifted.rest;
  if (above > 0.5 || (above == 0.5 && std::floor(whole / 2) * 2 != whole)) ++whole;
  if (whole >= least * 10) {
    whole = least;
    ++exponent;
  }
  std::string text = std::to_string(static_cast<std::int64_t>(whole));
  text.erase(text.find_last_not_of('0') + 1);
  if (exponent < -4 || exponent >= digits) {
    if (text.size() > 1) text.insert(1, ".");
    const int power = std::abs(exponent);
    return sign + text + (exponent < 0 ? "e-" : "e+") + (power < 10 ? "0" : "") +
           std::to_string(power);
  }
  if (exponent < 0) {
    return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + text;
  }
  const auto before = static_cast<std::size_t>(exponent) + 1;
  if (text.size() < before) text.append(before - text.size(), '0');
  if (text.size() > before) text.insert(before, ".");
  return sign + text;
}

}  // namespace meyasu
