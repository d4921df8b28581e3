// Text as people paste it, made plain: full-width letters narrow, odd spaces and dashes ordinary.
#pragma once

#include <string>
#include <string_view>

namespace meyasu {

/// Valid UTF-8 with U+FF01-FF5E as ASCII, Unicode spaces as ' ', dashes and the minus sign as '-',
/// zero-width characters dropped, and every byte that is not UTF-8 as '?'.
[[nodiscard]] std::string fold_width(std::string_view utf8);

/// ASCII letters in lower case; other bytes unchanged. No locale.
[[nodiscard]] std::string ascii_lower(std::string_view text);

[[nodiscard]] constexpr bool is_ascii_digit(char c) {
  return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace meyasu
