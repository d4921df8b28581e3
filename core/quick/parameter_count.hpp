// Parameter counts as people type them: "7", "7B", "0.5B", "135M", "7,000,000,000", "70億", "1兆".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/units/result.hpp"

namespace meyasu {

/// The largest count the form takes: 1e6 B = 10^15 parameters (1000 times the largest known).
inline constexpr double kMaxBillions = 1e6;

/// How many parameters. `exact` is empty when the text does not name a whole number of them
/// ("0.12345678912B"); `billions` is then the nearest double.
struct ParameterCount {
  double billions = 0;
  std::optional<std::int64_t> exact;

  friend bool operator==(const ParameterCount&, const ParameterCount&) = default;
};

/// The count of a double in billions; `exact` is filled when billions x 10^9 is a whole number
/// within the precision of a double. Errors as in parse_parameter_count (no empty).
[[nodiscard]] Result<ParameterCount> parameter_count_from_billions(double billions);

/// Reads a typed parameter count. Rules, in order:
/// - Full-width characters are folded; spaces around and before a unit do not matter.
/// - A unit says what is counted: K/M/B/T (also G, bn, thousand, million, billion, trillion), or
///   万/億/兆, which may be chained as in Japanese ("1兆500億"), 千 before 万 and 億 ("7千万").
///   "parameters", "params", "パラメータ" may follow.
/// - Without a unit a number is in billions, however large, so "2000000" is too big and not two
///   million; except when commas group it to at least a million ("7,000,000,000"): nobody writes
///   that in billions, so it is a count of parameters.
/// - Commas must group by three: "7,5" is refused, since it is 7.5 to some and 75 to others.
/// - Scientific notation is a number like any other: "1e3" = 1000 B.
/// Errors (field "parameters"): empty; not_number (also NaN, infinity, hexadecimal); not_positive
/// (zero, negative, or less than one parameter); too_big (over 1e6 B; `detail` is what the same
/// digits would be as a plain count, e.g. "7B" for "7000000000", when that is in range).
[[nodiscard]] Result<ParameterCount> parse_parameter_count(std::string_view utf8);

}  // namespace meyasu
