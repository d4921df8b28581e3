#include "core/quick/text.hpp"

#include <cstddef>
#include <cstdint>

namespace meyasu {
namespace {

struct Decoded {
  std::uint32_t code_point = 0;
  std::size_t length = 0;  // 0: the byte starts no valid sequence
};

/// One UTF-8 sequence at the start of `text` (not empty). Overlong forms and surrogates are not
/// told apart from valid ones: the result is only compared and copied.
Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  std::size_t length = 0;
  std::uint32_t code_point = 0;
  if (first < 0x80) return {first, 1};
  if (first >= 0xC2 && first < 0xE0) {
    length = 2;
    code_point = first & 0x1FU;
  } else if (first >= 0xE0 && first < 0xF0) {
    length = 3;
    code_point = first & 0x0FU;
  } else if (first >= 0xF0 && first < 0xF5) {
    length = 4;
    code_point = first & 0x07U;
  } else {
    return {};
  }
  if (text.size() < length) return {};
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    code_point = code_point << 6 | (byte(i) & 0x3FU);
  }
  return {code_point, length};
}

constexpr bool is_space(std::uint32_t c) {
  return c == 0x3000 || c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F;
}
constexpr bool is_dash(std::uint32_t c) {
  return (c >= 0x2010 && c <= 0x2015) || c == 0x2212;
}
constexpr bool is_invisible(std::uint32_t c) {
  return (c >= 0x200B && c <= 0x200F) || c == 0x2060 || c == 0xFEFF;
}

}  // namespace

std::string fold_width(std::string_view utf8) {
  std::string folded;
  folded.reserve(utf8.size());
  while (!utf8.empty()) {
    const Decoded decoded = decode(utf8);
    if (decoded.length == 0) {
      folded += '?';
      utf8.remove_prefix(1);
      continue;
    }
    const std::uint32_t c = decoded.code_point;
    if (c >= 0xFF01 && c <= 0xFF5E) {
      folded += static_cast<char>(c - 0xFF01 + '!');
    } else if (is_space(c)) {
      folded += ' ';
    } else if (is_dash(c)) {
      folded += '-';
    } else if (!is_invisible(c)) {
      folded += utf8.substr(0, decoded.length);
    }
    utf8.remove_prefix(decoded.length);
  }
  return folded;
}

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace meyasu
