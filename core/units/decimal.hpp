// Decimal text of doubles, both ways. The C library's strtod and printf bring arithmetic of 128 bit
// with them: 5 % of the module.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meyasu {

/// The double nearest to digits x 10^exponent, for exponents of -22 to 22. Beyond those it may be a
/// neighbour of the nearest one, and infinite from 10^270 on.
[[nodiscard]] double decimal_value(std::uint64_t digits, int exponent);

/// Reads digits with or without a fraction and an exponent ("12", ".5", "1e-5") off the front of
/// `text`; spaces before them are skipped. No sign, no locale. Nothing, and `text` as it was, where
/// no number stands. What digits after the nineteenth add is left out.
[[nodiscard]] std::optional<double> take_decimal(std::string_view& text);

/// A number with up to `digits` (1 to 15) significant digits, as printf's %.{digits}g: without
/// zeros at the end, and with an exponent below 10^-4 and from 10^digits on.
[[nodiscard]] std::string significant_digits(double value, int digits);

}  // namespace meyasu
