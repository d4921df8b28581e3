#include "core/launch/quote.hpp"

#include <algorithm>

namespace meyasu {
namespace {

bool is_harmless(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const bool digit = c >= '0' && c <= '9';
  return letter || digit || std::string_view("._-/+:=").find(c) != std::string_view::npos;
}

/// PowerShell ends a single-quoted string at any of these, too.
constexpr std::string_view kCurlyQuotes[] = {"\u2018", "\u2019", "\u201A", "\u201B"};

std::string posix(std::string_view word) {
  std::string result = "'";
  for (const char c : word) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      result += c;
    }
  }
  return result + "'";
}

std::string powershell(std::string_view word) {
  std::string result = "'";
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\'') {
      result += "''";
      continue;
    }
    for (const std::string_view quote : kCurlyQuotes) {
      if (word.substr(i, quote.size()) == quote) result += quote;
    }
    result += word[i];
  }
  return result + "'";
}

}  // namespace

std::string quoted(std::string_view word, Shell shell) {
  // A leading "=" is a command of zsh.
  const bool bare =
      !word.empty() && word.front() != '=' && std::all_of(word.begin(), word.end(), is_harmless);
  if (bare) return std::string(word);
  return shell == Shell::posix ? posix(word) : powershell(word);
}

std::string python_literal(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    constexpr unsigned char kFirstPrintable = 0x20;
    constexpr unsigned char kDelete = 0x7f;
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (code < kFirstPrintable || code == kDelete) {
      result += "\\x";
      result += kHex[code / 16];
      result += kHex[code % 16];
    } else {
      result += c;
    }
  }
  return result + "\"";
}

}  // namespace meyasu
