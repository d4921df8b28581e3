// A name cut into tokens: runs of letters and digits, with the separator before each.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace meyasu {

/// "Q4_K_M" is three tokens: "q4", "k" (after '_'), "m" (after '_').
struct NameToken {
  std::string text;       // lower case
  std::size_t begin = 0;  // offsets in the name
  std::size_t end = 0;
  char before = 0;  // the one separator in front; 0 at the start and after several
};

/// Letters, digits and every byte outside ASCII belong to tokens; the rest separates.
[[nodiscard]] std::vector<NameToken> name_tokens(std::string_view name);

}  // namespace meyasu
