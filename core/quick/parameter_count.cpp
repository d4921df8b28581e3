#include "core/quick/parameter_count.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/quick/text.hpp"

namespace meyasu {
namespace {

constexpr std::int64_t kMaxCount = 1'000'000'000'000'000;  // kMaxBillions x 10^9
constexpr std::size_t kMaxTextBytes = 256;
constexpr int kBillion = 9;  // powers of ten below are in parameters

Error error(std::string code, std::string detail = "") {
  return {std::move(code), "parameters", std::move(detail)};
}

/// A decimal number as written: digits x 10^exponent, no sign.
struct Decimal {
  std::string digits;  // without leading zeros; empty is zero
  int exponent = 0;
  bool grouped = false;   // commas in the integer part
  bool plain_int = true;  // neither a fraction nor an exponent
};

struct Unit {
  std::string_view text;
  int power = 0;
};

// Longer spellings first where one begins with another.
constexpr std::array kUnits{
    Unit{"trillion", 12}, Unit{"billion", 9}, Unit{"million", 6}, Unit{"thousand", 3},
    Unit{"bn", 9},        Unit{"t", 12},      Unit{"b", 9},       Unit{"g", 9},
    Unit{"m", 6},         Unit{"k", 3},
};
constexpr std::array kJapaneseUnits{Unit{"兆", 12}, Unit{"億", 8}, Unit{"万", 4}};
constexpr std::array kJapaneseMultipliers{Unit{"千", 3}, Unit{"百", 2}, Unit{"十", 1}};
constexpr std::array<std::string_view, 7> kNouns{"parameters",   "parameter",  "params", "param",
                                                 "パラメーター", "パラメータ", "個"};

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  void skip_spaces() {
    while (!rest_.empty() && (rest_[0] == ' ' || (rest_[0] >= '\t' && rest_[0] <= '\r'))) {
      rest_.remove_prefix(1);
    }
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool at_digit() const { return !rest_.empty() && is_ascii_digit(rest_[0]); }

  bool accept(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  template <std::size_t N>
  std::optional<int> accept_unit(const std::array<Unit, N>& units) {
    for (const Unit& unit : units) {
      if (accept(unit.text)) return unit.power;
    }
    return std::nullopt;
  }

  /// digits[,ddd]...[.digits][e[+-]digits], or .digits
  std::optional<Decimal> decimal() {
    Decimal number;
    std::string digits = take_digits();
    bool any_digit = !digits.empty();
    while (!digits.empty() && !rest_.empty() && rest_[0] == ',') {
      rest_.remove_prefix(1);
      const std::string group = take_digits();
      const bool first_group = !number.grouped;
      if (group.size() != 3 || (first_group && digits.size() > 3)) return std::nullopt;
      number.grouped = true;
      digits += group;
    }
    if (!rest_.empty() && rest_[0] == '.') {
      rest_.remove_prefix(1);
      const std::string fraction = take_digits();
      any_digit = any_digit || !fraction.empty();
      number.exponent -= static_cast<int>(fraction.size());
      number.plain_int = false;
      digits += fraction;
    }
    if (!any_digit) return std::nullopt;
    if (const auto exponent = take_exponent()) {
      number.exponent += *exponent;
      number.plain_int = false;
    }
    number.digits = digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
    while (!number.digits.empty() && number.digits.back() == '0') {
      number.digits.pop_back();
      ++number.exponent;
    }
    return number;
  }

 private:
  std::string take_digits() {
    std::size_t n = 0;
    while (n < rest_.size() && is_ascii_digit(rest_[n])) ++n;
    std::string digits(rest_.substr(0, n));
    rest_.remove_prefix(n);
    return digits;
  }

  /// "e" with at least one digit behind it; anything else is left for the unit to refuse.
  std::optional<int> take_exponent() {
    std::string_view ahead = rest_;
    if (ahead.empty() || ahead[0] != 'e') return std::nullopt;
    ahead.remove_prefix(1);
    const bool negative = ahead.starts_with('-');
    if (negative || ahead.starts_with('+')) ahead.remove_prefix(1);
    if (ahead.empty() || !is_ascii_digit(ahead[0])) return std::nullopt;
    rest_ = ahead;
    constexpr int kPlenty = 9999;  // far outside a double; larger exponents change nothing
    int exponent = 0;
    for (const char digit : take_digits()) {
      exponent = std::min(exponent * 10 + (digit - '0'), kPlenty);
    }
    return negative ? -exponent : exponent;
  }

  std::string_view rest_;
};

/// The whole number of parameters, or nothing when it is not whole or over kMaxCount.
std::optional<std::int64_t> whole_count(const Decimal& number, int power) {
  const int exponent = number.exponent + power;
  constexpr std::size_t kMaxCountDigits = 16;  // of kMaxCount
  if (number.digits.empty()) return 0;
  if (exponent < 0 || number.digits.size() > kMaxCountDigits ||
      static_cast<std::size_t>(exponent) > kMaxCountDigits - number.digits.size()) {
    return std::nullopt;
  }
  std::int64_t count = 0;
  for (const char digit : number.digits) count = count * 10 + (digit - '0');
  for (int i = 0; i < exponent; ++i) count *= 10;
  if (count > kMaxCount) return std::nullopt;
  return count;
}

/// Correctly rounded by strtod; there is no decimal point in the text, so no locale matters.
double in_billions(const Decimal& number, int power) {
  if (number.digits.empty()) return 0;
  const std::string text = number.digits + "e" + std::to_string(number.exponent + power - kBillion);
  return std::strtod(text.c_str(), nullptr);
}

double in_billions(std::int64_t count) {
  return std::strtod((std::to_string(count) + "e-9").c_str(), nullptr);
}

Result<ParameterCount> checked(const ParameterCount& count) {
  if (count.billions > kMaxBillions) return error("too_big");
  // Less than one parameter is none.
  if (count.billions < 1e-9) return error("not_positive");
  return count;
}

/// What a number without a unit would be as a plain count, for the sentence that refuses it.
std::string plain_count_hint(const Decimal& number) {
  const auto count = whole_count(number, 0);
  if (!count || *count == 0) return "";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.10gB", in_billions(*count));
  return text.data();
}

/// Chained Japanese units, largest first: the sum of "1兆" and "500億".
Result<ParameterCount> japanese_count(Reader& reader, const Decimal& first, int first_power) {
  ParameterCount sum{in_billions(first, first_power), whole_count(first, first_power)};
  int smallest_unit = first_power;
  reader.skip_spaces();
  while (reader.at_digit()) {
    const auto number = reader.decimal();
    if (!number) return error("not_number");
    const int multiplier = reader.accept_unit(kJapaneseMultipliers).value_or(0);
    const int unit = reader.accept_unit(kJapaneseUnits).value_or(0);
    if (unit >= smallest_unit) return error("not_number");
    const int power = multiplier + unit;
    const auto count = whole_count(*number, power);
    sum.billions += in_billions(*number, power);
    if (sum.exact && count && *sum.exact + *count <= kMaxCount) {
      sum.exact = *sum.exact + *count;
      sum.billions = in_billions(*sum.exact);
    } else {
      sum.exact.reset();
    }
    reader.skip_spaces();
    if (unit == 0) break;
    smallest_unit = unit;
  }
  return sum;
}

}  // namespace

Result<ParameterCount> parameter_count_from_billions(double billions) {
  if (!std::isfinite(billions)) return error("not_number");
  if (billions <= 0) return error("not_positive");
  ParameterCount count{billions, std::nullopt};
  const double scaled = billions * 1e9;
  const double whole = std::round(scaled);
  // One unit in the last place: 0.1 x 10^9 is meant to be whole although 0.1 is not.
  if (whole >= 1 && whole <= static_cast<double>(kMaxCount) &&
      std::abs(scaled - whole) <= whole * 0x1p-52) {
    count.exact = static_cast<std::int64_t>(whole);
  }
  return checked(count);
}

Result<ParameterCount> parse_parameter_count(std::string_view utf8) {
  if (utf8.size() > kMaxTextBytes) return error("not_number");
  const std::string text = ascii_lower(fold_width(utf8));
  Reader reader(text);
  reader.skip_spaces();
  if (reader.at_end()) return error("empty");

  const bool negative = reader.accept("-");
  if (!negative) reader.accept("+");
  reader.skip_spaces();
  const auto number = reader.decimal();
  if (!number) return error("not_number");
  reader.skip_spaces();

  ParameterCount count;
  bool in_form_unit = false;  // no unit: the form's own, billions
  const auto multiplier = reader.accept_unit(kJapaneseMultipliers);
  if (const auto unit = reader.accept_unit(kJapaneseUnits)) {
    auto sum = japanese_count(reader, *number, *unit + multiplier.value_or(0));
    if (!sum) return sum;
    count = sum.value();
  } else if (multiplier) {
    return error("not_number");
  } else {
    const auto latin_unit = reader.accept_unit(kUnits);
    const bool plain_count =
        !latin_unit && number->grouped && number->plain_int && in_billions(*number, 0) >= 1e-3;
    in_form_unit = !latin_unit && !plain_count;
    const int power = plain_count ? 0 : latin_unit.value_or(kBillion);
    count = {in_billions(*number, power), whole_count(*number, power)};
  }
  reader.skip_spaces();
  for (const std::string_view noun : kNouns) {
    if (reader.accept(noun)) break;
  }
  reader.skip_spaces();
  if (!reader.at_end()) return error("not_number");

  if (negative) return error("not_positive");
  auto result = checked(count);
  if (!result && result.error().code == "too_big" && in_form_unit) {
    return error("too_big", plain_count_hint(*number));
  }
  return result;
}

}  // namespace meyasu
