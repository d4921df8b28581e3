#include "core/quick/name_tokens.hpp"

#include "core/quick/text.hpp"

namespace meyasu {
namespace {

bool in_token(char c) {
  return is_ascii_letter(c) || is_ascii_digit(c) || static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

std::vector<NameToken> name_tokens(std::string_view name) {
  std::vector<NameToken> tokens;
  std::size_t previous_end = 0;
  for (std::size_t begin = 0; begin < name.size();) {
    if (!in_token(name[begin])) {
      ++begin;
      continue;
    }
    std::size_t end = begin;
    while (end < name.size() && in_token(name[end])) ++end;
    NameToken token{ascii_lower(name.substr(begin, end - begin)), begin, end, 0};
    if (begin == previous_end + 1) token.before = name[previous_end];
    tokens.push_back(token);
    previous_end = end;
    begin = end;
  }
  return tokens;
}

}  // namespace meyasu
